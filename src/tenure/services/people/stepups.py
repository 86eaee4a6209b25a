"""
Step-ups: a fresh second factor, bound to one act in one visit, five minutes old at most (T24).

An *act* is whatever text names it exactly, such as `keys.edit key_… <stamp>`: what is approved is
that and nothing else, once. A stolen cookie alone approves nothing.
"""

from typing import Final

from tenure.domain.errors import Forbidden
from tenure.domain.people import STEP_UP_MS, Proof, RecoveryCode, Session, Stage
from tenure.services.people.proving import Proving
from tenure.services.people.register import Register, digest
from tenure.services.people.sessions import Begun, Sessions, expired
from tenure.store import sessions as stored
from tenure.store.db import Transaction

CHANGING: Final = "factors.change"
"""The act of changing what one signs in with: the only one that a recovery code approves too."""


class StepUps:
    """Asks for a second factor again, for one act, and remembers it for five minutes."""

    def __init__(self, register: Register, proving: Proving, sessions: Sessions) -> None:
        """One per worker."""
        self._register, self._proving, self._sessions = register, proving, sessions

    def passkey_options(self, session: Session, act: str) -> str:
        """Return the options (JSON) for a passkey that approves *act*."""
        return self._proving.ask(session, _purpose(act))

    def prove(self, session: Session, act: str, proof: Proof) -> Begun:
        """
        Note that *act* is approved by *proof*; the session goes on under a new id.

        Raises Unauthenticated `wrong`, `locked` or `expired`; Forbidden `step_up` for a recovery
        code where it stands for nothing.
        """
        if session.stage is not Stage.FULL:
            raise expired()
        if isinstance(proof, RecoveryCode) and act != CHANGING:
            raise _missing()
        self._proving.prove(session, _purpose(act), proof)

        def approve(tx: Transaction) -> Begun:
            ends_at_ms = self._register.real.now_ms() + STEP_UP_MS
            stored.approve(tx, session.visit_id, digest(act), ends_at_ms)
            return self._sessions.renew_in(tx, session, Stage.FULL)

        return self._register.store.write(approve)

    def is_proved(self, session: Session, act: str) -> bool:
        """Whether *act* is approved still, so that nobody has to be asked again."""
        now_ms = self._register.real.now_ms()
        return self._register.store.read(
            lambda tx: stored.is_approved(tx, session.visit_id, digest(act), now_ms)
        )

    def require(self, session: Session, act: str) -> None:
        """Spend the approval of *act*; raises Forbidden `step_up` where there is none."""
        self._register.store.write(lambda tx: self.require_in(tx, session, act))

    def require_in(self, tx: Transaction, session: Session, act: str) -> None:
        """Do as `require` in the caller's transaction."""
        now_ms = self._register.real.now_ms()
        if not stored.spend_approval(tx, session.visit_id, digest(act), now_ms):
            raise _missing()


def _purpose(act: str) -> str:
    return f"approve {digest(act)}"


def _missing() -> Forbidden:
    return Forbidden("this asks for a second factor first", code="step_up")
