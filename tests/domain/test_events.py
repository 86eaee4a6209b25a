"""The audit vocabulary: a chain in which any change shows, and states that name every field."""

import dataclasses
import hashlib
import json
import re

import pytest

from tenure.domain import events, plans
from tenure.domain.events import GENESIS_HASH, Change, Tag
from tenure.domain.model import Account, AccountId, AccountKind, ApiKey, KeyType
from tests.builders import (
    HOME,
    TRADING,
    a_draft,
    a_key,
    an_edit,
    ms,
    plan,
    revoked,
    the_catalog,
    the_rulebook,
)

AT_MS = ms("2021-12-01 10:05")
CHANGE = Change(
    tag=Tag.KEY_EDITED,
    actor="owner",
    happened_at_ms=AT_MS,
    body={"key": {"label": "Börse"}, "consequences": []},
    account_id="acct_1",
    key_id="key_1",
)


def test_an_event_is_sealed_into_the_chain() -> None:
    first = events.seal(CHANGE, seq=1, recorded_at_ms=AT_MS, previous_hash=GENESIS_HASH)
    second = events.seal(CHANGE, seq=2, recorded_at_ms=AT_MS + 5, previous_hash=first.hash)

    assert re.fullmatch("[0-9a-f]{64}", first.hash)
    assert (first.seq, first.recorded_at_ms, first.change) == (1, AT_MS, CHANGE)
    assert first.previous_hash == GENESIS_HASH
    assert second.previous_hash == first.hash
    assert second.hash != first.hash


def test_the_hash_is_the_same_for_everybody_and_for_ever() -> None:
    """Journals outlive releases: whoever changes this breaks every chain there is."""
    said = (
        f'["{GENESIS_HASH}",7,{AT_MS + 3},"key:edited","owner",{AT_MS},"acct_1","key_1",'
        '{"consequences":[],"key":{"label":"B\\u00f6rse"}}]'
    )

    digest = events.digest(CHANGE, seq=7, recorded_at_ms=AT_MS + 3, previous_hash=GENESIS_HASH)

    assert digest == hashlib.sha256(said.encode("ascii")).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(CHANGE, tag=Tag.KEY_REVOKED),
        dataclasses.replace(CHANGE, actor="somebody else"),
        dataclasses.replace(CHANGE, happened_at_ms=AT_MS + 1),
        dataclasses.replace(CHANGE, body={}),
        dataclasses.replace(CHANGE, account_id="acct_2"),
        dataclasses.replace(CHANGE, account_id=None),
        dataclasses.replace(CHANGE, key_id=None),
    ],
)
def test_another_change_has_another_hash(other: Change) -> None:
    def digest(change: Change) -> str:
        return events.digest(change, seq=1, recorded_at_ms=AT_MS, previous_hash=GENESIS_HASH)

    assert digest(other) != digest(CHANGE)


def test_another_place_in_the_chain_has_another_hash() -> None:
    digests = {
        events.digest(CHANGE, seq=seq, recorded_at_ms=at_ms, previous_hash=previous)
        for seq in (1, 2)
        for at_ms in (AT_MS, AT_MS + 1)
        for previous in (GENESIS_HASH, "1" * 64)
    }

    assert len(digests) == 8


def test_one_value_has_one_spelling() -> None:
    one, other = {"b": [1, None, True], "a": "é"}, {"a": "é", "b": [1, None, True]}

    assert events.canonical(one) == events.canonical(other) == '{"a":"\\u00e9","b":[1,null,true]}'


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_a_bug_and_no_event(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        events.canonical({"a": number})


SUBJECTS = (
    *("account", "approval", "calendar", "contact", "grant", "key", "keys", "lead_times"),
    *("person", "rule", "store"),
)


def test_a_tag_names_its_subject_and_what_was_done() -> None:
    for tag in Tag:
        assert re.fullmatch(f"({'|'.join(SUBJECTS)}):[a-z_]+", tag)


def test_a_keys_state_names_every_field_but_those_of_the_event() -> None:
    """A field that is forgotten here is lost when the journal is replayed."""
    state = events.key_state(a_key())
    elsewhere = {"key_id", "account_id"}  # Columns of the event itself.
    renamed = {"allowlist": "ip_allowlist"}

    assert set(state) == {
        renamed.get(field.name, field.name)
        for field in dataclasses.fields(ApiKey)
        if field.name not in elsewhere
    }


def test_a_keys_state_is_plain_json() -> None:
    key = revoked(
        a_key(TRADING, issued="2021-08-01 00:00", key_type=KeyType.ED25519), at="2021-08-02 00:00"
    )

    state = events.key_state(key)

    assert json.loads(events.canonical(state)) == state
    assert state["key_type"] == "ed25519"
    assert str(state["public_key"]).startswith("-----BEGIN PUBLIC KEY-----")
    assert state["revoked_at_ms"] == ms("2021-08-02 00:00")
    assert state["ip_allowlist"] == []
    assert state["grants"] == {
        "reading": {
            "granted_at_ms": ms("2021-08-01 00:00"),
            "starts_at_ms": None,
            "ends_at_ms": None,
            "rule_id": None,
        },
        "spot_margin_trading": {
            "granted_at_ms": ms("2021-08-01 00:00"),
            "starts_at_ms": ms("2021-08-01 00:00"),
            "ends_at_ms": ms("2021-08-31 00:00"),
            "rule_id": "2021-07-09",
        },
    }


def test_an_accounts_state_names_every_field_but_the_events() -> None:
    account = Account(
        account_id=AccountId("acct_2"),
        kind=AccountKind.SUB,
        email="sub+one@example.com",
        created_at_ms=1,
        master_id=AccountId("acct_1"),
        frozen_at_ms=2,
    )

    assert events.account_state(account) == {
        "kind": "sub",
        "email": "sub+one@example.com",
        "master_id": "acct_1",
        "created_at_ms": 1,
        "frozen_at_ms": 2,
    }


def test_the_body_of_an_edit_holds_what_was_shown() -> None:
    older = a_key(TRADING)
    opened = plan(older, an_edit(renew=[TRADING]), at=AT_MS)

    assert events.planned(opened) == {
        "key": events.key_state(opened.after),
        "consequences": [
            {
                "kind": "term_starts",
                "permission": "spot_margin_trading",
                "is_asked": True,
                "ends_at_ms": ms("2021-12-31 10:05"),
                "ended_at_ms": None,
                "rule_id": "2021-07-09",
            }
        ],
    }
    assert json.loads(events.canonical(events.planned(opened)))


def test_the_body_of_an_issue_holds_the_new_key() -> None:
    issued = plans.plan_issue(a_draft(allowlist=(HOME,)), (TRADING,), the_catalog(), the_rulebook())

    body = events.planned(issued)

    assert body["key"] == events.key_state(issued.after)
