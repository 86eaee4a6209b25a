"""Which event is whose news, under which kind, and that nothing secret gets into it."""

import dataclasses
from dataclasses import replace

import pytest

from tenure.domain import events, notices
from tenure.domain.consequences import ConsequenceKind
from tenure.domain.events import Change, Event, Tag
from tenure.domain.model import Quarantine
from tenure.domain.notices import Audience, Kind, Notice, Urgency
from tests.builders import TRADING, a_key

NOBODYS_NEWS = {
    *(Tag.ACCOUNT_CREATED, Tag.CALENDAR_RENEWED, Tag.LEAD_TIMES_CHANGED),
    *(Tag.PERSON_JOINED, Tag.PERSON_CHANGED, Tag.PERSON_ROLE_CHANGED),
    *(Tag.APPROVAL_PROPOSED, Tag.APPROVAL_APPROVED, Tag.APPROVAL_WITHDRAWN),
    *(Tag.STORE_RESTORED, Tag.STORE_RESTORED_ACCEPTED),
}


class AnyTag(str):
    """A tag by its text, also one that is not in the enum yet."""

    __slots__ = ()


def an_event(
    tag: str,
    body: dict[str, object] | None = None,
    *,
    account_id: str | None = "acct_1",
    seq: int = 7,
    actor: str = "operator",
) -> Event:
    change = Change(
        tag=AnyTag(tag),  # type: ignore[arg-type]  # as a later version's
        actor=actor,
        happened_at_ms=1_000,
        body=body or {},
        account_id=account_id,
        key_id="key_1" if tag.startswith(("key:", "grant:")) else None,
    )
    return events.seal(change, seq=seq, recorded_at_ms=2_000, previous_hash="0" * 64)


def told(tag: str, body: dict[str, object] | None = None, **more: str | int | None) -> Notice:
    found = notices.of_event(an_event(tag, body, **more))  # type: ignore[arg-type]  # by name
    assert found is not None
    return found


def an_edit(*kinds: ConsequenceKind) -> dict[str, object]:
    return {"consequences": [{"kind": str(kind), "permission": TRADING} for kind in kinds]}


def test_joining_is_told_once_and_a_factor_that_comes_later_is_urgent() -> None:
    added = "person:factor_added"

    joined = told(added, {"factor": "totp", "is_first": True})
    later = [told(added, {"factor": "totp", **more}) for more in ({"is_first": False}, {})]

    assert (joined.kind, joined.urgency) == (Kind.OWNER_JOINING, Urgency.NORMAL)
    assert {(each.kind, each.urgency) for each in later} == {(Kind.SIGN_IN_CHANGED, Urgency.HIGH)}
    assert told("person:invited").urgency is Urgency.NORMAL


@pytest.mark.parametrize("tag", Tag)
def test_every_tag_is_either_news_or_named_here_as_nobodys(tag: str) -> None:
    found = notices.of_event(an_event(str(tag), {"rule": {"effective_from_ms": 9_000}}))

    assert (found is None) is (tag in NOBODYS_NEWS)
    assert set(notices.TAGS) == set(Tag) - NOBODYS_NEWS


@pytest.mark.parametrize("account_id", ["acct_1", None])
def test_keys_revoked_at_once_are_told_to_those_whose_they_were(account_id: str | None) -> None:
    mark = {"mark_id": "mark_1", "label": "leaky", "issued_before_ms": 9}
    found = told("keys:revoked", {"mark": mark}, account_id=account_id)
    assert (found.audience, found.mark_id) == (Audience.MARKED, "mark_1")
    assert found.facts["mark"] == {"label": "leaky", "issued_before_ms": 9}


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("operator", "operator"),
        ("acct_1/key_9", "acct_1/key_9"),
        ("acct_2/key_9", "master"),
        ("tenure:usage", "tenure:usage"),
    ],
)
def test_an_account_is_not_told_by_which_key_its_master_acted(actor: str, shown: str) -> None:
    assert told("key:revoked", actor=actor).facts["actor"] == shown


def test_a_tag_nobody_knows_is_nobodys_news() -> None:
    assert notices.of_event(an_event("moon:eclipsed")) is None


@pytest.mark.parametrize(
    ("did", "kind"),
    [
        ((), Kind.KEY_EDITED),
        ((ConsequenceKind.GRANTED, ConsequenceKind.REMOVED), Kind.KEY_EDITED),
        ((ConsequenceKind.TERM_LIFTED,), Kind.TERM_LIFTED),
        ((ConsequenceKind.TERM_LIFTED, ConsequenceKind.TERM_STARTS), Kind.TERM_STARTED),
        ((ConsequenceKind.TERM_SHORTENED,), Kind.TERM_STARTED),
        ((ConsequenceKind.LOST,), Kind.TERM_STARTED),
    ],
)
def test_an_edit_is_told_as_the_most_important_thing_it_did(
    did: tuple[ConsequenceKind, ...], kind: Kind
) -> None:
    assert told("key:edited", an_edit(*did)).kind is kind


@pytest.mark.parametrize("body", [{"consequences": "none"}, {"consequences": ["x"]}, {"key": 3}])
def test_a_body_of_another_shape_is_told_all_the_same(body: dict[str, object]) -> None:
    assert told("key:edited", body).kind is Kind.KEY_EDITED


@pytest.mark.parametrize(
    ("tag", "account_id", "audience"),
    [
        ("key:issued", "acct_1", Audience.ACCOUNT),
        ("account:frozen", "acct_1", Audience.TREE),
        ("rule:withdrawn", None, Audience.EVERYBODY),
        ("rule:added", None, Audience.EVERYBODY),
    ],
)
def test_each_kind_has_its_audience(tag: str, account_id: str | None, audience: Audience) -> None:
    assert told(tag, account_id=account_id).audience is audience


def test_a_key_of_no_account_is_nobodys_news() -> None:
    assert notices.of_event(an_event("key:edited", account_id=None)) is None


@pytest.mark.parametrize(("since_ms", "is_news"), [(999, False), (1_000, False), (1_001, True)])
def test_a_rule_in_force_when_it_is_added_is_what_a_house_begins_with(
    since_ms: int, *, is_news: bool
) -> None:
    event = an_event("rule:added", {"rule": {"effective_from_ms": since_ms}}, account_id=None)

    assert (notices.of_event(event) is not None) is is_news


def test_only_facts_that_are_named_are_taken_over() -> None:
    key = a_key(TRADING, label="my bot")
    body: dict[str, object] = {
        "key": {**events.key_state(key), "secret_key": "S3CRET"},
        "secret": "S3CRET",
        "cause": "leaked",
        "contact": {"address": "example.com", "sealed_secret": "S3CRET"},
        "rule": {"id": "r", "secret": "S3CRET"},
        "mark": {"mark_id": "mark_1", "label": "bots", "secret": "S3CRET"},
    }

    facts = told("key:quarantined", body).facts

    assert "S3CRET" not in str(facts)
    assert facts == {
        "actor": "operator",
        "cause": "leaked",
        "label": "my bot",
        "key_type": "hmac",
        "is_restricted": False,
        "rule": {"id": "r"},
        "mark": {"label": "bots"},
        "contact": {"address": "example.com"},
        "change": "quarantined",
    }


def test_the_cause_of_a_quarantine_is_told() -> None:
    key = replace(a_key(TRADING), quarantine=Quarantine(since_ms=7, cause="was seen in a paste"))

    facts = told("key:quarantined", {"key": events.key_state(key)}).facts

    assert facts["cause"] == "was seen in a paste"


def test_an_id_follows_from_the_event_and_the_account_alone() -> None:
    again = told("key:revoked").notice_id

    assert told("key:issued").notice_id == again
    assert told("key:revoked", seq=8).notice_id != again
    assert told("key:revoked", account_id="acct_2").notice_id != again
    assert notices.message_id(again, "ctc_1") != notices.message_id(again, "ctc_2")
    assert {len(again), len(notices.message_id(again, "ctc_1"))} == {28}


def test_parts_of_an_identity_do_not_run_into_each_other() -> None:
    assert notices.notice_id("a", "bc") != notices.notice_id("ab", "c")


def test_every_kind_has_an_urgency_and_what_is_urgent_cannot_be_muted() -> None:
    assert set(notices.URGENCIES) == set(Kind)
    urgent = {kind for kind in Kind if not notices.can_mute(kind)}
    assert urgent == {
        *(kind for kind, how in notices.URGENCIES.items() if how is Urgency.HIGH),
        Kind.OWNER_JOINING,  # Muted by one owner it would not be told of the next.
    }
    assert told("grant:swept").urgency is Urgency.HIGH


def test_a_notice_is_never_altered() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        told("key:issued").kind = Kind.KEY_EDITED  # type: ignore[misc]  # that is the point
