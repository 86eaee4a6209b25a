"""
Who may open what: every route of the console for every kind of visitor, from the routes themselves.

A route that is added is in here at once, and one whose path names something new stops the test
until `NAMES` says what to put there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from litestar import Litestar, get

from tenure.domain.approvals import Act, Signatory
from tenure.domain.people import Role
from tenure.domain.rules import Rulebook
from tenure.faces.console import entry
from tenure.faces.console.entry import Entry
from tests.builders import a_rule
from tests.faces.console.visiting import Browser, Visited
from tests.house import Reply

SOON = a_rule("soon", since="2030-01-01 00:00")
OWNERS = ("sub", "sibling", "master", "stranger")
HOUSE = (Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR)
UNKNOWN = {"account_id": "acct_" + "0" * 24, "key_id": "key_" + "0" * 24}

IN, DOOR, NOT_YOURS, NOT_THERE = "in", "to the door", "403", "404"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """One browser for each kind of visitor, and what paths name: the sub-account's own things."""

    visited: Visited
    browsers: dict[str, Browser]
    names: dict[str, str]


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    visited = Visited.open(tmp_path_factory.mktemp("cast") / "home")
    ids = visited.tree()
    key = visited.house.issue(ids["sub"])
    browsers = {"nobody": visited.nobody()}
    browsers["nobody"].get("/console/static/icon.svg")
    browsers |= {name: visited.owner(ids[name]) for name in OWNERS}
    browsers |= {str(role): visited.operator(role) for role in HOUSE}
    viewer = browsers[str(Role.VIEWER)].person
    assert viewer is not None
    names = {"account_id": ids["sub"], "key_id": key.key_id, "what": "rotate", "name": "icon.svg"}
    names |= {"secret": "x" * 43, "step": "begin", "person_id": viewer.person_id}
    names |= {"passkey_id": "psk_" + "0" * 24, "session_id": "0" * 64}
    (told,) = visited.house.worker.telling.notices.latest(ids["sub"], most=1)
    names |= {"file": "csv", "turn": "freeze", "notice_id": told.notice.notice_id}
    (contact,) = visited.house.worker.telling.contacts.of_account(ids["sub"])
    names |= {"contact_id": contact.contact_id, "doing": "remove"}
    names |= {"rule_id": "2021-07-09", "seq": "1", "approval_id": _waiting(visited)}
    yield Cast(visited=visited, browsers=browsers, names=names)
    visited.house.close()


def expected(declared: Entry, path: str, who: str) -> str:
    """Return what the answer to *who* has to be, by the rules in words and not by the code."""
    if declared is Entry.OPEN:
        return IN
    if who == "nobody":
        return DOOR
    if declared in {Entry.SIGNED_IN, Entry.ENTERING}:
        return IN
    return for_owner(declared, path, who) if who in OWNERS else for_operator(declared, Role(who))


def for_owner(declared: Entry, path: str, who: str) -> str:
    """Return the same for an owner."""
    names_somebody = "{account_id" in path or "{key_id" in path
    if declared is Entry.OWNERS:
        return IN if not names_somebody or who in {"sub", "master"} else NOT_THERE
    return IN if declared is Entry.MASTERS and who == "master" else NOT_THERE


def for_operator(declared: Entry, role: Role) -> str:
    """Return the same for somebody of the house."""
    least = {Entry.VIEWERS: 0, Entry.OPERATORS: 1, Entry.ADMINISTRATORS: 2}
    return IN if declared in least and HOUSE.index(role) >= least[declared] else NOT_YOURS


def outcome(reply: Reply) -> str:
    """Return which of the four *reply* is."""
    if reply.status == 303 and reply.headers["location"].startswith("/console/sign-in"):
        return DOOR
    return {403: NOT_YOURS, 404: NOT_THERE}.get(reply.status, IN)


def request(browser: Browser, name: str, names: dict[str, str]) -> Reply:
    """Send what the route called *name* takes, with an empty form."""
    method, _, path = name.partition(" ")
    # Accounts are frozen, and keys revoked by the house: both are called a turn.
    named = {**names, "turn": "revoke"} if "/operate/keys/" in path else names
    target = re.sub(r"\{(\w+)\}", lambda found: named[found.group(1)], path)
    return browser.get(target) if method == "GET" else browser.post(target)


def test_every_route_lets_in_whom_it_should_and_nobody_else(cast: Cast) -> None:
    wrong = []
    for name, declared in entry.declared(cast.visited.app).items():
        for who, browser in cast.browsers.items():
            if who != "nobody" and name == "POST /console/sign-out":
                continue  # It would end the visit.
            found = outcome(request(browser, name, cast.names))
            if found != expected(declared, name, who):
                wrong.append((name, who, found, expected(declared, name, who)))
    assert wrong == []


def test_what_is_not_there_is_answered_as_what_is_not_yours(cast: Cast) -> None:
    for name, declared in entry.declared(cast.visited.app).items():
        if declared is Entry.OWNERS and ("{account_id" in name or "{key_id" in name):
            foreign = request(cast.browsers["stranger"], name, cast.names)
            nowhere = request(cast.browsers["stranger"], name, {**cast.names, **UNKNOWN})
            assert (foreign.status, nowhere.status) == (404, 404)
            assert _without_ids(foreign) == _without_ids(nowhere)


def test_a_route_that_does_not_say_who_may_come_stops_the_start() -> None:
    @get("/secret", sync_to_thread=False)
    def secret() -> None: ...

    with pytest.raises(LookupError, match="GET /secret does not say who may open it"):
        entry.declared(Litestar([secret], openapi_config=None))


def test_who_was_sent_to_the_door_comes_back_to_where_he_was_going(visited: Visited) -> None:
    reply = visited.nobody().get("/console/keys?done=edited")
    assert reply.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fkeys%3Fdone%3Dedited"


def test_a_cookie_of_nobody_is_nobody(tmp_path: Path) -> None:
    visited = Visited.open(tmp_path / "home")
    browser = visited.nobody()
    browser.cookies["tenure-session"] = "A" * 43
    assert outcome(browser.get("/console/keys")) == DOOR
    visited.house.close()


def _waiting(visited: Visited) -> str:
    """Let one administrator propose what another one has to approve; return its id."""
    others = [visited.operator(Role.ADMINISTRATOR).person for _ in range(2)]
    assert others[0] is not None
    by = Signatory(others[0].person_id, others[0].actor)
    approvals, asked = visited.house.worker.operating.approvals, {"rule_id": "soon"}
    rules = visited.house.worker.rules
    rules.schedule(Rulebook((SOON,)), rules.preview(Rulebook((SOON,))).stamp, "test")
    shown = approvals.look(Act.WITHDRAW_RULE, asked, by)
    proposal = approvals.put_forward(Act.WITHDRAW_RULE, asked, shown.stamp, by).proposal
    assert proposal is not None
    return proposal.approval_id


def _without_ids(reply: Reply) -> str:
    text = re.sub(r'value="[0-9a-f]{128}"|req_\w+', "", reply.body.decode())
    return re.sub(r"/console/(accounts|keys)/\w+[\w/]*", "", text)
