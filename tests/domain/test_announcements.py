"""Where a rule stands among the others, and what it means for a key."""

from dataclasses import replace

import pytest

from tenure.domain import announcements
from tenure.domain.announcements import Announcement, Meaning, Standing
from tenure.domain.consequences import ConsequenceKind
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.domain.rules import Rule, Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    HOME,
    MONTH_MS,
    TRADING,
    WITHDRAWALS,
    a_key,
    a_rule,
    allow_only,
    at_ms,
    revoked,
    the_rulebook,
)

NOW = "2021-12-01 10:00"
FIRST = a_rule("first", since="2021-07-09 00:00")
SECOND = a_rule("second", since="2021-10-01 00:00", unrestricted=90 * DAY_MS)
LATER = a_rule("later", since="2022-03-01 00:00", unrestricted=7 * DAY_MS)


def book(*rules: Rule) -> Rulebook:
    return Rulebook(tuple(sorted(rules, key=lambda rule: rule.effective_from_ms)))


def announced(*rules: Rule, now: str = NOW) -> dict[str, Announcement]:
    found = announcements.announced(book(*rules), at_ms(now))
    return {each.rule.rule_id: each for each in found}


def means(rule: Rule, key: ApiKey, *rules: Rule, now: str = NOW) -> Meaning | None:
    return announcements.meaning(rule, key, book(*(rules or (rule,))), at_ms(now))


def test_rules_are_announced_the_last_to_take_effect_first() -> None:
    assert list(announced(FIRST, SECOND, LATER)) == ["later", "second", "first"]


@pytest.mark.parametrize(
    ("now", "standings"),
    [
        ("2021-07-08 23:59:59.999", ("scheduled", "scheduled", "scheduled")),
        ("2021-07-09 00:00", ("in_force", "scheduled", "scheduled")),
        ("2021-10-01 00:00", ("superseded", "in_force", "scheduled")),
        ("2022-03-01 00:00", ("superseded", "superseded", "in_force")),
    ],
)
def test_a_rule_stands_by_the_date_and_by_what_came_after_it(
    now: str, standings: tuple[str, ...]
) -> None:
    found = announced(FIRST, SECOND, LATER, now=now)
    assert tuple(found[name].standing for name in ("first", "second", "later")) == standings


def test_a_rule_is_in_force_while_it_judges_anything_at_all() -> None:
    wide = a_rule("wide", TRADING, FUTURES)
    narrow = a_rule("narrow", FUTURES, TRADING, since=NOW, key_types=(KeyType.HMAC,))
    subs = a_rule("subs", since=NOW, account_kinds=(AccountKind.SUB,))

    assert announced(wide, SECOND)["wide"].standing is Standing.IN_FORCE
    assert announced(wide, narrow)["wide"].standing is Standing.IN_FORCE
    assert announced(FIRST, subs)["first"].standing is Standing.IN_FORCE
    other = a_rule("other", FUTURES, TRADING, since=NOW)
    assert announced(wide, other)["wide"].standing is Standing.SUPERSEDED


def test_a_withdrawn_rule_stands_so_and_nobody_is_related_to_it() -> None:
    withdrawn = replace(SECOND, withdrawn_at_ms=at_ms("2021-08-01 00:00"))
    found = announced(FIRST, withdrawn, LATER)

    assert found["second"].standing is Standing.WITHDRAWN
    assert [rule.rule_id for rule in found["second"].before] == ["first"]
    assert found["second"].after == ()
    assert [rule.rule_id for rule in found["first"].after] == ["later"]
    assert [rule.rule_id for rule in found["later"].before] == ["first"]


def test_rules_are_related_to_the_next_before_and_after_for_what_they_share() -> None:
    futures = a_rule("futures", FUTURES, since="2021-08-01 00:00")
    both = a_rule("both", FUTURES, TRADING, since="2022-01-01 00:00")
    found = announced(FIRST, SECOND, futures, both, LATER)

    def names(name: str) -> tuple[list[str], list[str]]:
        each = found[name]
        return [rule.rule_id for rule in each.before], [rule.rule_id for rule in each.after]

    assert names("first") == ([], ["second"])
    assert names("futures") == ([], ["both"])
    assert names("both") == (["futures", "second"], ["later"])
    assert names("later") == (["both"], [])


def test_an_older_key_is_left_alone_until_its_next_edit() -> None:
    key = a_key(TRADING, issued="2021-07-01 12:00", rulebook=Rulebook())
    found = means(FIRST, key)

    assert found is not None
    assert (found.running, found.ended) == ((), ())
    (edit,) = found.next_edit
    assert (edit.kind, edit.permission) == (ConsequenceKind.TERM_STARTS, TRADING)
    assert edit.ends_at_ms == at_ms(NOW) + MONTH_MS
    assert found.touches


def test_a_term_it_set_runs_and_then_has_ended() -> None:
    key = a_key(TRADING, issued="2021-12-01 10:00", rulebook=book(FIRST))
    running, ended = means(FIRST, key), means(FIRST, key, now="2021-12-31 10:00")

    assert running is not None
    assert [grant.permission for grant in running.running] == [TRADING]
    assert (running.ended, running.next_edit) == ((), ())
    assert ended is not None
    assert (ended.running, [grant.permission for grant in ended.ended]) == ((), [TRADING])
    assert running.touches
    assert ended.touches


def test_a_term_that_another_rule_set_is_that_rules() -> None:
    key = a_key(TRADING, issued="2021-12-01 10:00", rulebook=book(FIRST))
    found = means(LATER, key, FIRST, LATER)

    assert found is not None
    assert found.running == ()
    assert found.next_edit == (), "what runs is kept to the millisecond"


def test_of_a_scheduled_rule_the_next_edit_is_the_one_after_it_takes_effect() -> None:
    key = a_key(TRADING, issued="2021-12-01 10:00", rulebook=Rulebook())
    found = means(LATER, key)

    assert found is not None
    (edit,) = found.next_edit
    assert edit.ends_at_ms == LATER.effective_from_ms + 7 * DAY_MS
    assert means(FIRST, key, FIRST, SECOND) is not None
    superseded = means(FIRST, key, FIRST, SECOND)
    assert superseded is not None
    assert superseded.next_edit == (), "the later one judges"


def test_a_key_with_trusted_addresses_is_spoken_about_and_not_touched() -> None:
    key = allow_only(a_key(TRADING, issued="2021-12-01 10:00"), HOME, at=NOW)
    found = means(FIRST, key)

    assert found is not None
    assert not found.touches


def test_what_a_rule_does_not_allow_is_lost_by_the_next_edit() -> None:
    key = a_key(WITHDRAWALS, issued="2021-07-01 12:00", allowlist=(HOME,), rulebook=Rulebook())
    opened = replace(key, allowlist=())
    rule = next(rule for rule in the_rulebook().rules if WITHDRAWALS in rule.permissions)
    found = means(rule, opened)

    assert found is not None
    assert [edit.kind for edit in found.next_edit] == [ConsequenceKind.LOST]


def test_a_rule_means_nothing_to_a_key_it_does_not_speak_about() -> None:
    key = a_key(TRADING)

    assert means(a_rule("rsa", key_types=(KeyType.RSA,)), key) is None
    assert means(a_rule("subs", account_kinds=(AccountKind.SUB,)), key) is None
    assert means(FIRST, revoked(key, at=NOW)) is None
    assert means(a_rule("futures", FUTURES), key) is not None, "it may be ticked"
