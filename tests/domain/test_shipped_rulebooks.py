"""The rulebooks that come with Tenure: each read, and one key's life under it."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from tenure.domain import rulebooks
from tenure.domain.errors import Invalid
from tenure.domain.model import READING, AccountKind, KeyType, RuleId
from tenure.domain.rules import Rule, Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    HOME,
    TRADING,
    WITHDRAWALS,
    a_key,
    allow_only,
    an_edit,
    decided,
    end_of,
    ms,
    plan,
    renew,
    shipped,
    the_catalog,
    the_rulebook,
    tick,
)

NAMES = ("2021-07-09", "binance-2023", "bybit", "coinex", "gate", "mexc", "upbit")
FIXED = ("bybit", "coinex", "gate", "mexc")
NINETY_MS = 90 * DAY_MS
EVERY_KIND = pytest.mark.parametrize("kind", AccountKind)


def the_book(name: str) -> Rulebook:
    """Return the shipped rulebook called *name*."""
    return rulebooks.read(shipped(f"rulebooks/{name}.toml"), frozenset(the_catalog().offers))


def refused(act: Callable[[], object]) -> str:
    """Return the id of the rule by which *act* is refused."""
    with pytest.raises(Invalid, match="not allowed on a key without an IP allowlist") as raised:
        act()
    return raised.value.message.partition("by rule ")[2].partition(":")[0]


def test_every_file_is_known_here() -> None:
    directory = Path(str(resources.files("tenure"))) / "rulebooks"

    assert sorted(path.stem for path in directory.glob("*.toml")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_says_where_it_is_from_and_how_sure_that_is(name: str) -> None:
    text = shipped(f"rulebooks/{name}.toml")
    book = the_book(name)

    assert book.rules
    assert all(rule.source for rule in book.rules)
    if name != "2021-07-09":
        assert "third-party" in text.lower() or "uncertain" in text.lower()
        assert "docs/reference/venues.md" in text


def test_rules_of_one_id_say_one_thing_in_every_file() -> None:
    """Else a store that began with one file could not start with another."""
    known: dict[RuleId, Rule] = {}
    for name in NAMES:
        for rule in the_book(name).rules:
            assert known.setdefault(rule.rule_id, rule) == rule


@pytest.mark.parametrize("name", FIXED)
@EVERY_KIND
def test_where_a_key_lasts_ninety_days_all_of_it_does(name: str, kind: AccountKind) -> None:
    """Issued, lapsed, renewed, and at last given an address, which lifts every end (R8)."""
    book = the_book(name)
    issued = "2022-01-01 08:00"
    end_ms = ms(issued) + NINETY_MS
    key = a_key(TRADING, issued=issued, account_kind=kind, rulebook=book)

    for permission in (READING, TRADING):
        assert end_of(permission, key) == end_ms
        assert decided(key, permission, at=end_ms - 1) is None
        assert decided(key, permission, at=end_ms) == "permission_expired"

    key = tick(key, FUTURES, at="2022-02-01 08:00", rulebook=book)
    assert end_of(FUTURES, key) == ms("2022-02-01 08:00") + NINETY_MS, "from the day it is ticked"
    assert end_of(TRADING, key) == end_ms, "a running term stands (R6)"

    key = renew(key, READING, TRADING, at="2022-03-20 08:00", rulebook=book)
    assert end_of(TRADING, key) == ms("2022-03-20 08:00") + NINETY_MS
    key = allow_only(key, HOME, at="2022-03-25 08:00", rulebook=book)
    assert [end_of(held, key) for held in (READING, TRADING, FUTURES)] == [None] * 3
    key = allow_only(key, at="2022-04-25 08:00", rulebook=book)
    assert end_of(TRADING, key) == ms("2022-04-25 08:00") + NINETY_MS


@EVERY_KIND
def test_at_upbit_nothing_is_saved_without_an_address(kind: AccountKind) -> None:
    book = the_book("upbit")
    at = "2022-04-01 08:00"

    assert refused(lambda: a_key(issued=at, account_kind=kind, rulebook=book)) == "upbit-addresses"
    key = a_key(TRADING, issued=at, allowlist=(HOME,), account_kind=kind, rulebook=book)
    assert end_of(TRADING, key) is None
    assert decided(key, TRADING, at="2030-01-01 00:00") is None
    opened = plan(key, an_edit(allowlist=()), at="2022-05-01 08:00", rulebook=book)
    assert [item.kind for item in opened.consequences] == ["lost", "lost"]
    assert opened.confirmation_required


def test_at_upbit_an_older_key_is_left_alone_until_it_is_edited() -> None:
    book = the_book("upbit")
    key = a_key(TRADING, issued="2022-03-17 23:59", rulebook=book)

    assert decided(key, TRADING, at="2026-01-01 00:00") is None
    edited = plan(key, an_edit(untick=[TRADING]), at="2026-01-01 00:00", rulebook=book)
    assert {item.permission: item.kind for item in edited.consequences} == {
        TRADING: "removed",
        READING: "lost",
    }


def test_from_2023_an_hmac_key_without_an_address_may_only_read() -> None:
    """Left alone when the rule comes (R4), stripped at the next edit, whole again with an IP."""
    book = the_book("binance-2023")
    key = a_key(TRADING, FUTURES, issued="2021-07-01 12:00", rulebook=book)

    assert decided(key, TRADING, at="2023-06-01 00:00") is None
    key = tick(key, READING, at="2023-06-01 00:00", rulebook=book)
    assert set(key.grants) == {READING, TRADING, FUTURES}, "ticking what is ticked is no edit (R5)"
    stripped = plan(key, an_edit(untick=[FUTURES]), at="2023-06-01 00:00", rulebook=book)
    assert {item.permission: item.kind for item in stripped.consequences} == {
        TRADING: "lost",
        FUTURES: "removed",
    }
    key = stripped.after
    assert set(key.grants) == {READING}
    assert end_of(READING, key) is None
    by = refused(lambda: tick(key, TRADING, at="2023-06-02 00:00", rulebook=book))
    assert by == "binance-2023-hmac"
    key = allow_only(key, HOME, at="2023-06-03 00:00", rulebook=book)
    key = tick(key, TRADING, WITHDRAWALS, at="2023-06-03 00:01", rulebook=book)
    assert end_of(TRADING, key) is None


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_from_2023_keys_of_other_types_stay_under_the_rules_of_2021(key_type: KeyType) -> None:
    book = the_book("binance-2023")
    issued = "2023-06-01 00:00"
    key = a_key(TRADING, issued=issued, key_type=key_type, rulebook=book)

    assert end_of(TRADING, key) == ms(issued) + 30 * DAY_MS
    assert book.rules[:2] == the_rulebook().rules
