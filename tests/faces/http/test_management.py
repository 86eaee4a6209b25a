"""The management face as a whole: who is let in, what every answer carries, what is not there."""

import json
from pathlib import Path

import pytest

from tests.faces.http.managed import (
    BODIES,
    OPERATOR_TOKEN,
    Managed,
    build,
    is_problem,
    operations,
    send,
)
from tests.faces.http.owning import NOBODY_S, OPEN, RIGHTS

CLOSED = {
    name: name.partition(" ")[2].format(
        account_id=f"acct_{NOBODY_S}",
        key_id=f"key_{NOBODY_S}",
        notice_id=f"ntc_{NOBODY_S}",
        contact_id=f"ctc_{NOBODY_S}",
        person_id=f"psn_{NOBODY_S}",
        rule_id="no-such-rule",
        seq=1,
    )
    for name, right in RIGHTS.items()
    if right != OPEN
}
"""Every route that is not open, and a target of it."""
STRANGERS = {
    "nobody": [],
    "another token": [("Authorization", "Bearer " + "x" * 40)],
    "no scheme": [("Authorization", OPERATOR_TOKEN)],
    "another scheme": [("Authorization", f"Basic {OPERATOR_TOKEN}")],
    "an empty token": [("Authorization", "Bearer ")],
    "bytes that are no text": [("Authorization", "Bearer \xff\xfe")],
    "the token twice": [("Authorization", f"Bearer {OPERATOR_TOKEN}")] * 2,
    "the token elsewhere": [("X-Authorization", f"Bearer {OPERATOR_TOKEN}")],
}


def test_every_documented_route_is_either_open_or_in_the_table_of_refusals(shared: Managed) -> None:
    documented = dict(operations(shared.tell("GET", "/openapi.json")))
    assert {name for name, said in documented.items() if said["security"]} == CLOSED.keys()


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("name", CLOSED)
def test_strangers_are_refused_before_anything_is_read(
    shared: Managed, name: str, who: str
) -> None:
    method = name.partition(" ")[0]
    for body in (b"", b"{", json.dumps(BODIES.get(name)).encode()):
        target = CLOSED[name] + "?limit=nonsense"
        reply = shared.ask(method, target, headers=STRANGERS[who], body=body)
        assert is_problem(reply, 401, "unauthenticated")
        assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["GET /healthz", "GET /readyz", "GET /metrics"])
def test_open_routes_need_no_operator_token(shared: Managed, name: str) -> None:
    assert shared.ask("GET", name.partition(" ")[2], headers={}).status == 200


def test_the_journal_names_the_operator(managed: Managed) -> None:
    managed.account()
    event = managed.tell("GET", "/v1/events")["events"][-1]
    assert (event["tag"], event["actor"]) == ("account:created", "operator")


def test_every_answer_has_an_id_of_its_own_and_may_not_be_kept(shared: Managed) -> None:
    targets = ["/healthz", "/v1/accounts", "/v1/accounts/x", "/nowhere", "/openapi.json"]
    replies = [shared.ask("GET", target) for target in targets]
    replies.append(shared.ask("PATCH", "/v1/accounts"))
    assert len({reply.headers["x-request-id"] for reply in replies}) == len(replies)
    for reply in replies:
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_an_id_brought_by_the_caller_is_not_taken(shared: Managed) -> None:
    reply = shared.ask("GET", "/healthz", headers={"X-Request-Id": "mine"})
    assert reply.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    "target", ["/nowhere", "/v1", "/v1/nothing", "/schema", "/openapi.json/x", "/docs", "/v2"]
)
def test_what_is_not_there_is_a_problem_too(shared: Managed, target: str) -> None:
    assert is_problem(shared.ask("GET", target), 404, "not_found")


@pytest.mark.parametrize("target", ["/v1/accounts", "/healthz", "/openapi.json"])
def test_a_method_a_route_does_not_take_is_told_which_it_does(shared: Managed, target: str) -> None:
    reply = shared.ask("DELETE", target)
    assert is_problem(reply, 405, "method_not_allowed")
    assert "GET" in reply.headers["allow"]


def test_whoever_opens_the_bare_address_comes_to_the_console(shared: Managed) -> None:
    reply = shared.ask("GET", "/", headers={})
    assert (reply.status, reply.headers["location"]) == (303, "/console")
    assert shared.ask("POST", "/", headers={}).status == 405


@pytest.mark.parametrize(
    ("target", "allow"),
    [
        ("/v1/accounts", "GET, OPTIONS, POST"),
        ("/sandbox/clock", "GET, OPTIONS, PUT"),
        ("/v1/rules", "GET, OPTIONS, POST"),
        ("/healthz", "GET, OPTIONS"),
    ],
)
def test_options_names_every_method_of_a_path(shared: Managed, target: str, allow: str) -> None:
    reply = shared.ask("OPTIONS", target)
    assert (reply.status, reply.headers["allow"], reply.body) == (204, allow, b"")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("afer=5", "afer"),
        ("after=1&limit=2&more=3", "more"),
        ("=1", "query"),
        ("%00=1", "query"),
        ("operators=x", "operators"),
        ("journal=x", "journal"),
        ("after=1&after=2", "after"),
    ],
)
def test_a_parameter_nobody_knows_or_that_comes_twice_is_refused(
    shared: Managed, query: str, field: str
) -> None:
    reply = shared.ask("GET", f"/v1/events?{query}")
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [field]


def test_a_real_store_has_no_sandbox_routes(shared: Managed) -> None:
    settings = shared.house.worker.settings.model_copy(update={"sandbox": False})
    real = build(shared.house, settings=settings)
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    assert is_problem(send(real, "GET", "/sandbox/clock", headers=headers), 404, "not_found")
    document = send(real, "GET", "/openapi.json").json()
    assert "/sandbox/clock" not in document["paths"]


def test_internals_are_never_shown_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITESTAR_DEBUG", "1")
    monkeypatch.setenv("LITESTAR_PDB", "1")
    face = Managed.open(tmp_path)
    assert not face.app.debug
    assert not face.app.pdb_on_exception
    face.house.close()
