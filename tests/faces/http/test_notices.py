"""The routes of notices."""

import pytest

from tests.faces.http.managed import TRADING, Managed, is_problem

UNKNOWN = "acct_" + "0" * 24


def test_an_account_reads_what_it_was_told(managed: Managed) -> None:
    account_id = managed.account()
    key = managed.key(account_id, permissions=[TRADING])

    page = managed.tell("GET", f"/v1/accounts/{account_id}/notices")

    (notice,) = page["notices"]
    assert page["next_after"] == notice["number"]
    assert notice == {
        "number": notice["number"],
        "notice_id": notice["notice_id"],
        "kind": "key_issued",
        "urgency": "normal",
        "happened_at_ms": key["issued_at_ms"],
        "read_at_ms": None,
        "key_id": key["key_id"],
        "seq": notice["seq"],
        "lead_ms": None,
        "subject": "API key “bot” was issued",
        "facts": notice["facts"],
    }
    assert notice["facts"]["consequences"][-1]["ends_at_ms"] is None or notice["facts"]["label"]
    assert key["secret_key"] not in str(page)


def test_notices_are_read_in_pages_and_unread_ones_alone(managed: Managed) -> None:
    account_id = managed.account()
    for _ in range(3):
        managed.key(account_id)
    route = f"/v1/accounts/{account_id}/notices"
    first = managed.tell("GET", f"{route}?limit=2")
    rest = managed.tell("GET", f"{route}?after={first['next_after']}&unread=true")
    assert (len(first["notices"]), len(rest["notices"])) == (2, 1)

    name = first["notices"][0]["notice_id"]
    read = managed.tell("POST", f"{route}/{name}/read")

    assert read["read_at_ms"] == managed.house.worker.clock.now_ms()
    unread = managed.tell("GET", f"{route}?unread=true")["notices"]
    assert name not in {notice["notice_id"] for notice in unread}
    assert len(unread) == 2
    assert len(managed.tell("GET", f"{route}?unread=false")["notices"]) == 3


def test_what_became_of_a_notice_is_shown_contact_by_contact(managed: Managed) -> None:
    account_id = managed.account()
    managed.key(account_id)
    route = f"/v1/accounts/{account_id}/notices"
    name = managed.tell("GET", route)["notices"][0]["notice_id"]

    assert managed.tell("GET", f"{route}/{name}/deliveries") == {"deliveries": []}


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=1001", "unread=perhaps", "afer=1"])
def test_a_query_that_makes_no_sense_is_refused_by_field(shared: Managed, query: str) -> None:
    reply = shared.ask("GET", f"/v1/accounts/{UNKNOWN}/notices?{query}")
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [query.partition("=")[0]]


def test_another_accounts_notice_is_answered_as_an_unknown_one(managed: Managed) -> None:
    account_id, other_id = managed.account(), managed.account()
    managed.key(account_id)
    listed = managed.tell("GET", f"/v1/accounts/{account_id}/notices")
    mine = listed["notices"][0]["notice_id"]

    for name in (mine, "ntc_" + "0" * 24, "x", "%00"):
        route = f"/v1/accounts/{other_id}/notices/{name}"
        assert is_problem(managed.ask("POST", f"{route}/read"), 404, "not_found")
        assert is_problem(managed.ask("GET", f"{route}/deliveries"), 404, "not_found")
    assert is_problem(managed.ask("GET", f"/v1/accounts/{UNKNOWN}/notices"), 404, "not_found")
