"""
The rulebook in force: rows in the store, first filled from a rulebook file, then added to.

A rule is never altered (RULES R13): a file that says something else about a known rule is refused.
While Tenure runs, new rules are previewed, confirmed and scheduled for an instant that lies ahead,
and may be withdrawn until it comes. What a preview works out is in `domain.rule_plans`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from tenure.clock import Clock
from tenure.domain import rule_plans
from tenure.domain.errors import NotFound
from tenure.domain.events import Change, Tag
from tenure.domain.model import RuleId
from tenure.domain.rule_plans import RulePlan, Tally
from tenure.domain.rules import Rule, Rulebook, rule_state
from tenure.store import journal, keys, rules
from tenure.store.db import Store, Transaction

_Answer = TypeVar("_Answer")

ACTOR = "tenure:rulebook"
SLICE_MAX = 100_000
"""Keys one preview looks at before it answers and may be asked to go on: a few seconds."""
_PAGE = 2_000
"""Keys read in one transaction: a preview of millions holds nobody's log back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """
    What new rules would bring to a slice of the keys, and the stamp that confirms adding them.

    *keys_total* is how many keys there are, in the first slice alone; *next_after* names the last
    key of a slice that others may follow, None after the last one.
    """

    plan: RulePlan
    stamp: str
    tally: Tally
    keys_total: int | None
    next_after: str | None


class Rules:
    """The rulebook, and what may happen to it."""

    def __init__(
        self, store: Store, clock: Clock, catch_up: Callable[[int], None] | None = None
    ) -> None:
        """*clock* dates the events; *catch_up* as for `Keys`, where there is a keyring already."""
        self._store, self._clock, self._catch_up = store, clock, catch_up

    def rulebook(self) -> Rulebook:
        """Return every rule, whenever it takes effect, withdrawn ones too."""
        return self._store.read(rules.rulebook)

    def adopt(self, rulebook: Rulebook) -> list[Rule]:
        """
        Add the rules of *rulebook* that the store does not have, and return them.

        For a start, whose file may be older than the store: dates are taken as they are, and a
        rule that was withdrawn stays so. Nobody waits for the keyring, which may not be there yet.
        Raises Conflict `rule_altered` where a rule the store has says something else, and
        `rule_contested` where a new one would take effect at the instant of another.
        """

        def adopt(tx: Transaction) -> list[Rule]:
            added = rule_plans.additions(rulebook, rules.rulebook(tx))
            self.add_in(tx, added, ACTOR)
            return list(added)

        return self._store.write(adopt)

    def preview(self, proposed: Rulebook, after: str = "", limit: int = SLICE_MAX) -> Previewed:
        """
        Show what adding *proposed* would bring to *limit* keys whose id sorts after *after*.

        Changes nothing. Each few thousand keys are read as they are at that moment, so that a long
        look is no snapshot. Raises Invalid and Conflict as `rule_plans.plan_rule`.
        """
        now_ms = self._clock.now_ms()
        plan = rule_plans.plan_rule(proposed, self.rulebook(), now_ms)
        tally, last, is_whole = Tally(plan, now_ms), after, False
        while tally.keys < limit and not is_whole:
            most = min(_PAGE, limit - tally.keys)
            page = self._store.read(partial(keys.every, after_id=last, most=most))
            for stored in page:
                tally.add(stored.key)
                last = stored.key_id
            is_whole = len(page) < most
        return Previewed(
            plan=plan,
            stamp=plan.stamp(now_ms),
            tally=tally,
            keys_total=None if after else self._store.read(rules.count_keys),
            next_after=None if is_whole else last,
        )

    def schedule(self, proposed: Rulebook, stamp: str | None, actor: str) -> list[Rule]:
        """
        Add the rules of *proposed* that are new, for the instants they name, and return them.

        Raises as `rule_plans.plan_rule` and `RulePlan.require_confirmed`: Invalid, Conflict.
        """

        def schedule(tx: Transaction) -> tuple[list[Rule], int]:
            now_ms = self._clock.now_ms()
            plan = self.plan_in(tx, proposed, now_ms)
            plan.require_confirmed(stamp, now_ms)
            return list(plan.added), self.add_in(tx, plan.added, actor)

        return self._commit(schedule)

    def withdraw(self, rule_id: str, actor: str) -> Rule:
        """
        Withdraw a rule before it takes effect, for good; a second time changes nothing.

        Raises NotFound, Conflict `in_force` once it has taken effect.
        """

        def withdraw(tx: Transaction) -> tuple[Rule, int]:
            now_ms = self._clock.now_ms()
            return self.withdraw_in(tx, self.withdrawable_in(tx, rule_id, now_ms), actor, now_ms)

        return self._commit(withdraw)

    def plan_in(self, tx: Transaction, proposed: Rulebook, now_ms: int) -> RulePlan:
        """Plan adding *proposed*, in the caller's transaction; raises as `rule_plans.plan_rule`."""
        return rule_plans.plan_rule(proposed, rules.rulebook(tx), now_ms)

    def withdrawable_in(self, tx: Transaction, rule_id: str, now_ms: int) -> Rule:
        """Return a rule that may be withdrawn, or was; raises as `withdraw`."""
        rule = rules.rulebook(tx).rule(RuleId(rule_id))
        if rule is None:
            raise NotFound("there is no such rule")
        if rule.withdrawn_at_ms is None:
            rule_plans.require_withdrawable(rule, now_ms)
        return rule

    def withdraw_in(self, tx: Transaction, rule: Rule, actor: str, now_ms: int) -> tuple[Rule, int]:
        """Withdraw *rule*, in the caller's transaction; return it, and the event's seq or 0."""
        if rule.withdrawn_at_ms is not None:
            return rule, 0
        withdrawn = replace(rule, withdrawn_at_ms=now_ms)
        rules.withdraw(tx, rule.rule_id, now_ms)
        return withdrawn, self._record(tx, Tag.RULE_WITHDRAWN, [withdrawn], actor)

    def add_in(self, tx: Transaction, added: Sequence[Rule], actor: str) -> int:
        """Add rules, in the caller's transaction; return the last event's seq, 0 for none."""
        for rule in added:
            rules.add(tx, rule)
        return self._record(tx, Tag.RULE_ADDED, added, actor)

    def _record(self, tx: Transaction, tag: Tag, about: Sequence[Rule], actor: str) -> int:
        """Write one event a rule and return the last one's seq, 0 where there is none."""
        if not about:
            return 0  # Before the clock is asked: a start adds nothing, and may find it behind.
        now_ms = self._clock.now_ms()
        changes = [
            Change(tag=tag, actor=actor, happened_at_ms=now_ms, body={"rule": rule_state(rule)})
            for rule in about
        ]
        return journal.append_all(tx, changes, now_ms)[-1].seq

    def _commit(self, act: Callable[[Transaction], tuple[_Answer, int]]) -> _Answer:
        answer, seq = self._store.write(act)
        if seq and self._catch_up is not None:
            self._catch_up(seq)
        return answer
