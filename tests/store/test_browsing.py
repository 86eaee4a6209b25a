"""What a look through the journal asks the database, on each of them."""

from functools import partial

import pytest

from tenure.domain.events import Change, Tag
from tenure.store import browsing, journal
from tenure.store.browsing import Sought
from tenure.store.db import Store


@pytest.fixture(autouse=True)
def some_events(store: Store) -> None:
    """Record an event a second, of two keys in turn, and one that is about nobody."""
    for number in range(1, 7):
        change = Change(
            tag=Tag.KEY_EDITED if number % 3 else Tag.KEY_REVOKED,
            actor="operator" if number % 2 else "Operator:ann",
            happened_at_ms=number,
            body={},
            account_id="acct_1",
            key_id=f"key_{number % 2}",
        )
        store.write(partial(journal.append, change=change, now_ms=number * 1_000))
    rule = Change(tag=Tag.RULE_ADDED, actor="tenure:rulebook", happened_at_ms=7, body={})
    store.write(partial(journal.append, change=rule, now_ms=9_000))


def seqs(
    store: Store, first: int = 1, before: int = 99, most: int = 9, **sought: object
) -> list[int]:
    look = partial(browsing.newest, sought=Sought(**sought), first=first, before=before, most=most)  # type: ignore[arg-type]  # by name
    return [members["seq"] for members in store.read(look)]


def test_events_come_newest_first_between_two_seqs(store: Store) -> None:
    assert seqs(store) == [7, 6, 5, 4, 3, 2, 1]
    assert seqs(store, first=2, before=5) == [4, 3, 2]
    assert seqs(store, most=2) == [7, 6]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({"tags": ["key:revoked"]}, [6, 3]),
        ({"key_id": "key_1"}, [5, 3, 1]),
        ({"account_id": "acct_1", "actor": "Operator"}, [6, 4, 2]),
        ({"actor": "operator"}, [5, 3, 1]),
        ({"actor": "_perator"}, []),
        ({"is_house": True}, [7]),
    ],
)
def test_only_what_is_sought_comes(
    store: Store, sought: dict[str, object], found: list[int]
) -> None:
    assert seqs(store, **sought) == found  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("at_ms", "seq"),
    [(0, 1), (1_000, 1), (1_001, 2), (6_000, 6), (6_001, 7), (9_000, 7), (9_001, 8)],
)
def test_an_instant_leads_to_the_first_event_recorded_then(
    store: Store, at_ms: int, seq: int
) -> None:
    assert store.read(partial(browsing.first_since, at_ms=at_ms, head=7)) == seq


def test_what_an_index_leads_to_is_known() -> None:
    assert not Sought(tags=["key:issued"], actor="x").is_indexed
    assert Sought(is_house=True).is_indexed
    assert Sought(account_id="acct_1").is_indexed
    assert Sought(key_id="key_1").is_indexed
