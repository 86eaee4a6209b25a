"""Joining by a link, without scripts and with a passkey; the codes shown once."""

import re

import pytest

from tenure.domain.people import Role, Stage
from tenure.store import factors
from tests.authenticator import Authenticator
from tests.faces.console.visiting import ORIGIN, PASSWORD, Browser, Visited, fields_of, words
from tests.house import Reply

SEED = re.compile(r'id="totp-seed"[^>]*>([A-Z2-7 ]+)<')
CODES = re.compile(r'id="recovery-codes"[^>]*>([0-9a-z\s-]+)<')


def link(visited: Visited, account: str | None = None) -> str:
    account = account or visited.house.account()
    invited = visited.people.invitations.of_account(account, "test")
    return invited.link.reveal().removeprefix(ORIGIN)


def joining(visited: Visited, path: str, **more: str) -> Browser:
    """Return a browser in which somebody took the password step."""
    browser = visited.nobody()
    browser.get(path)
    reply = browser.post(path, {"password": PASSWORD, **more})
    assert reply.headers["location"] == "/console/enrol", words(reply)
    return browser


def stage(visited: Visited, browser: Browser) -> Stage:
    return visited.people.sessions.find(browser.cookies["tenure-session"]).stage


def test_an_owner_joins_with_an_app_and_without_scripts(visited: Visited) -> None:
    path = link(visited)
    page = visited.nobody().get(path)
    assert "manage the API keys of your account" in words(page)
    assert "owner@example.com" in words(page)
    browser = joining(visited, path, time_zone="Asia/Tokyo")
    assert "Set up a second factor" in words(browser.get("/console/enrol"))

    shown = browser.post("/console/enrol/app")
    found = SEED.search(shown.body.decode())
    assert found is not None
    browser.seed = found[1].replace(" ", "")
    assert "<svg" in shown.body.decode()
    assert f"secret={browser.seed}" in shown.body.decode()
    wrong = browser.post("/console/enrol/app", {"code": "000000"})
    assert wrong.status == 401
    assert 'id="code-error"' in wrong.body.decode()
    assert browser.seed in wrong.body.decode().replace(" ", ""), "the same seed, not another"

    done = browser.post("/console/enrol/app", {"code": browser.code()})

    codes = CODES.search(done.body.decode())
    assert codes is not None
    assert len(codes[1].split()) == 10
    assert done.headers["cache-control"] == "no-store"
    assert stage(visited, browser) is Stage.FULL
    session = visited.people.sessions.find(browser.cookies["tenure-session"])
    assert (session.person.language, session.person.time_zone) == ("en", "Asia/Tokyo")
    assert browser.get("/console/keys").status == 200
    for again in ("/console/enrol", "/console/security"):
        assert codes[1].split()[0] not in browser.get(again).body.decode()


def test_whoever_loads_his_codes_again_is_told_that_they_were_shown(visited: Visited) -> None:
    browser = joining(visited, link(visited))
    shown = browser.post("/console/enrol/app")
    found = SEED.search(shown.body.decode())
    assert found is not None
    browser.seed = found[1].replace(" ", "")
    sent = {"code": browser.code()}
    assert "not even where this page is loaded again" in words(
        browser.post("/console/enrol/app", sent)
    )

    again = browser.post("/console/enrol/app", sent)

    page = browser.get(again.headers["location"])
    assert "Your recovery codes were shown once already." in words(page)
    assert "They hold: 10 are left." in words(page)
    assert 'href="/console/security/codes"' in page.body.decode()


def test_an_owner_joins_with_a_passkey(visited: Visited) -> None:
    browser = joining(visited, link(visited))
    options = browser.post("/console/enrol/passkey/challenge").body.decode()
    passkey = Authenticator(origin=ORIGIN)

    done = browser.post("/console/enrol/passkey", {"passkey": passkey.make(options), "label": "pc"})

    assert CODES.search(done.body.decode())
    assert stage(visited, browser) is Stage.FULL


@pytest.mark.parametrize("label", ["", "x" * 65])
def test_a_passkey_needs_a_name(visited: Visited, label: str) -> None:
    browser = joining(visited, link(visited))
    options = browser.post("/console/enrol/passkey/challenge").body.decode()
    made = Authenticator(origin=ORIGIN).make(options)

    reply = browser.post("/console/enrol/passkey", {"passkey": made, "label": label})

    assert reply.status == 422
    assert 'id="label-error"' in reply.body.decode()


@pytest.mark.parametrize("answer", ["", "{}", "nonsense"])
def test_a_passkey_that_was_not_made_is_told_so(visited: Visited, answer: str) -> None:
    browser = joining(visited, link(visited))
    browser.post("/console/enrol/passkey/challenge")

    reply = browser.post("/console/enrol/passkey", {"passkey": answer, "label": "pc"})

    assert reply.status == 422
    assert "No passkey was created." in words(reply)
    assert stage(visited, browser) is Stage.ENROLLING


def test_until_there_is_a_factor_no_page_opens(visited: Visited) -> None:
    browser = joining(visited, link(visited))

    for path in ("/console", "/console/keys", "/console/security"):
        assert browser.get(path).headers["location"].startswith("/console/sign-in")


def test_whoever_is_in_sets_no_first_factor_up(visited: Visited) -> None:
    owner = visited.owner(visited.house.account())

    said = "/console/security?done=codes"
    assert owner.get("/console/enrol").headers["location"] == said
    for path in ("/console/enrol/app", "/console/enrol/passkey"):
        assert owner.post(path).headers["location"] == said
    assert owner.person is not None
    person_id = owner.person.person_id
    visited.house.worker.store.write(lambda tx: factors.set_codes(tx, person_id, []))
    assert owner.get("/console/enrol").headers["location"] == "/console", "none were shown"


def test_a_seed_that_waited_too_long_begins_again(visited: Visited) -> None:
    browser = joining(visited, link(visited))
    browser.post("/console/enrol/app")
    visited.real.advance(5 * 60_000)

    reply = browser.post("/console/enrol/app", {"code": "000000"})
    assert reply.headers["location"] == "/console/enrol"


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "Choose 12 to 256 characters, such as several words."),
        ("password1234", "Many people have this password, or the same with other digits"),
        ("Owner-Example", "This is made of your e-mail address"),
        ("a" * 20, "This repeats itself, or follows the alphabet or the keyboard"),
    ],
)
def test_a_password_that_will_not_do_is_told_beside_the_field(
    visited: Visited, password: str, said: str
) -> None:
    path = link(visited)
    browser = visited.nobody()
    browser.get(path)

    reply = browser.post(path, {"password": password})

    assert reply.status == 422
    assert 'id="password-error"' in reply.body.decode()
    assert said in words(reply)
    assert password not in reply.body.decode()
    joining(visited, path)


def dead(reply: Reply) -> bool:
    return reply.status == 410 and "This link does not work any more" in words(reply)


def test_a_link_that_was_used_or_never_made_is_told_so(visited: Visited) -> None:
    path = link(visited)
    joining(visited, path)
    browser = visited.nobody()

    assert dead(browser.get(path))
    assert dead(browser.post(path, {"password": PASSWORD}))
    assert dead(browser.get("/console/join/" + "x" * 43))
    assert browser.get("/console/join/short").status == 404


def test_the_first_administrator_says_who_she_is(visited: Visited) -> None:
    invited = visited.people.invitations.first_administrator()
    assert invited is not None
    path = invited.link.reveal().removeprefix(ORIGIN)
    browser = visited.nobody()
    assert "email" in dict(fields_of(browser.get(path)))
    for typed in ("nobody", "a@b"):
        wrong = browser.post(path, {"password": PASSWORD, "email": typed})
        assert 'id="email-error"' in wrong.body.decode()

    browser.post(path, {"password": PASSWORD, "email": "ada@example.com"})

    (person,) = visited.people.operators()
    assert (person.email, person.role) == ("ada@example.com", Role.ADMINISTRATOR)


def test_an_e_mail_that_is_taken_is_told_so(visited: Visited) -> None:
    visited.operator(Role.VIEWER)
    invited = visited.people.invitations.first_administrator()
    assert invited is not None
    path = invited.link.reveal().removeprefix(ORIGIN)
    browser = visited.nobody()
    browser.get(path)

    reply = browser.post(path, {"password": PASSWORD, "email": "viewer0@example.com"})

    assert reply.status == 422
    assert "Somebody with this e-mail signs in already." in words(reply)


def test_whoever_joins_in_another_language_is_spoken_to_in_it(visited: Visited) -> None:
    path = link(visited)
    browser = visited.nobody()
    browser.get(path)
    browser.post(path, {"password": PASSWORD, "time_zone": "x"}, **{"accept-language": "zh-CN"})

    session = visited.people.sessions.find(browser.cookies["tenure-session"])
    assert (session.person.language, session.person.time_zone) == ("zh-CN", None)
