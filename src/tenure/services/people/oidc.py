"""Signing in through the platform's own users: OpenID Connect."""

from dataclasses import dataclass, field

from tenure.domain.model import Secret
from tenure.services.people.register import Register
from tenure.services.people.sessions import Begun, Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where to send the browser, and what its cookie has to bring back."""

    url: str
    browser: Secret = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who may say who owners are, and what it calls Tenure; *origin* is where the console is."""

    issuer: str
    client_id: str
    client_secret: Secret
    origin: str
    second_factor: bool = False


class Oidc:
    """Sends people to their provider and takes them back."""

    def __init__(self, register: Register, sessions: Sessions, provider: Provider) -> None:
        """One per worker."""
        self._register, self._sessions, self._provider = register, sessions, provider

    def begin(self) -> Departure:
        """Return where to send the browser."""
        raise NotImplementedError

    def finish(self, browser: str, answer: str, *, agent: str = "") -> Begun:
        """Take the browser back: *answer* is the whole address it came to."""
        raise NotImplementedError
