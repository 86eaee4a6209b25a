"""What is waiting in the store, on each database."""

from functools import partial

import pytest

from tenure.domain.events import Change, Tag
from tenure.domain.leaks import Report
from tenure.domain.model import KeyId
from tenure.store import accounts, health, journal, keys, leaks, schema_notices
from tenure.store.db import Store
from tenure.store.health import Waiting
from tests.builders import TRADING, a_key, an_account, at_ms

CHANNELS = ("email", "webhook")


@pytest.fixture(autouse=True)
def two_keys(store: Store) -> None:
    """Put two keys into the store whose terms end on the last days of the year."""
    for number, issued in ((1, "2021-11-29 10:00"), (2, "2021-11-30 10:00")):
        store.write(partial(accounts.add, account=an_account(number=number)))
        key = a_key(TRADING, issued=issued, number=number)
        store.write(partial(keys.add, key=key, sealed_secret=None))


def test_terms_that_ended_wait_until_they_are_recorded(store: Store) -> None:
    first, second = at_ms("2021-12-29 10:00"), at_ms("2021-12-30 10:00")

    def waiting(now_ms: int) -> Waiting:
        return store.read(partial(health.unswept, now_ms=now_ms))

    assert waiting(first - 1) == (0, 0, "")
    assert waiting(first) == (1, first, "")
    assert waiting(second) == (2, first, "")
    store.write(partial(keys.mark_swept, looked_at=[("key_1", TRADING)], now_ms=second))
    assert waiting(second) == (1, second, "")


def test_what_waits_is_counted_to_a_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "COUNTED_MAX", 1)

    assert store.read(partial(health.unswept, now_ms=at_ms("2022-01-01 00:00"))).number == 1


def deliver(
    store: Store, number: int, channel: str, next_attempt_at_ms: int | None, **tried: object
) -> None:
    contact = {"contact_id": f"ct_{number}", "account_id": "acct_1", "channel": channel}
    more = {"address": "x", "muted": "[]", "added_at_ms": 1}
    row = {"notice_id": f"ntc_{number}", "contact_id": f"ct_{number}", "number": number}
    rest = {"made_at_ms": 1, "attempts": 0, "next_attempt_at_ms": next_attempt_at_ms, **tried}

    def write(tx: object) -> None:
        tx.execute(schema_notices.contacts.insert().values(**contact, **more))  # type: ignore[attr-defined]  # a Transaction
        values = {**row, "channel": channel, **rest}
        tx.execute(schema_notices.deliveries.insert().values(**values))  # type: ignore[attr-defined]  # a Transaction

    store.write(write)


def test_messages_wait_until_they_are_settled(store: Store) -> None:
    look = partial(health.unsent, channels=CHANNELS)
    assert store.read(look) == (0, 0, "")

    deliver(store, 1, "email", 700)
    deliver(store, 2, "webhook", 500)
    deliver(store, 3, "webhook", None)

    assert store.read(look) == (2, 500, "webhook")


def test_why_messages_failed_is_known_of_those_that_are_tried_again(store: Store) -> None:
    deliver(store, 1, "email", 700)
    deliver(store, 2, "email", 700, attempts=1, last_error="down")
    deliver(store, 3, "email", 500, attempts=1, last_error="due by now")
    deliver(store, 4, "webhook", 700, attempts=1, last_error="another channel")

    assert store.read(partial(health.failures, channel="email", now_ms=500)) == ["down"]


def test_leak_reports_wait_until_they_are_worked_off(store: Store) -> None:
    report = Report(key_id=KeyId("key_1"), reporter="github", source="code")
    store.write(partial(leaks.add, reports=[report], received_at_ms=70))
    other = Report(key_id=KeyId("key_2"), reporter="github", source="code")
    store.write(partial(leaks.add, reports=[other], received_at_ms=60))

    assert store.read(health.unworked) == (2, 60, "")
    store.write(partial(leaks.mark_worked, key_ids=["key_2"], now_ms=80))
    assert store.read(health.unworked) == (1, 70, "")
    store.write(partial(leaks.mark_worked, key_ids=["key_1"], now_ms=80))
    assert store.read(health.unworked) == (0, 0, "")


def test_when_an_event_was_recorded_is_known_by_its_seq(store: Store) -> None:
    change = Change(tag=Tag.KEY_EDITED, actor="x", happened_at_ms=1, body={}, key_id="key_1")
    store.write(partial(journal.append, change=change, now_ms=77))

    assert store.read(partial(health.recorded_at_ms, seq=1)) == 77
    assert store.read(partial(health.recorded_at_ms, seq=2)) == 0
