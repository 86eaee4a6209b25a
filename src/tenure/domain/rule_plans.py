"""
What a new rulebook would do: which rules it adds, and what today's keys would live to see of them.

Nothing happens to a key because a rule takes effect (RULES R4), so what is worked out here is what
the owner's next edit of permissions would bring, by the very planner that edit will use. Keys are
handed in one after the other and never kept: a `Tally` is as small after a million as after one.
"""

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from tenure.domain import plans, stamps
from tenure.domain.consequences import ConsequenceKind
from tenure.domain.errors import Conflict, Invalid, Problem
from tenure.domain.model import AccountKind, ApiKey, KeyId, KeyType, Permission
from tenure.domain.rules import Rule, Rulebook, rule_state

DAY_MS = 86_400_000
EXAMPLES_MAX = 3
"""Keys named for each outcome: enough to look at, few enough to read."""
_USED = "rule {} was withdrawn, and its id is not used again: give the rule another one"
_SHAPES_MAX = 10_000
"""Shapes remembered; a store has a few dozen, a catalog of many permissions perhaps hundreds."""


class Outcome(StrEnum):
    """What the next edit of permissions would do to one permission that a key holds today."""

    KEEPS = "keeps"
    TERM_STARTS = "term_starts"
    LOST = "lost"
    ENDED = "ended"


_OF_CONSEQUENCE = {
    ConsequenceKind.TERM_STARTS: Outcome.TERM_STARTS,
    ConsequenceKind.LOST: Outcome.LOST,
}
_CHANGES = frozenset(_OF_CONSEQUENCE.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePlan:
    """
    The rules *added* to the rulebook *before*, which makes it the one *after*.

    Keys are judged as of *judged_at_ms*, when the last of them takes effect. *inputs* is what a
    stamp names: the rulebook, and the proposed rows. The keys are not in it, for they move all
    the time and their owners are asked themselves.
    """

    before: Rulebook
    after: Rulebook
    added: tuple[Rule, ...]
    judged_at_ms: int
    inputs: str

    def stamp(self, previewed_at_ms: int) -> str:
        """Return what somebody who saw this plan at *previewed_at_ms* confirms it with."""
        return stamps.stamp_of(self.inputs, previewed_at_ms)

    def require_confirmed(self, stamp: str | None, now_ms: int) -> None:
        """
        Return if this plan may be committed at *now_ms* with *stamp*.

        Raises Conflict: `confirmation_required` if rules would be added and no stamp came, `stale`
        if it names another rulebook or other rows, or is over 10 minutes old.
        """
        if stamp is not None:
            stamps.require_current(stamp, self.inputs, now_ms)
        elif self.added:
            raise Conflict(
                "confirmation_required",
                "preview these rules first, then send them again with the stamp",
            )


def plan_rule(proposed: Rulebook, known: Rulebook, now_ms: int) -> RulePlan:
    """
    Plan adding to *known* the rules of *proposed* that it does not have.

    Raises Invalid naming every new rule that would be back-dated: at *now_ms* its instant must lie
    ahead (RULES R4, R13). Raises Conflict `rule_withdrawn` for a rule that was withdrawn, since
    whoever sends it means it to take effect; and as `additions`.
    """
    for rule in proposed.rules:
        held = known.rule(rule.rule_id)
        if held is not None and held.withdrawn_at_ms is not None:
            raise Conflict("rule_withdrawn", _USED.format(rule.rule_id))
    added = additions(proposed, known)
    problems = [
        Problem(
            f"rule {rule.rule_id}",
            "would be back-dated: a rule takes effect in the future; give it a later instant",
        )
        for rule in added
        if rule.effective_from_ms <= now_ms
    ]
    if problems:
        raise Invalid.of(problems)
    named = [known.digest, sorted((rule_state(rule) for rule in added), key=lambda row: row["id"])]
    return RulePlan(
        before=known,
        after=Rulebook((*known.rules, *added)),
        added=added,
        judged_at_ms=max((rule.effective_from_ms for rule in added), default=now_ms),
        inputs=hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest(),
    )


def additions(proposed: Rulebook, known: Rulebook) -> tuple[Rule, ...]:
    """
    Return the rules of *proposed* that *known* does not have; one it has is passed over.

    A withdrawn rule is had: it stays withdrawn. Raises Conflict `rule_altered` where a rule that
    is known says something else now, and `rule_contested` where a new one would take effect at the
    instant of another for the same permission (RULES R13).
    """
    added: list[Rule] = []
    for rule in proposed.rules:
        held = known.rule(rule.rule_id)
        if held is None:
            _require_uncontested(rule, (*known.rules, *added))
            added.append(rule)
        elif rule_state(held) != rule_state(rule):
            raise Conflict("rule_altered", _altered(held))
    return tuple(added)


def require_withdrawable(rule: Rule, now_ms: int) -> None:
    """Return if *rule* may be withdrawn at *now_ms*; raises Conflict `in_force` once it judges."""
    if now_ms >= rule.effective_from_ms:
        raise Conflict(
            "in_force",
            f"rule {rule.rule_id} has taken effect, and is never altered; let another succeed it",
        )


class Fate(NamedTuple):
    """
    *outcome* of one permission; *is_new* tells it from what today's rulebook would do too.

    *ends_at_ms* is the end of a term that starts.
    """

    permission: Permission
    outcome: Outcome
    is_new: bool
    ends_at_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Count:
    """How many keys hold one permission, and what would become of it, by outcome."""

    held: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    anyway: int = 0
    examples: dict[Outcome, list[KeyId]] = field(default_factory=dict)

    def add(self, key_id: KeyId, fate: Fate) -> None:
        """Count one key."""
        self.held += 1
        self.outcomes[fate.outcome] += 1
        if fate.outcome not in _CHANGES:
            return
        self.anyway += not fate.is_new
        examples = self.examples.setdefault(fate.outcome, [])
        if len(examples) < EXAMPLES_MAX:
            examples.append(key_id)


@dataclass(slots=True, kw_only=True)
class Ends:
    """How many permissions end on one day: as things stand, and with the new rules."""

    before: int = 0
    after: int = 0


_Shape: TypeAlias = tuple[AccountKind, KeyType, bool, tuple[tuple[Permission, bool | None], ...]]


class Tally:
    """
    Counts what a RulePlan would bring to keys, handed in one by one.

    *keys* were looked at, *revoked* ones among them; *untouched* have nothing that would change
    at their next edit of permissions. *counts* are by permission and account kind. *ends* are by
    the day (UTC, counted from 1970): those that stand, and those there would be if every owner
    edited permissions at the very instant the last of the rules takes effect, the worst there is.
    """

    def __init__(self, plan: RulePlan, now_ms: int) -> None:
        """*now_ms* says what is held today."""
        self.keys = self.revoked = self.untouched = 0
        self.counts: dict[tuple[Permission, AccountKind], Count] = {}
        self.ends: dict[int, Ends] = {}
        self._plan, self._now_ms = plan, now_ms
        self._fates: dict[_Shape, tuple[Fate, ...]] = {}

    def add(self, key: ApiKey) -> None:
        """Count *key*."""
        self.keys += 1
        if key.revoked_at_ms is not None:
            self.revoked += 1
            return
        is_touched, fates = False, self._fates_of(key)
        self._count_ends(key, fates)
        for fate in fates:
            of = (fate.permission, key.account_kind)
            if of not in self.counts:
                self.counts[of] = Count()
            self.counts[of].add(key.key_id, fate)
            is_touched = is_touched or fate.outcome in _CHANGES
        self.untouched += not is_touched

    def _count_ends(self, key: ApiKey, fates: tuple[Fate, ...]) -> None:
        fate_of = {fate.permission: fate for fate in fates}
        for permission, grant in key.grants.items():
            if grant.has_ended(self._now_ms):
                continue
            stands_ms = then_ms = grant.term.ends_at_ms if grant.term else None
            fate = fate_of.get(permission)
            if fate is not None and fate.outcome in _CHANGES:
                then_ms = fate.ends_at_ms
            if stands_ms is not None:
                self.ends.setdefault(stands_ms // DAY_MS, Ends()).before += 1
            if then_ms is not None:
                self.ends.setdefault(then_ms // DAY_MS, Ends()).after += 1

    def _fates_of(self, key: ApiKey) -> tuple[Fate, ...]:
        # Keys by the million have but a few shapes, and which *kind* of consequence there is
        # depends on the shape alone: `settle` gives a grant a term, or leaves it, or takes it, by
        # the rule, by having addresses, and by having a term; never by when that term ends.
        shape = (key.account_kind, key.key_type, key.is_restricted, self._held(key))
        fates = self._fates.get(shape)
        if fates is None:
            fates = fates_of(key, self._plan, self._now_ms)
            if len(self._fates) < _SHAPES_MAX:
                self._fates[shape] = fates
        return fates

    def _held(self, key: ApiKey) -> tuple[tuple[Permission, bool | None], ...]:
        """Return what *key* holds today, and of each whether it runs, has ended by then, or not."""
        now_ms, judged_at_ms = self._now_ms, self._plan.judged_at_ms
        return tuple(
            (permission, None if grant.term is None else grant.has_ended(judged_at_ms))
            for permission, grant in key.grants.items()
            if not grant.has_ended(now_ms)
        )


def fates_of(key: ApiKey, plan: RulePlan, now_ms: int) -> tuple[Fate, ...]:
    """
    Return what the next edit of permissions would do to each permission *plan* speaks about.

    Of *key* as it is at *now_ms*, edited when the last of the rules has taken effect.
    """
    concerned = [
        permission
        for permission in key.grants
        if key.holds(permission, now_ms)
        and any(rule.covers(permission, key.key_type, key.account_kind) for rule in plan.added)
    ]
    if not concerned:
        return ()
    then, today = (
        {item.permission: item for item in plans.plan_touch(key, book, plan.judged_at_ms)}
        for book in (plan.after, plan.before)
    )
    fates = []
    for permission in concerned:
        found, anyway = then.get(permission), today.get(permission)
        if found is not None:
            is_new = anyway is None or anyway.kind is not found.kind
            outcome = _OF_CONSEQUENCE[found.kind]
            fates.append(Fate(permission, outcome, is_new, found.ends_at_ms))
        else:
            is_held = key.holds(permission, plan.judged_at_ms)
            outcome = Outcome.KEEPS if is_held else Outcome.ENDED
            fates.append(Fate(permission, outcome, is_new=False))
    return tuple(fates)


def _require_uncontested(rule: Rule, others: tuple[Rule, ...]) -> None:
    for other in others:
        if (
            other.withdrawn_at_ms is None
            and other.effective_from_ms == rule.effective_from_ms
            and set(other.permissions) & set(rule.permissions)
            and other.key_types & rule.key_types
            and other.account_kinds & rule.account_kinds
        ):
            raise Conflict(
                "rule_contested",
                f"rules {other.rule_id} and {rule.rule_id} take effect at the same instant",
            )


def _altered(held: Rule) -> str:
    if held.withdrawn_at_ms is not None:
        return _USED.format(held.rule_id)
    return (
        f"rule {held.rule_id} is in the store and says something else; "
        "a rule is never altered: give the new one its own id and date"
    )
