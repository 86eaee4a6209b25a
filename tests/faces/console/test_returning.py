"""A session that is over while somebody types: back to the page, and told that it is lost."""

import pytest

from tenure.domain.people import SESSION_IDLE_MS
from tenure.faces.console import returning
from tests.faces.console.visiting import PASSWORD, Browser, Visited, fields_of, words
from tests.house import Reply

LOST = "What you sent was not done: you were not signed in any more."


def next_of(page: Reply) -> str:
    """Return where the forms on *page* lead to."""
    return dict(fields_of(page))["next"]


def signed_in_again(browser: Browser, door: str) -> str:
    """Sign in as whoever was, from the *door* he was sent to; return where that leads."""
    form = browser.get(door)
    assert "so what you sent was not done" in words(form)
    assert browser.person is not None
    sent = {"email": browser.person.email, "password": "wrong", "next": next_of(form)}
    again = browser.post("/console/sign-in", sent)
    assert "so what you sent was not done" in words(again), "after a typing error too"
    sent |= {"password": PASSWORD, "next": next_of(again)}
    half = browser.post("/console/sign-in", sent)
    kept = {"next": next_of(browser.get(half.headers["location"])), "code": browser.code()}
    return browser.post("/console/sign-in/second", kept).headers["location"]


def test_who_was_signed_out_while_editing_comes_back_and_is_told(visited: Visited) -> None:
    account = visited.house.account()
    owner, key = visited.owner(account), visited.house.issue(account)
    page = f"/console/keys/{key.key_id}/edit"
    sent = owner.fill(owner.get(page), {"label": "a label that is lost"})
    visited.real.advance(SESSION_IDLE_MS)

    back = signed_in_again(owner, owner.post(page, sent).headers["location"])

    assert back == f"{page}?unsaved=1"
    shown = owner.get(back)
    assert LOST in words(shown)
    assert "a label that is lost" not in shown.body.decode()
    assert LOST not in words(owner.get(page))


def test_a_script_is_sent_to_the_door_too(visited: Visited) -> None:
    account = visited.house.account()
    owner, key = visited.owner(account), visited.house.issue(account)
    visited.real.advance(SESSION_IDLE_MS)
    page = f"/console/keys/{key.key_id}/edit"

    reply = owner.post(f"{page}/confirm", {}, **{"hx-request": "true"})

    to = f"/console/sign-in?next=%2Fconsole%2Fkeys%2F{key.key_id}%2Fedit%3Funsaved%3D1"
    assert reply.headers["hx-redirect"] == to


def test_a_twin_of_a_form_that_was_quicker_lost_nothing(visited: Visited) -> None:
    owner = visited.owner(visited.house.account())
    former = Browser(app=owner.app, real=owner.real, cookies=dict(owner.cookies))
    page = "/console/security/codes"
    sent = owner.fill(owner.get(page), {"code": owner.code()})
    assert owner.post(page, sent).status == 200

    door = former.post(page, sent).headers["location"]

    assert "unsaved" in door
    assert owner.get(door).headers["location"] == page, "in that browser he is signed in"


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/console/keys/key_1/edit", "/console/keys/key_1/edit"),
        ("/console/keys/key_1/edit/confirm", "/console/keys/key_1/edit"),
        ("/console/accounts/acct_1/contacts", "/console/accounts/acct_1/contacts"),
        ("/console/accounts/acct_1/keys/new/review", "/console/accounts/acct_1/keys/new"),
        ("/console/security/sessions/end", "/console/security"),
        ("/console/enrol/app", "/console/enrol"),
        ("/console/sandbox/clock", "/console"),
        *(("/console/sign-out", ""), ("/console/sign-in/second", ""), ("/elsewhere", "")),
        *(("//evil.example/console", ""), ("", "")),
    ],
)
def test_a_form_leads_to_its_page_or_to_the_nearest_above(
    visited: Visited, path: str, page: str
) -> None:
    assert returning.after_losing(visited.app, path) == (page and f"{page}?unsaved=1")


@pytest.mark.parametrize(
    ("address", "has_lost", "left"),
    [
        ("/console/keys?unsaved=1", True, "/console/keys"),
        ("/console/keys?x=unsaved", False, "/console/keys?x=unsaved"),
        ("", False, ""),
    ],
)
def test_what_was_lost_is_said_in_the_address(address: str, left: str, *, has_lost: bool) -> None:
    assert returning.has_lost(address) is has_lost
    assert returning.unmarked(address) == left
