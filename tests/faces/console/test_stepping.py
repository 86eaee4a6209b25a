"""A second factor for one act, by form: spent before it, given back where there is no act."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tenure.domain.errors import Conflict
from tenure.domain.model import ApiKey, KeyStatus
from tenure.domain.people import STEP_UP_MS, Session, TotpCode
from tenure.faces.console.stepping import act_of
from tenure.services.keys import Issued, Keys
from tenure.services.people.factors import Factors
from tenure.services.people.stepups import Change
from tests.faces.console.visiting import Browser, Visited, words
from tests.house import Reply
from tests.together import together

GIVEN = "You confirmed this change a moment ago."
ASKED = 'name="code"'
DONE = "The key has a new secret"


def an_owner(visited: Visited) -> tuple[Browser, ApiKey]:
    """Return the browser of an owner who has a key."""
    account = visited.house.account()
    key = visited.house.issue(account)
    return visited.owner(account), key


def session_of(visited: Visited, owner: Browser) -> Session:
    return visited.people.sessions.find(owner.cookies["tenure-session"])


def approve(visited: Visited, owner: Browser, act: str) -> None:
    """Give a second factor for *act* beforehand, so that a form needs none."""
    begun = visited.people.step_ups.prove(session_of(visited, owner), act, TotpCode(owner.code()))
    owner.cookies["tenure-session"] = begun.secret.reveal()


def send(owner: Browser, key: ApiKey, what: str, **fields: str) -> Reply:
    """Open the page that asks, and confirm it with *fields*."""
    path = f"/console/keys/{key.key_id}/{what}"
    return owner.post(path, owner.fill(owner.get(path), fields))


def in_place_of_rotating(monkeypatch: pytest.MonkeyPatch, act: Callable[..., Issued]) -> None:
    """Do *act* wherever a key is to be rotated; it is handed the real thing first."""
    real = Keys.rotate

    def rotate(keys: Keys, *asked: Any, **more: Any) -> Issued:  # noqa: ANN401 - handed on
        return act(partial(real, keys, *asked, **more))

    monkeypatch.setattr(Keys, "rotate", rotate)


def test_of_many_forms_that_are_sent_by_one_approval_one_acts(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a form of its own, as from several tabs; the others are asked for a factor again."""
    owner, key = an_owner(visited)
    approve(visited, owner, act_of("keys.rotate", key.key_id))
    path = f"/console/keys/{key.key_id}/rotate"
    page = owner.get(path)
    assert GIVEN in words(page)
    moving, settled, acted = threading.Condition(), [0], [0]

    def settle() -> None:
        with moving:
            settled[0] += 1
            moving.notify_all()

    def rotate(real: Callable[[], Issued]) -> Issued:
        # As slow as can be: until each of the others acts as well, or was sent away.
        settle()
        with moving:
            moving.wait_for(lambda: settled[0] >= 4, timeout=60)
            acted[0] += 1
        return real()

    def confirm(number: int) -> Reply:
        tab = replace(owner, cookies=dict(owner.cookies))
        reply = tab.post(path, owner.fill(page, {"once": f"tab {number}"}))
        if reply.status == 422:
            settle()
        return reply

    in_place_of_rotating(monkeypatch, rotate)

    found = together([partial(confirm, number) for number in range(4)])

    assert sorted(reply.status for reply in found) == [200, 422, 422, 422]
    assert acted == [1]
    for reply in found:
        assert (DONE in words(reply)) is not (ASKED in reply.body.decode())


def test_an_approval_is_gone_before_the_act_runs_and_stays_gone_where_it_fails(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, key = an_owner(visited)
    act = act_of("keys.rotate", key.key_id)
    approve(visited, owner, act)
    session, was_proved = session_of(visited, owner), [True]

    def rotate(_real: Callable[[], Issued]) -> Issued:
        was_proved[0] = visited.people.step_ups.is_proved(session, act)
        raise RuntimeError

    with monkeypatch.context() as broken:
        in_place_of_rotating(broken, rotate)
        assert send(owner, key, "rotate").status == 500

    assert was_proved == [False]
    again = send(owner, key, "rotate")
    assert (again.status, ASKED in again.body.decode()) == (422, True)


def test_whoever_is_told_of_a_failure_is_still_signed_in(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The factor gave the session a new id: the page that says what failed hands it over too."""
    owner, key = an_owner(visited)

    def rotate(_real: Callable[[], Issued]) -> Issued:
        raise RuntimeError

    with monkeypatch.context() as broken:
        in_place_of_rotating(broken, rotate)
        assert send(owner, key, "rotate", code=owner.code()).status == 500

    page = owner.get(f"/console/keys/{key.key_id}/rotate")
    assert page.status == 200
    assert GIVEN not in words(page)


def test_after_the_act_the_next_one_asks_for_the_factor_again(visited: Visited) -> None:
    owner, key = an_owner(visited)
    assert DONE in words(send(owner, key, "rotate", code=owner.code()))

    again = send(owner, key, "rotate")

    assert (again.status, ASKED in again.body.decode()) == (422, True)


def test_what_can_be_mended_beside_its_field_needs_no_other_factor(visited: Visited) -> None:
    owner, key = an_owner(visited)
    path = f"/console/keys/{key.key_id}/quarantine"
    wrong = send(owner, key, "quarantine", code=owner.code(), cause="")
    assert (wrong.status, GIVEN in words(wrong)) == (422, True)

    done = owner.post(path, owner.fill(wrong, {"cause": "seen in a screenshot"}))

    assert done.headers["location"] == f"/console/keys/{key.key_id}?done=quarantine"
    assert visited.house.worker.keys.get(key.key_id).status is KeyStatus.QUARANTINED


def test_what_is_mended_too_late_needs_one(visited: Visited) -> None:
    owner, key = an_owner(visited)
    wrong = send(owner, key, "quarantine", code=owner.code(), cause="")
    visited.real.advance(STEP_UP_MS)

    late = owner.post(
        f"/console/keys/{key.key_id}/quarantine", owner.fill(wrong, {"cause": "a cause"})
    )

    assert (late.status, ASKED in late.body.decode()) == (422, True)
    assert visited.house.worker.keys.get(key.key_id).status is KeyStatus.ACTIVE


def test_nothing_is_given_back_once_the_act_has_happened(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that is said afterwards."""
    owner, key = an_owner(visited)

    def rotate(real: Callable[[], Issued]) -> Issued:
        real()
        raise Conflict("stale")

    with monkeypatch.context() as broken:
        in_place_of_rotating(broken, rotate)
        assert send(owner, key, "rotate", code=owner.code()).status == 409

    assert GIVEN not in words(owner.get(f"/console/keys/{key.key_id}/rotate"))


def test_a_form_that_is_sent_again_leaves_no_approval_behind(visited: Visited) -> None:
    owner, key = an_owner(visited)
    path = "/console/preferences/calendar"
    page = owner.get(path)
    assert owner.post(path, owner.fill(page, {"code": owner.code()})).status == 200

    approve(visited, owner, act_of("calendar.renew", key.account_id))
    again = owner.post(path, owner.fill(page))
    assert again.headers["location"] == "/console/preferences?done=shown#calendar"

    assert GIVEN not in words(owner.get(path))


def test_an_answer_that_is_loaded_again_says_that_the_secret_was_shown(visited: Visited) -> None:
    owner, key = an_owner(visited)
    path = f"/console/keys/{key.key_id}/rotate"
    page = owner.get(path)
    form = owner.fill(page, {"code": owner.code()})
    assert DONE in words(owner.post(path, form))
    version = visited.house.worker.keys.get(key.key_id).version

    again = owner.post(path, form)

    assert again.headers["location"] == f"/console/keys/{key.key_id}?done=rotate_again"
    assert "is not shown again" in words(owner.get(again.headers["location"]))
    assert visited.house.worker.keys.get(key.key_id).version == version


def test_a_form_that_is_shown_again_does_not_do_what_its_twin_did(visited: Visited) -> None:
    """Sent twice at once, the one that comes late is asked for a factor, and must not act by it."""
    owner, key = an_owner(visited)
    path = f"/console/keys/{key.key_id}/rotate"
    page = owner.get(path)
    late = owner.post(path, owner.fill(page, {"code": ""}))
    assert late.status == 422
    assert DONE in words(owner.post(path, owner.fill(page, {"code": owner.code()})))

    again = owner.post(path, owner.fill(late, {"code": owner.code()}))
    assert again.headers["location"] == f"/console/keys/{key.key_id}?done=rotate_again"


def test_a_change_of_factors_whose_approval_was_spent_meanwhile_asks_again(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, _ = an_owner(visited)
    approve(visited, owner, Change.RENEW_CODES)
    real = Factors.renew_recovery_codes

    def late(factors: Factors, session: Session) -> object:
        visited.people.step_ups.spend(session, Change.RENEW_CODES, None)
        return real(factors, session)

    monkeypatch.setattr(Factors, "renew_recovery_codes", late)

    reply = owner.post("/console/security/codes")

    assert (reply.status, ASKED in reply.body.decode()) == (422, True)
