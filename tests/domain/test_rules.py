"""Which rule is in force, what it gives, and how it judges what is granted or kept."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tenure.domain import rules
from tenure.domain.errors import Invalid
from tenure.domain.model import AccountKind, Grant, KeyType, RuleId, Term
from tenure.domain.rules import Commit, Lifetime, Rule, Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    MONTH_MS,
    TAKES_EFFECT,
    TRADING,
    WITHDRAWALS,
    a_rule,
    ms,
    the_rulebook,
)

NOW_MS = ms("2021-12-01 10:05")
SINCE_MS = ms(TAKES_EFFECT)

STAYS_OPEN = Commit(now_ms=NOW_MS, was_restricted=False, is_restricted=False)
STAYS_CLOSED = Commit(now_ms=NOW_MS, was_restricted=True, is_restricted=True)
OPENS = Commit(now_ms=NOW_MS, was_restricted=True, is_restricted=False)
CLOSES = Commit(now_ms=NOW_MS, was_restricted=False, is_restricted=True)
COMMITS = (STAYS_OPEN, STAYS_CLOSED, OPENS, CLOSES)


def in_force(rulebook: Rulebook, at_ms: int) -> str | None:
    """Return the id of the rule that judges trading on a usual key at *at_ms*."""
    rule = rulebook.in_force(TRADING, KeyType.HMAC, AccountKind.NORMAL, at_ms)
    return rule.rule_id if rule else None


def a_grant(*, ends_ms: int | None) -> Grant:
    """Return trading, granted a while ago; *ends_ms* from now, or never."""
    term = None if ends_ms is None else Term(SINCE_MS, NOW_MS + ends_ms, RuleId("before"))
    return Grant(permission=TRADING, granted_at_ms=SINCE_MS, term=term)


@pytest.mark.parametrize(("off_ms", "found"), [(-1, None), (0, "2021-07-09"), (1, "2021-07-09")])
def test_a_rule_is_in_force_from_its_instant_on(off_ms: int, found: str | None) -> None:
    """R1."""
    assert in_force(the_rulebook(), 1_625_788_800_000 + off_ms) == found


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("at_ms", "found"), [(9, None), (10, "first"), (19, "first"), (20, "second"), (10**15, "third")]
)
def test_of_two_rules_the_later_wins_from_its_date_on(
    order: int, at_ms: int, found: str | None
) -> None:
    """R13, in whichever order they are written."""
    written = [a_rule("first", since=10), a_rule("second", since=20), a_rule("third", since=30)]

    assert in_force(Rulebook(tuple(written[::order])), at_ms) == found


@pytest.mark.parametrize(
    "later",
    [
        a_rule("later", FUTURES, since=20),
        a_rule("later", since=20, key_types=[KeyType.RSA]),
        a_rule("later", since=20, account_kinds=[AccountKind.MASTER, AccountKind.SUB]),
    ],
)
def test_a_later_rule_about_others_changes_nothing(later: Rule) -> None:
    rulebook = Rulebook((a_rule("first", since=10), later))

    assert in_force(rulebook, 30) == "first"


def test_a_narrowed_rule_is_found_for_those_it_names() -> None:
    rule = a_rule(
        "narrow", TRADING, FUTURES, key_types=[KeyType.RSA], account_kinds=[AccountKind.SUB]
    )

    assert rule.covers(FUTURES, KeyType.RSA, AccountKind.SUB)
    assert not rule.covers(WITHDRAWALS, KeyType.RSA, AccountKind.SUB)
    assert not rule.covers(FUTURES, KeyType.HMAC, AccountKind.SUB)
    assert not rule.covers(FUTURES, KeyType.RSA, AccountKind.NORMAL)


def test_a_rule_is_found_by_its_id() -> None:
    rule = the_rulebook().rules[1]

    assert the_rulebook().rule(rule.rule_id) == rule
    assert the_rulebook().rule(RuleId("no-such")) is None


def test_restricted_and_unrestricted_keys_have_lifetimes_of_their_own() -> None:
    rule = a_rule(unrestricted="not_allowed", restricted=DAY_MS)

    assert rule.lifetime(restricted=False) == "not_allowed"
    assert rule.lifetime(restricted=True) == DAY_MS
    assert not rule.allows(restricted=False)
    assert rule.allows(restricted=True)
    assert a_rule(unrestricted="unlimited").allows(restricted=False)


@pytest.mark.parametrize("commit", COMMITS)
@pytest.mark.parametrize("lifetime", [1, DAY_MS, MONTH_MS, "unlimited", "not_allowed"])
def test_granting_starts_what_the_rule_gives(commit: Commit, lifetime: Lifetime) -> None:
    """R3, R12: the state that counts is the one after the edit."""
    other: Lifetime = 17
    rule = (
        a_rule(restricted=lifetime, unrestricted=other)
        if commit.is_restricted
        else a_rule(unrestricted=lifetime, restricted=other)
    )
    if lifetime == "not_allowed":
        with pytest.raises(Invalid) as refused:
            rules.begin(TRADING, rule, commit)
        assert refused.value.field == "permissions.spot_margin_trading"
        assert rule.title in refused.value.message
        assert rule.rule_id in refused.value.message
        state = "with an IP" if commit.is_restricted else "without an IP"
        assert state in refused.value.message
        return

    grant = rules.begin(TRADING, rule, commit)

    assert (grant.permission, grant.granted_at_ms) == (TRADING, NOW_MS)
    assert grant.term == (
        Term(NOW_MS, NOW_MS + lifetime, rule.rule_id) if isinstance(lifetime, int) else None
    )


def test_granting_without_a_rule_has_no_end() -> None:
    assert rules.begin(TRADING, None, STAYS_OPEN).term is None


FRESH = Term(NOW_MS, NOW_MS + MONTH_MS, RuleId("a-rule"))
ROOMY = a_rule(restricted=MONTH_MS)
"""A rule that gives 30 days with and without addresses."""


@pytest.mark.parametrize("commit", COMMITS)
@pytest.mark.parametrize("rule", [None, a_rule(), a_rule(unrestricted="not_allowed"), ROOMY])
@pytest.mark.parametrize("ended_ms", [0, -1, -DAY_MS])
def test_what_has_ended_is_left_as_it_is(commit: Commit, rule: Rule | None, ended_ms: int) -> None:
    """R10: no rule, no opening or closing revives it, nor takes even the memory of it."""
    grant = a_grant(ends_ms=ended_ms)

    assert rules.settle(grant, rule, commit) == grant


@pytest.mark.parametrize("commit", [STAYS_OPEN, STAYS_CLOSED])
@pytest.mark.parametrize("left_ms", [1, DAY_MS, MONTH_MS - 1, MONTH_MS, 3 * MONTH_MS])
@pytest.mark.parametrize("rule", [None, a_rule(), ROOMY, a_rule(unrestricted="unlimited")])
def test_a_running_term_stands(commit: Commit, left_ms: int, rule: Rule | None) -> None:
    """R6: to the millisecond, whatever the rule of the day would give."""
    grant = a_grant(ends_ms=left_ms)

    assert rules.settle(grant, rule, commit) == grant


@pytest.mark.parametrize(
    ("commit", "rule", "term"),
    [
        (STAYS_OPEN, None, None),
        (STAYS_OPEN, a_rule(), FRESH),
        (STAYS_OPEN, a_rule(unrestricted="unlimited"), None),
        (STAYS_CLOSED, a_rule(), None),
        (STAYS_CLOSED, ROOMY, FRESH),
        (OPENS, None, None),
        (OPENS, a_rule(), FRESH),
        (CLOSES, a_rule(), None),
        (CLOSES, ROOMY, FRESH),
    ],
)
def test_a_grant_without_a_term_comes_under_the_rule_of_the_day(
    commit: Commit, rule: Rule | None, term: Term | None
) -> None:
    """R6, R9: and keeps the instant at which it was granted."""
    grant = a_grant(ends_ms=None)

    assert rules.settle(grant, rule, commit) == replace(grant, term=term)


@pytest.mark.parametrize(("rule", "term"), [(None, None), (a_rule(), None), (ROOMY, FRESH)])
@pytest.mark.parametrize("left_ms", [1, MONTH_MS, 3 * MONTH_MS])
def test_a_key_that_becomes_restricted_loses_running_terms(
    rule: Rule | None, term: Term | None, left_ms: int
) -> None:
    """R8; where a rule limits restricted keys too, its own term starts."""
    grant = a_grant(ends_ms=left_ms)

    assert rules.settle(grant, rule, CLOSES) == replace(grant, term=term)


@pytest.mark.parametrize(
    ("left_ms", "rule", "keeps"),
    [
        (1, a_rule(), True),
        (MONTH_MS - 1, a_rule(), True),
        (MONTH_MS, a_rule(), True),
        (MONTH_MS + 1, a_rule(), False),
        (3 * MONTH_MS, a_rule(), False),
        (3 * MONTH_MS, None, True),
        (3 * MONTH_MS, a_rule(unrestricted="unlimited"), True),
    ],
)
def test_a_key_that_becomes_unrestricted_keeps_the_earlier_end(
    left_ms: int, rule: Rule | None, *, keeps: bool
) -> None:
    """R9."""
    grant = a_grant(ends_ms=left_ms)

    assert rules.settle(grant, rule, OPENS) == (grant if keeps else replace(grant, term=FRESH))


@pytest.mark.parametrize("ends_ms", [None, 1, MONTH_MS])
@pytest.mark.parametrize("commit", [STAYS_OPEN, OPENS])
def test_what_the_rule_does_not_allow_is_taken_away(ends_ms: int | None, commit: Commit) -> None:
    """R12."""
    rule = a_rule(unrestricted="not_allowed")

    assert rules.settle(a_grant(ends_ms=ends_ms), rule, commit) is None


@pytest.mark.parametrize("rule", [None, a_rule(), ROOMY, a_rule(unrestricted=1, restricted=2)])
@pytest.mark.parametrize("commit", COMMITS)
@pytest.mark.parametrize("ends_ms", [None, -1, 0, 1, MONTH_MS, 3 * MONTH_MS])
def test_settling_again_at_once_changes_nothing(
    rule: Rule | None, commit: Commit, ends_ms: int | None
) -> None:
    again = replace(commit, was_restricted=commit.is_restricted)
    settled = rules.settle(a_grant(ends_ms=ends_ms), rule, commit)

    assert settled is not None
    assert rules.settle(settled, rule, again) == settled


CHANGED: list[dict[str, Any]] = [
    {"rule_id": RuleId("other")},
    {"title": "other"},
    {"source": "other"},
    {"effective_from_ms": 1},
    {"permissions": (FUTURES,)},
    {"unrestricted": 1},
    {"unrestricted": "unlimited"},
    {"restricted": 1},
    {"key_types": frozenset({KeyType.RSA})},
    {"account_kinds": frozenset({AccountKind.SUB})},
    {"notify_before_ms": (1,)},
    {"withdrawn_at_ms": 1},
]


@pytest.mark.parametrize("change", CHANGED, ids=lambda change: next(iter(change)))
def test_the_digest_tells_any_two_rulebooks_apart(change: dict[str, Any]) -> None:
    rule = a_rule()
    other = replace(rule, **change)

    assert Rulebook((other,)).digest != Rulebook((rule,)).digest
    assert Rulebook((rule, other)).digest != Rulebook((rule,)).digest


def test_the_digest_knows_no_order() -> None:
    one, other = a_rule("a", TRADING, FUTURES), a_rule("b", since=7)
    again = replace(one, permissions=one.permissions[::-1])

    assert Rulebook((one, other)).digest == Rulebook((other, again)).digest
    assert Rulebook().digest == Rulebook(()).digest


def test_every_field_of_a_rule_is_in_the_digest() -> None:
    """Else a stamp would outlive a change of it (R11)."""
    changed = {name for change in CHANGED for name in change}

    assert changed == set(Rule.__dataclass_fields__)


@pytest.mark.parametrize("rule", [*the_rulebook().rules, ROOMY, a_rule(key_types=[KeyType.RSA])])
def test_a_rule_comes_back_from_json(rule: Rule) -> None:
    state = json.loads(json.dumps(rules.rule_state(rule)))

    assert rules.rule_from(state) == rule
