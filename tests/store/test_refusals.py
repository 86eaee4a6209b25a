"""Refused requests as rows, on each database."""

from functools import partial

import pytest

from tenure.domain import refusals as domain
from tenure.domain.decide import Reason
from tenure.domain.model import KeyId, RuleId
from tenure.domain.refusals import PROVED_KEPT, Refusal
from tenure.store import accounts, keys, refusals
from tenure.store.db import Store
from tests.builders import TRADING, a_key, an_account, at_ms

NOW = at_ms("2021-12-01 10:00")


@pytest.fixture(autouse=True)
def two_keys(store: Store) -> None:
    """Put two keys into the store."""
    for number in (1, 2):
        store.write(partial(accounts.add, account=an_account(number=number)))
        store.write(partial(keys.add, key=a_key(number=number), sealed_secret=None))


def refused(number: int, address: str, at: int = NOW) -> Refusal:
    return Refusal(
        key_id=KeyId(f"key_{number}"),
        reason=Reason.PERMISSION_EXPIRED,
        permission=TRADING,
        address=address,
        times=3_000_000_000,
        first_at_ms=at - 5,
        last_at_ms=at,
        since_ms=NOW - 9,
        rule_id=RuleId("2021-07-09"),
    )


def fold(store: Store, *noted: Refusal) -> None:
    """Add refusals as the service does."""

    def write(tx: object) -> None:
        key_ids = {row.key_id for row in noted}
        known = refusals.of_keys(tx, key_ids)  # type: ignore[arg-type]  # a Transaction
        changed = [
            (
                known.get(key_id, []),
                domain.fold(known.get(key_id, []), [n for n in noted if n.key_id == key_id], ()),
            )
            for key_id in sorted(key_ids)
        ]
        refusals.save(tx, changed)  # type: ignore[arg-type]  # a Transaction

    store.write(write)


def of_keys(store: Store) -> dict[str, list[Refusal]]:
    return store.read(lambda tx: refusals.of_keys(tx, ["key_1", "key_2", "key_9"]))


def test_what_is_saved_reads_back_the_same_the_last_refused_first(store: Store) -> None:
    unproved = Refusal(KeyId("key_1"), Reason.SIGNATURE_INVALID, "", "2001:db8::7", 1, NOW, NOW)
    late = refused(1, "203.0.113.7", NOW + 1)

    fold(store, unproved, late, refused(2, "192.0.2.1"))

    assert of_keys(store) == {"key_1": [late, unproved], "key_2": [refused(2, "192.0.2.1")]}


def test_what_is_saved_again_is_moved_added_and_dropped(store: Store) -> None:
    many = [refused(1, f"198.51.100.{number}", NOW + number) for number in range(PROVED_KEPT)]
    fold(store, *many)
    more = [refused(1, "198.51.100.1", NOW + 100), refused(1, "192.0.2.1", NOW + 101)]
    expected = domain.fold(of_keys(store)["key_1"], more, ())

    fold(store, *more)

    assert tuple(of_keys(store)["key_1"]) == expected
    assert "198.51.100.0" not in {row.address for row in expected}


def test_saving_what_is_known_changes_nothing(store: Store) -> None:
    fold(store, refused(1, "203.0.113.7"))
    known = of_keys(store)

    store.write(lambda tx: refusals.save(tx, [(known["key_1"], known["key_1"])]))

    assert of_keys(store) == known
