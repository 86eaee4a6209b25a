"""The routes of accounts."""

import pytest

from tests.faces.http.managed import Managed, is_problem

UNKNOWN = "acct_" + "0" * 24


def test_an_account_is_created_and_shown_the_same_from_then_on(managed: Managed) -> None:
    reply = managed.ask("POST", "/v1/accounts", {"email": "a@example.com", "kind": "normal"})
    account = reply.json()
    assert reply.status == 201
    assert account == {
        "account_id": account["account_id"],
        "kind": "normal",
        "email": "a@example.com",
        "master_id": None,
        "created_at_ms": managed.house.worker.clock.now_ms(),
        "frozen_at_ms": None,
    }
    assert managed.tell("GET", f"/v1/accounts/{account['account_id']}") == account
    assert managed.tell("GET", "/v1/accounts") == {"accounts": [account], "next_after": None}


def test_a_sub_account_names_its_master(managed: Managed) -> None:
    master_id = managed.account(kind="master")
    sub_id = managed.account(kind="sub", master_id=master_id)
    assert managed.tell("GET", f"/v1/accounts/{sub_id}")["master_id"] == master_id


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nobody", "kind": "normal"}, "email"),
        ({"email": "a@b.c\u0000", "kind": "normal"}, "email"),
        ({"email": "a@" + "b" * 300, "kind": "normal"}, "email"),
        ({"email": "a@example.com", "kind": "boss"}, "kind"),
        ({"kind": "normal"}, "email"),
        ({"email": "a@example.com", "kind": "sub"}, "master_id"),
        ({"email": "a@example.com", "kind": "sub", "master_id": UNKNOWN}, "master_id"),
        ({"email": "a@example.com", "kind": "sub", "master_id": "\u0000"}, "master_id"),
        ({"email": "a@example.com", "kind": "normal", "master_id": UNKNOWN}, "master_id"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused_by_field(
    shared: Managed, given: object, field: str
) -> None:
    reply = shared.ask("POST", "/v1/accounts", given)
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [field]


def test_an_e_mail_is_taken_once(managed: Managed) -> None:
    managed.account(email="owner@example.com")
    again = {"email": "owner@example.com", "kind": "normal"}
    assert is_problem(managed.ask("POST", "/v1/accounts", again), 409, "exists")


def test_freezing_and_unfreezing_are_shown_and_doing_it_twice_is_once(managed: Managed) -> None:
    account_id = managed.account()
    now_ms = managed.house.worker.clock.now_ms()
    for _ in range(2):
        assert managed.tell("POST", f"/v1/accounts/{account_id}/freeze")["frozen_at_ms"] == now_ms
    for _ in range(2):
        assert managed.tell("POST", f"/v1/accounts/{account_id}/unfreeze")["frozen_at_ms"] is None
    tags = [event["tag"] for event in managed.tell("GET", "/v1/events")["events"]]
    assert tags[-2:] == ["account:frozen", "account:unfrozen"]


def test_accounts_are_listed_in_pages_that_miss_none(managed: Managed) -> None:
    made = {managed.account() for _ in range(5)}
    found: list[str] = []
    after = ""
    while True:
        page = managed.tell("GET", f"/v1/accounts?limit=2{after}")
        assert len(page["accounts"]) <= 2
        found += [account["account_id"] for account in page["accounts"]]
        if page["next_after"] is None:
            break
        after = f"&after={page['next_after']}"
    assert found == sorted(made)


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=1001", "limit=1e9", "limit=x", "limit="),
        *("after=forged", "after=acct_", "after=%00", f"after={UNKNOWN}x"),
    ],
)
def test_a_forged_cursor_or_limit_is_refused(shared: Managed, query: str) -> None:
    reply = shared.ask("GET", f"/v1/accounts?{query}")
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("act", ["", "/freeze", "/unfreeze", "/keys"])
def test_no_such_account_is_answered_alike_whatever_the_id(shared: Managed, act: str) -> None:
    method = "GET" if act in {"", "/keys"} else "POST"
    ids = [UNKNOWN, "x", "acct_", UNKNOWN + "0", UNKNOWN.upper(), "key_" + "0" * 24, "%00", "é"]
    replies = [shared.ask(method, f"/v1/accounts/{account_id}{act}") for account_id in ids]
    for reply in replies:
        assert is_problem(reply, 404, "not_found")
    bodies = [{**reply.json(), "request_id": ""} for reply in replies]
    assert all(body == bodies[0] for body in bodies)
