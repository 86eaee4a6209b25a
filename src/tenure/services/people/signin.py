"""Signing in: password, then a second factor; or a passkey, which is both."""

from dataclasses import dataclass

from tenure.domain.people import PasskeyAnswer, Proof, Session
from tenure.services.people.sessions import Begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A challenge for whoever is nobody yet: its id, and the options for the browser as JSON."""

    challenge_id: str
    options: str


class SignIn:
    """Lets people in."""

    def password(self, email: str, password: str, *, agent: str = "") -> Begun:
        """Begin a session at Stage.PASSWORD, or ENROLLING; raises Unauthenticated."""
        raise NotImplementedError

    def passkey_options(self, session: Session) -> str:
        """Return the options (JSON) for a passkey as the second factor of *session*."""
        raise NotImplementedError

    def prove(self, session: Session, proof: Proof) -> Begun:
        """Turn *session*, at Stage.PASSWORD, into a full one under a new id."""
        raise NotImplementedError

    def ask_for_passkey(self) -> Asked:
        """Ask for a passkey without a name and a password: it is both factors."""
        raise NotImplementedError

    def by_passkey(self, challenge_id: str, answer: PasskeyAnswer, *, agent: str = "") -> Begun:
        """Begin a full session for the holder of the passkey that answered."""
        raise NotImplementedError
