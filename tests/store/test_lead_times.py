"""What accounts chose to be warned by, on each database."""

from functools import partial

import pytest

from tenure.store import accounts, lead_times
from tenure.store.db import Store
from tests.builders import DAY_MS, an_account


@pytest.fixture(autouse=True)
def three_accounts(store: Store) -> None:
    """Put three accounts into the store."""
    for number in (1, 2, 3):
        store.write(partial(accounts.add, account=an_account(number=number)))


def put(store: Store, number: int, *leads_ms: int) -> None:
    store.write(lambda tx: lead_times.put(tx, f"acct_{number}", leads_ms or None))


def of_accounts(store: Store) -> dict[str, tuple[int, ...]]:
    named = ["acct_1", "acct_2", "acct_3", "acct_9"]
    return store.read(lambda tx: lead_times.of_accounts(tx, named))


def test_what_was_chosen_is_read_the_longest_first_and_nothing_is_nothing(store: Store) -> None:
    put(store, 1, 5, 30 * DAY_MS, 7)
    put(store, 2, 7)

    assert of_accounts(store) == {"acct_1": (30 * DAY_MS, 7, 5), "acct_2": (7,)}
    assert store.read(lambda tx: lead_times.of_accounts(tx, [])) == {}


def test_a_choice_replaces_the_one_before(store: Store) -> None:
    put(store, 1, 5, 7)
    put(store, 1, 7, 9)
    put(store, 2, 5)
    put(store, 2)

    assert of_accounts(store) == {"acct_1": (9, 7)}


def test_lead_times_in_use_are_those_anybody_chose(store: Store) -> None:
    put(store, 1, 5, 7)
    put(store, 2, 7)

    assert store.read(lambda tx: lead_times.in_use(tx, [9, 7, 5, 3])) == [7, 5]
