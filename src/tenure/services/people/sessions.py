"""Sessions: who is signed in, in which browser, how far, and until when."""

from dataclasses import dataclass, field

from tenure.domain.model import Secret
from tenure.domain.people import PersonId, Session, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A session under a new id; *secret* is what its cookie holds, told once."""

    session: Session
    secret: Secret = field(repr=False)


class Sessions:
    """Begins, finds and ends sessions."""

    def find(self, cookie: str) -> Session:
        """Return the session *cookie* is of, and note that it was used; raises Unauthenticated."""
        raise NotImplementedError

    def begin(self, person_id: PersonId, stage: Stage, *, agent: str = "") -> Begun:
        """Begin a session."""
        raise NotImplementedError

    def end(self, session: Session) -> None:
        """Sign out."""
        raise NotImplementedError

    def end_all(self, person_id: PersonId, *, but: str | None = None) -> None:
        """End every session of a person, except the one with the id *but*."""
        raise NotImplementedError

    def of_person(self, person_id: PersonId) -> list[Session]:
        """Return a person's running sessions, the last used first."""
        raise NotImplementedError
