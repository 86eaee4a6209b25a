"""Adopting a rulebook: what is new is added, what is known stays as it is (RULES R13)."""

from dataclasses import replace

import pytest

from tenure.domain.errors import Conflict
from tenure.domain.model import KeyType
from tenure.domain.rules import Rulebook
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
