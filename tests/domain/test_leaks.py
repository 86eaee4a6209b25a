"""What a leak report says, what makes two of them one, and what is done about each kind of key."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import events, leaks
from tenure.domain.leaks import PLACES_SHOWN_MAX, TEXT_LENGTH_MAX, Actions, LeakAction, Report
from tenure.domain.model import KeyId, KeyType
from tests.builders import a_key

REPORT = Report(
    key_id=KeyId("key_1"), reporter="github", url="https://code.example/a", source="commit"
)


def test_two_reports_are_the_same_if_they_say_who_found_which_key_where() -> None:
    same = replace(REPORT, found_at_ms=1)
    others = [
        replace(REPORT, key_id=KeyId("key_2")),
        replace(REPORT, reporter="operator"),
        replace(REPORT, url="https://code.example/b"),
        replace(REPORT, source="issue"),
        replace(REPORT, url="", source="https://code.example/acommit"),
    ]

    assert leaks.digest(same) == leaks.digest(REPORT)
    assert len({leaks.digest(report) for report in [REPORT, *others]}) == 6
    assert len(leaks.digest(REPORT)) == len(hashlib.sha256().hexdigest())


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_no_text_runs_over_into_the_next_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    digests = {
        leaks.digest(replace(REPORT, url=url, source=source)) for url, source in (one, other)
    }

    assert len(digests) == len({one, other})


@pytest.mark.parametrize("key_type", KeyType)
def test_a_shared_secret_is_not_a_private_one(key_type: KeyType) -> None:
    key = a_key(key_type=key_type)

    expected = LeakAction.REVOKE if key_type is KeyType.HMAC else LeakAction.TELL
    assert Actions().upon(key) is expected
    other_way_round = Actions(hmac=LeakAction.TELL, asymmetric=LeakAction.QUARANTINE)
    expected = LeakAction.TELL if key_type is KeyType.HMAC else LeakAction.QUARANTINE
    assert other_way_round.upon(key) is expected


def test_an_event_says_how_many_places_there_are_and_names_the_first() -> None:
    reports = [replace(REPORT, url=f"https://code.example/{number}") for number in range(30)]

    body = leaks.reported(reports, LeakAction.REVOKE)

    assert (body["action"], body["reports"]) == ("revoke", 30)
    assert isinstance(body["places"], list)
    assert len(body["places"]) == PLACES_SHOWN_MAX
    assert body["places"][0] == {
        "reporter": "github",
        "url": "https://code.example/0",
        "source": "commit",
        "found_at_ms": None,
    }
    assert events.canonical(body)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (None, ""),
        ("", ""),
        ("https://code.example/\u2713", "https://code.example/\u2713"),
        ("a\x00b\r\nc\u202ed", "a\ufffdb\ufffd\ufffdc\ufffdd"),
        ("x" * (TEXT_LENGTH_MAX + 1), "x" * TEXT_LENGTH_MAX),
    ],
)
def test_a_text_from_outside_is_kept_short_and_on_one_line(text: str | None, kept: str) -> None:
    assert leaks.shown(text) == kept


def test_the_text_to_sign_names_the_key_and_is_no_request() -> None:
    key = a_key()

    assert leaks.challenge(key.api_key) == (
        f"Tenure: report this API key as leaked: {key.api_key}".encode()
    )
    assert b"timestamp=" not in leaks.challenge(key.api_key)
