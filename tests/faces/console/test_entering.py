"""Signing in by form: password and second factor, a passkey, and the way out."""

import json

import pytest

from tenure.domain.people import Stage, TotpCode
from tenure.services.people.stepups import Change
from tests.authenticator import Authenticator
from tests.faces.console.visiting import ORIGIN, PASSWORD, Browser, Visited, fields_of, words
from tests.house import Reply


def a_stranger(visited: Visited, owner: Browser) -> Browser:
    """Return a browser of the same owner's that is signed in nowhere."""
    browser = visited.nobody()
    browser.person, browser.seed = owner.person, owner.seed
    browser.get("/console/sign-in")
    return browser


def say_password(browser: Browser, password: str = PASSWORD, **more: str) -> Reply:
    assert browser.person is not None
    email = browser.person.email
    return browser.post("/console/sign-in", {"email": email, "password": password, **more})


def give_code(browser: Browser, code: str | None = None, **more: str) -> Reply:
    return browser.post("/console/sign-in/second", {"code": code or browser.code(), **more})


@pytest.fixture
def browser(visited: Visited) -> Browser:
    return a_stranger(visited, visited.owner(visited.house.account()))


def test_a_password_and_a_code_lead_to_the_page_that_was_asked_for(browser: Browser) -> None:
    asked = browser.get("/console/keys?x=1")
    assert asked.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fkeys%3Fx%3D1"
    form = browser.get(asked.headers["location"])
    assert dict(fields_of(form))["next"] == "/console/keys?x=1"

    half = say_password(browser, next="/console/keys?x=1")
    assert half.headers["location"] == "/console/sign-in/second?next=%2Fconsole%2Fkeys%3Fx%3D1"
    second = browser.get(half.headers["location"])
    assert "Six-digit code from your authenticator app" in words(second)
    whole = give_code(browser, next=dict(fields_of(second))["next"])

    assert (whole.status, whole.headers["location"]) == (303, "/console/keys?x=1")
    assert browser.get("/console/keys").status == 200


def test_a_house_that_nobody_joined_says_where_the_link_is_until_somebody_did(
    visited: Visited,
) -> None:
    account = visited.house.account()
    link = visited.people.invitations.of_account(account, "test").link.reveal()
    page = words(visited.nobody().get("/console/sign-in"))
    assert "Nobody has joined yet." in page
    assert "where Tenure was started (make serve, or tenure serve)" in page
    assert "start it again" in page
    assert "owner@example.com" not in page

    joining = visited.nobody()
    joining.get(link.removeprefix(ORIGIN))
    joining.post(link.removeprefix(ORIGIN), {"password": PASSWORD})

    assert "Nobody has joined" not in words(visited.nobody().get("/console/sign-in"))


def test_half_of_a_sign_in_opens_no_page(browser: Browser) -> None:
    say_password(browser)

    for path in ("/console", "/console/keys", "/console/security"):
        assert browser.get(path).headers["location"].startswith("/console/sign-in")
    assert browser.get("/console/sign-in").headers["location"] == "/console/sign-in/second"


@pytest.mark.parametrize(
    "next_page",
    [
        *("https://evil.example", "//evil.example", "/console//evil.example", "javascript:x"),
        *("/console/\\evil.example", "/v1/accounts", "/consolex", "", "/console/\nx"),
    ],
)
def test_no_page_but_ours_is_led_to(browser: Browser, next_page: str) -> None:
    say_password(browser)

    assert give_code(browser, next=next_page).headers["location"] == "/console"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(
    browser: Browser, *, is_known: bool
) -> None:
    assert browser.person is not None
    email = browser.person.email if is_known else "nobody@example.com"

    reply = browser.post("/console/sign-in", {"email": email, "password": "wrong"})

    assert reply.status == 401
    assert "E-mail and password do not fit together." in words(reply)
    assert dict(fields_of(reply))["email"] == email
    assert "tenure-session" not in browser.cookies


def test_bad_codes_are_401_and_then_locked(browser: Browser) -> None:
    """BI-42, as a browser sees it."""
    say_password(browser)
    for _ in range(5):
        reply = give_code(browser, "12345x")
        assert reply.status == 401
        assert "That code is wrong, used or too old." in words(reply)

    locked = give_code(browser)
    assert locked.status == 401
    assert "Too many tries failed." in words(locked)


def test_an_empty_form_is_asked_for_again(browser: Browser) -> None:
    say_password(browser)

    assert "Give your second factor" in words(browser.post("/console/sign-in/second"))


def test_an_id_that_somebody_planted_is_replaced_at_each_stage(browser: Browser) -> None:
    """T24: as it goes in Litestar's own sessions, which adopt what the cookie brings."""
    planted = "p" * 43
    browser.cookies["tenure-session"] = planted
    say_password(browser)
    half = browser.cookies["tenure-session"]
    give_code(browser)
    whole = browser.cookies["tenure-session"]

    assert len({planted, half, whole}) == 3
    for dead in (planted, half):
        browser.cookies["tenure-session"] = dead
        assert browser.get("/console/keys").status == 303


def test_the_cookie_is_strict_and_for_servers_alone(browser: Browser) -> None:
    reply = say_password(browser)

    cookie = reply.headers["set-cookie"].lower()
    assert "tenure-session=" in cookie
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


def test_signing_out_ends_the_session_and_forgets_the_cookie(visited: Visited) -> None:
    owner = visited.owner(visited.house.account())
    cookie = owner.cookies["tenure-session"]

    reply = owner.post("/console/sign-out")

    assert reply.headers["location"] == "/console/sign-in?out=1"
    assert owner.cookies["tenure-session"] == ""
    owner.cookies["tenure-session"] = cookie
    assert owner.get("/console/keys").status == 303
    assert "You are signed out." in words(owner.get("/console/sign-in?out=1"))


def test_a_recovery_code_stands_in(visited: Visited) -> None:
    owner = visited.owner(visited.house.account())
    assert owner.person is not None
    owner_session = visited.people.sessions.find(owner.cookies["tenure-session"])

    begun = visited.people.step_ups.prove(owner_session, Change.RENEW_CODES, TotpCode(owner.code()))
    codes = visited.people.factors.renew_recovery_codes(begun.session)
    browser = a_stranger(visited, owner)
    say_password(browser)

    wrong = browser.post("/console/sign-in/second", {"recovery_code": "0000-0000-0000-0000"})
    assert wrong.status == 401
    assert "<details open>" in wrong.body.decode()
    right = browser.post("/console/sign-in/second", {"recovery_code": codes[0].reveal().upper()})
    assert right.headers["location"] == "/console"


def with_passkey(visited: Visited) -> tuple[Browser, Authenticator]:
    """Return a browser that is signed in nowhere, and a passkey of its owner's."""
    owner = visited.owner(visited.house.account())
    path = "/console/security/passkeys"
    owner.post(f"{path}/new", {"code": owner.code()})
    options = owner.post(f"{path}/challenge").body.decode()
    passkey = Authenticator(origin=ORIGIN)
    owner.post(path, {"passkey": passkey.make(options), "label": "phone"})
    return a_stranger(visited, owner), passkey


def test_a_passkey_signs_in_alone(visited: Visited) -> None:
    browser, passkey = with_passkey(visited)
    asked = browser.post("/console/sign-in/passkey/challenge")
    assert json.loads(asked.body)["userVerification"] == "required"

    answer = passkey.answer(asked.body.decode())
    fields = {"passkey": answer, "challenge": asked.headers["x-challenge"], "next": "/console/keys"}
    assert browser.post("/console/sign-in/passkey", fields).headers["location"] == "/console/keys"
    assert browser.get("/console/keys").status == 200

    again = a_stranger(visited, browser)
    refused = again.post("/console/sign-in/passkey", fields)
    assert refused.status == 401
    assert "The passkey was not accepted." in words(refused)


def test_a_passkey_is_a_second_factor(visited: Visited) -> None:
    browser, passkey = with_passkey(visited)
    say_password(browser)
    assert "Confirm with a passkey" in words(browser.get("/console/sign-in/second"))
    options = browser.post("/console/sign-in/second/challenge").body.decode()

    reply = browser.post("/console/sign-in/second", {"passkey": passkey.answer(options)})
    assert reply.headers["location"] == "/console"


def test_a_passkey_approves_an_act(visited: Visited) -> None:
    browser, passkey = with_passkey(visited)
    asked = browser.post("/console/sign-in/passkey/challenge")
    answer = passkey.answer(asked.body.decode())
    challenge = asked.headers["x-challenge"]
    browser.post("/console/sign-in/passkey", {"passkey": answer, "challenge": challenge})
    assert browser.person is not None
    key = visited.house.issue(str(browser.person.account_id))
    path = f"/console/keys/{key.key_id}/revoke"
    page = browser.get(path)
    act = page.body.decode().partition('data-act="')[2].partition('"')[0]

    options = browser.post("/console/step-up/challenge", {"act": act}).body.decode()
    reply = browser.post(path, browser.fill(page, {"passkey": passkey.answer(options)}))
    assert reply.headers["location"] == f"/console/keys/{key.key_id}?done=revoke"


def test_whoever_is_in_is_not_asked_again(visited: Visited) -> None:
    owner = visited.owner(visited.house.account())

    for path in ("/console/sign-in", "/console/sign-in/second"):
        assert owner.get(path).headers["location"] == "/console"
    assert owner.post("/console/sign-in/second").headers["location"] == "/console"


def test_a_link_from_elsewhere_continues_from_a_page_of_ours(visited: Visited) -> None:
    """A strict cookie does not come with it: asking for the password would be wrong."""
    owner = visited.owner(visited.house.account())
    browser = visited.nobody()
    reply = browser.get("/console/keys?x=1", **{"sec-fetch-site": "cross-site"})

    assert reply.status == 200
    assert 'content="0; url=/console/keys?x=1"' in reply.body.decode()
    assert owner.get("/console/keys?x=1", **{"sec-fetch-site": "same-origin"}).status == 200
    gone = browser.get("/console/keys?x=1", **{"sec-fetch-site": "same-origin"})
    assert gone.headers["location"].startswith("/console/sign-in?next=")


def test_who_has_not_finished_is_led_on(visited: Visited) -> None:
    invited = visited.people.invitations.of_account(visited.house.account(), "test")
    browser = visited.nobody()
    browser.get("/console/sign-in")
    secret = invited.link.reveal().rpartition("/")[2]
    browser.post(f"/console/join/{secret}", {"password": PASSWORD})
    session = visited.people.sessions.find(browser.cookies["tenure-session"])
    assert session.stage is Stage.ENROLLING

    assert browser.get("/console/sign-in").headers["location"] == "/console/enrol"
