"""Natively signed requests over the wire: at a gateway, and in `POST /v1/authorize`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenure.domain.model import ApiKey, KeyType
from tenure.faces.http import authorize
from tests.faces.http.managed import Managed, is_problem
from tests.house import Reply, ask, one_time_catalog
from tests.native import DIGEST, HOST, Request, digest

pytestmark = pytest.mark.slow

GATEWAY, CLIENT = "10.0.0.7", "203.0.113.9"
TRADING = "spot_margin_trading"
BODY = b'{"quantity":"1"}'
SOURCES = {"original": "X-Original-", "forwarded": "X-Forwarded-"}


@pytest.fixture
def natively(tmp_path: Path) -> Iterator[Managed]:
    """Open a management face, behind a trusted gateway, where trading is one-time."""
    catalog = one_time_catalog(tmp_path, TRADING)
    face = Managed.open(tmp_path / "home", catalog=catalog, trusted_proxies=(GATEWAY,))
    yield face
    face.house.close()


def a_request(managed: Managed, key: ApiKey, **more: object) -> Request:
    created_s = managed.house.worker.clock.now_ms() // 1000
    return replace(Request(api_key=key.api_key, created_s=created_s), **more)  # type: ignore[arg-type]  # its own fields


def knock(
    managed: Managed,
    request: Request,
    headers: dict[str, str],
    *more: tuple[str, str],
    peer: str = GATEWAY,
    source: str = "original",
) -> Reply:
    """Ask as a gateway does that was sent *request* with *headers*."""
    settings = managed.house.worker.settings.model_copy(update={"forward_auth_source": source})
    app = authorize.build(managed.house.worker.decider, settings)
    said = [(name, value) for name, value in headers.items() if name != "host"]
    prefix = SOURCES[source]
    told = [
        (f"{prefix}Method", request.method),
        (f"{prefix}URI", request.target),
        (f"{prefix}Host", headers["host"]),
        ("X-Forwarded-For", CLIENT),
        ("Host", "tenure.internal"),
    ]
    return ask(app, "GET", "/authorize", headers=[*told, *said, *more], peer=peer)


def outcome(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json()["code"] if reply.body else ""


@pytest.mark.parametrize("source", list(SOURCES))
@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_gateway_lets_a_natively_signed_request_pass(
    natively: Managed, key_type: KeyType, source: str
) -> None:
    key = natively.house.issue(natively.account(), TRADING, key_type=key_type)
    request = a_request(natively, key)
    headers = request.headers(natively.house.signers[key.key_id])

    reply = knock(natively, request, headers, source=source)
    assert (reply.status, reply.headers["tenure-key"]) == (200, key.key_id)
    assert reply.headers["tenure-content-digest"] == ""
    assert outcome(knock(natively, request, headers, source=source)) == (401, "replayed")


def test_the_digest_that_was_signed_is_handed_on_for_the_service_to_compare(
    natively: Managed,
) -> None:
    """The gateway keeps the body, so nobody here can."""
    key = natively.house.issue(natively.account(), TRADING)
    request = a_request(natively, key, body=BODY)
    headers = request.headers(natively.house.signers[key.key_id])
    assert outcome(knock(natively, request, headers | {DIGEST: digest(b"")}))[0] == 401

    reply = knock(natively, request, headers, ("Tenure-Content-Digest", digest(b"mine")))
    assert (reply.status, reply.headers["tenure-content-digest"]) == (200, digest(BODY))


def test_every_other_answer_sets_the_digest_too(natively: Managed) -> None:
    house, own = natively.house, ("Tenure-Content-Digest", digest(b"mine"))
    key = house.issue(house.account(), TRADING)
    public = Request(api_key="", created_s=0, method="GET", target="/api/v3/ping")
    binance = replace(public, method="POST", target=f"/api/v3/order?{house.signed_query(key)}")
    for request in (public, binance):
        headers = {"host": HOST, "x-mbx-apikey": key.api_key}
        reply = knock(natively, request, headers, own)
        assert (reply.status, reply.headers["tenure-content-digest"]) == (200, "")


def test_before_proof_a_gateway_is_told_one_thing(natively: Managed) -> None:
    """BI-18 and BI-20 at a gateway, and both schemes at once."""
    house = natively.house
    key = house.issue(house.account(), TRADING, key_type=KeyType.ED25519)
    sign = house.signers[key.key_id]
    request = a_request(natively, key)
    headers = request.headers(sign)
    other_path = "/api/v3/order/test?symbol=A&side=BUY"
    no_query = ("@method", "@authority", "@path")
    foreign = a_request(natively, key, more={"alg": '"hmac-sha256"'})
    replies = {
        "a POST's signature on DELETE": knock(natively, replace(request, method="DELETE"), headers),
        "another path": knock(natively, replace(request, target=other_path), headers),
        "another host": knock(natively, request, headers | {"host": "api.example.org"}),
        "no host": knock(natively, request, headers | {"host": ""}),
        "not covered": knock(natively, request, replace(request, covered=no_query).headers(sign)),
        "foreign alg": knock(natively, request, foreign.headers(sign)),
        "no signature": knock(natively, request, {**headers, "signature": ""}),
        "both": knock(natively, request, headers, ("X-MBX-APIKEY", key.api_key)),
        "twice": knock(natively, request, headers, ("Signature", headers["signature"])),
        "in two spellings": knock(natively, request, headers, ("Signature_Input", "sig1=()")),
        "not a gateway": knock(natively, request, headers, peer="198.51.100.1"),
        "both, the other one good": knock(
            natively,
            replace(request, target=f"/api/v3/order?{house.signed_query(key)}"),
            headers | {"x-mbx-apikey": key.api_key},
        ),
    }
    assert {name: outcome(reply) for name, reply in replies.items()} == dict.fromkeys(
        replies, (401, "unauthorized")
    )
    assert len({reply.body for reply in replies.values()}) == 1
    assert knock(natively, request, headers).status == 200


def test_a_gateway_that_does_not_say_the_host_cannot_ask_natively(natively: Managed) -> None:
    """Not even where its own Host would fit: what is read comes from one place (D14)."""
    key = natively.house.issue(natively.account(), TRADING)
    request = a_request(natively, key, host="tenure.internal")
    headers = request.headers(natively.house.signers[key.key_id])
    app = authorize.build(natively.house.worker.decider, natively.house.worker.settings)
    told = [("X-Original-Method", "POST"), ("X-Original-URI", request.target)]
    reply = ask(app, "GET", "/authorize", headers=[*told, *headers.items()], peer=GATEWAY)
    assert outcome(reply) == (401, "unauthorized")


# POST /v1/authorize: the platform has the request whole, its body included.


def asked(managed: Managed, request: Request, headers: dict[str, str], **given: object) -> Any:  # noqa: ANN401 - JSON
    """Ask about *request*, as it came in with *headers*."""
    path, _, query = request.target.partition("?")
    sent = {
        "method": request.method,
        "path": path,
        "query": query,
        "body": request.body.decode(),
        "headers": headers,
        "client_ip": CLIENT,
    }
    return managed.tell("POST", "/v1/authorize", sent | given)


def said(answer: Any) -> tuple[bool, str]:  # noqa: ANN401 - JSON
    return answer["allowed"], answer.get("reason", "")


@pytest.mark.parametrize("key_type", list(KeyType))
@pytest.mark.parametrize("body", [b"", BODY])
def test_a_platform_is_told_whether_a_natively_signed_request_may_act(
    natively: Managed, key_type: KeyType, body: bytes
) -> None:
    house = natively.house
    key = house.issue(house.account(), TRADING, key_type=key_type)
    request = a_request(natively, key, body=body)
    headers = request.headers(house.signers[key.key_id]) | {"accept": "*/*", "user-agent": "bot"}

    answer = asked(natively, request, headers)
    assert (answer["allowed"], answer["key_id"], answer["permission"]) == (
        *(True, key.key_id),
        TRADING,
    )
    assert said(asked(natively, request, headers)) == (False, "replayed")
    signed_anew = replace(request, body=b"other").headers(house.signers[key.key_id])
    answer = asked(natively, replace(request, body=b"other"), signed_anew)
    assert said(answer) == (False, "replayed")  # BI-11.


def test_before_proof_a_platform_is_told_one_thing(natively: Managed) -> None:
    """BI-18, BI-20, BI-21 where the body is there to be compared."""
    house = natively.house
    key = house.issue(house.account(), TRADING)
    request = a_request(natively, key, target="/api/v3/order?quantity=1", body=b"0&price=5")
    headers = request.headers(house.signers[key.key_id])
    answers = [
        asked(natively, request, headers, body="0&price=6"),
        asked(natively, request, headers, body=None),
        asked(natively, request, headers, query="quantity=10", body="&price=5"),
        asked(natively, request, headers, method="DELETE"),
        asked(natively, request, headers, path="/api/v3/order/test"),
        asked(natively, request, headers | {"host": "api.example.org"}),
        asked(natively, request, headers | {"x-mbx-apikey": key.api_key}),
        asked(natively, request, headers, signature="00"),
        asked(natively, request, headers, api_key="another"),
        asked(natively, request, headers, query=house.signed_query(key), api_key=key.api_key),
    ]
    assert {said(answer) for answer in answers} == {(False, "unauthorized")}
    assert len({str(answer) for answer in answers}) == 1
    assert said(asked(natively, request, headers, api_key=key.api_key)) == (True, "")


def test_without_a_native_signature_the_api_key_has_to_be_named(natively: Managed) -> None:
    house = natively.house
    key = house.issue(house.account(), TRADING)
    request = Request(api_key="", created_s=0, target=f"/api/v3/order?{house.signed_query(key)}")
    given = {"method": "POST", "path": "/api/v3/order", "client_ip": CLIENT}
    for headers in ({}, {"host": HOST, "signature": "sig1=:AA==:"}):
        reply = natively.ask("POST", "/v1/authorize", given | {"headers": headers})
        assert is_problem(reply, 422, "invalid")
        assert reply.json()["problems"][0] == {"field": "api_key", "message": "is missing"}
    assert said(asked(natively, request, {}, api_key=key.api_key)) == (True, "")


@pytest.mark.parametrize("name", ["Signature-Input", "X-MBX-APIKEY", "", "a b", "é", "a" * 65])
def test_headers_go_by_lower_case_names(natively: Managed, name: str) -> None:
    """Else one could be sent in two spellings, and only one of them looked at."""
    given = {"method": "POST", "path": "/api/v3/order", "client_ip": CLIENT}
    reply = natively.ask("POST", "/v1/authorize", given | {"headers": {name: "sig1=()"}})
    assert is_problem(reply, 422, "invalid")
