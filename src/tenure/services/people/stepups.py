"""
Step-ups: a fresh second factor, bound to one act in one visit, five minutes old at most (T24).

An *act* is whatever text names it exactly, such as a digest over which key is edited and how (not
over the plan, so that a stale one can be looked at again): what is approved is that and nothing
else, once. A stolen cookie alone approves nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from tenure.domain.errors import Forbidden
from tenure.domain.people import STEP_UP_MS, Proof, RecoveryCode, Session, Stage
from tenure.services.people.proving import Proving
from tenure.services.people.register import Register, digest
from tenure.services.people.sessions import Begun, Sessions, expired
from tenure.store import sessions as stored
from tenure.store.db import Transaction


class Change(StrEnum):
    """The acts of changing what one signs in with: the only ones a recovery code approves too."""

    ADD_PASSKEY = "factors.add_passkey"
    REMOVE_PASSKEY = "factors.remove_passkey"
    ADD_APP = "factors.add_app"
    REMOVE_APP = "factors.remove_app"
    RENEW_CODES = "factors.renew_codes"
    PASSWORD = "factors.password"  # noqa: S105 - what is done, and no password

    def of(self, passkey_id: str) -> str:
        """Return the act of doing this to one passkey."""
        return f"{self} {passkey_id}"


_CHANGES = frozenset(Change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """
    An approval that was used up before the act it is for; see `StepUps.give_back`.

    *begun* is the session under its new id, where the factor was given with the act itself.
    """

    visit_id: str
    act: str
    ends_at_ms: int
    begun: Begun | None = None


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
        self._judge(session, act, proof)

        def approve(tx: Transaction) -> Begun:
            stored.approve(tx, session.visit_id, digest(act), self._end_ms())
            return self._sessions.renew_in(tx, session, Stage.FULL)

        return self._register.store.write(approve)

    def is_proved(self, session: Session, act: str) -> bool:
        """Whether *act* is approved still, so that nobody has to be asked again."""
        now_ms = self._register.real.now_ms()
        return self._register.store.read(
            lambda tx: stored.is_approved(tx, session.visit_id, digest(act), now_ms)
        )

    def spend(self, session: Session, act: str, proof: Proof | None) -> Spent:
        """
        Use up the approval of *act*, given before or now by *proof*: of many at once one can.

        To be called before the act, never after: two could be doing it by then. Raises as `prove`,
        and Forbidden `step_up` where there is neither an approval nor a proof.
        """
        now_ms = self._register.real.now_ms()
        ends_at_ms = self._register.store.write(
            lambda tx: stored.spend_approval(tx, session.visit_id, digest(act), now_ms)
        )
        if ends_at_ms is not None:
            return Spent(visit_id=session.visit_id, act=act, ends_at_ms=ends_at_ms)
        if proof is None:
            raise _missing()
        self._judge(session, act, proof)
        # What approves is spent as it is given, and never lies there for whoever is quicker.
        begun = self._register.store.write(
            lambda tx: self._sessions.renew_in(tx, session, Stage.FULL)
        )
        return Spent(visit_id=session.visit_id, act=act, ends_at_ms=self._end_ms(), begun=begun)

    def give_back(self, spent: Spent) -> None:
        """Let what was *spent* approve its act again, for what remains of its five minutes."""
        act, now_ms = digest(spent.act), self._register.real.now_ms()

        def give_back(tx: Transaction) -> None:
            # Where the act was approved anew meanwhile, that holds longer than this would.
            if not stored.is_approved(tx, spent.visit_id, act, now_ms):
                stored.approve(tx, spent.visit_id, act, spent.ends_at_ms)

        self._register.store.write(give_back)

    def require_in(self, tx: Transaction, session: Session, act: str) -> None:
        """Spend the approval of *act* in the act's own transaction; raises Forbidden `step_up`."""
        now_ms = self._register.real.now_ms()
        if stored.spend_approval(tx, session.visit_id, digest(act), now_ms) is None:
            raise _missing()

    def _judge(self, session: Session, act: str, proof: Proof) -> None:
        if session.stage is not Stage.FULL:
            raise expired()
        if isinstance(proof, RecoveryCode) and act.partition(" ")[0] not in _CHANGES:
            raise _missing()
        self._proving.prove(session, _purpose(act), proof)

    def _end_ms(self) -> int:
        return self._register.real.now_ms() + STEP_UP_MS


def _purpose(act: str) -> str:
    return f"approve {digest(act)}"


def _missing() -> Forbidden:
    return Forbidden("this asks for a second factor first", code="step_up")
