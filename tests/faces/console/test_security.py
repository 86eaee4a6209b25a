"""One's own factors, password, codes and sessions: each change approved, each answer plain."""

import re

import pytest

from tenure.domain.people import RECOVERY_HOLD_MS
from tenure.faces.console.desk import Desk
from tests.authenticator import Authenticator
from tests.faces.console.visiting import ORIGIN, PASSWORD, Browser, Visited, words
from tests.house import Reply

PAGE = "/console/security"
CODES = re.compile(r'id="recovery-codes"[^>]*>([0-9a-z\s-]+)<')
NEW = "another horse, another staple"


@pytest.fixture
def owner(visited: Visited) -> Browser:
    return visited.owner(visited.house.account())


def add_passkey(owner: Browser, label: str = "my phone") -> Authenticator:
    """Add a passkey, approved by the app."""
    reply = owner.post(f"{PAGE}/passkeys/new", {"code": owner.code()})
    assert reply.headers["location"] == f"{PAGE}/passkeys/new"
    assert "Name of the passkey" in words(owner.get(f"{PAGE}/passkeys/new"))
    passkey = Authenticator(origin=ORIGIN, name=label.encode())
    options = owner.post(f"{PAGE}/passkeys/challenge").body.decode()
    done = owner.post(f"{PAGE}/passkeys", {"passkey": passkey.make(options), "label": label})
    assert done.headers["location"] == f"{PAGE}?done=add_passkey", words(done)
    return passkey


def passkey_id(visited: Visited, owner: Browser) -> str:
    assert owner.person is not None
    (passkey,) = visited.people.find(owner.person.person_id).passkeys
    return passkey.passkey_id


def is_asked_for_a_factor(reply: Reply) -> bool:
    return reply.status == 422 and 'id="code-error"' in reply.body.decode()


def test_the_page_shows_what_one_signs_in_by(visited: Visited, owner: Browser) -> None:
    add_passkey(owner)

    page = words(owner.get(f"{PAGE}?done=add_passkey"))

    for said in ("my phone", "Authenticator app", "10 left", "This browser", "passkey was added"):
        assert said in page
    assert "nonsense" not in words(owner.get(f"{PAGE}?done=nonsense"))
    assert visited.house.worker.settings.sandbox


def test_a_passkey_is_removed_and_the_last_factor_is_not(visited: Visited, owner: Browser) -> None:
    add_passkey(owner)
    path = f"{PAGE}/passkeys/{passkey_id(visited, owner)}/remove"
    assert "does not let you in any more" in words(owner.get(path))
    assert is_asked_for_a_factor(owner.post(path))

    done = owner.post(path, {"code": owner.code()})
    assert done.headers["location"] == f"{PAGE}?done=remove_passkey"
    assert owner.get(path).headers["location"] == PAGE
    assert owner.post(path).headers["location"] == PAGE

    last = owner.post(f"{PAGE}/app/remove", {"code": owner.code()})
    assert last.status == 422
    assert "This is the last one: set another one up first." in words(last)


def test_an_app_is_removed_and_set_up_again(visited: Visited, owner: Browser) -> None:
    passkey = add_passkey(owner)
    assert owner.get(f"{PAGE}/app/new").headers["location"] == PAGE
    owner.post(f"{PAGE}/app/remove", {"code": owner.code()})
    assert owner.get(f"{PAGE}/app/remove").headers["location"] == PAGE
    page = owner.get(f"{PAGE}/app/new")
    act = page.body.decode().partition('data-act="')[2].partition('"')[0]
    options = owner.post("/console/step-up/challenge", {"act": act}).body.decode()
    assert is_asked_for_a_factor(owner.post(f"{PAGE}/app/new"))

    shown = owner.post(f"{PAGE}/app/new", {"passkey": passkey.answer(options)})
    seed = shown.body.decode().partition('id="totp-seed"')[2].partition(">")[2]
    owner.seed = seed.partition("<")[0].replace(" ", "")
    done = owner.post(f"{PAGE}/app", {"code": owner.code()})

    assert done.headers["location"] == f"{PAGE}?done=add_app"
    assert "The authenticator app was added." in words(owner.get(f"{PAGE}?done=add_app"))
    assert owner.person is not None
    assert visited.people.find(owner.person.person_id).has_totp
    assert owner.post(f"{PAGE}/app").headers["location"] == f"{PAGE}/app/new"


def test_a_recovery_code_approves_a_change_where_the_app_is_lost(
    visited: Visited, owner: Browser
) -> None:
    page = owner.post(f"{PAGE}/codes", {"code": owner.code()}).body.decode()
    codes = page.partition('id="recovery-codes"')[2].partition(">")[2].partition("<")[0].split()
    assert len(codes) == 10
    assert "Lost it? Use a recovery code" in words(owner.get(f"{PAGE}/passkeys/new"))

    reply = owner.post(f"{PAGE}/passkeys/new", {"recovery_code": codes[0]})
    assert reply.headers["location"] == f"{PAGE}/passkeys/new"
    key = visited.house.issue(str(owner.person.account_id))  # type: ignore[union-attr]  # signed in
    path = f"/console/keys/{key.key_id}/revoke"
    refused = owner.post(path, owner.fill(owner.get(path), {"recovery_code": codes[1]}))
    assert refused.status == 422, "for a key it stands for nothing"


def test_new_codes_that_are_loaded_again_are_told_and_hold(owner: Browser) -> None:
    sent = owner.fill(owner.get(f"{PAGE}/codes"), {"code": owner.code()})
    made = CODES.search(owner.post(f"{PAGE}/codes", sent).body.decode())
    assert made is not None

    again = owner.post(f"{PAGE}/codes", sent)

    page = owner.get(again.headers["location"])
    assert "Your recovery codes were shown once already." in words(page)
    assert f'href="{PAGE}/codes"' in page.body.decode()
    assert made[1].split()[0] not in page.body.decode()
    approved = owner.post(f"{PAGE}/passkeys/new", {"recovery_code": made[1].split()[0]})
    assert approved.headers["location"] == f"{PAGE}/passkeys/new", "they hold"
    another = owner.fill(owner.get(f"{PAGE}/codes"), {"code": owner.code()})
    assert CODES.search(owner.post(f"{PAGE}/codes", another).body.decode()), "another form makes"


def test_codes_of_which_a_twin_of_the_form_was_quicker_are_told(
    visited: Visited, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = owner.fill(owner.get(f"{PAGE}/codes"), {"code": owner.code()})
    owner.post(f"{PAGE}/codes", sent)
    late = [pair for pair in sent if pair[0] != "code"] + [("code", owner.code())]
    monkeypatch.setattr(Desk, "done_before", lambda *_: None)

    assert owner.post(f"{PAGE}/codes", late).headers["location"] == f"{PAGE}?done=codes"
    assert owner.person is not None
    assert visited.people.find(owner.person.person_id).recovery_codes_left == 10


@pytest.mark.parametrize("path", ["passkeys/new", "app/remove", "codes", "password"])
def test_nothing_changes_without_a_factor(owner: Browser, path: str) -> None:
    assert is_asked_for_a_factor(owner.post(f"{PAGE}/{path}", {"password": NEW, "current": "x"}))


def test_a_passkey_is_not_made_without_one(owner: Browser) -> None:
    assert owner.post(f"{PAGE}/passkeys/challenge").status == 409
    reply = owner.post(f"{PAGE}/passkeys", {"passkey": "{}", "label": "phone"})
    assert reply.status == 422
    assert "No passkey was created." in words(reply)
    bad = owner.post(f"{PAGE}/passkeys", {"passkey": "{}", "label": ""})
    assert bad.status == 422


def test_the_password_is_changed_by_who_knows_it(visited: Visited, owner: Browser) -> None:
    path = f"{PAGE}/password"
    wrong = owner.post(path, {"code": owner.code(), "current": "not mine", "password": NEW})
    assert wrong.status == 422
    assert "That is not your password." in words(wrong)
    # What was approved holds for five minutes: the factor is not asked for twice.
    weak = owner.post(path, {"current": PASSWORD, "password": "short"})
    assert 'id="password-error"' in weak.body.decode()
    common = owner.post(path, {"current": PASSWORD, "password": "Sunshine2024"})
    assert "Many people have this password" in words(common)

    done = owner.post(path, {"current": PASSWORD, "password": NEW})

    assert done.headers["location"] == f"{PAGE}?done=password"
    assert owner.person is not None
    visited.people.sign_in.password(owner.person.email, NEW)
    assert owner.get(PAGE).status == 200


def test_other_browsers_are_signed_out_one_by_one_or_all(visited: Visited, owner: Browser) -> None:
    assert owner.person is not None
    email = owner.person.email
    agents = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "curl/8", "")
    begun = [visited.people.sign_in.password(email, PASSWORD, agent=each) for each in agents]
    page = words(owner.get(PAGE))
    assert "Firefox · Linux" in page
    assert "A browser" in page
    first = begun[0].session.session_id

    done = owner.post(f"{PAGE}/sessions/{first}/end")
    assert done.headers["location"] == f"{PAGE}?done=session"
    assert owner.post(f"{PAGE}/sessions/{first}/end").headers["location"] == PAGE
    assert owner.post(f"{PAGE}/sessions/end").headers["location"] == f"{PAGE}?done=sessions"
    (left,) = visited.people.sessions.of_person(owner.person.person_id)
    assert (
        left.session_id == visited.people.sessions.find(owner.cookies["tenure-session"]).session_id
    )


def test_an_operators_language_and_time_zone_are_set_here(visited: Visited, owner: Browser) -> None:
    """An owner's have a page of their own, with what it is told and when."""
    assert "Language and time zone" not in words(owner.get(PAGE))
    owner = visited.operator()
    path = f"{PAGE}/preferences"
    wrong = owner.post(path, {"language": "es", "time_zone": "Middle/Earth"})
    assert wrong.status == 422
    assert 'value="Middle/Earth"' in wrong.body.decode()
    assert 'id="time_zone-error"' in wrong.body.decode()

    owner.post(path, {"language": "es", "time_zone": "Europe/Madrid"})
    assert "Seguridad" in words(owner.get(PAGE))
    owner.post(path, {"language": "", "time_zone": ""})
    assert "Security" in words(owner.get(PAGE))


def test_an_owner_objects_to_a_recovery(visited: Visited, owner: Browser) -> None:
    assert owner.person is not None
    account = str(owner.person.account_id)
    visited.people.recovery.begin(account, "test")
    page = words(owner.get(PAGE))
    assert "Somebody asked to get into your account again" in page
    visited.real.advance(RECOVERY_HOLD_MS - 1)
    again = visited.people.sign_in.password(owner.person.email, PASSWORD)
    assert again.session.person.recovery is not None
    owner.cookies["tenure-session"] = again.secret.reveal()
    owner.post("/console/sign-in/second", {"code": owner.code()})

    path = f"{PAGE}/recovery/cancel"
    asked = owner.get(path)
    # What was frozen gets its power back by it: a stolen cookie alone does not do it.
    assert owner.post(path, owner.fill(asked)).status == 422
    assert visited.house.worker.accounts.get(account).frozen_at_ms is not None
    filled = owner.fill(asked, {"code": owner.code()})
    for sent in (filled, filled):  # The second time nothing is tried again, the code least of all.
        done = owner.post(path, sent)
        assert done.headers["location"] == f"{PAGE}?done=recovery"
    assert owner.get(path).headers["location"] == PAGE
    assert visited.people.find(owner.person.person_id).recovery is None
    assert visited.house.worker.accounts.get(account).frozen_at_ms is None


def test_an_operator_has_the_same_page(visited: Visited) -> None:
    operator = visited.operator()

    assert operator.get(PAGE).status == 200
    assert operator.post(f"{PAGE}/recovery/cancel").status == 403
