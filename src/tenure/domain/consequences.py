"""
What becomes of each permission when a plan is saved: a key before, a key after, and the difference.

Nothing is decided here: `plans` works out the key afterwards, and the difference is read off the
two. What a consequence says in words is in `wording`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tenure.domain.model import ApiKey, Permission, RuleId
from tenure.domain.rules import Rulebook


class ConsequenceKind(StrEnum):
    """What can happen to one permission when an edit is saved."""

    LOST = "lost"
    TERM_STARTS = "term_starts"
    TERM_SHORTENED = "term_shortened"
    TERM_LIFTED = "term_lifted"
    GRANTED = "granted"
    REMOVED = "removed"
    STAYS_OFF = "stays_off"


_ASKS_FIRST = frozenset(
    {ConsequenceKind.LOST, ConsequenceKind.TERM_STARTS, ConsequenceKind.TERM_SHORTENED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """
    One thing an edit does to one permission.

    *ends_at_ms* is its end afterwards, *ended_at_ms* the end it had before; None where there is
    none. *rule_id* names the rule that set or lifted the term, or took the permission away.
    *is_asked* tells what the owner named from what happens as a side effect: a loss always is one.
    """

    kind: ConsequenceKind
    permission: Permission
    is_asked: bool
    ends_at_ms: int | None = None
    ended_at_ms: int | None = None
    rule_id: RuleId | None = None

    @property
    def needs_confirmation(self) -> bool:
        """Whether the owner must have seen this before it happens (RULES R11)."""
        return self.kind in _ASKS_FIRST


def between(
    before: ApiKey,
    after: ApiKey,
    wishes: Mapping[Permission, object],
    rulebook: Rulebook,
    now_ms: int,
) -> tuple[Consequence, ...]:
    """
    Return what happens to *before* when it becomes *after* at *now_ms*, worst first.

    *wishes* is what the owner asked for, by permission; False asks for it to be taken away.
    """
    found: list[Consequence] = []
    for permission in sorted(before.grants.keys() | after.grants.keys()):
        rule = rulebook.in_force(permission, before.key_type, before.account_kind, now_ms)
        consequence = _consequence(
            permission,
            wishes.get(permission),
            before=before,
            after=after,
            rule_id=rule.rule_id if rule else None,
            now_ms=now_ms,
        )
        if consequence is not None:
            found.append(consequence)
    order = list(ConsequenceKind)
    return tuple(sorted(found, key=lambda consequence: order.index(consequence.kind)))


def _consequence(  # noqa: PLR0913 - one comparison, and all it compares
    permission: Permission,
    wish: object,
    *,
    before: ApiKey,
    after: ApiKey,
    rule_id: RuleId | None,
    now_ms: int,
) -> Consequence | None:
    old, new = before.grants.get(permission), after.grants.get(permission)
    held = before.holds(permission, now_ms)
    old_term, new_term = (old.term if old else None), (new.term if new else None)
    if new is None or new.has_ended(now_ms):
        if held:
            kind = ConsequenceKind.REMOVED if wish is False else ConsequenceKind.LOST
        elif new is not None and before.is_restricted is not after.is_restricted:
            kind = ConsequenceKind.STAYS_OFF
        else:
            return None
    elif not held:
        kind = ConsequenceKind.TERM_STARTS if new_term else ConsequenceKind.GRANTED
    elif new_term == old_term:
        return None
    elif new_term is None:
        kind = ConsequenceKind.TERM_LIFTED
    elif old_term is not None and new_term.ends_at_ms < old_term.ends_at_ms:
        kind = ConsequenceKind.TERM_SHORTENED
    else:
        kind = ConsequenceKind.TERM_STARTS
    return Consequence(
        kind=kind,
        permission=permission,
        is_asked=wish is not None and kind is not ConsequenceKind.LOST,
        ends_at_ms=new_term.ends_at_ms if new_term else None,
        ended_at_ms=old_term.ends_at_ms if old_term else None,
        rule_id=new_term.rule_id if new_term else rule_id,
    )
