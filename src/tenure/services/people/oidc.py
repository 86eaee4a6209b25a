"""Signing in through the platform's own users: OpenID Connect."""

from dataclasses import dataclass, field

from tenure.domain.model import Secret
from tenure.services.people.sessions import Begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where to send the browser, and what its cookie has to bring back."""

    url: str
    browser: Secret = field(repr=False)


class Oidc:
    """Sends people to their provider and takes them back."""

    def begin(self) -> Departure:
        """Return where to send the browser."""
        raise NotImplementedError

    def finish(self, browser: str, answer: str, *, agent: str = "") -> Begun:
        """Take the browser back: *answer* is the whole address it came to."""
        raise NotImplementedError
