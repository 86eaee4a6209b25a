"""Second factors of one's own: added, removed, renewed."""

from dataclasses import dataclass, field

from tenure.domain.model import Secret
from tenure.domain.people import PasskeyAnswer, Person, Session
from tenure.services.people.sessions import Begun


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpSetup:
    """What an authenticator app is set up with: as address, as text to type, as picture (SVG)."""

    uri: Secret = field(repr=False)
    seed: Secret = field(repr=False)
    picture: Secret = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A factor added: the session goes on as *begun*; *recovery_codes*, if new, are shown once."""

    person: Person
    begun: Begun
    recovery_codes: tuple[Secret, ...] = field(default=(), repr=False)


class Factors:
    """What somebody signs in with; a full session needs a step-up for `CHANGING` first."""

    def begin_totp(self, session: Session) -> TotpSetup:
        """Return a new seed; nothing changes until it is confirmed."""
        raise NotImplementedError

    def confirm_totp(self, session: Session, code: str) -> Enrolled:
        """Set up the app with the seed shown last, proved by a *code* of it."""
        raise NotImplementedError

    def passkey_options(self, session: Session) -> str:
        """Return the options (JSON) for making a passkey."""
        raise NotImplementedError

    def add_passkey(self, session: Session, answer: PasskeyAnswer, label: str) -> Enrolled:
        """Add the passkey that the browser made."""
        raise NotImplementedError

    def remove_totp(self, session: Session) -> Begun:
        """Remove the app; raises Conflict `last_factor`."""
        raise NotImplementedError

    def remove_passkey(self, session: Session, passkey_id: str) -> Begun:
        """Remove a passkey; raises NotFound, Conflict `last_factor`."""
        raise NotImplementedError

    def renew_recovery_codes(self, session: Session) -> tuple[Secret, ...]:
        """Return ten new codes; the old ones are void."""
        raise NotImplementedError

    def change_password(self, session: Session, current: str, new: str) -> Begun:
        """Change the password; every other session ends."""
        raise NotImplementedError
