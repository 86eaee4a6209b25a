"""
Revoking many keys at once, by a mark: previewed, confirmed, one row and one event (SECURITY D17).

For the day a third party leaks every key it was given. What a mark covers is worked out by the
store and the keyring, each by comparing; the keys themselves are never written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tenure.clock import Clock, new_id
from tenure.domain import marks as domain
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.events import Change, Event, Tag
from tenure.domain.marks import Mark, MarkId, MarkPlan, Selection
from tenure.store import accounts, journal, marks
from tenure.store.db import Store, Transaction

EXAMPLES_MAX: Final = 5
"""Enough to see whose keys they are, whatever their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a mark would revoke, or, where there is a *mark*, did; and the stamp to confirm it."""

    plan: MarkPlan
    stamp: str
    mark: Mark | None = None


class Revocations:
    """Revokes keys by marks."""

    def __init__(self, store: Store, clock: Clock, catch_up: Callable[[int], None]) -> None:
        """*catch_up* returns once the keyring holds the event it is given the seq of."""
        self._store, self._clock, self._catch_up = store, clock, catch_up

    def preview(self, selection: Selection) -> Shown:
        """
        Show what revoking the keys of *selection* would do; changes nothing.

        Raises Invalid for an instant to come, NotFound for an account there is not.
        """
        return self._store.read(lambda tx: self._plan(tx, selection, self._clock.now_ms()))

    def commit(self, selection: Selection, stamp: str | None, actor: str) -> Shown:
        """
        Revoke the keys of *selection*, at once and for good, if *stamp* confirms it (BI-49).

        In force for every one of them on this machine when this returns. Where there is none to
        revoke nothing is recorded. Raises as `preview`, and Conflict `confirmation_required` or
        `stale` with what it would do now as a Shown.
        """

        def commit(tx: Transaction) -> tuple[Shown, Event | None]:
            now_ms = self._clock.now_ms()
            shown = self._plan(tx, selection, now_ms)
            if not shown.plan.matched:
                return shown, None
            try:
                shown.plan.require_confirmed(stamp, now_ms)
            except Conflict as conflict:
                raise Conflict(conflict.code, conflict.message, plan=shown) from conflict
            mark, event = self.mark_in(tx, shown.plan, actor, now_ms)
            return Shown(plan=shown.plan, stamp=shown.stamp, mark=mark), event

        shown, event = self._store.write(commit)
        if event is not None:
            self._catch_up(event.seq)
        return shown

    def plan_in(self, tx: Transaction, selection: Selection) -> MarkPlan:
        """Plan revoking the keys of *selection*, in the caller's transaction."""
        return marks.plan(tx, selection, EXAMPLES_MAX)

    def mark_in(
        self, tx: Transaction, plan: MarkPlan, actor: str, now_ms: int
    ) -> tuple[Mark, Event]:
        """Revoke what was planned, in the caller's transaction; whoever calls has it confirmed."""
        mark = Mark(
            mark_id=MarkId(new_id(self._clock, "mark")),
            label=plan.selection.label,
            account_id=plan.selection.account_id,
            issued_before_ms=plan.before_ms(now_ms),
            made_at_ms=now_ms,
        )
        marks.add(tx, mark)
        return mark, _record(tx, mark, plan, actor)

    def every(self) -> list[Mark]:
        """Return every mark, the oldest first."""
        return self._store.read(lambda tx: list(marks.every(tx)))

    def _plan(self, tx: Transaction, selection: Selection, now_ms: int) -> Shown:
        if selection.account_id is not None:
            accounts.get(tx, selection.account_id)
        if selection.issued_before_ms is not None and selection.issued_before_ms > now_ms:
            raise Invalid("issued_before_ms", "lies in the future; no key was issued there yet")
        plan = self.plan_in(tx, selection)
        return Shown(plan=plan, stamp=plan.stamp(now_ms))


def _record(tx: Transaction, mark: Mark, plan: MarkPlan, actor: str) -> Event:
    by_kind = {str(kind): keys for kind, keys in plan.by_kind.items()}
    change = Change(
        tag=Tag.KEYS_REVOKED,
        actor=actor,
        happened_at_ms=mark.made_at_ms,
        body={"mark": domain.mark_state(mark), "keys": by_kind},
        account_id=mark.account_id,
    )
    return journal.append(tx, change, mark.made_at_ms)
