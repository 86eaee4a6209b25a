"""
People: who of the house signs in, with which role; invited, changed and removed by administrators.

Each of these concerns the whole house: what follows is shown, a second factor is asked for, and
where two people have to agree it is proposed and waits (`services.approvals`). A link is shown
once, and is to be handed over by whoever made it: Tenure has nobody's address but an owner's.
"""

from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.approvals import Act
from tenure.domain.errors import Conflict, Forbidden, Invalid
from tenure.domain.people import Role
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import GivenPeople
from tenure.faces.console.forms import GivenForm
from tenure.faces.console.operate import asking, house, told
from tenure.faces.console.operate.given import GivenOperating
from tenure.faces.console.operate.house import Putting
from tenure.services.people.invitations import Invited

PAGE: Final = "/console/people"
ROLES: Final = tuple(role for role in Role if role.is_operators)
PersonId: TypeAlias = Annotated[str, PathParameter(pattern=r"^psn_[0-9a-z]{24}$")]


def link_page(desk: Desk, invited: Invited, *, to: str) -> Response[bytes]:
    """Show a link, once; *to* is where to go on."""
    return desk.page(
        "invited.html.j2", invitation=invited.invitation, link=invited.link.reveal(), to=to
    )


@get("/people", opt=entry.VIEWERS, sync_to_thread=True)
def show(desk: GivenDesk, people: GivenPeople) -> Response[bytes]:
    """List the people of the house."""
    return desk.page("people.html.j2", people=people.operators())


@get("/people/invite", opt=entry.ADMINISTRATORS, sync_to_thread=True)
def ask_invite(desk: GivenDesk) -> Response[bytes]:
    """Ask whom to invite, as what."""
    return _invite_form(desk, "", str(Role.VIEWER))


@post("/people/invite", opt=entry.ADMINISTRATORS, status_code=200, sync_to_thread=True)
def invite(desk: GivenDesk, operating: GivenOperating, form: GivenForm) -> Response[Any]:
    """Say what follows and ask for a second factor, then make the link, or propose it."""
    email, role, approvals = form.one("email").strip(), form.one("role"), operating.approvals
    putting = _inviting(desk, email, role)
    house.require_new(desk, putting, form, PAGE)
    try:
        question = house.question(desk, putting, house.look(desk, approvals, putting))
    except (Invalid, Conflict) as error:
        return _invite_form(desk, email, role, told.wrong(error, desk.language))
    if not form.has("stamp"):
        return asking.ask(desk, question)
    try:
        outcome = house.put_forward(desk, approvals, putting, form, PAGE)
    except (Invalid, Conflict, Forbidden) as error:
        return asking.ask(desk, question, told.wrong(error, desk.language))
    if outcome.done is not None and isinstance(outcome.done.answer, Invited):
        return link_page(desk, outcome.done.answer, to=PAGE)
    return house.after(desk, outcome, PAGE)


@get("/people/{person_id:str}", opt=entry.ADMINISTRATORS, sync_to_thread=True)
def show_one(
    person_id: PersonId, desk: GivenDesk, people: GivenPeople, operating: GivenOperating
) -> Response[bytes]:
    """Show one person of the house, and what may be done about her; or ask before it is."""
    what, role = desk.asked.get("what"), desk.asked.get("role", "")
    person = people.find(person_id)
    if what == "remove":
        return house.ask(desk, operating.approvals, _removal(person_id))
    if what == "role" and role in ROLES and role != person.role:
        return house.ask(desk, operating.approvals, _promotion(desk, person_id, role))
    return desk.page("person.html.j2", person=person, roles=ROLES)


@post(
    "/people/{person_id:str}/role", opt=entry.ADMINISTRATORS, status_code=200, sync_to_thread=True
)
def change_role(
    person_id: PersonId,
    desk: GivenDesk,
    operating: GivenOperating,
    form: GivenForm,
) -> Response[Any]:
    """Give somebody another role, or propose to; raises Invalid `role` for one that is none."""
    role = form.one("role")
    if role not in ROLES:
        raise Invalid("role", desk.say("operate.wrong.role"))
    putting = _promotion(desk, person_id, role)
    return house.take(desk, operating.approvals, putting, form, f"{PAGE}?done=role")


@post(
    "/people/{person_id:str}/remove",
    opt=entry.ADMINISTRATORS,
    status_code=200,
    sync_to_thread=True,
)
def remove(
    person_id: PersonId,
    desk: GivenDesk,
    operating: GivenOperating,
    form: GivenForm,
) -> Response[Any]:
    """Let somebody in no more, or propose to."""
    putting = _removal(person_id)
    return house.take(desk, operating.approvals, putting, form, f"{PAGE}?done=remove")


def _inviting(desk: Desk, email: str, role: str) -> Putting:
    return Putting(
        act=Act.INVITE_OPERATOR,
        asked={"email": email, "role": role},
        subject=email,
        to=f"{PAGE}/invite",
        back=f"{PAGE}/invite",
        hidden=(("email", email), ("role", role)),
        more=(desk.say("people.invite_follows"),),
    )


def _promotion(desk: Desk, person_id: str, role: str) -> Putting:
    return Putting(
        act=Act.CHANGE_ROLE,
        asked={"person_id": person_id, "role": role},
        to=f"{PAGE}/{person_id}/role",
        back=f"{PAGE}/{person_id}",
        hidden=(("role", role),),
        more=(f"{desk.say(f'role.{role}')}: {desk.say(f'role.{role}.may')}",),
    )


def _removal(person_id: str) -> Putting:
    return Putting(
        act=Act.REMOVE_OPERATOR,
        asked={"person_id": person_id},
        to=f"{PAGE}/{person_id}/remove",
        back=f"{PAGE}/{person_id}",
        is_danger=True,
    )


def _invite_form(
    desk: Desk, email: str, role: str, errors: dict[str, str] | None = None
) -> Response[bytes]:
    return desk.page(
        "people_invite.html.j2",
        status=422 if errors else 200,
        roles=ROLES,
        email=email,
        role=role,
        errors=errors or {},
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the pages about the people of the house."""
    return [show, ask_invite, invite, show_one, change_role, remove]
