"""The journal on each database: gap-free, in commit order, chained, one with its change."""

import time
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import exc, select, update

from tenure.domain import events
from tenure.domain.events import GENESIS_HASH, Change, Event, Tag
from tenure.store import journal, schema
from tenure.store.db import Store, Transaction
from tenure.store.journal import Step
from tests.together import together


def _change(key_id: str | None = "key_1", *, happened_at_ms: int = 1_000) -> Change:
    return Change(
        tag=Tag.KEY_EDITED,
        actor="operator",
        happened_at_ms=happened_at_ms,
        body={"label": "Ölhändler \N{CHART WITH UPWARDS TREND}", "ends_at_ms": None, "n": [1, 2]},
        account_id="acct_1",
        key_id=key_id,
    )


def _append(store: Store, change: Change | None = None, now_ms: int = 1_000) -> Event:
    return store.write(lambda tx: journal.append(tx, change or _change(), now_ms))


def _after(tx: Transaction, seq: int, most: int = 5) -> list[Event]:
    return list(journal.after(tx, seq, most))


def _all(store: Store) -> list[Event]:
    return store.read(partial(_after, seq=0, most=10_000))


def test_an_event_reads_back_as_it_was_written(store: Store) -> None:
    appended = [_append(store), _append(store, _change(None))]

    assert _all(store) == appended


def test_events_are_numbered_from_1_without_a_gap_and_each_names_the_one_before(
    store: Store,
) -> None:
    for _ in range(5):
        _append(store)

    _assert_chained(_all(store), 5)


def test_a_change_that_is_undone_leaves_no_event_and_no_gap(store: Store) -> None:
    _append(store)

    def append_and_regret(tx: Transaction) -> None:
        journal.append(tx, _change(), 1_000)
        journal.append(tx, _change(), 1_000)
        raise KeyError("second thoughts")

    with pytest.raises(KeyError):
        store.write(append_and_regret)
    _append(store)

    _assert_chained(_all(store), 2)


def test_the_head_is_the_last_event(store: Store) -> None:
    assert store.read(journal.head) == (0, GENESIS_HASH, 0)

    last = [_append(store, now_ms=now_ms) for now_ms in (5, 7)][-1]

    assert store.read(journal.head) == (2, last.hash, 7)


def test_recording_instants_never_decrease_whatever_the_clock_does(store: Store) -> None:
    """An event may have happened before the one ahead of it; it was not recorded before it."""
    for now_ms in (2_000, 1_000, 2_001):
        _append(store, _change(happened_at_ms=now_ms), now_ms)

    found = _all(store)
    assert [event.recorded_at_ms for event in found] == [2_000, 2_000, 2_001]
    assert [event.change.happened_at_ms for event in found] == [2_000, 1_000, 2_001]


def test_events_are_read_after_a_seq_in_order_and_no_more_than_asked_for(store: Store) -> None:
    for _ in range(5):
        _append(store)

    def seqs(after: int, most: int) -> list[int]:
        return store.read(lambda tx: [event.seq for event in journal.after(tx, after, most)])

    assert seqs(0, 3) == [1, 2, 3]
    assert seqs(3, 3) == [4, 5]
    assert seqs(5, 3) == []
    assert seqs(99, 3) == []


def test_the_events_of_one_key_are_found(store: Store) -> None:
    for key_id in ("key_1", "key_2", None, "KEY_1", "key_1"):
        _append(store, _change(key_id))

    found = store.read(lambda tx: list(journal.of_key(tx, "key_1")))

    assert [event.seq for event in found] == [1, 5]


def test_the_events_of_one_account_are_found_after_a_seq_and_by_key(store: Store) -> None:
    for account_id, key_id in (
        *(("acct_1", "key_1"), ("acct_2", "key_2"), ("acct_1", None), (None, None)),
        *(("acct_1", "key_1"), ("ACCT_1", "key_1"), ("acct_1", "key_3")),
    ):
        _append(store, replace(_change(key_id), account_id=account_id))

    def seqs(seq: int, most: int, key_id: str | None = None) -> list[int]:
        found = partial(journal.of_account, account_id="acct_1", seq=seq, most=most, key_id=key_id)
        return store.read(lambda tx: [event.seq for event in found(tx)])

    assert seqs(0, 2) == [1, 3]
    assert seqs(3, 9) == [5, 7]
    assert seqs(7, 9) == []
    assert seqs(0, 9, "key_1") == [1, 5]
    assert seqs(0, 9, "key_2") == []


def test_events_appended_together_are_events_like_any_other(store: Store) -> None:
    _append(store, now_ms=3_000)
    changes = [_change(key_id) for key_id in ("key_1", "key_2", None)]

    appended = store.write(lambda tx: journal.append_all(tx, changes, 2_000))
    _append(store, now_ms=1_000)

    assert _all(store)[1:4] == appended
    assert [event.change for event in appended] == changes
    assert {event.recorded_at_ms for event in _all(store)} == {3_000}
    _assert_chained(_all(store), 5)


def test_appending_nothing_changes_nothing(store: Store) -> None:
    assert store.write(lambda tx: journal.append_all(tx, [], 1_000)) == []
    assert store.read(journal.head) == (0, GENESIS_HASH, 0)


def test_a_step_is_an_event_without_what_it_says(store: Store) -> None:
    """So that a follower passes an event of a kind that only a newer Tenure knows."""
    appended = [_append(store), _append(store, _change(None)), _append(store)]
    store.write(lambda tx: tx.execute(update(schema.events).values(tag="key:sold", body="{")))

    found = store.read(lambda tx: journal.steps(tx, 0, 2))

    assert found == [
        Step(event.seq, event.change.key_id, event.previous_hash, event.hash)
        for event in appended[:2]
    ]
    assert [step.seq for step in store.read(lambda tx: journal.steps(tx, 2, 2))] == [3]


def test_an_event_that_takes_a_seq_without_the_lock_is_refused_loudly(store: Store) -> None:
    _append(store)

    def copy(tx: Transaction) -> None:
        row = tx.execute(select(schema.events)).one()
        tx.execute(schema.events.insert().values(row._mapping))  # noqa: SLF001 - its public name

    with pytest.raises(exc.IntegrityError):
        store.write(copy)


def test_a_poller_that_asks_after_seq_never_misses_an_event(shared: Store) -> None:
    """Numbers given out before their commit would let a later one be seen first (SECURITY D6)."""
    writers, each = 4, 12

    def write() -> list[int]:
        for number in range(each):

            def append_slowly(tx: Transaction, number: int = number) -> None:
                journal.append(tx, _change(), 1_000)
                # Commits would overtake each other here, were it not for the lock.
                time.sleep(0.002 * (number % 3))

            shared.write(append_slowly)
        return []

    def poll() -> list[int]:
        seen: list[int] = []
        while len(seen) < writers * each:
            last = seen[-1] if seen else 0
            page = shared.read(partial(_after, seq=last))
            seen += [event.seq for event in page]
            assert seen == list(range(1, len(seen) + 1))
        return seen

    *_, seen = together([*[write] * writers, poll])

    assert len(seen) == writers * each
    _assert_chained(_all(shared), writers * each)


def _assert_chained(found: list[Event], count: int) -> None:
    assert [event.seq for event in found] == list(range(1, count + 1))
    assert found[0].previous_hash == GENESIS_HASH
    assert all(before.hash == after.previous_hash for before, after in pairwise(found))
    for event in found:
        assert event.hash == events.digest(
            event.change,
            seq=event.seq,
            recorded_at_ms=event.recorded_at_ms,
            previous_hash=event.previous_hash,
        )
