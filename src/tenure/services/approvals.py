"""
Carrying out what concerns the whole house: alone, or with a second person's approval.

Whoever asks has seen a plan and confirms it with its stamp. Where somebody else has to agree it is
proposed, and carried out by the approval, in one transaction: planned again, and compared with what
was proposed. If anything moved it is stale, and has to be proposed again (decision 0018).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from tenure.clock import Clock, new_id
from tenure.domain import approvals as domain
from tenure.domain.approvals import (
    Act,
    ApprovalId,
    Asked,
    Proposal,
    SecondApproval,
    Signatory,
)
from tenure.domain.errors import Forbidden, TenureError
from tenure.domain.events import Change, Event, Tag
from tenure.services.house_acts import Done, HousePlan, Planner
from tenure.store import approvals, journal, people
from tenure.store.db import Store, Transaction

LISTED_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    What an act would do, and the stamp that confirms it.

    *needs_second*: somebody else has to approve it. *able* is how many there are who could.
    """

    plan: HousePlan
    stamp: str
    needs_second: bool
    able: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A proposal as it stands: the plan as it would be now, or why it cannot be any more."""

    proposal: Proposal
    plan: HousePlan | None
    problem: TenureError | None

    @property
    def is_stale(self) -> bool:
        """Whether something moved since it was proposed."""
        return self.problem is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it: it was *done*, or a *proposal* waits, or was settled."""

    done: Done | None = None
    proposal: Proposal | None = None


class Approvals:
    """What concerns the whole house, and who has to agree."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        planners: Mapping[Act, Planner],
        chosen: SecondApproval,
        catch_up: Callable[[int], None],
    ) -> None:
        """*chosen* is the setting; *catch_up* as for `Keys`."""
        self._store, self._clock, self._planners = store, clock, planners
        self._chosen, self._catch_up = chosen, catch_up

    def require_alone(self) -> None:
        """
        Return if the operator token alone may act on the whole house (SECURITY BI-49).

        Raises Forbidden `approval_required` where two people always have to: a token is nobody.
        """
        if self._chosen is SecondApproval.ALWAYS:
            raise Forbidden(
                "Two people have to agree to this: propose it in the console.",
                code="approval_required",
            )

    def look(self, act: Act, asked: Asked, by: Signatory) -> Shown:
        """Show what *act* would do; changes nothing. Raises as its planner."""

        def look(tx: Transaction) -> Shown:
            now_ms, able = self._clock.now_ms(), _able(tx)
            plan = self._planners[act](tx, asked, now_ms)
            return Shown(
                plan=plan,
                stamp=plan.confirming.stamp(now_ms),
                needs_second=domain.is_needed(self._chosen, able, by),
                able=len(able),
            )

        return self._store.read(look)

    def put_forward(self, act: Act, asked: Asked, stamp: str | None, by: Signatory) -> Outcome:
        """
        Do *act* if *by* may alone and *stamp* confirms it; propose it where a second has to agree.

        Raises Forbidden, Conflict `confirmation_required` and `stale`, as the planner, and as
        `domain.approvals.propose`.
        """

        def put_forward(tx: Transaction) -> tuple[Outcome, int]:
            now_ms, able = self._clock.now_ms(), _able(tx)
            domain.require_able(able, by)
            plan = self._planners[act](tx, asked, now_ms)
            if not plan.effects:
                return Outcome(done=Done(0)), 0
            plan.confirming.require_confirmed(stamp, now_ms)
            if not domain.is_needed(self._chosen, able, by):
                done = plan.carry_out(tx, by.actor, now_ms)
                return Outcome(done=done), done.seq
            # As it is to be asked for a day later: its stamp is what will be compared then.
            fixed = self._planners[act](tx, plan.asked, now_ms)
            proposal = domain.propose(
                ApprovalId(new_id(self._clock, "appr")),
                act,
                asked=fixed.asked,
                stamp=fixed.confirming.stamp(now_ms),
                effects=fixed.effects,
                by=by,
                now_ms=now_ms,
                waiting=approvals.waiting(tx, now_ms),
            )
            approvals.add(tx, proposal)
            event = _record(tx, Tag.APPROVAL_PROPOSED, proposal, by, now_ms)
            return Outcome(proposal=proposal), event.seq

        return self._commit(put_forward)

    def approve(self, approval_id: str, by: Signatory) -> Outcome:
        """
        Approve what another proposed, and carry it out, in one transaction.

        Raises NotFound, Forbidden and Conflict as `domain.approvals.approve`, and Conflict `stale`
        where the plan is another by now.
        """

        def approve(tx: Transaction) -> tuple[Outcome, int]:
            now_ms, proposal = self._clock.now_ms(), approvals.get(tx, approval_id)
            approved = domain.approve(proposal, by, _able(tx), now_ms)
            plan = self._planners[proposal.act](tx, proposal.asked, now_ms)
            # As of then: that it waited for hours is what the proposal's own end is for.
            plan.confirming.require_confirmed(proposal.stamp, proposal.proposed_at_ms)
            approvals.settle(tx, approved)
            _record(tx, Tag.APPROVAL_APPROVED, approved, by, now_ms)
            done = plan.carry_out(tx, proposal.by.actor, now_ms)
            return Outcome(done=done, proposal=approved), journal.head(tx)[0]

        return self._commit(approve)

    def withdraw(self, approval_id: str, by: Signatory) -> Outcome:
        """Take a proposal back, or turn it down; raises NotFound, Forbidden, Conflict."""

        def withdraw(tx: Transaction) -> tuple[Outcome, int]:
            now_ms, proposal = self._clock.now_ms(), approvals.get(tx, approval_id)
            withdrawn = domain.withdraw(proposal, by, _able(tx), now_ms)
            approvals.settle(tx, withdrawn)
            event = _record(tx, Tag.APPROVAL_WITHDRAWN, withdrawn, by, now_ms)
            return Outcome(proposal=withdrawn), event.seq

        return self._commit(withdraw)

    def get(self, approval_id: str) -> Looked:
        """Return one proposal, and the plan as it would be now; raises NotFound."""
        now_ms = self._clock.now_ms()

        def look(tx: Transaction) -> Looked:
            proposal = approvals.get(tx, approval_id)
            if proposal.standing(now_ms) is not domain.Standing.WAITING:
                return Looked(proposal=proposal, plan=None, problem=None)
            return self._looked(tx, proposal, now_ms)

        return self._store.read(look)

    def waiting(self) -> list[Proposal]:
        """Return those that wait, the first to expire first."""
        now_ms = self._clock.now_ms()
        return self._store.read(partial(approvals.waiting, now_ms=now_ms))

    def latest(self) -> list[Proposal]:
        """Return the last ones, however they stand."""
        return self._store.read(partial(approvals.latest, most=LISTED_MAX))

    def _looked(self, tx: Transaction, proposal: Proposal, now_ms: int) -> Looked:
        try:
            plan = self._planners[proposal.act](tx, proposal.asked, now_ms)
        except TenureError as problem:
            return Looked(proposal=proposal, plan=None, problem=problem)
        try:
            plan.confirming.require_confirmed(proposal.stamp, proposal.proposed_at_ms)
        except TenureError as problem:
            return Looked(proposal=proposal, plan=plan, problem=problem)
        return Looked(proposal=proposal, plan=plan, problem=None)

    def _commit(self, act: Callable[[Transaction], tuple[Outcome, int]]) -> Outcome:
        outcome, seq = self._store.write(act)
        if seq:
            self._catch_up(seq)
        return outcome


def _able(tx: Transaction) -> frozenset[str]:
    """Return who could approve: the administrators who can sign in."""
    return frozenset(person.person_id for person in people.administrators(tx))


def _record(tx: Transaction, tag: Tag, proposal: Proposal, by: Signatory, now_ms: int) -> Event:
    change = Change(
        tag=tag,
        actor=by.actor,
        happened_at_ms=now_ms,
        body={"approval": domain.approval_state(proposal)},
    )
    return journal.append(tx, change, now_ms)
