"""The people of the house, and who signs in for an account: by role, and each act approved."""

from pathlib import Path

import pytest

from tenure.domain.people import RECOVERY_HOLD_MS, Role
from tests.faces.console.visiting import ORIGIN, Browser, Visited, fields_of, words

PEOPLE = "/console/people"


@pytest.fixture
def admin(visited: Visited) -> Browser:
    return visited.operator()


def link_of(page: str) -> str:
    return page.partition('id="invitation"')[2].partition(">")[2].partition("<")[0]


def test_somebody_is_invited_with_a_role_and_the_link_shown_once(
    visited: Visited, admin: Browser
) -> None:
    path = f"{PEOPLE}/invite"
    assert "Sees accounts, keys, rules" in words(admin.get(path))
    second = admin.post(path, {"email": "grace@example.com", "role": "operator"})
    assert "Whoever opens it first joins with this role" in words(second)
    unproved = admin.post(path, fields_of(second))
    assert unproved.status == 422
    assert 'id="code-error"' in unproved.body.decode()

    form = admin.fill(second, {"code": admin.code()})
    done = admin.post(path, form)

    link = link_of(done.body.decode())
    assert link.startswith(f"{ORIGIN}/console/join/")
    assert visited.nobody().get(link.removeprefix(ORIGIN)).status == 200
    assert "Invited" in words(admin.get(PEOPLE))
    again = admin.post(path, admin.fill(second, {"code": admin.code()}))
    assert again.headers["location"] == f"{PEOPLE}?done=sent"
    assert "A link that was shown is not shown again" in words(admin.get(again.headers["location"]))


@pytest.mark.parametrize(
    ("filled", "field"),
    [
        ({"email": "nobody", "role": "viewer"}, "email-error"),
        ({"email": "grace@example.com", "role": "owner"}, "role-error"),
        ({"email": "grace@example.com", "role": ""}, "role-error"),
        ({"email": "nobody", "role": ""}, "email-error role-error"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_told_beside_the_field(
    admin: Browser, filled: dict[str, str], field: str
) -> None:
    for more in ({}, {"stamp": "1", "code": admin.code()}):
        reply = admin.post(f"{PEOPLE}/invite", {**filled, **more})
        assert reply.status == 422
        assert all(f'id="{each}"' in reply.body.decode() for each in field.split())


def test_who_is_there_is_not_invited_again(admin: Browser) -> None:
    filled = {"email": "administrator0@example.com", "role": "administrator"}
    reply = admin.post(f"{PEOPLE}/invite", filled)

    assert reply.status == 422
    assert "signs in already" in words(reply)


def test_a_role_is_changed_for_that_role_alone(visited: Visited, admin: Browser) -> None:
    other = visited.operator(Role.VIEWER)
    assert other.person is not None
    path = f"{PEOPLE}/{other.person.person_id}"
    page = admin.get(f"{path}?what=role&role=operator")
    said = words(page)
    assert "becomes operator instead of viewer" in said
    assert "Also acts on accounts and keys" in said
    assert "You are the only administrator, so this is done at once." in said
    assert admin.post(f"{path}/role", fields_of(page)).status == 422

    form = admin.fill(page, {"code": admin.code()})
    swapped = [
        ("role", "administrator") if name == "role" else (name, value) for name, value in form
    ]
    done = admin.post(f"{path}/role", form)

    assert done.headers["location"] == f"{PEOPLE}?done=role"
    assert visited.people.find(other.person.person_id).role is Role.OPERATOR
    assert admin.post(f"{path}/role", swapped).status == 422, "that was not approved"
    assert other.get(PEOPLE).status == 303, "signed out"


def test_a_role_that_somebody_has_is_not_said_to_have_been_changed(
    visited: Visited, admin: Browser
) -> None:
    other = visited.operator(Role.VIEWER)
    assert other.person is not None
    path = f"{PEOPLE}/{other.person.person_id}"
    form = {"once": "1", "role": "viewer", "code": admin.code(), "stamp": ""}

    done = admin.post(f"{path}/role", form)

    assert done.headers["location"] == f"{PEOPLE}?done=nothing"
    assert "Nothing was changed" in words(admin.get(done.headers["location"]))


@pytest.mark.parametrize(
    "asked",
    ["what=role&role=owner", "what=role&role=viewer", "what=role", "what=nonsense", ""],
)
def test_nothing_is_offered_that_cannot_be(visited: Visited, admin: Browser, asked: str) -> None:
    other = visited.operator(Role.VIEWER)
    assert other.person is not None

    page = admin.get(f"{PEOPLE}/{other.person.person_id}?{asked}")
    assert page.status == 200
    assert 'name="code"' not in page.body.decode()
    form = {"role": "owner", "code": admin.code()}
    assert admin.post(f"{PEOPLE}/{other.person.person_id}/role", form).status == 422


def test_somebody_is_removed_and_the_last_administrator_is_not(
    visited: Visited, admin: Browser
) -> None:
    other = visited.operator(Role.VIEWER)
    assert other.person is not None
    assert admin.person is not None
    path = f"{PEOPLE}/{other.person.person_id}"
    page = admin.get(f"{path}?what=remove")
    filled = admin.fill(page, {"code": admin.code()})
    done = admin.post(f"{path}/remove", filled)
    assert done.headers["location"] == f"{PEOPLE}?done=remove"
    assert "The person was removed." in words(admin.get(done.headers["location"]))
    assert admin.get(path).status == 404
    assert admin.post(f"{path}/remove", filled).headers["location"] == f"{PEOPLE}?done=sent"

    own = f"{PEOPLE}/{admin.person.person_id}"
    page = admin.get(f"{own}?what=remove")
    last = admin.post(f"{own}/remove", admin.fill(page, {"code": admin.code()}))
    assert last.status == 422
    assert "Nobody could let anybody in any more" in words(last)


def test_roles_open_what_they_may(visited: Visited, admin: Browser) -> None:
    viewer, operator = visited.operator(Role.VIEWER), visited.operator(Role.OPERATOR)
    owner = visited.owner(visited.house.account())
    account = visited.house.account("another@example.com")

    for one, people, invite, owners in (
        (owner, 404, 404, 404),
        (viewer, 200, 403, 403),
        (operator, 200, 403, 200),
        (admin, 200, 200, 200),
    ):
        assert one.get(PEOPLE).status == people
        assert one.get(f"{PEOPLE}/invite").status == invite
        assert one.get(f"/console/owners/{account}").status == owners
    assert "Invite somebody" not in words(viewer.get(PEOPLE))


def step(admin: Browser, account: str, name: str) -> str:
    """Take a step about the owner of an account, and return what it leads to."""
    path = f"/console/owners/{account}"
    page = admin.get(f"{path}?step={name}")
    assert admin.post(f"{path}/{name}", fields_of(page)).status == 422
    reply = admin.post(f"{path}/{name}", admin.fill(page, {"code": admin.code()}))
    return reply.headers.get("location") or link_of(reply.body.decode()) or words(reply)


def test_an_owner_is_invited_by_the_accounts_e_mail(visited: Visited, admin: Browser) -> None:
    account = visited.house.account()
    page = words(admin.get(f"/console/owners/{account}"))
    assert "Nobody was invited yet." in page

    link = step(admin, account, "invite")

    assert "owner@example.com" in words(visited.nobody().get(link.removeprefix(ORIGIN)))
    assert "has not joined yet" in words(admin.get(f"/console/owners/{account}"))
    assert "Nobody has joined yet" in step(admin, account, "begin")


def test_a_link_that_is_loaded_again_leads_to_the_owner(visited: Visited, admin: Browser) -> None:
    path = f"/console/owners/{visited.house.account()}"
    filled = admin.fill(admin.get(f"{path}?step=invite"), {"code": admin.code()})
    assert link_of(admin.post(f"{path}/invite", filled).body.decode())

    again = admin.post(f"{path}/invite", filled)

    assert again.headers["location"] == f"{path}?done=created"
    assert link_of(words(admin.get(again.headers["location"]))) == ""


def test_a_recovery_holds_for_two_days_and_makes_a_link(visited: Visited, admin: Browser) -> None:
    account = visited.house.account()
    visited.owner(account)
    path = f"/console/owners/{account}"
    assert step(admin, account, "begin") == f"{path}?done=begin"
    assert "A recovery is under way already" in step(admin, account, "begin")
    page = words(admin.get(path))
    assert "The owner can object until" in page
    assert "Clear all factors" not in page
    assert "A recovery is under way" in step(admin, account, "complete")

    visited.real.advance(RECOVERY_HOLD_MS)
    # Her own session is over by then, as every other: she signs in again.
    assert admin.person is not None
    begun = visited.people.sign_in.password(admin.person.email, "correct horse battery staple")
    admin.cookies["tenure-session"] = begun.secret.reveal()
    admin.post("/console/sign-in/second", {"code": admin.code()})
    assert "nobody objected" in words(admin.get(path))
    link = step(admin, account, "complete")
    assert visited.nobody().get(link.removeprefix(ORIGIN)).status == 200


def test_a_recovery_is_cancelled(visited: Visited, admin: Browser) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    step(admin, account, "begin")

    assert step(admin, account, "cancel") == f"/console/owners/{account}?done=cancel"
    assert owner.get("/console/security").status == 200
    assert "No recovery is under way" in step(admin, account, "cancel")


def test_an_account_that_is_not_there_has_no_owner(admin: Browser) -> None:
    assert admin.get("/console/owners/acct_" + "0" * 24).status == 404
    assert admin.get("/console/owners/nonsense").status == 404
    assert admin.post("/console/owners/acct_" + "0" * 24 + "/nonsense").status == 404


def test_where_two_administrators_are_each_act_is_proposed_and_waits(
    visited: Visited, admin: Browser
) -> None:
    other = visited.operator()
    assert other.person is not None
    page = admin.post(f"{PEOPLE}/invite", {"email": "grace@example.com", "role": "viewer"})
    assert "another administrator has to approve it within 24 hours" in words(page)
    invited = admin.post(f"{PEOPLE}/invite", admin.fill(page, {"code": admin.code()}))
    path = f"{PEOPLE}/{other.person.person_id}"
    page = admin.get(f"{path}?what=remove")
    removed = admin.post(f"{path}/remove", admin.fill(page, {"code": admin.code()}))

    for reply in (invited, removed):
        assert reply.headers["location"].startswith("/console/operate/approvals/appr_")
    assert len(visited.people.operators()) == 2
    assert len(visited.house.worker.operating.approvals.waiting()) == 2


def test_where_a_second_approval_is_turned_off_the_page_says_so(
    tmp_path: Path,
) -> None:
    visited = Visited.open(tmp_path / "home", second_approval="never")
    try:
        admin, other = visited.operator(), visited.operator()
        assert other.person is not None
        page = admin.get(f"{PEOPLE}/{other.person.person_id}?what=remove")
        assert "a second approval is turned off here" in words(page)
    finally:
        visited.house.close()


def test_what_moved_since_it_was_shown_is_shown_again(visited: Visited, admin: Browser) -> None:
    other = visited.operator(Role.VIEWER)
    assert other.person is not None
    path = f"{PEOPLE}/{other.person.person_id}"
    page = admin.get(f"{path}?what=remove")
    person_id, people = other.person.person_id, visited.people
    visited.house.worker.store.write(
        lambda tx: people.role_in(tx, person_id, Role.OPERATOR, "test")
    )

    reply = admin.post(f"{path}/remove", admin.fill(page, {"code": admin.code()}))

    assert reply.status == 422
    assert "Something changed since this was shown." in words(reply)
    done = admin.post(f"{path}/remove", fields_of(reply))
    assert done.headers["location"] == f"{PEOPLE}?done=remove"


def test_the_page_of_an_account_leads_to_who_signs_in_for_it(
    visited: Visited, admin: Browser
) -> None:
    account = visited.house.account()
    path = f"/console/owners/{account}"

    assert f'href="{path}"' in admin.get(f"/console/operate/accounts/{account}").body.decode()
    assert f'href="/console/operate/accounts/{account}"' in admin.get(path).body.decode()
    viewer = visited.operator(Role.VIEWER)
    assert path not in viewer.get(f"/console/operate/accounts/{account}").body.decode()
