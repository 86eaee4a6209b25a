"""Replaying: what rows must say, worked out from events alone, and how a row differs from it."""

from dataclasses import replace
from typing import Any

from tenure.domain import contacts, events, replaying
from tenure.domain.events import Tag
from tenure.domain.model import Account, AccountId, AccountKind, Overlap, Quarantine
from tenure.domain.replaying import Replay, Said
from tests.builders import FUTURES, TRADING, a_key

KEY = a_key(TRADING, issued="2021-12-01 10:00")
STATE = events.key_state(KEY)


ACCOUNT = Account(
    account_id=AccountId("acct_1"),
    kind=AccountKind.NORMAL,
    email="a@example.com",
    created_at_ms=1,
)


def replay(*taken: tuple[str, str | None, str | None, dict[str, Any]]) -> Replay:
    found = Replay()
    for at_ms, (tag, account_id, key_id, body) in enumerate(taken):
        found.take(Said(tag, account_id, key_id, at_ms, body))
    return found


def test_the_last_event_about_something_is_what_its_row_must_say() -> None:
    later = {**STATE, "label": "renamed"}
    found = replay(
        (Tag.KEY_ISSUED, "acct_1", "key_1", {"key": STATE}),
        (Tag.KEY_EDITED, "acct_1", "key_1", {"key": later}),
        (Tag.ACCOUNT_CREATED, "acct_1", None, {"account": events.account_state(ACCOUNT)}),
        (Tag.RULE_ADDED, None, None, {"rule": {"id": "r1"}}),
        ("kept:by a newer Tenure", "acct_1", None, {"more": {}}),
    )
    assert found.of("key") == {"key_1": {**later, "account_id": "acct_1", "swept": []}}
    assert found.of("account") == {"acct_1": events.account_state(ACCOUNT)}
    assert found.of("rule") == {"r1": {"id": "r1", "withdrawn_at_ms": None}}


def test_a_rule_that_was_withdrawn_is_so_since_its_event() -> None:
    found = replay(
        (Tag.RULE_ADDED, None, None, {"rule": {"id": "r1"}}),
        (Tag.RULE_WITHDRAWN, None, None, {"rule": {"id": "r1"}}),
    )
    assert found.of("rule") == {"r1": {"id": "r1", "withdrawn_at_ms": 1}}


def test_an_account_begins_with_a_contact_and_may_get_more() -> None:
    first = contacts.first_contact(ACCOUNT)
    more = {"contact_id": "ctc_2", "address": "b@example.com"}
    found = replay(
        (Tag.ACCOUNT_CREATED, "acct_1", None, {"account": events.account_state(ACCOUNT)}),
        (Tag.CONTACT_ADDED, "acct_1", None, {"contact": more}),
        (Tag.CALENDAR_RENEWED, "acct_1", None, {}),
        (Tag.LEAD_TIMES_CHANGED, "acct_1", None, {"lead_times": {"chosen_ms": [7]}}),
    )
    assert found.of("contact") == {
        first.contact_id: replaying.contact_row(first),
        "ctc_2": {**more, "account_id": "acct_1"},
    }
    assert found.of("calendar") == {"acct_1": {"made_at_ms": 2}}
    assert found.of("lead_times") == {"acct_1": replaying.lead_times_row((7,))}


def test_a_mark_is_a_row_of_its_own_and_no_key_changes_by_it() -> None:
    mark = {"mark_id": "mark_1", "label": "my bot"}
    found = replay(
        (Tag.KEY_ISSUED, "acct_1", "key_1", {"key": STATE}),
        (Tag.KEYS_REVOKED, None, None, {"mark": mark}),
    )
    assert found.of("mark") == {"mark_1": mark}
    assert found.of("key")["key_1"]["revoked_at_ms"] is None


def test_a_swept_end_is_recorded_on_the_grant_that_still_has_it() -> None:
    grants: dict[str, Any] = {
        TRADING: {"granted_at_ms": 1, "starts_at_ms": 1, "ends_at_ms": 5, "rule_id": "r"},
        FUTURES: {"granted_at_ms": 1, "starts_at_ms": 1, "ends_at_ms": 9, "rule_id": "r"},
    }
    found = replay(
        (Tag.KEY_ISSUED, "acct_1", "key_1", {"key": {**STATE, "grants": grants}}),
        (Tag.GRANT_SWEPT, "acct_1", "key_1", {"permission": TRADING, "ends_at_ms": 5}),
        (Tag.GRANT_SWEPT, "acct_1", "key_1", {"permission": FUTURES, "ends_at_ms": 8}),
    )
    assert found.of("key")["key_1"]["swept"] == [TRADING]


def test_a_row_that_says_the_same_does_not_differ() -> None:
    said = replay((Tag.KEY_ISSUED, KEY.account_id, KEY.key_id, {"key": STATE})).of("key")
    assert replaying.difference(said[KEY.key_id], replaying.key_row(KEY, [])) is None
    assert replaying.difference(None, None) is None


def test_what_differs_is_told_beside_what_the_journal_says() -> None:
    said = {"label": "bot", "version": 1, "revoked_at_ms": 7}
    row = {"label": "bot", "version": 1, "revoked_at_ms": None}
    assert (
        replaying.difference(said, row) == "revoked_at_ms is null; by the journal: revoked_at_ms 7"
    )
    assert replaying.difference({"version": 1}, {"version": True}) is not None
    assert replaying.difference(None, row) == "no event explains it"
    assert replaying.difference(said, None) == "the journal has it, and the tables do not"
    told = replaying.difference({"label": "x" * 1_000}, {"label": "y" * 1_000})
    assert told is not None
    assert len(told) < 500


def test_a_key_and_an_account_are_made_again_from_what_was_recorded() -> None:
    graded = replace(
        KEY,
        quarantine=Quarantine(since_ms=7, cause="was seen"),
        overlap=Overlap(until_ms=9, public_key=None),
    )
    for key in (KEY, graded, a_key(issued="2021-12-01 10:00")):
        made = replaying.key_from(events.key_state(key), key.key_id, key.account_id)
        assert made == key
    for master_id in (None, AccountId("acct_2")):
        account = Account(
            account_id=AccountId("acct_1"),
            kind=AccountKind.SUB if master_id else AccountKind.NORMAL,
            email="a@example.com",
            created_at_ms=1,
            master_id=master_id,
            frozen_at_ms=2,
        )
        state = events.account_state(account)
        assert replaying.account_from(state, "acct_1") == account
