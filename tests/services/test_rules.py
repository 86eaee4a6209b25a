"""
The rulebook: adopted at a start, then previewed, scheduled and withdrawn (RULES R4, R11, R13).

What is new is added, what is known stays as it is.
"""

from dataclasses import replace

import pytest

from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.model import KeyType
from tenure.domain.rule_plans import Outcome
from tenure.domain.rules import Rule, Rulebook, rule_state
from tenure.services.keys import Wanted
from tests.builders import FUTURES, TAKES_EFFECT, TRADING, a_rule, the_rulebook
from tests.services.parts import Parts


def test_adopting_records_each_rule_once(parts: Parts) -> None:
    """The parts have adopted the shipped rulebook already."""
    assert parts.tags() == ["rule:added", "rule:added"]
    assert {event.change.actor for event in parts.events()} == {"tenure:rulebook"}
    assert parts.rules.rulebook().digest == the_rulebook().digest


def test_adopting_again_changes_nothing(parts: Parts) -> None:
    assert parts.rules.adopt(the_rulebook()) == []
    assert parts.rules.adopt(Rulebook()) == []

    assert parts.journal.head() == 2
    assert parts.rules.rulebook().digest == the_rulebook().digest


def test_a_new_rule_beside_the_known_ones_is_adopted(parts: Parts) -> None:
    later = a_rule("later", since="2030-01-01 00:00", unrestricted=90 * 86_400_000)

    assert parts.rules.adopt(Rulebook((*the_rulebook().rules, later))) == [later]

    assert parts.rules.rulebook().rules == (*the_rulebook().rules, later)
    assert parts.events()[-1].change.body["rule"]


@pytest.mark.parametrize(
    "change",
    [
        {"unrestricted": 1},
        {"title": "Another title"},
        {"effective_from_ms": 1},
        {"permissions": (FUTURES,)},
        {"notify_before_ms": ()},
    ],
)
def test_a_rule_is_never_altered(parts: Parts, change: dict[str, object]) -> None:
    first, *others = the_rulebook().rules
    new = a_rule("new", FUTURES, since="2030-01-01 00:00")
    altered = replace(first, **change)  # type: ignore[arg-type]  # fields by name

    with pytest.raises(Conflict, match=first.rule_id) as raised:
        parts.rules.adopt(Rulebook((new, altered, *others)))

    assert raised.value.code == "rule_altered"
    assert parts.rules.rulebook().digest == the_rulebook().digest, "all of it, or nothing"


def test_two_rules_for_one_grant_do_not_take_effect_at_one_instant(parts: Parts) -> None:
    contested = a_rule("contested", TRADING, since=TAKES_EFFECT)

    with pytest.raises(Conflict, match="2021-07-09 and contested") as raised:
        parts.rules.adopt(Rulebook((contested,)))

    assert raised.value.code == "rule_contested"
    parts.rules.adopt(Rulebook((a_rule("other permission", FUTURES, since=TAKES_EFFECT),)))


def test_nor_do_two_that_come_together(parts: Parts) -> None:
    both = [a_rule(name, since="2030-01-01 00:00") for name in ("one", "other")]

    with pytest.raises(Conflict) as raised:
        parts.rules.adopt(Rulebook(tuple(both)))

    assert raised.value.code == "rule_contested"
    assert parts.journal.head() == 2


def test_rules_for_different_keys_may_take_effect_at_one_instant(parts: Parts) -> None:
    since = "2030-01-01 00:00"
    for_rsa = a_rule("rsa", since=since, key_types=[KeyType.RSA])
    for_others = a_rule("others", since=since, key_types=[KeyType.HMAC, KeyType.ED25519])

    parts.rules.adopt(Rulebook((for_rsa,)))
    assert parts.rules.adopt(Rulebook((for_rsa, for_others))) == [for_others]


# --- while Tenure runs: preview, schedule, withdraw


NINETY = a_rule("ninety", since="2022-01-01 00:00", unrestricted=90 * 86_400_000)
NO_FUTURES = a_rule("no-futures", FUTURES, since="2022-01-01 00:00", unrestricted="not_allowed")


def scheduled(parts: Parts, *rules: Rule) -> list[Rule]:
    """Preview *rules* and schedule them."""
    stamp = parts.rules.preview(Rulebook(rules)).stamp
    return parts.rules.schedule(Rulebook(rules), stamp, "operator")


def test_a_preview_looks_at_every_key_and_changes_nothing(parts: Parts) -> None:
    first, second = parts.issue(FUTURES), parts.issue(TRADING)
    seq, grants = parts.journal.head(), parts.keys.get(first.key_id).grants

    shown = parts.rules.preview(Rulebook((NINETY, NO_FUTURES)))

    assert (shown.tally.keys, shown.keys_total, shown.next_after) == (2, 2, None)
    assert shown.tally.counts[FUTURES, first.account_kind].outcomes[Outcome.LOST] == 1
    assert shown.tally.counts[TRADING, second.account_kind].held == 1
    assert parts.journal.head() == seq
    assert parts.keys.get(first.key_id).grants == grants


def test_slices_of_a_preview_add_up(parts: Parts) -> None:
    made = sorted(parts.issue(FUTURES).key_id for _ in range(3))
    book = Rulebook((NO_FUTURES,))

    first = parts.rules.preview(book, limit=2)
    second = parts.rules.preview(book, after=first.next_after or "", limit=2)

    assert (first.tally.keys, first.next_after, first.keys_total) == (2, made[1], 3)
    assert (second.tally.keys, second.next_after, second.keys_total) == (1, None, None)
    assert first.stamp == second.stamp


def test_a_slice_that_ends_with_the_last_key_asks_once_more(parts: Parts) -> None:
    made = parts.issue(FUTURES)
    shown = parts.rules.preview(Rulebook((NO_FUTURES,)), limit=1)

    assert shown.next_after == made.key_id
    last = parts.rules.preview(Rulebook((NO_FUTURES,)), after=made.key_id, limit=1)
    assert (last.tally.keys, last.next_after) == (0, None)


def test_scheduling_adds_each_rule_with_its_event_and_the_keyring_has_it(parts: Parts) -> None:
    known = parts.journal.head()

    assert scheduled(parts, NINETY, NO_FUTURES) == [NINETY, NO_FUTURES]

    assert parts.tags(known) == ["rule:added", "rule:added"]
    assert {event.change.actor for event in parts.events(known)} == {"operator"}
    assert parts.rules.rulebook().rules == (*the_rulebook().rules, NINETY, NO_FUTURES)
    assert parts.keyring.require_fresh() == known + 2


def test_scheduling_again_changes_nothing(parts: Parts) -> None:
    scheduled(parts, NINETY)
    known = parts.journal.head()

    assert scheduled(parts, NINETY) == []
    assert parts.rules.schedule(Rulebook((NINETY,)), None, "operator") == []
    assert parts.journal.head() == known


def test_without_its_stamp_nothing_is_scheduled(parts: Parts) -> None:
    known = parts.journal.head()
    with pytest.raises(Conflict) as raised:
        parts.rules.schedule(Rulebook((NINETY,)), None, "operator")
    assert raised.value.code == "confirmation_required"

    stamp = parts.rules.preview(Rulebook((NINETY,))).stamp
    with pytest.raises(Conflict) as raised:
        parts.rules.schedule(Rulebook((NINETY, NO_FUTURES)), stamp, "operator")
    assert raised.value.code == "stale"

    scheduled(parts, NO_FUTURES)
    with pytest.raises(Conflict) as raised:
        parts.rules.schedule(Rulebook((NINETY,)), stamp, "operator")
    assert raised.value.code == "stale", "the rulebook is not the one that was previewed"
    assert parts.tags(known) == ["rule:added"]


def test_the_instant_has_to_lie_ahead_at_the_commit_too(parts: Parts) -> None:
    soon = a_rule("soon", since=parts.clock.now + 1000)
    stamp = parts.rules.preview(Rulebook((soon,))).stamp
    parts.clock.advance(1000)

    with pytest.raises(Invalid, match="back-dated"):
        parts.rules.schedule(Rulebook((soon,)), stamp, "operator")

    assert parts.rules.rulebook().rule(soon.rule_id) is None


def test_a_scheduled_rule_judges_from_its_instant_on(parts: Parts) -> None:
    scheduled(parts, NINETY)
    before = parts.issue(TRADING)
    parts.clock.set("2022-01-01 00:00")
    after = parts.issue(TRADING)

    terms = [key.grants[TRADING].term for key in (before, after)]
    assert [term.rule_id for term in terms if term] == ["2021-07-09", "ninety"]


def test_a_withdrawn_rule_never_judges_and_is_on_record(parts: Parts) -> None:
    scheduled(parts, NINETY)
    known = parts.journal.head()

    withdrawn = parts.rules.withdraw("ninety", "operator")

    assert withdrawn == replace(NINETY, withdrawn_at_ms=parts.clock.now)
    assert parts.rules.rulebook().rule(NINETY.rule_id) == withdrawn
    (event,) = parts.events(known)
    assert (event.change.tag, event.change.actor) == ("rule:withdrawn", "operator")
    assert event.change.body == {"rule": rule_state(NINETY)}
    parts.clock.set("2022-01-01 00:00")
    term = parts.issue(TRADING).grants[TRADING].term
    assert term is not None
    assert term.rule_id == "2021-07-09"


def test_withdrawing_twice_is_withdrawing_once(parts: Parts) -> None:
    scheduled(parts, NINETY)
    once = parts.rules.withdraw("ninety", "operator")
    known = parts.journal.head()
    parts.clock.set("2022-06-01 00:00")

    assert parts.rules.withdraw("ninety", "operator") == once
    assert parts.journal.head() == known


def test_a_rule_that_took_effect_stays(parts: Parts) -> None:
    scheduled(parts, NINETY)
    parts.clock.set("2022-01-01 00:00")

    with pytest.raises(Conflict) as raised:
        parts.rules.withdraw("ninety", "operator")

    assert raised.value.code == "in_force"
    with pytest.raises(NotFound):
        parts.rules.withdraw("nobody", "operator")


def test_a_start_leaves_a_withdrawn_rule_withdrawn(parts: Parts) -> None:
    """The file may still hold it; nobody has to mend the file before the next start."""
    scheduled(parts, NINETY)
    withdrawn = parts.rules.withdraw("ninety", "operator")

    assert parts.rules.adopt(Rulebook((*the_rulebook().rules, NINETY))) == []

    assert parts.rules.rulebook().rule(NINETY.rule_id) == withdrawn


def test_an_edit_shown_before_a_rule_came_or_went_is_shown_again(parts: Parts) -> None:
    """The stamp of an edit names the rulebook (R11)."""
    key = parts.issue()
    wanted = Wanted(permissions={TRADING: True})
    for change in (lambda: scheduled(parts, NINETY), lambda: parts.rules.withdraw("ninety", "me")):
        stamp = parts.keys.preview(key.key_id, wanted).stamp
        change()
        with pytest.raises(Conflict) as raised:
            parts.keys.edit(key.key_id, wanted, stamp, "operator")
        assert raised.value.code == "stale"
