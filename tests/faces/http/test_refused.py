"""The route of refused requests: the owner is told what the caller was not."""

from typing import Any

from tenure.domain.model import ApiKey
from tests.faces.http.managed import TRADING, Managed, is_problem

HOME = "203.0.113.7"


def issue(managed: Managed) -> ApiKey:
    """Issue a trading key that can sign."""
    return managed.house.issue(managed.account(), TRADING)


def send(managed: Managed, key: ApiKey, **more: str) -> Any:  # noqa: ANN401 - JSON
    """Have the platform ask about a signed request, and write down what was refused."""
    given = {
        "api_key": key.api_key,
        "method": "POST",
        "path": "/api/v3/order",
        "query": managed.house.signed_query(key),
        "client_ip": HOME,
        "permission": "futures",
        **more,
    }
    answer = managed.tell("POST", "/v1/authorize", given)
    managed.house.worker.refusals.flush()
    return answer


def refusals(managed: Managed, key: ApiKey) -> Any:  # noqa: ANN401 - JSON
    answer = managed.tell("GET", f"/v1/keys/{key.key_id}/refusals")
    assert answer["key_id"] == key.key_id
    return answer["refusals"]


def test_a_key_that_was_refused_nothing_has_an_empty_list(managed: Managed) -> None:
    key = issue(managed)

    assert send(managed, key, permission=TRADING)["allowed"]

    assert refusals(managed, key) == []


def test_what_was_refused_stands_there_with_all_that_helps(managed: Managed) -> None:
    key = issue(managed)
    for _ in range(2):
        assert send(managed, key)["reason"] == "permission_missing"

    now_ms = managed.house.worker.clock.now_ms()
    assert refusals(managed, key) == [
        {
            "reason": "permission_missing",
            "message": "the permission is not ticked on this key",
            "is_proved": True,
            "permission": "futures",
            "address": HOME,
            "times": 2,
            "first_at_ms": now_ms,
            "last_at_ms": now_ms,
            "since_ms": None,
            "rule_id": None,
        }
    ]


def test_the_owner_is_told_what_the_caller_was_not(managed: Managed) -> None:
    key = issue(managed)
    assert send(managed, key, query="", signature="00")["reason"] == "unauthorized"
    unsigned = managed.house.signed_query(key) + "0"

    answer = send(managed, key, query=unsigned)

    assert answer["reason"] == "unauthorized"
    (row,) = refusals(managed, key)
    assert (row["reason"], row["is_proved"]) == ("signature_invalid", False)
    assert (row["permission"], row["address"], row["times"]) == (None, HOME, 1)


def test_what_had_no_room_is_summed_up_without_an_address(managed: Managed) -> None:
    key = issue(managed)
    for number in range(60):
        send(managed, key, client_ip=f"198.51.100.{number}")

    rows = refusals(managed, key)

    assert sum(row["times"] for row in rows) == 60
    assert [row["times"] for row in rows if row["address"] is None] == [10]


def test_a_key_nobody_knows_is_not_found(managed: Managed) -> None:
    reply = managed.ask("GET", f"/v1/keys/key_{'0' * 24}/refusals")

    assert is_problem(reply, 404, "not_found")
