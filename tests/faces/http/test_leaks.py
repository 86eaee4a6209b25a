"""Leak reports over HTTP: GitHub's signed messages, operators' lists, and keys somebody holds."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert

from tenure.domain import apikeys, leaks
from tenure.domain.model import KeyType
from tenure.faces.http import requests
from tenure.faces.http.leaks import GITHUB_BYTES_MAX, REPORTS_MAX
from tenure.services.outbound.egress import Egress
from tenure.services.outbound.outcome import Failed
from tenure.store import schema
from tests import signers
from tests.faces.http.managed import TRADING, Managed, is_problem
from tests.house import Reply
from tests.services.outbound import receiver as running
from tests.services.test_github import public_pem, published, sign, turned

pytestmark = pytest.mark.slow

URL = "https://code.example/a/b.py"
UNKNOWN = apikeys.compose(b"nobody was ever issued this one!")


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Receiver]:
    """Return where GitHub's public keys are, by the test's own key."""
    with running.receiving(tmp_path_factory.mktemp("github")) as receiver:
        receiver.documents["/keys"] = published(("k1", public_pem())).body
        yield receiver


@pytest.fixture
def face(tmp_path_factory: pytest.TempPathFactory, github: running.Receiver) -> Iterator[Managed]:
    """Return a face that takes messages signed by the test's own key for GitHub's."""
    managed = Managed.open(
        tmp_path_factory.mktemp("house"),
        github_keys_url=github.url("/keys", name="127.0.0.1"),
        egress_trust_file=github.trust_file,
    )
    yield managed
    managed.house.close()


def a_match(api_key: str, url: str | None = URL) -> dict[str, str | None]:
    return {"token": api_key, "type": "tenure_api_key", "url": url, "source": "content"}


def post(  # noqa: PLR0913 - a message has that many sides
    face: Managed,
    given: object,
    *,
    body: bytes | None = None,
    signature: str | None = None,
    identifier: str | None = "k1",
    more: list[tuple[str, str]] | None = None,
) -> Reply:
    """Send *given*, or the bytes *body*, as GitHub does, signed unless a *signature* is given."""
    body = json.dumps(given).encode() if body is None else body
    signature = sign(body) if signature is None else signature
    headers = [("Github-Public-Key-Signature", signature), ("Content-Type", "application/json")]
    headers += [("Github-Public-Key-Identifier", identifier)] if identifier is not None else []
    return face.ask("POST", "/v1/leaks/github", body=body, headers=[*headers, *(more or [])])


def tick(face: Managed) -> None:
    """Let the background process come round once."""
    face.house.worker.leaks.tick()
    assert face.house.worker.follower is not None
    face.house.worker.follower.tick()


def events(face: Managed, tag: str = "key:reported") -> list[Any]:
    found = face.tell("GET", "/v1/events")["events"]
    return [event for event in found if event["tag"] == tag]


def status_of(face: Managed, key: Any) -> str:  # noqa: ANN401 - JSON
    return str(face.tell("GET", f"/v1/keys/{key['key_id']}")["status"])


def test_a_message_of_github_s_ends_the_key_and_is_labelled(face: Managed) -> None:
    key = face.key(permissions=[TRADING])

    reply = post(face, [a_match(key["api_key"]), a_match(UNKNOWN), a_match("tnr1nonsense", None)])

    assert reply.status == 200, reply
    tokens = [key["api_key"], UNKNOWN, "tnr1nonsense"]
    assert reply.json() == [
        {
            "token_hash": hashlib.sha256(text.encode()).hexdigest(),
            "token_type": "tenure_api_key",
            "label": label,
        }
        for text, label in zip(
            tokens, ["true_positive", "false_positive", "false_positive"], strict=True
        )
    ]
    assert status_of(face, key) == "active", "answered at once, acted on shortly"
    tick(face)
    assert status_of(face, key) == "revoked"
    (event,) = events(face)
    assert event["body"]["places"] == [
        {"reporter": "github", "url": URL, "source": "content", "found_at_ms": None}
    ]


def test_whatever_github_adds_one_day_is_passed_over(face: Managed) -> None:
    key = face.key()
    match = {**a_match(key["api_key"]), "commit": "1234", "nested": {"a": [1]}}

    assert [each["label"] for each in post(face, [match]).json()] == ["true_positive"]
    assert post(face, [{"token": key["api_key"]}]).json()[0]["token_type"] == ""
    assert post(face, []).json() == []


def test_the_same_message_signed_otherwise_has_no_second_effect(face: Managed) -> None:
    """T19: (r, n - s) verifies too; a report is known by what it says."""
    key = face.key(key_type="ed25519", public_key=signers.public_key(KeyType.ED25519))
    body = json.dumps([a_match(key["api_key"])]).encode()
    first = sign(body)
    for signature in (first, turned(first), sign(body), first):
        assert post(face, None, body=body, signature=signature).status == 200
        tick(face)

    assert len(events(face)) == 1


def test_a_message_that_github_did_not_sign_is_not_taken(face: Managed) -> None:
    key = face.key()
    body = json.dumps([a_match(key["api_key"])]).encode()
    signature = sign(body)
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    refused = [
        post(face, None, body=body, signature=""),
        post(face, None, body=body, signature="x"),
        post(face, None, body=body, signature=sign(b"[]")),
        post(face, None, body=again, signature=signature),
        post(face, None, body=body + b" ", signature=signature),
        post(face, None, body=body, identifier=None),
        post(face, None, body=body, identifier="k2"),
        post(face, None, body=body, more=[("Github-Public-Key-Identifier", "k1")]),
        post(face, None, body=body, more=[("Github-Public-Key-Signature", signature)]),
        face.ask("POST", "/v1/leaks/github", body=body),
        face.ask("POST", "/v1/leaks/github", body=b"{", headers={}),
    ]

    for reply in refused:
        assert is_problem(reply, 401, "unauthenticated")
    tick(face)
    assert (status_of(face, key), events(face)) == ("active", [])


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'[{"token": NaN}]'])
def test_a_signed_message_that_is_no_json_is_told_so(face: Managed, body: bytes) -> None:
    assert is_problem(post(face, None, body=body), 400, "malformed")


@pytest.mark.parametrize("given", [{}, None, "x", [1], [[]], [{}], [{"token": 1}], [{"type": "x"}]])
def test_a_signed_message_of_another_shape_makes_no_sense(face: Managed, given: object) -> None:
    assert is_problem(post(face, given), 422, "invalid")


def test_a_message_past_the_bound_is_not_read(face: Managed) -> None:
    body = b" " * (GITHUB_BYTES_MAX + 1)

    assert is_problem(post(face, None, body=body, signature=sign()), 413, "too_large")


def test_without_github_s_keys_github_is_to_try_again(
    face: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Egress, "make", lambda *_: Failed(reason="no answer in time"))
    reply = post(face, [])

    assert is_problem(reply, 503, "github_keys")
    assert reply.headers["retry-after"] == "1"


def test_where_no_keys_are_named_there_is_no_such_route(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    managed = Managed.open(tmp_path_factory.mktemp("closed"), github_keys_url="")
    assert is_problem(post(managed, []), 404, "not_found")
    managed.house.close()


@pytest.mark.slow
@pytest.mark.parametrize("count", [5_000, pytest.param(50_000, marks=pytest.mark.soak)])
def test_many_thousand_keys_are_queued_at_once_and_worked_off(face: Managed, count: int) -> None:
    """BI-47: answered before any of them is acted on, then each is ended once."""
    owner = face.account()
    rows = [_row(number, owner) for number in range(count)]
    face.house.worker.store.write(lambda tx: tx.execute(insert(schema.keys), rows))
    matches = [a_match(row["api_key"], f"{URL}#{n}") for n, row in enumerate(rows)]
    begun = face.house.worker.journal.head()

    reply = post(face, matches)

    assert reply.status == 200
    assert {each["label"] for each in reply.json()} == {"true_positive"}
    assert face.house.worker.journal.head() == begun
    assert post(face, matches).status == 200
    face.house.worker.leaks.tick()
    assert face.house.worker.journal.head() == begun + 2 * count
    assert post(face, matches).status == 200
    face.house.worker.leaks.tick()
    assert face.house.worker.journal.head() == begun + 2 * count


def _row(number: int, account_id: str) -> dict[str, Any]:
    return {
        "key_id": f"key_{number:024}",
        "api_key": apikeys.compose(number.to_bytes(32, "big")),
        "account_id": account_id,
        "label": "bot",
        "key_type": "hmac",
        "public_key": None,
        "sealed_secret": b"",
        "ip_allowlist": "[]",
        "issued_at_ms": 0,
        "edited_at_ms": 0,
        "revoked_at_ms": None,
        "version": 1,
    }


def test_operators_report_what_others_found(face: Managed) -> None:
    key = face.key()
    given = {
        "reports": [
            {"api_key": key["api_key"], "url": URL, "source": "paste", "found_at_ms": 17},
            {"api_key": UNKNOWN},
            {"api_key": "nonsense"},
            {"api_key": key["api_key"]},
        ]
    }

    assert face.tell("POST", "/v1/leaks", given) == {"is_ours": [True, False, False, True]}
    tick(face)

    assert status_of(face, key) == "revoked"
    (event,) = events(face)
    assert event["body"]["reports"] == 2
    place = {"reporter": "operator", "url": URL, "source": "paste", "found_at_ms": 17}
    assert place in event["body"]["places"]


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"api_key": None},
        {"api_key": "x" * 1_025},
        {"api_key": "x", "url": "x" * 2_049},
        {"api_key": "x", "found_at_ms": -1},
        {"api_key": "x", "found_at_ms": "now"},
        {"api_key": "x", "secret_key": "never asked for"},
    ],
)
def test_a_report_of_another_shape_makes_no_sense(shared: Managed, report: object) -> None:
    assert is_problem(shared.ask("POST", "/v1/leaks", {"reports": [report]}), 422, "invalid")


def test_operators_report_so_many_at_a_time(shared: Managed) -> None:
    reports = [{"api_key": "x"}] * REPORTS_MAX

    assert shared.tell("POST", "/v1/leaks", {"reports": []}) == {"is_ours": []}
    assert len(shared.tell("POST", "/v1/leaks", {"reports": reports})["is_ours"]) == REPORTS_MAX
    more = {"reports": [*reports, {"api_key": "x"}]}
    assert is_problem(shared.ask("POST", "/v1/leaks", more), 422, "invalid")


def held(face: Managed, **given: object) -> Any:  # noqa: ANN401 - JSON
    """Report a key as somebody without an account or an operator token."""
    reply = face.ask("POST", "/v1/keys/report", given, headers={})
    assert reply.status == 200, reply
    return reply.json()


def test_whoever_holds_an_hmac_key_s_secret_ends_it(face: Managed) -> None:
    key, other = face.key(), face.key()
    challenge = leaks.challenge(other["api_key"])

    assert held(face, api_key=key["api_key"], secret_key=key["secret_key"]) == {"revoked": True}
    assert held(face, api_key=key["api_key"], secret_key=key["secret_key"]) == {"revoked": True}
    signature = signers.hmac_sign(other["secret_key"].encode(), challenge)
    assert held(face, api_key=other["api_key"], signature=signature) == {"revoked": True}

    assert [status_of(face, each) for each in (key, other)] == ["revoked", "revoked"]
    assert len(events(face)) == len(events(face, "key:revoked")) == 2
    assert {event["actor"] for event in events(face)} == {"holder"}
    assert key["secret_key"] not in json.dumps(face.tell("GET", "/v1/events"))


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_whoever_holds_a_private_key_ends_it(face: Managed, key_type: KeyType) -> None:
    key = face.key(key_type=str(key_type), public_key=signers.public_key(key_type))
    signature = signers.sign(key_type, leaks.challenge(key["api_key"]))

    assert held(face, api_key=key["api_key"], signature=signature) == {"revoked": True}
    assert status_of(face, key) == "revoked"


def test_without_the_proof_every_key_is_answered_alike(face: Managed) -> None:
    key = face.key()
    body = partial(face.ask, "POST", "/v1/keys/report", headers={})
    replies = [
        body({"api_key": api_key, name: text})
        for api_key in (key["api_key"], UNKNOWN, "nonsense", "")
        for name, text in [
            *(("secret_key", "wrong"), ("secret_key", ""), ("signature", "x" * 88)),
            ("signature", signers.sign(KeyType.ED25519, leaks.challenge(key["api_key"]))),
        ]
    ]

    assert {reply.body for reply in replies} == {b'{"revoked":false}'}
    assert {reply.status for reply in replies} == {200}
    assert (status_of(face, key), events(face)) == ("active", [])


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": UNKNOWN},
        {"api_key": UNKNOWN, "secret_key": "x", "signature": "x"},
        {"secret_key": "x"},
        {"api_key": UNKNOWN, "secret_key": 1},
        {"api_key": UNKNOWN, "secret_key": "x" * 1_025},
        {"api_key": UNKNOWN, "secret_key": "x", "key_id": "key_1"},
    ],
)
def test_a_proof_is_one_of_the_two(shared: Managed, given: object) -> None:
    reply = shared.ask("POST", "/v1/keys/report", given, headers={})

    assert is_problem(reply, 422, "invalid")


def test_a_long_body_is_not_read_for_strangers(shared: Managed) -> None:
    body = b'{"api_key": "' + b"x" * requests.BODY_BYTES_MAX + b'"}'

    reply = shared.ask("POST", "/v1/keys/report", body=body, headers={})

    assert is_problem(reply, 413, "too_large")


def test_a_keyring_that_is_too_old_says_neither_yes_nor_no(
    face: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = face.key()
    clock = face.house.worker.clock
    elapsed = clock.elapsed_ns()
    monkeypatch.setattr(clock, "elapsed_ns", lambda: elapsed + 10**12)
    given = {"api_key": key["api_key"], "secret_key": key["secret_key"]}

    reply = face.ask("POST", "/v1/keys/report", given, headers={})

    assert is_problem(reply, 503, "stale")
