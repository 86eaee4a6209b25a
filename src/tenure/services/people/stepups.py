"""Step-ups: a fresh second factor, bound to one act (SECURITY T24)."""

from tenure.domain.people import Proof, Session
from tenure.services.people.sessions import Begun


class StepUps:
    """Asks for a second factor again, for one act, and remembers it for five minutes."""

    def passkey_options(self, session: Session, act: str) -> str:
        """Return the options (JSON) for a passkey that approves *act*."""
        raise NotImplementedError

    def prove(self, session: Session, act: str, proof: Proof) -> Begun:
        """Note that *act* is approved; the session goes on under a new id."""
        raise NotImplementedError

    def require(self, session: Session, act: str) -> None:
        """Spend the approval of *act*; raises Forbidden `step_up` where there is none."""
        raise NotImplementedError
