"""What new rules would bring to today's keys, and by what stamp they are confirmed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import plans, rule_plans
from tenure.domain.consequences import ConsequenceKind
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import AccountKind, ApiKey, KeyType, Permission, RuleId
from tenure.domain.rule_plans import EXAMPLES_MAX, Count, Ends, Fate, Outcome, Tally
from tenure.domain.rules import Rule, Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    HOME,
    OPTIONS,
    TRADING,
    WITHDRAWALS,
    a_key,
    a_rule,
    an_edit,
    ms,
    plan,
    revoked,
    the_rulebook,
)

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

NOW = ms("2021-12-01 10:00")
AHEAD = "2022-03-01 00:00"
NINETY = a_rule("ninety", TRADING, since=AHEAD, unrestricted=90 * DAY_MS)
NO_FUTURES = a_rule("no-futures", FUTURES, since=AHEAD, unrestricted="not_allowed")


def a_plan(*rules: Rule, known: Rulebook | None = None) -> rule_plans.RulePlan:
    """Plan adding *rules* to the shipped rulebook, or to the one *known*."""
    return rule_plans.plan_rule(Rulebook(rules), known or the_rulebook(), NOW)


def fates(key: ApiKey, *rules: Rule) -> dict[Permission, tuple[Outcome, bool]]:
    """Return what becomes of each permission that *rules* speak about."""
    found = rule_plans.fates_of(key, a_plan(*rules), NOW)
    return {fate.permission: (fate.outcome, fate.is_new) for fate in found}


def tallied(keys: Iterable[ApiKey], *rules: Rule) -> Tally:
    """Return the tally of *keys*."""
    tally = Tally(a_plan(*rules), NOW)
    for key in keys:
        tally.add(key)
    return tally


def withdrawn(rule: Rule) -> Rule:
    """Return *rule* as withdrawing it leaves it."""
    return replace(rule, withdrawn_at_ms=NOW)


# --- which rules are new, and may come


def test_known_rules_are_passed_over_and_new_ones_planned() -> None:
    made = a_plan(*the_rulebook().rules, NINETY)

    assert made.added == (NINETY,)
    assert made.after.rules == (*the_rulebook().rules, NINETY)
    assert made.judged_at_ms == ms(AHEAD)


def test_a_rule_is_never_back_dated() -> None:
    """It takes effect in the future: not in the past, and not at this instant (R4, R13)."""
    past = replace(NINETY, effective_from_ms=NOW)
    soon = replace(NO_FUTURES, effective_from_ms=NOW + 1)

    with pytest.raises(Invalid, match="back-dated") as refused:
        a_plan(past, soon, replace(past, rule_id=RuleId("older"), permissions=(OPTIONS,)))

    assert [problem.field for problem in refused.value.problems] == ["rule ninety", "rule older"]
    assert a_plan(soon).added == (soon,)


def test_a_known_rule_that_says_something_else_is_refused() -> None:
    with pytest.raises(Conflict) as refused:
        a_plan(replace(the_rulebook().rules[0], title="Another"))

    assert refused.value.code == "rule_altered"


def test_two_rules_do_not_judge_one_grant_from_one_instant() -> None:
    with pytest.raises(Conflict) as refused:
        a_plan(NINETY, replace(NINETY, rule_id=RuleId("other")))

    assert refused.value.code == "rule_contested"
    apart = replace(NINETY, rule_id=RuleId("other"), key_types=frozenset({KeyType.RSA}))
    assert a_plan(replace(NINETY, key_types=frozenset({KeyType.HMAC})), apart).added


def test_a_withdrawn_rule_is_no_obstacle_and_never_comes_back() -> None:
    known = Rulebook((*the_rulebook().rules, withdrawn(NINETY)))

    assert a_plan(replace(NINETY, rule_id=RuleId("other")), known=known).added
    assert rule_plans.additions(Rulebook((NINETY,)), known) == ()
    for again in (NINETY, replace(NINETY, title="Another")):
        with pytest.raises(Conflict, match="not used again") as refused:
            a_plan(again, known=known)
        assert refused.value.code == "rule_withdrawn"
    with pytest.raises(Conflict, match="not used again") as refused:
        rule_plans.additions(Rulebook((replace(NINETY, title="Another"),)), known)
    assert refused.value.code == "rule_altered"


def test_a_withdrawn_rule_judges_nothing() -> None:
    late = ms(AHEAD)
    book = Rulebook((*the_rulebook().rules, withdrawn(NINETY)))
    found = book.in_force(TRADING, KeyType.HMAC, AccountKind.NORMAL, late)

    assert found == the_rulebook().rules[0]
    assert Rulebook((NINETY,)).in_force(TRADING, KeyType.HMAC, AccountKind.NORMAL, late) == NINETY


def test_a_rule_is_withdrawn_only_before_it_takes_effect() -> None:
    rule_plans.require_withdrawable(NINETY, NINETY.effective_from_ms - 1)

    with pytest.raises(Conflict) as refused:
        rule_plans.require_withdrawable(NINETY, NINETY.effective_from_ms)

    assert refused.value.code == "in_force"


# --- the stamp


def test_a_stamp_confirms_the_rules_it_was_shown_with_for_ten_minutes() -> None:
    made = a_plan(NINETY, NO_FUTURES)
    stamp = made.stamp(NOW)

    made.require_confirmed(stamp, NOW)
    a_plan(NO_FUTURES, NINETY).require_confirmed(stamp, NOW + 600_000)
    with pytest.raises(Conflict) as refused:
        made.require_confirmed(stamp, NOW + 600_001)
    assert refused.value.code == "stale"


@pytest.mark.parametrize(
    "other",
    [
        a_plan(NINETY),
        a_plan(replace(NINETY, unrestricted=1), NO_FUTURES),
        a_plan(replace(NINETY, title="Another"), NO_FUTURES),
        a_plan(NINETY, NO_FUTURES, known=Rulebook()),
        a_plan(
            *(NINETY, NO_FUTURES),
            known=Rulebook((*the_rulebook().rules, withdrawn(a_rule("gone", since=AHEAD)))),
        ),
    ],
    ids=["one less", "another lifetime", "another title", "another rulebook", "one withdrawn"],
)
def test_a_stamp_confirms_no_other_rules(other: rule_plans.RulePlan) -> None:
    with pytest.raises(Conflict) as refused:
        other.require_confirmed(a_plan(NINETY, NO_FUTURES).stamp(NOW), NOW)

    assert refused.value.code == "stale"


def test_new_rules_always_ask_first_and_nothing_new_does_not() -> None:
    with pytest.raises(Conflict) as refused:
        a_plan(NINETY).require_confirmed(None, NOW)

    assert refused.value.code == "confirmation_required"
    a_plan(*the_rulebook().rules).require_confirmed(None, NOW)


# --- what they would bring to a key


OLDER = a_key(TRADING, FUTURES, issued="2021-07-01 12:00")
YOUNGER = a_key(TRADING, FUTURES, issued="2021-11-20 12:00")
NAMED = a_key(TRADING, FUTURES, issued="2021-11-20 12:00", allowlist=(HOME,))


def test_a_permission_that_is_not_allowed_any_more_would_be_lost() -> None:
    assert fates(OLDER, NO_FUTURES) == {FUTURES: (Outcome.LOST, True)}
    assert fates(NAMED, NO_FUTURES) == {FUTURES: (Outcome.KEEPS, False)}


def test_an_older_key_would_get_a_term_and_gets_one_today_too() -> None:
    """The shipped rule gives it 30 days at its next edit: the new one is no news to it (R6)."""
    assert fates(OLDER, NINETY) == {TRADING: (Outcome.TERM_STARTS, False)}


def test_a_term_where_today_there_would_be_none_is_news() -> None:
    rule = a_rule("futures", FUTURES, since=AHEAD)

    assert fates(OLDER, rule) == {FUTURES: (Outcome.TERM_STARTS, True)}


def test_a_running_term_stands_and_one_that_has_ended_by_then_is_told_apart() -> None:
    soon = replace(NINETY, effective_from_ms=NOW + 1)

    assert fates(YOUNGER, soon) == {TRADING: (Outcome.KEEPS, False)}
    assert fates(YOUNGER, NINETY) == {TRADING: (Outcome.ENDED, False)}


def test_what_is_off_today_is_not_looked_at() -> None:
    ended = a_key(TRADING, issued="2021-08-01 12:00")

    assert fates(ended, replace(NINETY, effective_from_ms=NOW + 1)) == {}


def test_a_rule_speaks_of_its_own_keys_alone() -> None:
    for_rsa = replace(NO_FUTURES, key_types=frozenset({KeyType.RSA}))
    for_subs = replace(NO_FUTURES, account_kinds=frozenset({AccountKind.SUB}))

    assert fates(OLDER, for_rsa) == fates(OLDER, for_subs) == {}
    assert fates(a_key(FUTURES, account_kind=AccountKind.SUB), for_subs)


PERMISSIONS = (TRADING, FUTURES, OPTIONS)
KEYS = st.builds(
    a_key,
    st.sampled_from(PERMISSIONS),
    issued=st.sampled_from(["2021-07-01 12:00", "2021-10-01 12:00", "2021-11-20 12:00"]),
    allowlist=st.sampled_from([(), (HOME,)]),
    key_type=st.sampled_from(KeyType),
    account_kind=st.sampled_from(AccountKind),
)
RULES = st.builds(
    a_rule,
    st.just("proposed"),
    st.sampled_from(PERMISSIONS),
    since=st.sampled_from([NOW + 1, "2021-12-24 00:00", AHEAD]),
    unrestricted=st.sampled_from([DAY_MS, 90 * DAY_MS, "unlimited", "not_allowed"]),
    restricted=st.sampled_from([DAY_MS, "unlimited", "not_allowed"]),
    key_types=st.sets(st.sampled_from(KeyType), min_size=1),
)


@given(key=KEYS, rule=RULES)
def test_the_preview_says_what_the_planner_then_does(key: ApiKey, rule: Rule) -> None:
    """The owner's least edit at that instant, ticking what is not held, has just these effects."""
    made = a_plan(rule)
    other = Permission("portfolio_margin")
    edited = plan(key, an_edit(tick=[other]), at=made.judged_at_ms, rulebook=made.after)
    expected = {
        item.permission: item.kind for item in edited.consequences if item.permission != other
    }

    for fate in rule_plans.fates_of(key, made, NOW):
        kind = expected.get(fate.permission)
        assert (kind is ConsequenceKind.LOST) is (fate.outcome is Outcome.LOST)
        assert (kind is ConsequenceKind.TERM_STARTS) is (fate.outcome is Outcome.TERM_STARTS)


EVERY_SHAPE = [
    a_key(permission, issued=issued, allowlist=ips, key_type=key_type, account_kind=kind)
    for issued in ("2021-07-01 12:00", "2021-10-01 12:00", "2021-11-20 12:00", "2021-11-28 12:00")
    for permission in PERMISSIONS
    for ips in ((), (HOME,))
    for key_type in KeyType
    for kind in AccountKind
]


@pytest.mark.parametrize("order", [1, -1])
@given(rule=RULES)
def test_a_tally_is_the_sum_of_its_keys_whatever_was_remembered(order: int, rule: Rule) -> None:
    """Keys of one shape are worked out once: that must never show."""
    keys = EVERY_SHAPE[::order]
    tally = tallied(keys, rule)
    by_hand: dict[tuple[Permission, AccountKind], Count] = {}
    for key in keys:
        for fate in rule_plans.fates_of(key, a_plan(rule), NOW):
            by_hand.setdefault((fate.permission, key.account_kind), Count()).add(key.key_id, fate)

    assert tally.counts == by_hand
    assert tally.keys == len(keys)


@pytest.mark.parametrize("order", [1, -1])
@given(rule=RULES)
def test_the_ends_of_a_tally_are_those_the_planner_would_set(order: int, rule: Rule) -> None:
    """Before: what stands. After: what every owner's least edit at that instant would leave."""
    made = a_plan(rule)
    before, after = Counter[int](), Counter[int]()
    for key in EVERY_SHAPE:
        stands = {name: grant for name, grant in key.grants.items() if not grant.has_ended(NOW)}
        touched = {
            item.permission: item.ends_at_ms
            for item in plans.plan_touch(key, made.after, made.judged_at_ms)
            if rule.covers(item.permission, key.key_type, key.account_kind)
        }
        ends = {
            name: grant.term.ends_at_ms if grant.term else None for name, grant in stands.items()
        }
        before.update(end // DAY_MS for end in ends.values() if end is not None)
        ends |= {name: end for name, end in touched.items() if name in ends}
        after.update(end // DAY_MS for end in ends.values() if end is not None)

    tally = tallied(EVERY_SHAPE[::order], rule)

    assert {day: ends.before for day, ends in tally.ends.items() if ends.before} == before
    assert {day: ends.after for day, ends in tally.ends.items() if ends.after} == after


def test_ends_move_to_the_day_a_new_rule_would_set() -> None:
    running = a_key(TRADING, issued="2021-11-20 12:00")
    gone = revoked(a_key(TRADING, issued="2021-11-20 12:00", number=9), at="2021-11-21 00:00")

    tally = tallied([running, OLDER, gone], NINETY)

    day = ms("2021-12-20 00:00") // DAY_MS, ms("2022-05-30 00:00") // DAY_MS
    assert tally.ends == {day[0]: Ends(before=1, after=1), day[1]: Ends(before=0, after=1)}


def test_a_permission_that_would_be_lost_ends_no_more() -> None:
    sooner = a_rule("sooner", FUTURES, since="2021-11-01 00:00", unrestricted=200 * DAY_MS)
    key = a_key(FUTURES, issued="2021-11-20 12:00", rulebook=Rulebook((sooner,)))
    tally = Tally(a_plan(NO_FUTURES, known=Rulebook((sooner,))), NOW)

    tally.add(key)

    assert list(tally.ends.values()) == [Ends(before=1, after=0)]


def test_a_tally_tells_who_is_touched_and_names_a_few() -> None:
    numbered = [a_key(FUTURES, number=number) for number in range(1, 7)]
    bystanders = [a_key(WITHDRAWALS, allowlist=(HOME,)), a_key(TRADING)]
    gone = revoked(a_key(FUTURES, number=9), at="2021-11-01 00:00")

    tally = tallied([*numbered, *bystanders, gone], NO_FUTURES)

    assert (tally.keys, tally.revoked, tally.untouched) == (9, 1, 2)
    count = tally.counts[FUTURES, AccountKind.NORMAL]
    assert (count.held, count.outcomes[Outcome.LOST], count.anyway) == (6, 6, 0)
    assert count.examples == {Outcome.LOST: [key.key_id for key in numbered[:EXAMPLES_MAX]]}


def test_a_count_knows_what_would_happen_anyway() -> None:
    count = Count()
    count.add(OLDER.key_id, Fate(TRADING, Outcome.TERM_STARTS, is_new=False))
    count.add(OLDER.key_id, Fate(TRADING, Outcome.TERM_STARTS, is_new=True))
    count.add(OLDER.key_id, Fate(TRADING, Outcome.KEEPS, is_new=False))

    assert (count.held, count.anyway) == (3, 1)


def test_touching_a_key_is_what_an_edit_does_to_what_it_does_not_name() -> None:
    at = ms("2021-12-01 10:00")
    (term,) = plans.plan_touch(OLDER, the_rulebook(), at)

    assert (term.kind, term.permission, term.is_asked) == ("term_starts", TRADING, False)
    assert term.ends_at_ms == ms("2021-12-31 10:00")
    assert plans.plan_touch(NAMED, the_rulebook(), at) == ()
