"""`POST /v1/authorize`: the decision inside 200, and how little it says before proof."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from prometheus_client import REGISTRY

from tenure.domain.model import AccountKind, ApiKey, KeyType
from tests.builders import ms
from tests.faces.http.managed import DAY_MS, TRADING, Managed, is_problem

HOME = "203.0.113.7"
UNAUTHORIZED = {
    "allowed": False,
    "reason": "unauthorized",
    "status": 401,
    "message": "the request could not be shown to come from a key's holder",
    "permission": None,
    "at_ms": None,
    "rule_id": None,
    "address": None,
    "cause": None,
}


def asked(managed: Managed, key: ApiKey, **given: object) -> Any:  # noqa: ANN401 - JSON
    """Ask about a request that *key* signed, unless *given* says otherwise."""
    sent = {
        "api_key": key.api_key,
        "method": "POST",
        "path": "/api/v3/order",
        "query": managed.house.signed_query(key, "symbol=A"),
        "client_ip": HOME,
        "permission": TRADING,
    }
    return managed.tell("POST", "/v1/authorize", sent | given)


def refused(reason: str, status: int, message: str, **facts: object) -> dict[str, object]:
    said = {"allowed": False, "reason": reason, "status": status, "message": message}
    return UNAUTHORIZED | said | facts


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_signed_request_is_allowed_with_whom_it_comes_from(
    shared: Managed, key_type: KeyType
) -> None:
    key = shared.house.issue(shared.account(), TRADING, key_type=key_type)
    assert asked(shared, key) == {
        "allowed": True,
        "account_id": key.account_id,
        "key_id": key.key_id,
        "permission": TRADING,
        "ends_at_ms": ms("2021-12-31 10:00"),
        "rule_id": "2021-07-09",
        "used_old_secret": False,
    }


def test_the_route_table_names_the_permission_that_is_left_out(shared: Managed) -> None:
    key = shared.house.issue(shared.account())
    answer = asked(shared, key, permission=None, method="GET", path="/api/v3/account")
    assert (answer["allowed"], answer["permission"]) == (True, "reading")
    public = asked(shared, key, permission=None, method="GET", path="/api/v3/time", query="")
    assert public == {"allowed": True, "permission": "public"}


def test_a_route_nobody_knows_is_refused_after_proof_only(shared: Managed) -> None:
    key = shared.house.issue(shared.account())
    unknown = asked(shared, key, permission=None, path="/nowhere")
    assert unknown == refused("route_unknown", 403, "no permission is known for this route")
    assert asked(shared, key, permission=None, path="/nowhere", query="") == UNAUTHORIZED


@pytest.mark.parametrize(
    "path", ["/api/v3/%2e%2e/account", "//api/v3/account", "/api/v3/..;/account", "/api#x", ""]
)
def test_a_path_with_two_readings_is_matched_to_no_route(shared: Managed, path: str) -> None:
    key = shared.house.issue(shared.account())
    assert asked(shared, key, permission=None, method="GET", path=path) == UNAUTHORIZED


def test_a_permission_no_key_can_hold_is_missing(shared: Managed) -> None:
    key = shared.house.issue(shared.account())
    message = "the permission is not ticked on this key"
    for permission in ("", "flying", "public", TRADING):
        answer = asked(shared, key, permission=permission)
        assert answer == refused("permission_missing", 403, message, permission=permission)


def test_after_proof_the_answer_says_exactly_why(managed: Managed) -> None:
    house = managed.house
    account_id = house.account()
    key = house.issue(account_id, TRADING, ips=(HOME,))
    other = house.issue(account_id, TRADING)

    elsewhere = asked(managed, key, client_ip="::ffff:198.51.100.1")
    message = "the address is not in the key's IP allowlist"
    assert elsewhere == refused("ip_not_allowed", 403, message, address="198.51.100.1")

    end_ms = ms("2021-12-01 10:00") + 30 * DAY_MS
    house.move(end_ms - 1)
    assert asked(managed, other)["allowed"]
    house.move(end_ms)
    assert asked(managed, other) == refused(
        "permission_expired",
        403,
        "the permission's term has ended; tick it again",
        permission=TRADING,
        at_ms=end_ms,
        rule_id="2021-07-09",
    )

    managed.tell("POST", f"/v1/accounts/{account_id}/freeze")
    message = "the account, or its master, is frozen"
    assert asked(managed, key) == refused("account_frozen", 403, message, at_ms=end_ms)
    managed.tell("POST", f"/v1/keys/{key.key_id}/revoke")
    message = "the key was revoked, for good"
    assert asked(managed, key) == refused("key_revoked", 401, message, at_ms=end_ms)


def test_a_masters_freeze_refuses_its_sub_accounts_keys(managed: Managed) -> None:
    house = managed.house
    master_id = house.account(kind=AccountKind.MASTER)
    key = house.issue(house.account("sub@example.com", AccountKind.SUB, master_id), TRADING)
    assert asked(managed, key)["allowed"]
    managed.tell("POST", f"/v1/accounts/{master_id}/freeze")
    assert asked(managed, key)["reason"] == "account_frozen"
    managed.tell("POST", f"/v1/accounts/{master_id}/unfreeze")
    assert asked(managed, key)["allowed"]


def test_before_proof_every_answer_is_the_same(managed: Managed) -> None:
    house = managed.house
    key = house.issue(house.account(), TRADING)
    good = house.signed_query(key)
    unsigned = good.partition("&signature=")[0]
    old = house.signed_query(key, at_ms=house.worker.clock.now_ms() - 5_001)
    managed.tell("POST", f"/v1/keys/{key.key_id}/revoke")
    cases: list[dict[str, object]] = [
        {"api_key": "x" * 10_000},
        {"api_key": ""},
        {"api_key": "\u0000"},
        {"api_key": key.api_key[:-1] + ("0" if key.api_key[-1] != "0" else "1")},
        {"api_key": "clé"},
        {"query": ""},
        {"query": unsigned},
        {"query": old},
        {"query": good + "0"},
        {"query": good + "&signature=00"},
        {"query": unsigned, "signature": ""},
        {"query": unsigned, "signature": "é" * 2000},
        {"query": good, "body": "surplus=1"},
        {"query": good, "body": "signature=00"},
        {"query": "é=1"},
    ]
    for case in cases:
        assert asked(managed, key, **({"query": good} | case)) == UNAUTHORIZED, case


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_signature_given_apart_joins_the_query(shared: Managed, key_type: KeyType) -> None:
    key = shared.house.issue(shared.account(), TRADING, key_type=key_type)
    query = shared.house.signed_query(key, "symbol=A")
    signature = dict(parse_qsl(query))["signature"]
    unsigned = query.partition("&signature=")[0]
    assert asked(shared, key, query=unsigned, signature=signature)["allowed"]
    assert asked(shared, key, query="", body=unsigned, signature=signature)["allowed"]
    # Given apart it is plain text: percent signs in it are not undone, an ampersand adds nothing.
    escaped = f"%{ord(signature[0]):02X}{signature[1:]}"
    assert asked(shared, key, query=unsigned, signature=escaped) == UNAUTHORIZED
    assert asked(shared, key, query=unsigned, signature=f"{signature}&") == UNAUTHORIZED
    # Where one is there already it stays the one that counts.
    assert asked(shared, key, query=query, signature="00")["allowed"]
    assert asked(shared, key, query="", body=query, signature="00")["allowed"]


@pytest.mark.parametrize(
    "client_ip",
    ["", "x", "203.0.113.7:80", "[::1]", "fe80::1%eth0", " 203.0.113.7", "010.0.0.1", "1" * 65],
)
def test_an_address_that_cannot_be_read_is_invalid(shared: Managed, client_ip: str) -> None:
    given = {"api_key": "x", "method": "GET", "path": "/", "client_ip": client_ip}
    reply = shared.ask("POST", "/v1/authorize", given)
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == ["client_ip"]


def test_nothing_is_decided_from_a_keyring_past_its_bound(managed: Managed) -> None:
    key = managed.house.issue(managed.account(), TRADING)
    (managed.house.worker.settings.home / "keyring-evidence").write_bytes(b"\0" * 44)
    given = {
        "api_key": key.api_key,
        "method": "POST",
        "path": "/api/v3/order",
        "query": managed.house.signed_query(key),
        "client_ip": HOME,
    }
    reply = managed.ask("POST", "/v1/authorize", given)
    assert is_problem(reply, 503, "stale")
    assert reply.headers["retry-after"] == "1"


def test_the_precise_reason_is_counted_though_it_is_not_told(managed: Managed) -> None:
    def counted(outcome: str) -> float:
        labels = {"face": "management", "outcome": outcome}
        return REGISTRY.get_sample_value("tenure_decisions_total", labels) or 0.0

    key = managed.house.issue(managed.account(), TRADING)
    before = counted("signature_invalid"), counted("allowed")
    assert asked(managed, key, body="surplus=1") == UNAUTHORIZED
    assert asked(managed, key)["allowed"]
    assert (counted("signature_invalid"), counted("allowed")) == (before[0] + 1, before[1] + 1)
