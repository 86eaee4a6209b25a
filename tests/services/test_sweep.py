"""Sweeping: each lapse is recorded once, dated when it happened, and decides nothing."""

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from tenure.domain.decide import Reason
from tenure.domain.events import Event
from tenure.domain.model import KeyId, KeyType
from tenure.services import sweep
from tenure.services.keys import Wanted
from tenure.services.sweep import Sweep
from tenure.store import keys
from tenure.store.db import Transaction
from tests.builders import DAY_MS, FUTURES, MONTH_MS, TRADING
from tests.services.parts import ACTOR, Parts
from tests.together import together

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


def _lapses(parts: Parts) -> list[Event]:
    return [event for event in parts.events() if str(event.change.tag) == "grant:swept"]


def _many(parts: Parts, count: int) -> None:
    """Store *count* keys with a term each, by shortcut: issuing that many would take a while."""
    key = parts.issue(TRADING, key_type=KeyType.ED25519)

    def add(tx: Transaction) -> None:
        for number in range(1, count):
            name = f"key_{number:04}"
            keys.add(tx, replace(key, key_id=KeyId(name), api_key=name), None)

    parts.store.write(add)


def test_a_sweeper_counts_what_it_records(parts: Parts) -> None:
    before = REGISTRY.get_sample_value("tenure_swept_total") or 0.0
    parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)

    parts.sweep.tick()
    parts.sweep.step()

    assert REGISTRY.get_sample_value("tenure_swept_total") == before + 1


def test_a_lapse_is_one_event_dated_when_the_term_ended(parts: Parts) -> None:
    key = parts.issue(TRADING, FUTURES)
    issued_at_ms = parts.clock.now
    parts.clock.advance(MONTH_MS + DAY_MS)

    assert parts.sweep.tick() == 1

    (event,) = _lapses(parts)
    assert event.change.happened_at_ms == issued_at_ms + MONTH_MS
    assert event.recorded_at_ms == parts.clock.now
    assert event.change.actor == "tenure:sweep"
    assert (event.change.account_id, event.change.key_id) == (key.account_id, key.key_id)
    assert event.change.body == {
        "permission": TRADING,
        "starts_at_ms": issued_at_ms,
        "ends_at_ms": issued_at_ms + MONTH_MS,
        "rule_id": "2021-07-09",
    }


def test_a_term_is_swept_from_its_end_on_and_not_before(parts: Parts) -> None:
    parts.issue(TRADING)
    parts.clock.advance(MONTH_MS - 1)
    assert parts.sweep.tick() == 0

    parts.clock.advance(1)
    assert parts.sweep.tick() == 1


def test_sweeping_again_records_nothing(parts: Parts) -> None:
    parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)

    assert [parts.sweep.tick(), parts.sweep.tick()] == [1, 0]
    assert len(_lapses(parts)) == 1


def test_sweeping_changes_no_decision_and_not_its_reason(parts: Parts) -> None:
    key = parts.issue(TRADING, FUTURES)
    parts.clock.advance(MONTH_MS)
    parts.follower.tick()
    before = parts.keys.get(key.key_id), parts.ask(key), parts.ask(key, FUTURES)

    parts.sweep.tick()
    parts.follower.tick()

    assert (parts.keys.get(key.key_id), parts.ask(key), parts.ask(key, FUTURES)) == before
    assert before[1:] == (Reason.PERMISSION_EXPIRED, None)
    assert parts.keys.get(key.key_id).version == key.version


def test_more_lapses_than_a_batch_are_recorded_in_one_tick(parts: Parts) -> None:
    count = 2 * sweep.BATCH + 1
    _many(parts, count)
    parts.clock.advance(MONTH_MS)

    assert parts.sweep.tick() == count

    assert len({event.change.key_id for event in _lapses(parts)}) == count


def test_a_step_records_a_batch_and_says_whether_there_may_be_more(parts: Parts) -> None:
    """So that whoever else needs the process gets a turn while a million terms end."""
    _many(parts, sweep.BATCH + 1)
    parts.clock.advance(MONTH_MS)

    assert [parts.sweep.step(), parts.sweep.step()] == [True, False]

    assert len(_lapses(parts)) == sweep.BATCH + 1


def test_sweepers_at_once_record_each_lapse_once(shared: Parts) -> None:
    count = sweep.BATCH + 50
    _many(shared, count)
    shared.clock.advance(MONTH_MS)

    recorded = together([Sweep(shared.store, shared.clock).tick] * 4)

    assert sum(recorded) == count
    assert len(_lapses(shared)) == len({event.change.key_id for event in _lapses(shared)}) == count


def test_a_term_lifted_before_its_end_is_never_swept(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.edit(key, Wanted(ip_allowlist=("203.0.113.7",)))
    parts.clock.advance(2 * MONTH_MS)

    assert parts.sweep.tick() == 0


def test_a_permission_ticked_again_lapses_again(parts: Parts) -> None:
    key = parts.issue(TRADING)
    for _ in range(2):
        parts.clock.advance(MONTH_MS)
        assert parts.sweep.tick() == 1
        parts.edit(key, Wanted(permissions={TRADING: True}))

    assert [event.change.happened_at_ms for event in _lapses(parts)] == [
        parts.clock.now - MONTH_MS,
        parts.clock.now,
    ]


@pytest.mark.parametrize("is_swept_first", [True, False])
def test_the_lapses_of_a_revoked_key_are_recorded_all_the_same(
    parts: Parts, *, is_swept_first: bool
) -> None:
    key = parts.issue(TRADING)
    if is_swept_first:
        parts.clock.advance(MONTH_MS)
        parts.sweep.tick()
    parts.keys.revoke(key.key_id, ACTOR)
    parts.clock.advance(MONTH_MS)

    parts.sweep.tick()
    parts.follower.tick()

    assert len(_lapses(parts)) == 1
    assert parts.ask(key) is Reason.KEY_REVOKED
