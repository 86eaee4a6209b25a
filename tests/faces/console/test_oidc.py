"""Signing in through the provider, as a browser does it: sent away, taken back, let on."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tenure.domain.model import Secret
from tenure.domain.people import Stage
from tenure.faces.console import face
from tenure.services.people.oidc import Oidc, Provider
from tenure.services.people.room import Room
from tests.faces.console.visiting import ORIGIN, Browser, Visited, words
from tests.house import Reply
from tests.services.people import issuer as issuing
from tests.services.people.issuer import CLIENT_ID, CLIENT_SECRET, Issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing.serving() as running:
        yield running


@pytest.fixture
def visited(tmp_path: Path, issuer: Issuer) -> Iterator[Visited]:
    """Return a console whose house knows a provider."""
    opened = Visited.open(tmp_path / "home")
    people = opened.people
    provider = Provider(
        issuer=issuer.url,
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        origin=ORIGIN,
    )
    proving, register = people.sign_in._proving, people._register  # noqa: SLF001 - as `People` does
    people.oidc = Oidc(register, proving, people.sessions, provider, Room())
    app = face.build(replace(opened.house.worker, people=people))
    issuer.now_s = opened.real.now // 1000
    issuer.email = "owner@example.com"
    yield replace(opened, app=app)
    opened.house.close()


def leave(browser: Browser, issuer: Issuer, going: str = "/console/oidc/go") -> str:
    """Go to the provider, and return where it sends the browser back to, without the host."""
    reply = browser.get(going)
    assert reply.status == 303
    assert reply.headers["location"].startswith(issuer.url)
    back = urlsplit(issuer.visit(reply.headers["location"]))
    return f"{back.path}?{back.query}"


def come(browser: Browser, issuer: Issuer) -> Reply:
    return browser.get(leave(browser, issuer), **{"sec-fetch-site": "cross-site"})


def test_an_owner_comes_from_the_provider_and_goes_on_from_a_page_of_ours(
    visited: Visited, issuer: Issuer
) -> None:
    visited.house.account()
    browser = visited.nobody()
    assert "Sign in with the platform" in words(browser.get("/console/sign-in"))

    reply = come(browser, issuer)

    assert reply.status == 200
    assert 'content="0; url=/console/sign-in"' in reply.body.decode()
    session = visited.people.sessions.find(browser.cookies["tenure-session"])
    assert session.stage is Stage.ENROLLING
    assert browser.get("/console/sign-in").headers["location"] == "/console/enrol"


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        (
            "/console/keys/key_1?a=1&b=%22",
            "/console/sign-in?next=%2Fconsole%2Fkeys%2Fkey_1%3Fa%3D1%26b%3D%2522",
        ),
        ("https://evil.example/console", "/console/sign-in"),
        ("//evil.example/console", "/console/sign-in"),
        ("/console/" + "x" * 2_000, "/console/sign-in"),
    ],
)
def test_who_was_going_somewhere_is_led_there(
    visited: Visited, issuer: Issuer, asked: str, led: str
) -> None:
    visited.house.account()
    browser = visited.nobody()
    door = browser.get(f"/console/sign-in?next={quote(asked, safe='')}").body.decode()
    (going,) = re.findall(r'href="(/console/oidc/go[^"]*)"', door)

    reply = browser.get(leave(browser, issuer, unescape(going)))

    assert f'content="0; url={led}"' in reply.body.decode()


@pytest.mark.parametrize("planted", ["https://evil.example/", "//evil.example", "%0d%0ax"])
def test_a_cookie_leads_nowhere_else(visited: Visited, issuer: Issuer, planted: str) -> None:
    visited.house.account()
    browser = visited.nobody()
    back = leave(browser, issuer)
    browser.cookies["tenure-provider"] = (
        f"{browser.cookies['tenure-provider'].partition('.')[0]}.{quote(planted, safe='')}"
    )

    reply = browser.get(back)

    assert 'content="0; url=/console/sign-in"' in reply.body.decode()


def test_the_browser_is_bound_by_a_lax_cookie(visited: Visited, issuer: Issuer) -> None:
    cookie = visited.nobody().get("/console/oidc/go").headers["set-cookie"].lower()

    for part in ("tenure-provider=", "samesite=lax", "path=/;", "httponly", "max-age="):
        assert part in cookie
    assert issuer.asked


def test_another_browsers_answer_signs_nobody_in(visited: Visited, issuer: Issuer) -> None:
    visited.house.account()
    theirs = leave(visited.nobody(), issuer)
    mine = visited.nobody()
    mine.get("/console/oidc/go")

    reply = mine.get(theirs)

    assert reply.status == 401
    assert "The provider did not say who you are." in words(reply)
    assert "tenure-session" not in mine.cookies


def test_who_is_not_known_here_is_told_so(visited: Visited, issuer: Issuer) -> None:
    reply = come(visited.nobody(), issuer)

    assert reply.status == 401
    assert "No account here is known to be yours." in words(reply)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token"])
def test_a_provider_that_is_down_is_told_as_such(
    visited: Visited, issuer: Issuer, path: str
) -> None:
    visited.house.account()
    issuer.answers[path] = (503, b"")
    browser = visited.nobody()
    went = browser.get("/console/oidc/go")
    reply = went if path != "/token" else come(browser, issuer)

    assert reply.status == 503
    assert "The provider cannot be reached just now." in words(reply)


def test_where_no_provider_is_known_there_is_no_such_page(tmp_path: Path) -> None:
    plain = Visited.open(tmp_path / "plain")
    browser = plain.nobody()

    assert "Sign in with the platform" not in words(browser.get("/console/sign-in"))
    for path in ("/console/oidc/go", "/console/oidc/back"):
        assert browser.get(path).status == 404
    plain.house.close()
