"""
The routes of people who sign in to the console: invited, listed, removed.

Only operators call them: a platform's back end invites the owners of its accounts, and whoever runs
the house lets the first people in. What people do themselves is in the console.
"""

from typing import Annotated, TypeAlias

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody, PathParameter

from tenure.domain.people import Person, Role
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.approvals import Approvals
from tenure.services.people.facade import People
from tenure.services.people.invitations import Invited

PersonId: TypeAlias = Annotated[str, PathParameter(pattern="^psn_[0-9a-z]{24}$")]


class NewPerson(requests.Body):
    """Somebody of the house to invite: `viewer`, `operator` or `administrator`."""

    email: Annotated[str, msgspec.Meta(max_length=254, extra_json_schema={"format": "email"})]
    role: Role


class PersonView(View):
    """
    Somebody who signs in; an owner names an account.

    `locked_at_ms` is since when codes are not taken any more, `recovery_until_ms` until when an
    owner who is let in again can object; both null otherwise.
    """

    person_id: str
    email: str
    role: Role
    account_id: str | None
    has_joined: bool
    has_totp: bool
    passkeys: int
    recovery_codes_left: int
    created_at_ms: int
    locked_at_ms: int | None
    recovery_until_ms: int | None
    removed_at_ms: int | None


class PeopleView(View):
    """The people of the house, the oldest first."""

    people: list[PersonView]


class InvitationView(View):
    """A one-time link, shown now and never again; it ends at `ends_at_ms` (real time)."""

    person_id: str | None
    email: str | None
    role: Role
    account_id: str | None
    ends_at_ms: int
    link: str


def show(person: Person) -> PersonView:
    """Show a person."""
    return PersonView(
        person_id=person.person_id,
        email=person.email,
        role=person.role,
        account_id=person.account_id,
        has_joined=person.has_joined,
        has_totp=person.has_totp,
        passkeys=len(person.passkeys),
        recovery_codes_left=person.recovery_codes_left,
        created_at_ms=person.created_at_ms,
        locked_at_ms=person.locked_at_ms,
        recovery_until_ms=person.recovery.until_ms if person.recovery else None,
        removed_at_ms=person.removed_at_ms,
    )


def show_invited(invited: Invited) -> InvitationView:
    """Show an invitation, its link included."""
    invitation = invited.invitation
    return InvitationView(
        person_id=invitation.person_id,
        email=invitation.email,
        role=invitation.role,
        account_id=invitation.account_id,
        ends_at_ms=invitation.ends_at_ms,
        link=invited.link.reveal(),
    )


@post(
    "/accounts/{account_id:str}/invitations",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 404, 409, 422, 503),
    sync_to_thread=True,
)
def invite_owner(
    account_id: requests.AccountId, people: Given[People], actor: Given[str]
) -> InvitationView:
    """
    Invite the owner of an account to the console, by the account's e-mail.

    The link works once, for 72 hours; one made before does not any more. 409 `exists` where
    somebody has joined, `on_hold` during a recovery and for 48 hours after a removal.
    """
    return show_invited(people.invitations.of_account(account_id, actor))


@get(
    "/people",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 503),
    sync_to_thread=True,
)
def list_people(people: Given[People]) -> PeopleView:
    """List the people of the house, the oldest first; owners are named by their accounts."""
    return PeopleView(people=[show(person) for person in people.operators()])


@post(
    "/people",
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 409, 413, 422, 503),
    sync_to_thread=True,
)
def invite_person(
    data: JSONBody[NewPerson], people: Given[People], approvals: Given[Approvals], actor: Given[str]
) -> InvitationView:
    """
    Invite somebody of the house; the link works once, for 72 hours.

    403 `approval_required` where two people have to agree.
    """
    approvals.require_alone()
    return show_invited(people.invitations.of_operator(data.email, data.role, actor))


@delete(
    "/people/{person_id:str}",
    status_code=200,
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 404, 409, 422, 503),
    sync_to_thread=True,
)
def remove_person(
    person_id: PersonId, people: Given[People], approvals: Given[Approvals], actor: Given[str]
) -> PersonView:
    """
    Let somebody in no more, at once: an owner, or somebody of the house.

    409 `last_administrator`, and `on_hold` during a recovery; 403 `approval_required` where two
    people have to agree.
    """
    if people.find(person_id).role.is_operators:
        approvals.require_alone()
    return show(people.remove(person_id, actor))


def routes() -> Router:
    """Return what is answered about people, under `/accounts` and `/people`."""
    return Router(
        "/",
        route_handlers=[invite_owner, list_people, invite_person, remove_person],
        tags=["people"],
    )
