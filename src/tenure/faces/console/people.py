"""
People: who of the house signs in, with which role; invited, changed and removed by administrators.

Each act asks for a second factor, for this act alone. A link is shown once, and is to be handed
over by whoever made it: Tenure has nobody's address but an owner's.
"""

from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, Router, get, post
from litestar.params import PathParameter

from tenure.domain.errors import Conflict, Invalid, TenureError
from tenure.domain.people import Role
from tenure.faces.console import entry, joining
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import GivenPeople
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.stepping import act_of
from tenure.services.people.facade import People
from tenure.services.people.invitations import Invited, require_email

PAGE: Final = "/console/people"
ROLES: Final = tuple(role for role in Role if role.is_operators)
PersonId: TypeAlias = Annotated[str, PathParameter(pattern=r"^psn_[0-9a-z]{24}$")]


def wrong_with(desk: Desk, error: TenureError) -> dict[str, str]:
    """Return what is wrong by field; what is none's stands above the form."""
    if isinstance(error, Invalid):
        return joining.beside(desk, error)
    code = error.code
    return {"form": desk.language.texts.get(f"people.{code}") or error.message}


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
    return _invite_form(desk, Form({}))


@post("/people/invite", opt=entry.ADMINISTRATORS, status_code=200, sync_to_thread=True)
def invite(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Say what follows and ask for a second factor, then make the link."""
    email, role = form.one("email").strip(), form.one("role")
    act = act_of("people.invite", email, role)
    try:
        chosen = _role(role)
        require_email(email)
        if not form.has("act"):
            return _invite_form(desk, form, act)
        desk.approve(act, form)
        desk.enter(act, form)
        invited = people.invitations.of_operator(email, chosen, desk.signed_in.actor)
    except (Invalid, Conflict) as error:
        return _invite_form(desk, form, act, wrong_with(desk, error))
    desk.spend(act)
    return link_page(desk, invited, to=PAGE)


@get("/people/{person_id:str}", opt=entry.ADMINISTRATORS, sync_to_thread=True)
def show_one(person_id: PersonId, desk: GivenDesk, people: GivenPeople) -> Response[bytes]:
    """Show one person of the house, and what may be done about her."""
    return _one(desk, people, person_id, (desk.asked.get("what", ""), desk.asked.get("role", "")))


@post(
    "/people/{person_id:str}/role", opt=entry.ADMINISTRATORS, status_code=200, sync_to_thread=True
)
def change_role(
    person_id: PersonId, desk: GivenDesk, people: GivenPeople, form: GivenForm
) -> Response[Any]:
    """Give somebody another role."""
    act = _act("role", person_id, form.one("role"))
    try:
        role = _role(form.one("role"))
        desk.approve(act, form)
        people.change_role(person_id, role, desk.signed_in.actor)
    except (Invalid, Conflict) as error:
        wrong = wrong_with(desk, error)
        return _one(desk, people, person_id, ("role", form.one("role")), wrong)
    desk.spend(act)
    return desk.go(f"{PAGE}?done=role")


@post(
    "/people/{person_id:str}/remove",
    opt=entry.ADMINISTRATORS,
    status_code=200,
    sync_to_thread=True,
)
def remove(
    person_id: PersonId, desk: GivenDesk, people: GivenPeople, form: GivenForm
) -> Response[Any]:
    """Let somebody in no more."""
    act = _act("remove", person_id)
    try:
        desk.approve(act, form)
        people.remove(person_id, desk.signed_in.actor)
    except (Invalid, Conflict) as error:
        return _one(desk, people, person_id, ("remove", ""), wrong_with(desk, error))
    desk.spend(act)
    return desk.go(f"{PAGE}?done=remove")


def _act(what: str, person_id: str, role: str = "") -> str:
    return act_of(f"people.{what}", person_id, role)


def _role(text: str) -> Role:
    if text not in {str(role) for role in ROLES}:
        raise Invalid("role", "choose one of the roles that are offered")
    return Role(text)


def _one(
    desk: Desk,
    known: People,
    person_id: str,
    chosen: tuple[str, str],
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    what, role = chosen
    if what not in {"role", "remove"} or (what == "role" and role not in ROLES):
        what = ""
    return desk.page(
        "person.html.j2",
        status=422 if errors else 200,
        person=known.find(person_id),
        roles=ROLES,
        what=what,
        role=role if what == "role" else "",
        act=_act(what, person_id, role if what == "role" else ""),
        errors=errors or {},
    )


def _invite_form(
    desk: Desk, form: Form, act: str = "", errors: dict[str, str] | None = None
) -> Response[bytes]:
    return desk.page(
        "people_invite.html.j2",
        status=422 if errors else 200,
        roles=ROLES,
        email=form.one("email").strip(),
        role=form.one("role") or str(Role.VIEWER),
        act=act,
        errors=errors or {},
    )


def routes() -> Router:
    """Return the pages about the people of the house."""
    return Router("/", route_handlers=[show, ask_invite, invite, show_one, change_role, remove])
