"""The answers to what is not allowed: one before proof, exact ones after it."""

import json

import pytest

from tenure.domain.decide import REFUSALS, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.model import RuleId
from tenure.domain.signing import Fault, Malformed
from tenure.faces.http import refusals

UNTOLD = [reason for reason, row in REFUSALS.items() if not row.is_told]
TOLD = [reason for reason, row in REFUSALS.items() if row.is_told]


@pytest.mark.parametrize("reason", UNTOLD)
def test_before_proof_there_is_one_answer_whatever_is_known(reason: Reason) -> None:
    full = Refused(reason, "futures", 1, RuleId("r"), "203.0.113.9", is_ahead=True)

    assert refusals.refuse(full) == refusals.refuse(Malformed(Fault.DUPLICATE, "timestamp"))
    assert refusals.told_headers(full) == []
    status, headers, body = refusals.refuse(full)
    assert (status, json.loads(body)["code"]) == (401, "unauthorized")
    assert not [name for name, _ in headers if name.startswith(b"tenure-")]


@pytest.mark.parametrize("reason", TOLD)
def test_after_it_the_reason_is_told_in_code_words_and_header(reason: Reason) -> None:
    status, headers, body = refusals.refuse(Refused(reason))

    assert status == REFUSALS[reason].status
    assert (b"tenure-refusal", reason.encode()) in headers
    said = json.loads(body)
    assert (said["status"], said["code"]) == (status, reason)
    assert said["detail"] == REFUSALS[reason].sentence


def test_each_reason_comes_with_what_mends_it() -> None:
    expired = Refused(Reason.PERMISSION_EXPIRED, "futures", 1_640_945_100_000, RuleId("2021"))
    _, headers, body = refusals.refuse(expired)
    assert headers[2:] == [
        (b"tenure-refusal", b"permission_expired"),
        (b"tenure-permission", b"futures"),
        (b"tenure-expires-at", b"1640945100000"),
        (b"tenure-rule", b"2021"),
    ]
    assert json.loads(body).items() >= {
        ("permission", "futures"),
        ("ends_at_ms", 1_640_945_100_000),
        ("rule_id", "2021"),
    }

    _, headers, body = refusals.refuse(Refused(Reason.IP_NOT_ALLOWED, address="203.0.113.9"))
    assert headers[2:] == [
        (b"tenure-refusal", b"ip_not_allowed"),
        (b"tenure-address", b"203.0.113.9"),
    ]
    assert json.loads(body)["address"] == "203.0.113.9"

    _, headers, body = refusals.refuse(Refused(Reason.KEY_REVOKED, at_ms=5))
    assert headers[2:] == [(b"tenure-refusal", b"key_revoked")]
    assert json.loads(body)["since_ms"] == 5


def test_what_cannot_be_decided_says_when_to_ask_again() -> None:
    status, headers, body = refusals.refuse(Unavailable("stale", context="12,000 ms old"))

    assert (status, json.loads(body)["code"]) == (503, "stale")
    assert (b"retry-after", b"1") in headers
    assert b"12,000" not in body


def test_every_answer_is_a_problem_that_nobody_keeps() -> None:
    for status, headers, body in (
        refusals.unauthorized(),
        refusals.too_large(),
        refusals.unavailable("clock"),
        refusals.refuse(Refused(Reason.REPLAYED)),
    ):
        assert (b"content-type", b"application/problem+json") in headers
        assert (b"cache-control", b"no-store") in headers
        said = json.loads(body)
        assert said["status"] == status
        assert {"type", "title", "status", "code", "detail"} <= set(said)


def test_an_answer_handed_out_can_be_added_to_without_harm() -> None:
    refusals.unauthorized()[1].append((b"x", b"y"))
    assert (b"x", b"y") not in refusals.unauthorized()[1]
