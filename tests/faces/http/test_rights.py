"""
The rights matrix: every route, by whoever may call, on ids of every relation (SECURITY T25, I12).

It is whole by construction: routes come from the OpenAPI document and from the tables of the
compatible surface, and one that is not in `owning.RIGHTS` or `owning.COMPATIBLE` fails. What each
caller reaches, and what a right means, is written a second time, apart from the code.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from litestar import Litestar, Router, get, post

from tenure.domain.rights import Right
from tenure.faces.http import app, rights
from tests.faces.http.managed import (
    BODIES,
    RIGHTS_PATH,
    Managed,
    an_email,
    is_problem,
    operations,
    with_rights,
)
from tests.faces.http.owning import (
    COMPATIBLE,
    MASTER,
    NOBODY_S,
    OPEN,
    OPERATORS,
    PROVED_OTHERWISE,
    RIGHTS,
    STRANGERS,
    TREE,
    Cast,
    likeness,
)
from tests.house import Reply, ask

pytestmark = pytest.mark.slow

LISTING = ("GET", "/sapi/v1/sub-account/subAccountApi")
OWNERS = ("normal", "master", "sub")
CALLERS = ("nobody", "binance", "operator", *OWNERS)
ALIVE, REVOKED = "alive", "revoked"
MAKES = {
    "POST /v1/accounts",
    "POST /v1/accounts/{account_id}/contacts",
    "POST /v1/accounts/{account_id}/keys",
    "POST /v1/accounts/{account_id}/invitations",
    "POST /v1/people",
}
NOT_ON_REVOKED = ("/edits", "/edits/preview", "/rotate", "/quarantine", "/release")
NO_IDS = {
    "account_id": (f"acct_{NOBODY_S}", f"key_{NOBODY_S}", "acct_", "x", "%00", "*"),
    "key_id": (f"key_{NOBODY_S}", f"acct_{NOBODY_S}", "key_", "x", "%00", "*"),
}
"""What stands for a deleted account or key, since nothing here is ever deleted."""


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """Yield everybody, in a house whose rows leave nothing behind that others look at."""
    opened = Cast.open(tmp_path_factory.mktemp("cast"))
    yield opened
    opened.managed.house.close()


def targets(cast: Cast, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield each target of the route *name*: whose, alive or revoked or nobody's, and the path."""
    template = name.partition(" ")[2]
    if "{" not in template:
        yield "", ALIVE, template
    elif "{account_id}" in template:
        # What is of an account is looked up there alone, and of these nothing is anywhere.
        of_it = {"notice_id": f"ntc_{NOBODY_S}", "contact_id": f"ctc_{NOBODY_S}"}
        state = "" if any(f"{{{part}}}" in template for part in of_it) else ALIVE
        for whose, account_id in cast.accounts.items():
            yield whose, state, template.format(account_id=account_id, **of_it)
        for given in NO_IDS["account_id"]:
            yield "", "", template.format(account_id=given, **of_it)
    elif "{key_id}" in template:
        for whose, state, key_id in keys_of(cast):
            yield whose, state, template.format(key_id=key_id)
    else:
        nothing = {"rule_id": "no-such-rule", "seq": 999_999, "name": "nobody-was-told.ics"}
        nothing |= {"person_id": f"psn_{NOBODY_S}"}
        yield "", "", template.format(**nothing)


def keys_of(cast: Cast) -> Iterator[tuple[str, str, str]]:
    """Yield a key of everybody, alive and revoked, and then what is no key's id."""
    house = cast.managed.house
    for whose, account_id in cast.accounts.items():
        for state in (ALIVE, REVOKED):
            key_id = house.issue(account_id, "futures").key_id
            if state == REVOKED:
                house.worker.keys.revoke(key_id, "test")
            yield whose, state, key_id
    for given in NO_IDS["key_id"]:
        yield "", "", given


def expected(  # noqa: PLR0911 - one exit per outcome
    name: str, who: str, whose: str, state: str
) -> tuple[int, str]:
    """Return status and code that *who* is to get from the route *name* on such a target."""
    right = RIGHTS[name]
    is_there, is_owner = state != "", who in OWNERS
    if name in PROVED_OTHERWISE:  # The other profile's parameters are unknown there.
        return PROVED_OTHERWISE[name] if who != "binance" else (422, "invalid")
    if right == OPEN:
        return 200, ""
    if who in {"nobody", "binance"}:
        return 401, "unauthenticated"
    if is_owner and right == OPERATORS:
        return 403, "forbidden"
    if not is_there or (is_owner and whose not in TREE[who]):
        return 404, "not_found"
    if is_owner and right == MASTER and (who != "master" or whose == "master"):
        return 403, "forbidden"
    if state == REVOKED and name.endswith(NOT_ON_REVOKED):
        return 409, "revoked"
    is_made = name in MAKES
    return 201 if is_made else 200, ""


def call(cast: Cast, who: str, name: str, path: str) -> Reply:
    given = BODIES.get(name)
    if given is not None and "email" in given:
        given = {**given, "email": an_email()}
    return cast.ask(who, name.partition(" ")[0], path, given)


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("name", RIGHTS)
def test_everybody_gets_what_is_his_and_nothing_else(cast: Cast, name: str, who: str) -> None:
    alike: dict[int, list[object]] = {}
    for whose, state, path in targets(cast, name):
        reply = call(cast, who, name, path)
        status, code = expected(name, who, whose, state)
        if "freeze" in name:
            cast.thaw()
        assert (reply.status, reply.json()["code"] if code else "") == (status, code), (
            f"{who} asks {name} of {whose or 'nobody'}, {state or 'not there'}: {reply.body!r}"
        )
        if code:
            assert is_problem(reply, status, code)
            alike.setdefault(status, []).append(likeness(reply))
    for answers in alike.values():
        assert all(answer == answers[0] for answer in answers)


def test_every_route_of_the_document_has_its_line_and_is_declared_as_it_says(cast: Cast) -> None:
    document = cast.managed.tell("GET", "/openapi.json")
    assert gaps(document) == set()
    assert {name: said["x-right"] for name, said in operations(document)} == RIGHTS
    ways: dict[str, list[str]] = {OPEN: [], OPERATORS: ["operatorToken"]}
    for name, said in operations(document):
        asked = ways.get(RIGHTS[name], ["operatorToken", "signedRequest"])
        assert [way for ways in said["security"] for way in ways] == asked, name


def gaps(document: Any) -> set[str]:  # noqa: ANN401 - JSON
    """Return which routes of *document* the matrix does not know, or knows in vain."""
    return {name for name, _ in operations(document)} ^ RIGHTS.keys()


def test_the_table_in_the_documentation_is_current(cast: Cast) -> None:
    document, page = cast.managed.tell("GET", "/openapi.json"), RIGHTS_PATH.read_text("utf-8")
    assert page == with_rights(page, document), "run: .venv/bin/python -m tests.faces.http.managed"
    document["paths"]["/v1/secrets"] = {"get": {"x-right": OPEN}}
    assert page != with_rights(page, document)


def test_every_right_is_described_there() -> None:
    page = RIGHTS_PATH.read_text("utf-8")
    for right in Right:
        assert f"| {right} |" in page.partition("| route | who |")[0]


def test_what_the_document_leaves_out_is_open_and_is_these_two(cast: Cast) -> None:
    document = cast.managed.tell("GET", "/openapi.json")
    left_out = rights.declared(cast.managed.app).items() - {
        (name, said["x-right"]) for name, said in operations(document)
    }
    assert left_out == {("GET /", Right.OPEN), ("GET /openapi.json", Right.OPEN)}


def test_a_planted_route_is_missed(cast: Cast) -> None:
    document = cast.managed.tell("GET", "/openapi.json")
    document["paths"]["/v1/secrets"] = {"get": {}}
    assert gaps(document) == {"GET /v1/secrets"}


@get("/v1/planted/{account_id:str}", sync_to_thread=False)
def planted() -> str:
    """Tell anybody anything."""
    return ""


@post("/v1/planted", opt=rights.OWNER_ACTS, sync_to_thread=False)
def names_nothing() -> str:
    """Judge an owner by nothing."""
    return ""


@get("/v1/planted/{account_id:str}/{rule_id:str}", opt=rights.OWNER_READS, sync_to_thread=False)
def names_more() -> str:
    """Name what nobody judges."""
    return ""


@pytest.mark.parametrize(
    ("route", "why"),
    [
        (planted, "does not say who may call it"),
        (Router("/", route_handlers=[planted]), "does not say who may call it"),
        (names_nothing, r"is for owners, and its path names \[\]"),
        (names_more, r"is for owners, and its path names \['account_id', 'rule_id'\]"),
    ],
)
def test_a_route_that_says_nothing_or_too_little_stops_the_start(route: Any, why: str) -> None:  # noqa: ANN401 - what a router takes
    with pytest.raises(LookupError, match=f"/v1/planted.* {why}"):
        rights.declared(Litestar([route], openapi_config=None))


def test_the_start_is_what_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Managed
) -> None:
    said = {"GET /v1/rules": OPERATORS}
    assert said.items() <= rights.declared(shared.app).items()
    monkeypatch.setattr(
        "tenure.faces.http.rules.routes", lambda: Router("/", route_handlers=[planted])
    )
    with pytest.raises(LookupError, match="does not say who may call it"):
        Managed.open(tmp_path)


@pytest.mark.parametrize("act", ["", "/edits/preview", "/revoke"])
def test_a_key_of_ones_master_sibling_or_of_nobody_is_not_there(cast: Cast, act: str) -> None:
    """BI-39: 404 three times, alike; and a master's sub-account's key is his."""
    method, house = "POST" if act else "GET", cast.managed.house
    given = {"label": "mine"} if act.endswith("preview") else None
    foreign = [house.issue(cast.accounts[name]).key_id for name in ("master", "sibling")]
    replies = [
        cast.ask("sub", method, f"/v1/keys/{key_id}{act}", given)
        for key_id in (*foreign, f"key_{NOBODY_S}")
    ]
    for reply in replies:
        assert is_problem(reply, 404, "not_found")
    assert likeness(replies[0]) == likeness(replies[1]) == likeness(replies[2])
    key_id = house.issue(cast.accounts["sub"]).key_id
    assert cast.ask("master", method, f"/v1/keys/{key_id}{act}", given).status == 200


@pytest.mark.parametrize("whose", STRANGERS)
def test_another_family_is_not_there(cast: Cast, whose: str) -> None:
    for who in OWNERS:
        for rest in ("", "/keys", "/sub-accounts", "/events"):
            reply = cast.ask(who, "GET", f"/v1/accounts/{cast.accounts[whose]}{rest}")
            assert is_problem(reply, 404, "not_found")


def tables(surface: object) -> set[tuple[str, str]]:
    """Return every route in a table of *surface*, whatever the table is called."""
    return {
        route
        for table in vars(surface).values()
        if isinstance(table, Mapping)
        for route in table
        if isinstance(route, tuple) and route[1].startswith("/")
    }


def test_every_route_of_the_compatible_surface_has_its_line(cast: Cast) -> None:
    surface = app.compatible_of(cast.managed.house.worker)
    assert tables(surface) == COMPATIBLE.keys()
    vars(surface)["_planted"] = {("POST", "/sapi/v1/planted"): print}
    assert tables(surface) - COMPATIBLE.keys() == {("POST", "/sapi/v1/planted")}


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("route", COMPATIBLE, ids=" ".join)
def test_the_compatible_surface_asks_for_a_key_but_where_it_is_open(
    cast: Cast, route: tuple[str, str], who: str
) -> None:
    """There an owner signs in the `binance` profile; native signatures and tokens prove nothing."""
    method, path = route
    house = cast.managed.house
    headers: dict[str, str] = {}
    query = ""
    if who in OWNERS:
        headers = {"X-MBX-APIKEY": cast.keys[who].api_key}
        query = house.signed_query(cast.keys[who])
    elif who == "operator":
        headers = {"Authorization": "Bearer an operator token for tests"}
    elif who == "binance":  # The other profile, for once.
        headers = cast.sign(cast.keys["normal"], method, path)
    reply = ask(
        app.compatible_of(cast.managed.house.worker), method, f"{path}?{query}", headers=headers
    )
    if who in OWNERS and COMPATIBLE[route] == MASTER:
        assert (reply.status, reply.json()["code"]) == (400, -1102)  # Its own parameters are next.
    elif COMPATIBLE[route] == OPEN or who in OWNERS:
        assert reply.status == 200
    else:
        assert (reply.status, reply.json()["code"]) in {(400, -1102), (400, -2014), (401, -2014)}


@pytest.mark.parametrize("who", OWNERS)
@pytest.mark.parametrize(
    "route", [route for route, right in COMPATIBLE.items() if right == MASTER], ids=" ".join
)
def test_a_masters_call_reaches_its_sub_accounts_and_nobody_else(
    cast: Cast, route: tuple[str, str], who: str
) -> None:
    """What one may not know exists is answered as what does not (SECURITY I12, WIRE 1.3)."""
    method, path = route
    house, surface = cast.managed.house, app.compatible_of(cast.managed.house.worker)
    emails = {
        name: house.worker.accounts.get(account_id).email
        for name, account_id in cast.accounts.items()
    }
    # Of every account its own key; then e-mails and keys that do not belong together, or to anyone.
    targets = [(name, email, house.issue(cast.accounts[name])) for name, email in emails.items()]
    targets += [
        ("", "nobody@example.com", house.issue(cast.accounts["sub"])),
        ("", emails["sub"], house.issue(cast.accounts["sibling"])),
        ("", emails["sub"], house.issue(cast.accounts["other sub"])),
    ]
    names_a_key = not (path.endswith("/subAccountApi") and method in {"GET", "POST"})
    refused: set[tuple[int, bytes]] = set()
    for whose, email, key in targets:
        query = f"email={quote(email, safe='')}&subAccountApiKey={key.api_key}&apiName=a&status=2"
        query = house.signed_query(cast.keys[who], f"{query}&ipAddress=203.0.113.7&canTrade=true")
        headers = {"X-MBX-APIKEY": cast.keys[who].api_key}
        reply = ask(surface, method, f"{path}?{query}", headers=headers)
        is_its_own = whose in {"sub", "sibling"} or (email == emails["sub"] and not names_a_key)
        if who == "master" and is_its_own:
            assert reply.status == 200, reply.body
        elif (method, path) == LISTING and who == "master" and email == emails["sub"]:
            assert reply.json()["rows"] == []
        else:
            assert reply.json()["code"] == -9901, (whose, reply.body)
            refused.add((reply.status, reply.body))
    assert len(refused) == 1
