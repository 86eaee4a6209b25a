"""
Until when a grant lasts, and which rule says so.

Every end is worked out here, once, when the owner acts; from then on it is a stored number that
`decide` compares with the clock. There is no "grandfathered" key: a grant without a term keeps
none until an edit of permissions brings it under the rule then in force (RULES R4, R6). How a
rulebook is written as TOML is in `rulebooks`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

from tenure.domain.errors import Invalid, Why
from tenure.domain.model import AccountKind, Grant, KeyType, Permission, RuleId, Term

Lifetime: TypeAlias = int | Literal["unlimited", "not_allowed"]
"""Milliseconds, no end at all, or a permission that may not be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One row of the rulebook: from *effective_from_ms*, how long the named permissions last.

    *restricted* and *unrestricted* are the lifetimes of a key with and without an IP allowlist.
    *notify_before_ms* are the lead times of notices, longest first. A rule is never altered; a
    later one succeeds it (RULES R13). One that was withdrawn before it took effect, at
    *withdrawn_at_ms*, never judges anything; what it would have said stays on record.
    """

    rule_id: RuleId
    title: str
    source: str
    effective_from_ms: int
    permissions: tuple[Permission, ...]
    unrestricted: Lifetime
    restricted: Lifetime = "unlimited"
    key_types: frozenset[KeyType] = frozenset(KeyType)
    account_kinds: frozenset[AccountKind] = frozenset(AccountKind)
    notify_before_ms: tuple[int, ...] = ()
    withdrawn_at_ms: int | None = None

    def lifetime(self, *, restricted: bool) -> Lifetime:
        """Return what this rule gives a key that is *restricted*, or is not."""
        return self.restricted if restricted else self.unrestricted

    def allows(self, *, restricted: bool) -> bool:
        """Whether such a key may hold the permission at all (RULES R12)."""
        return self.lifetime(restricted=restricted) != "not_allowed"

    def covers(self, permission: Permission, key_type: KeyType, account_kind: AccountKind) -> bool:
        """Whether this rule speaks about *permission* on a key of that type and account."""
        return (
            permission in self.permissions
            and key_type in self.key_types
            and account_kind in self.account_kinds
        )


@dataclass(frozen=True)
class Rulebook:
    """All rules, whenever they take effect, withdrawn ones included."""

    rules: tuple[Rule, ...] = ()

    def in_force(
        self, permission: Permission, key_type: KeyType, account_kind: AccountKind, now_ms: int
    ) -> Rule | None:
        """Return the rule that judges such a grant at *now_ms*: the latest in force (RULES R1)."""
        found = None
        for rule in self.rules:
            if rule.effective_from_ms > now_ms or rule.withdrawn_at_ms is not None:
                continue
            if not rule.covers(permission, key_type, account_kind):
                continue
            if found is None or rule.effective_from_ms > found.effective_from_ms:
                found = rule
        return found

    def rule(self, rule_id: RuleId) -> Rule | None:
        """Return the rule called *rule_id*, or None."""
        return next((rule for rule in self.rules if rule.rule_id == rule_id), None)

    @cached_property
    def digest(self) -> str:
        """A SHA-256 over everything the rules say, by which a stamp names them (RULES R11)."""
        rows = sorted(
            ({**rule_state(rule), "withdrawn_at_ms": rule.withdrawn_at_ms} for rule in self.rules),
            key=lambda row: row["id"],
        )
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def rule_state(rule: Rule) -> dict[str, Any]:
    """Return what *rule* says, as JSON values: the shape it is stored and journalled in."""
    return {
        "id": rule.rule_id,
        "title": rule.title,
        "source": rule.source,
        "effective_from_ms": rule.effective_from_ms,
        "permissions": sorted(rule.permissions),
        "unrestricted": rule.unrestricted,
        "restricted": rule.restricted,
        "key_types": sorted(rule.key_types),
        "account_kinds": sorted(rule.account_kinds),
        "notify_before_ms": list(rule.notify_before_ms),
    }


def rule_from(state: Mapping[str, Any]) -> Rule:
    """Return the rule that `rule_state` gave *state* for."""
    return Rule(
        rule_id=RuleId(state["id"]),
        title=state["title"],
        source=state["source"],
        effective_from_ms=state["effective_from_ms"],
        permissions=tuple(Permission(name) for name in state["permissions"]),
        unrestricted=state["unrestricted"],
        restricted=state["restricted"],
        key_types=frozenset(KeyType(name) for name in state["key_types"]),
        account_kinds=frozenset(AccountKind(name) for name in state["account_kinds"]),
        notify_before_ms=tuple(state["notify_before_ms"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The instant an edit takes hold (ms, UTC); whether the key is restricted before and after."""

    now_ms: int
    was_restricted: bool
    is_restricted: bool


def begin(permission: Permission, rule: Rule | None, commit: Commit) -> Grant:
    """
    Grant *permission* at the commit: what issuing, ticking and renewing share (RULES R3, R7).

    Raises Invalid where the *rule* in force does not allow it (RULES R12).
    """
    if rule is not None and not rule.allows(restricted=commit.is_restricted):
        state = "with" if commit.is_restricted else "without"
        raise Invalid(
            f"permissions.{permission}",
            f"not allowed on a key {state} an IP allowlist, by rule {rule.rule_id}: {rule.title}",
            why=Why(f"permission_{state}_addresses", {"rule": rule.rule_id, "title": rule.title}),
            rule_id=rule.rule_id,
        )
    return Grant(permission=permission, granted_at_ms=commit.now_ms, term=_fresh_term(rule, commit))


def settle(grant: Grant, rule: Rule | None, commit: Commit) -> Grant | None:
    """
    Judge a *grant* that the edit leaves ticked by the *rule* now in force (RULES R6).

    Returns None where *rule* takes it away, which the owner then has to confirm (R11, R12).
    """
    if grant.has_ended(commit.now_ms):
        return grant  # Off, and it stays off until it is ticked again (R10).
    if rule is not None and not rule.allows(restricted=commit.is_restricted):
        return None

    running, fresh = grant.term, _fresh_term(rule, commit)
    if commit.is_restricted and not commit.was_restricted:
        running = None  # Naming addresses lifts the term (R8).
    elif commit.was_restricted and not commit.is_restricted and running and fresh:
        running = min(running, fresh, key=lambda term: term.ends_at_ms)  # The earlier end (R9).

    # A running term is a promise already shown: whatever else the edit does, it stands.
    return replace(grant, term=running or fresh)


def _fresh_term(rule: Rule | None, commit: Commit) -> Term | None:
    if rule is None:
        return None
    lifetime = rule.lifetime(restricted=commit.is_restricted)
    if not isinstance(lifetime, int):
        return None
    return Term(commit.now_ms, commit.now_ms + lifetime, rule.rule_id)
