"""The routes of use: what was noted is shown, and what may be missing is said."""

from typing import Any

import pytest

from tenure.domain.model import ApiKey
from tests.faces.http.managed import DAY_MS, TRADING, Managed, is_problem

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

HOME, ELSEWHERE = "203.0.113.7", "203.0.113.9"


def issue(managed: Managed) -> ApiKey:
    """Issue a trading key that can sign."""
    return managed.house.issue(managed.account(), TRADING)


def use(managed: Managed, key: ApiKey, address: str = HOME, permission: str = TRADING) -> Any:  # noqa: ANN401 - JSON
    """Have the platform ask about a signed request from *address*, and write uses down."""
    given = {
        "api_key": key.api_key,
        "method": "POST",
        "path": "/api/v3/order",
        "query": managed.house.signed_query(key),
        "client_ip": address,
        "permission": permission,
    }
    answer = managed.tell("POST", "/v1/authorize", given)
    managed.house.worker.usage.flush()
    return answer


def test_the_last_use_stands_with_the_key(managed: Managed) -> None:
    key = issue(managed)
    listed = f"/v1/accounts/{key.account_id}/keys"
    assert managed.tell("GET", f"/v1/keys/{key.key_id}")["last_used"] is None
    assert managed.tell("GET", listed)["keys"][0]["last_used"] is None

    use(managed, key)

    last_used = {
        "at_ms": managed.house.worker.clock.now_ms(),
        "address": HOME,
        "permission": TRADING,
    }
    assert managed.tell("GET", f"/v1/keys/{key.key_id}")["last_used"] == last_used
    assert managed.tell("GET", listed)["keys"][0]["last_used"] == last_used


def test_a_refused_request_is_no_use(managed: Managed) -> None:
    key = issue(managed)

    assert not use(managed, key, permission="futures")["allowed"]

    assert managed.tell("GET", f"/v1/keys/{key.key_id}/usage") == {
        "key_id": key.key_id,
        "first_used_at_ms": None,
        "last_used": None,
        "addresses": [],
    }


def test_addresses_are_listed_the_latest_first_and_a_new_one_is_in_the_journal(
    managed: Managed,
) -> None:
    key = issue(managed)
    began = managed.house.worker.clock.now_ms()
    use(managed, key)
    managed.house.move(began + 1000)
    use(managed, key, ELSEWHERE)

    shown = managed.tell("GET", f"/v1/keys/{key.key_id}/usage")

    assert [seen["address"] for seen in shown["addresses"]] == [ELSEWHERE, HOME]
    assert shown["first_used_at_ms"] == shown["addresses"][1]["first_used_at_ms"] == began
    assert shown["last_used"]["at_ms"] == began + 1000
    event = managed.tell("GET", "/v1/events")["events"][-1]
    assert (event["tag"], event["body"]["address"]) == ("key:address_seen", ELSEWHERE)


def test_a_suggested_allowlist_can_be_saved_as_it_is(managed: Managed) -> None:
    key = issue(managed)
    use(managed, key)
    target = f"/v1/keys/{key.key_id}/allowlist-suggestion"

    shown = managed.tell("GET", f"{target}?days=7")

    assert (shown["days"], shown["ip_allowlist"]) == (7, [HOME])
    assert [caution["code"] for caution in shown["cautions"]] == ["few_days"]
    assert "fewer than the 7 asked about" in shown["cautions"][0]["text"]
    edited = managed.tell(
        "POST", f"/v1/keys/{key.key_id}/edits", {"ip_allowlist": shown["ip_allowlist"]}
    )
    assert edited["permissions"][TRADING]["ends_at_ms"] is None


def test_where_nothing_was_seen_nothing_is_suggested(managed: Managed) -> None:
    """An empty list would admit everybody."""
    key = issue(managed)

    shown = managed.tell("GET", f"/v1/keys/{key.key_id}/allowlist-suggestion")

    assert (shown["days"], shown["ip_allowlist"], shown["addresses"]) == (30, None, [])
    assert [caution["code"] for caution in shown["cautions"]] == ["nothing_seen"]


def test_unused_keys_are_listed_page_by_page(managed: Managed) -> None:
    managed.house.worker.usage.begin()
    began = managed.house.worker.clock.now_ms()
    unused = sorted(issue(managed).key_id for _ in range(2))
    used = issue(managed)
    managed.house.move(began + 5 * DAY_MS)
    use(managed, used)

    first = managed.tell("GET", "/v1/keys/unused?days=4&limit=1")
    second = managed.tell("GET", f"/v1/keys/unused?days=4&limit=1&after={first['next_after']}")
    last = managed.tell("GET", f"/v1/keys/unused?days=4&limit=1&after={second['next_after']}")

    assert [page["keys"][0]["key_id"] for page in (first, second)] == unused
    assert (last["keys"], last["next_after"]) == ([], None)
    assert (first["noted_since_ms"], first["is_conclusive"]) == (began, True)
    assert first["keys"][0]["last_used"] is None
    whole = managed.tell("GET", "/v1/keys/unused")
    assert (whole["keys"], whole["next_after"], whole["is_conclusive"]) == ([], None, False)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("days=0", "days"),
        ("days=3651", "days"),
        ("days=x", "days"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("after=nobody", "after"),
        ("day=3", "day"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(shared: Managed, query: str, field: str) -> None:
    reply = shared.ask("GET", f"/v1/keys/unused?{query}")

    assert is_problem(reply, 422, "invalid")
    assert [problem["field"] for problem in reply.json()["problems"]] == [field]


@pytest.mark.parametrize("what", ["usage", "allowlist-suggestion"])
def test_a_key_nobody_knows_has_no_use_to_show(shared: Managed, what: str) -> None:
    for key_id in ("key_" + "0" * 24, "unused", "%20"):
        assert is_problem(shared.ask("GET", f"/v1/keys/{key_id}/{what}"), 404, "not_found")
