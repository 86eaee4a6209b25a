"""
Rules as announcements: where each stands among the others, and what one means for a key.

Every rule is announced, whatever became of it: scheduled, in force, superseded, withdrawn. Nothing
happens to a key because of one (RULES R4), so what it means for a key is which ends run by it, and
what the next edit of permissions would bring, by the planner that edit will use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TypeAlias

from tenure.domain import plans
from tenure.domain.consequences import Consequence
from tenure.domain.model import AccountKind, ApiKey, Grant, KeyType, Permission, RuleId
from tenure.domain.rules import Rule, Rulebook

_Cell: TypeAlias = tuple[Permission, KeyType, AccountKind]
"""What a rule speaks about, taken apart as far as it goes."""


class Standing(StrEnum):
    """Where a rule stands."""

    SCHEDULED = "scheduled"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    """It took effect, and later ones judge all it spoke about."""
    WITHDRAWN = "withdrawn"
    """Taken back before it took effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """
    A *rule*, its *standing*, and those it is related to, the earliest first.

    It takes over from the rules *before* it for some of what it speaks about; those *after* it take
    over from it.
    """

    rule: Rule
    standing: Standing
    before: tuple[Rule, ...]
    after: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """
    What a rule means for one *key* that it speaks about.

    *running* are the grants whose term it set and that have not ended, *ended* those that have;
    *next_edit* is what the next edit of permissions would do because of it, once it is in force.
    """

    key: ApiKey
    running: tuple[Grant, ...]
    ended: tuple[Grant, ...]
    next_edit: tuple[Consequence, ...]

    @property
    def touches(self) -> bool:
        """Whether it has done anything to the key, or the next edit would have it do."""
        return bool(self.running or self.ended or self.next_edit)


def announced(rulebook: Rulebook, now_ms: int) -> tuple[Announcement, ...]:
    """Return every rule as of *now_ms*, the last to take effect first."""
    ordered = sorted(rulebook.rules, key=lambda rule: (-rule.effective_from_ms, rule.rule_id))
    return tuple(_announcement(rule, rulebook, now_ms) for rule in ordered)


def meaning(rule: Rule, key: ApiKey, rulebook: Rulebook, now_ms: int) -> Meaning | None:
    """Return what *rule* means for *key* at *now_ms*, None where it does not speak about it."""
    if key.revoked_at_ms is not None or not any(
        rule.covers(permission, key.key_type, key.account_kind) for permission in rule.permissions
    ):
        return None
    by_it = [grant for grant in key.grants.values() if _set_by(grant, rule.rule_id)]
    # Before it takes effect it judges nothing: what an edit brings then is what matters.
    at_ms = max(now_ms, rule.effective_from_ms)
    found = plans.plan_touch(key, rulebook, at_ms)
    return Meaning(
        key=key,
        running=tuple(grant for grant in by_it if not grant.has_ended(now_ms)),
        ended=tuple(grant for grant in by_it if grant.has_ended(now_ms)),
        next_edit=tuple(each for each in found if each.rule_id == rule.rule_id),
    )


def _announcement(rule: Rule, rulebook: Rulebook, now_ms: int) -> Announcement:
    others = [
        other
        for other in rulebook.rules
        if other.withdrawn_at_ms is None and other.rule_id != rule.rule_id
    ]
    before: set[RuleId] = set()
    after: set[RuleId] = set()
    for permission, key_type, kind in _cells(rule):
        sharing = [other for other in others if other.covers(permission, key_type, kind)]
        earlier = [each for each in sharing if each.effective_from_ms < rule.effective_from_ms]
        later = [each for each in sharing if each.effective_from_ms > rule.effective_from_ms]
        if earlier:
            before.add(max(earlier, key=lambda each: each.effective_from_ms).rule_id)
        if later and rule.withdrawn_at_ms is None:
            after.add(min(later, key=lambda each: each.effective_from_ms).rule_id)
    return Announcement(
        rule=rule,
        standing=_standing(rule, rulebook, now_ms),
        before=tuple(each for each in rulebook.rules if each.rule_id in before),
        after=tuple(each for each in rulebook.rules if each.rule_id in after),
    )


def _standing(rule: Rule, rulebook: Rulebook, now_ms: int) -> Standing:
    if rule.withdrawn_at_ms is not None:
        return Standing.WITHDRAWN
    if rule.effective_from_ms > now_ms:
        return Standing.SCHEDULED
    judges = any(rulebook.in_force(*cell, now_ms) == rule for cell in _cells(rule))
    return Standing.IN_FORCE if judges else Standing.SUPERSEDED


def _cells(rule: Rule) -> Iterator[_Cell]:
    return product(rule.permissions, sorted(rule.key_types), sorted(rule.account_kinds))


def _set_by(grant: Grant, rule_id: RuleId) -> bool:
    return grant.term is not None and grant.term.rule_id == rule_id
