"""Requests that a page of somebody else's makes a browser send: nothing comes of them (T23)."""

import json
from urllib.parse import urlencode

import pytest

from tests.faces.console.visiting import ORIGIN, PASSWORD, Browser, Visited
from tests.house import Reply

FORM = "application/x-www-form-urlencoded"
HERE = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
WRONG: dict[str, dict[str, str | None]] = {
    "a foreign origin": {"origin": "https://evil.example", "sec-fetch-site": None},
    "a foreign site": {"sec-fetch-site": "cross-site"},
    "a subdomain": {"origin": "http://sub.localhost:8080", "sec-fetch-site": "same-site"},
    "another port": {"origin": "http://localhost:8081", "sec-fetch-site": "same-site"},
    "another scheme": {"origin": "https://localhost:8080", "sec-fetch-site": None},
    "a page that hides": {"origin": "null", "sec-fetch-site": None},
    "no origin": {"origin": None, "sec-fetch-site": None},
    "a word of another": {"origin": "https://evil.example"},
    "typed by hand": {"origin": None, "sec-fetch-site": "none"},
}
"""What headers such a request has, where None is none."""


def send(browser: Browser, path: str, changed: dict[str, str | None], **fields: str) -> Reply:
    """Send a form with the cookies and the right secret of forms: everything but the headers."""
    headers = {"content-type": FORM, **HERE}
    for name, value in changed.items():
        headers.pop(name, None)
        if value is not None:
            headers[name] = value
    given = {"_csrf_token": browser.cookies["tenure-form"], **fields}
    return browser.send("POST", path, headers=headers, body=urlencode(given).encode())


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/console/security").status == 200


@pytest.mark.parametrize("name", WRONG)
def test_a_request_that_no_page_of_ours_sent_is_refused(visited: Visited, name: str) -> None:
    """BI-44: with the cookie, and even with the form's secret."""
    owner = visited.owner(visited.house.account())

    assert send(owner, "/console/sign-out", WRONG[name]).status == 403
    assert is_signed_in(owner)
    stranger = visited.nobody()
    stranger.get("/console/sign-in")
    fields = {"email": "owner@example.com", "password": PASSWORD}
    assert send(stranger, "/console/sign-in", WRONG[name], **fields).status == 403
    assert "tenure-session" not in stranger.cookies


@pytest.mark.parametrize("vouched", [{"origin": ORIGIN}, {"sec-fetch-site": "same-origin"}, HERE])
def test_a_browser_that_vouches_for_our_page_is_believed(
    visited: Visited, vouched: dict[str, str]
) -> None:
    owner = visited.owner(visited.house.account())
    changed = {"origin": None, "sec-fetch-site": None, **vouched}

    assert send(owner, "/console/sign-out", changed).status == 303
    assert not is_signed_in(owner)


@pytest.mark.parametrize("secret", ["", "x" * 128, None])
def test_without_the_forms_own_secret_nothing_is_done(visited: Visited, secret: str | None) -> None:
    """Beside what the browser says: one of the two may be missing from an old one."""
    owner = visited.owner(visited.house.account())
    fields = {} if secret is None else {"_csrf_token": secret}

    reply = owner.send(
        "POST",
        "/console/sign-out",
        headers={"content-type": FORM, **HERE},
        body=urlencode(fields).encode(),
    )

    assert reply.status == 403
    assert is_signed_in(owner)


def test_the_secret_of_somebody_elses_form_is_none(visited: Visited) -> None:
    owner, other = visited.owner(visited.house.account()), visited.nobody()
    other.get("/console/sign-in")

    reply = send(owner, "/console/sign-out", {}, _csrf_token=other.cookies["tenure-form"])

    assert other.cookies["tenure-form"] != owner.cookies["tenure-form"]
    assert reply.status == 403


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", ""])
def test_json_as_plain_text_is_no_form(visited: Visited, content_type: str) -> None:
    """BI-44: what a foreign page can send without asking first."""
    owner = visited.owner(visited.house.account())
    body = json.dumps({"_csrf_token": owner.cookies["tenure-form"]}).encode()

    reply = owner.send(
        "POST", "/console/sign-out", headers={"content-type": content_type, **HERE}, body=body
    )

    assert reply.status == 403
    assert is_signed_in(owner)


def test_a_foreign_page_may_link_to_ours_and_frame_none(visited: Visited) -> None:
    reply = visited.nobody().get("/console/sign-in", **{"sec-fetch-site": "cross-site"})

    assert reply.status == 200
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert "form-action 'self'" in reply.headers["content-security-policy"]
