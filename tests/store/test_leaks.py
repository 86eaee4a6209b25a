"""The queue of leak reports, on each database: known by content, taken key by key."""

from functools import partial

import pytest
from sqlalchemy import exc

from tenure.domain.events import Change, Tag
from tenure.domain.leaks import LeakAction, Report
from tenure.domain.model import ApiKey, KeyId
from tenure.store import accounts, journal, keys, leaks
from tenure.store.db import Store, Transaction
from tests.builders import a_key, an_account

NOW_MS = 1_638_352_800_000


def a_report(
    key: ApiKey,
    url: str = "https://code.example/a",
    *,
    source: str = "commit",
    reporter: str = "github",
) -> Report:
    """Return a report that *key* was found at *url*."""
    return Report(key_id=key.key_id, reporter=reporter, url=url, source=source)


def stored(store: Store, count: int = 2) -> list[ApiKey]:
    """Store so many keys, each of an account of its own."""
    made = [a_key(number=number) for number in range(1, count + 1)]

    def add(tx: Transaction) -> None:
        for number, key in enumerate(made, start=1):
            accounts.add(tx, an_account(number=number))
            keys.add(tx, key, None)

    store.write(add)
    return made


def queue(store: Store, *reports: Report, at_ms: int = NOW_MS) -> int:
    return store.write(partial(leaks.add, reports=reports, received_at_ms=at_ms))


def mark(store: Store, *key_ids: str, at_ms: int = NOW_MS) -> int:
    return store.write(partial(leaks.mark_worked, key_ids=key_ids, now_ms=at_ms))


def left(store: Store, *key_ids: str) -> dict[KeyId, list[Report]]:
    return store.read(partial(leaks.of_keys, key_ids=key_ids))


def test_only_our_own_api_keys_are_ours(store: Store) -> None:
    one, other = stored(store)
    asked = [one.api_key, other.api_key, one.api_key.swapcase(), "tnr1", ""]

    found = store.read(partial(leaks.ours, api_keys=asked))

    assert found == {one.api_key: one.key_id, other.api_key: other.key_id}


def test_more_are_looked_up_than_one_statement_names(store: Store) -> None:
    one, other = stored(store)
    asked = [one.api_key, *(f"nobody's {number}" for number in range(2_500)), other.api_key]

    assert len(store.read(partial(leaks.ours, api_keys=asked))) == 2


def test_a_report_is_queued_once_whenever_it_comes(store: Store) -> None:
    one, _ = stored(store)
    report = a_report(one)

    assert queue(store, report, report) == 1
    assert queue(store, report, at_ms=NOW_MS + 1) == 0
    mark(store, one.key_id)
    assert queue(store, report, at_ms=NOW_MS + 3) == 0
    assert store.read(partial(leaks.due, most=10)) == []


def test_another_place_kind_or_reporter_is_another_report(store: Store) -> None:
    one, other = stored(store)
    reports = [
        a_report(one),
        a_report(one, "https://code.example/A"),
        a_report(one, source="issue"),
        a_report(one, reporter="operator"),
        a_report(other),
    ]

    assert queue(store, *reports) == 5
    assert queue(store, *reports) == 0
    found = left(store, one.key_id, other.key_id, "nobody's")
    assert {key_id: len(each) for key_id, each in found.items()} == {
        one.key_id: 4,
        other.key_id: 1,
    }


def test_thousands_are_queued_at_once(store: Store) -> None:
    one, _ = stored(store)
    reports = [a_report(one, f"https://code.example/{number}") for number in range(2_500)]

    assert queue(store, *reports) == 2_500
    assert queue(store, *reports, a_report(one, "https://code.example/more")) == 1


def test_reports_come_back_as_they_were(store: Store) -> None:
    one, other = stored(store)
    late = Report(key_id=one.key_id, reporter="operator", url="", source="\u2713", found_at_ms=7)
    queue(store, late, at_ms=NOW_MS + 1)
    queue(store, a_report(one), a_report(other))

    assert left(store, one.key_id) == {one.key_id: [a_report(one), late]}


def test_keys_with_work_left_are_named_once_and_no_more_than_asked_for(store: Store) -> None:
    made = stored(store, 3)
    queue(store, *(a_report(key, url) for key in made for url in ("https://a", "https://b")))
    ids = sorted(key.key_id for key in made)

    assert store.read(partial(leaks.due, most=2)) == ids[:2]
    assert mark(store, ids[0]) == 2
    assert mark(store, ids[0]) == 0
    assert store.read(partial(leaks.due, most=10)) == ids[1:]
    assert left(store, ids[0]) == {}


def test_a_report_about_no_key_of_ours_cannot_be_queued(store: Store) -> None:
    with pytest.raises(exc.IntegrityError):
        queue(store, Report(key_id=KeyId("key_nobody"), reporter="github"))


def test_reports_are_listed_with_what_was_done_the_last_received_first(store: Store) -> None:
    for number, key in enumerate(stored(store, 3), start=1):
        queue(store, a_report(key), at_ms=number)
    for action in ("tell", "quarantine"):
        body: dict[str, object] = {"action": action, "reports": 1, "places": []}
        change = Change(
            tag=Tag.KEY_REPORTED, actor="x", happened_at_ms=9, body=body, key_id="key_2"
        )
        store.write(partial(journal.append, change=change, now_ms=9))
    mark(store, "key_2", "key_1", at_ms=9)

    listed = store.read(partial(leaks.latest, most=2))

    assert [(item.report.key_id, item.worked_at_ms, item.action) for item in listed] == [
        ("key_3", None, None),
        ("key_2", 9, LeakAction.QUARANTINE),
    ]
    assert (listed[1].label, listed[1].account_id) == ("my bot", "acct_2")
    assert store.read(partial(leaks.latest, most=9))[2].action is None, "it had ended before"
