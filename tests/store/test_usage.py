"""The use of keys as rows, on each database."""

from functools import partial

import pytest

from tenure.domain import usage as uses
from tenure.domain.usage import ADDRESSES_KEPT, KeyUsage, LastUsed, Use
from tenure.store import accounts, keys, usage
from tenure.store.db import Store
from tests.builders import FUTURES, TRADING, a_key, an_account, at_ms, revoked

DAY_MS = uses.DAY_MS
NOW = at_ms("2021-12-01 10:00")


@pytest.fixture(autouse=True)
def three_keys(store: Store) -> None:
    """Put three keys into the store, all issued in July."""
    for number in (1, 2, 3):
        store.write(partial(accounts.add, account=an_account(number=number)))
        store.write(partial(keys.add, key=a_key(number=number), sealed_secret=None))


def fold(store: Store, *given: Use) -> None:
    """Add uses as the service does."""

    def write(tx: object) -> None:
        known = usage.of_keys(tx, {use.key_id for use in given})  # type: ignore[arg-type]  # a Transaction
        for key_id in sorted({use.key_id for use in given}):
            before = known.get(key_id)
            after = uses.fold(before, [use for use in given if use.key_id == key_id]).usage
            usage.save(tx, [(before, after)])  # type: ignore[arg-type]  # a Transaction

    store.write(write)


def a_use(number: int, address: str, at: int = NOW) -> Use:
    return Use(a_key(number=number).key_id, address, TRADING, at)


def of_keys(store: Store) -> dict[str, KeyUsage]:
    return store.read(lambda tx: usage.of_keys(tx, ["key_1", "key_2", "key_3"]))


def test_what_is_saved_reads_back_the_same(store: Store) -> None:
    first = [a_use(1, "203.0.113.7"), a_use(1, "2001:db8::7", NOW - 1), a_use(2, "192.0.2.1")]
    expected = {
        key: uses.fold(None, [u for u in first if u.key_id == key]).usage
        for key in ("key_1", "key_2")
    }

    fold(store, *first)

    assert of_keys(store) == expected


def test_what_is_saved_again_is_moved_added_and_dropped(store: Store) -> None:
    many = [a_use(1, f"198.51.100.{number}", NOW + number) for number in range(ADDRESSES_KEPT)]
    fold(store, *many)
    before = of_keys(store)["key_1"]
    more = [a_use(1, "198.51.100.1", NOW + 100), a_use(1, "192.0.2.1", NOW + 101)]
    expected = uses.fold(before, more)

    fold(store, *more)

    assert of_keys(store) == {"key_1": expected.usage}
    assert "198.51.100.0" not in {seen.address for seen in expected.usage.addresses}


def test_saving_what_is_known_changes_nothing(store: Store) -> None:
    fold(store, a_use(1, "203.0.113.7"))
    known = of_keys(store)

    fold(store, a_use(1, "203.0.113.7", NOW - 5))
    fold(store, a_use(1, "203.0.113.7", NOW - 5))

    found = of_keys(store)["key_1"]
    assert found.last_used_at_ms == known["key_1"].last_used_at_ms
    assert found.first_used_at_ms == NOW - 5
    store.write(lambda tx: usage.save(tx, [(found, found)]))
    assert of_keys(store)["key_1"] == found


def test_the_last_use_of_many_is_read_at_once(store: Store) -> None:
    fold(store, a_use(1, "203.0.113.7"), a_use(2, "192.0.2.1", NOW - 1))

    found = store.read(lambda tx: usage.last_used(tx, ["key_1", "key_2", "key_3"]))

    assert found == {
        "key_1": LastUsed(NOW, "203.0.113.7", TRADING),
        "key_2": LastUsed(NOW - 1, "192.0.2.1", TRADING),
    }
    assert store.read(lambda tx: usage.last_used(tx, [])) == {}


def test_only_keys_that_are_here_have_owners(store: Store) -> None:
    assert store.read(lambda tx: usage.owners(tx, ["key_1", "key_9"])) == {"key_1": "acct_1"}


def test_unused_keys_are_those_not_used_from_an_instant_on(store: Store) -> None:
    fold(store, a_use(1, "203.0.113.7"), a_use(2, "192.0.2.1", NOW - DAY_MS))

    def found(since_ms: int, after: str = "", most: int = 9) -> list[tuple[str, bool]]:
        page = store.read(lambda tx: list(usage.unused(tx, since_ms, after, most)))
        return [(key.key_id, key.last_used is None) for key in page]

    assert found(NOW + 1) == [("key_1", False), ("key_2", False), ("key_3", True)]
    assert found(NOW) == [("key_2", False), ("key_3", True)]
    assert found(NOW - DAY_MS) == [("key_3", True)]
    assert found(NOW, after="key_2") == [("key_3", True)]
    assert found(NOW, most=1) == [("key_2", False)]
    assert found(a_key().issued_at_ms) == [], "younger than that"


def test_a_revoked_key_is_not_listed_as_unused(store: Store) -> None:
    before = a_key(FUTURES, number=3)
    store.write(lambda tx: keys.save(tx, a_key(number=3), revoked(before, at="2021-08-01 00:00")))

    found = store.read(lambda tx: [key.key_id for key in usage.unused(tx, NOW, "", 9)])

    assert found == ["key_1", "key_2"]
