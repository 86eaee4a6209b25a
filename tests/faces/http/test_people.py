"""The routes of people: one-time links, who is there, and letting somebody in no more."""

from pathlib import Path

import pytest

from tenure.domain.people import Role
from tenure.services.people.invitations import Joining
from tests.faces.http.managed import Managed, is_problem

UNKNOWN = "psn_" + "0" * 24
PASSWORD = "correct horse battery staple"


def join(managed: Managed, link: str) -> None:
    """Take the invitation behind *link*."""
    secret = link.rpartition("/")[2]
    managed.house.worker.people.invitations.accept(secret, Joining(password=PASSWORD))


def test_an_owner_is_invited_by_a_link_that_is_shown_once(managed: Managed) -> None:
    account_id = managed.account(email="owner@example.com")
    route = f"/v1/accounts/{account_id}/invitations"

    invited = managed.tell("POST", route, status=201)

    assert invited["link"].startswith("http://localhost:8080/console/join/")
    assert (invited["email"], invited["role"]) == ("owner@example.com", "owner")
    assert invited["account_id"] == account_id
    secret = invited["link"].rpartition("/")[2]
    assert secret not in str(managed.tell("GET", "/v1/events"))
    join(managed, invited["link"])
    assert is_problem(managed.ask("POST", route), 409, "exists")


def test_the_people_of_the_house_are_invited_listed_and_removed(managed: Managed) -> None:
    given = {"email": "ada@example.com", "role": "administrator"}
    invited = managed.tell("POST", "/v1/people", given, status=201)
    (listed,) = managed.tell("GET", "/v1/people")["people"]
    assert (listed["person_id"], listed["has_joined"]) == (invited["person_id"], False)
    assert "link" not in listed

    removed = managed.tell("DELETE", f"/v1/people/{invited['person_id']}")

    assert removed["removed_at_ms"] > 0
    assert managed.tell("GET", "/v1/people") == {"people": []}
    assert is_problem(managed.ask("DELETE", f"/v1/people/{invited['person_id']}"), 404, "not_found")
    tags = [event["tag"] for event in managed.tell("GET", "/v1/events")["events"]]
    assert tags[-2:] == ["person:invited", "person:removed"]


def test_the_last_administrator_is_not_removed(managed: Managed) -> None:
    given = {"email": "ada@example.com", "role": "administrator"}
    invited = managed.tell("POST", "/v1/people", given, status=201)
    join(managed, invited["link"])

    reply = managed.ask("DELETE", f"/v1/people/{invited['person_id']}")
    assert is_problem(reply, 409, "last_administrator")


def test_during_a_recovery_an_account_stays_frozen_and_its_owner_there(managed: Managed) -> None:
    account_id = managed.account()
    route = f"/v1/accounts/{account_id}"
    invited = managed.tell("POST", f"{route}/invitations", status=201)
    join(managed, invited["link"])
    managed.house.worker.people.recovery.begin(account_id, "test")

    assert is_problem(managed.ask("POST", f"{route}/unfreeze"), 409, "on_hold")
    assert is_problem(managed.ask("DELETE", f"/v1/people/{invited['person_id']}"), 409, "on_hold")


@pytest.mark.parametrize(
    "given",
    [
        {"email": "ada@example.com"},
        {"email": "ada", "role": "viewer"},
        {"email": "ada@example.com", "role": "owner"},
        {"email": "ada@example.com", "role": "king"},
        {"email": "ada@example.com", "role": "viewer", "password": PASSWORD},
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused(shared: Managed, given: object) -> None:
    assert is_problem(shared.ask("POST", "/v1/people", given), 422, "invalid")


def test_somebody_who_is_not_there_is_not_found(shared: Managed) -> None:
    unknown = "acct_" + "0" * 24
    assert is_problem(shared.ask("DELETE", f"/v1/people/{UNKNOWN}"), 404, "not_found")
    assert is_problem(shared.ask("DELETE", "/v1/people/ada"), 404, "not_found")
    reply = shared.ask("POST", f"/v1/accounts/{unknown}/invitations")
    assert is_problem(reply, 404, "not_found")


def test_where_two_have_to_agree_the_operator_token_is_nobody(tmp_path: Path) -> None:
    """The owner of an account concerns no house."""
    managed = Managed.open(tmp_path / "home", second_approval="always")
    given = {"email": "ada@example.com", "role": str(Role.VIEWER)}
    reply = managed.ask("POST", "/v1/people", given)
    assert is_problem(reply, 403, "approval_required")
    people = managed.house.worker.people
    viewer = people.invitations.of_operator("ada@example.com", Role.VIEWER, "test").invitation
    assert viewer.person_id is not None
    reply = managed.ask("DELETE", f"/v1/people/{viewer.person_id}")
    assert is_problem(reply, 403, "approval_required")

    account_id = managed.account()
    invited = managed.tell("POST", f"/v1/accounts/{account_id}/invitations", status=201)
    managed.tell("DELETE", f"/v1/people/{invited['person_id']}")
    managed.house.close()
