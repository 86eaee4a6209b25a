"""
People: who of the house signs in, with which role; invited, changed and removed by administrators.

Each of these concerns the whole house: what follows is shown, a second factor is asked for, and
where two people have to agree it is proposed and waits (`services.approvals`). A link is shown
once, and is to be handed over by whoever made it: Tenure has nobody's address but an owner's.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, SkipValidation

from tenure.domain.approvals import Act, Asked, Signatory
from tenure.domain.errors import Conflict, Forbidden, Gathered, Invalid, TenureError
from tenure.domain.people import Role
from tenure.faces.console import entry, joining
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import GivenPeople
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.stepping import act_of
from tenure.services.approvals import Approvals, Outcome, Shown
from tenure.services.people.facade import People
from tenure.services.people.invitations import Invited, require_email

PAGE: Final = "/console/people"
PROPOSALS: Final = "/console/operate/approvals"
ROLES: Final = tuple(role for role in Role if role.is_operators)
PersonId: TypeAlias = Annotated[str, PathParameter(pattern=r"^psn_[0-9a-z]{24}$")]
GivenApprovals: TypeAlias = Given[SkipValidation[Approvals]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an administrator wants of the house: an act, and what it is asked with."""

    act: Act
    asked: Asked

    @property
    def name(self) -> str:
        """What a second factor for it is bound to: it and nothing else."""
        return act_of(f"people.{self.act}", dict(self.asked))

    def look(self, desk: Desk, approvals: Approvals) -> Shown:
        """Return what would follow; raises Invalid, NotFound and Conflict."""
        return approvals.look(self.act, self.asked, _signatory(desk))

    def put_forward(self, desk: Desk, approvals: Approvals, form: Form) -> Outcome:
        """Do it, or propose it, once a second factor approves it; raises as its planner."""
        stamp = form.one("stamp") or None
        with desk.acting(self.name, form):
            return approvals.put_forward(self.act, self.asked, stamp, _signatory(desk))


def wrong_with(desk: Desk, error: TenureError) -> dict[str, str]:
    """Return what is wrong by field; what is none's stands above the form."""
    if isinstance(error, Invalid):
        return joining.beside(desk, error)
    return {"form": desk.language.texts.get(f"people.{error.code}") or error.message}


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
def invite(desk: GivenDesk, approvals: GivenApprovals, form: GivenForm) -> Response[Any]:
    """Say what follows and ask for a second factor, then make the link."""
    email, role = form.one("email").strip(), form.one("role")
    wish = Wish(act=Act.INVITE_OPERATOR, asked={"email": email, "role": role})
    gathered = Gathered()
    gathered.look(lambda: _require_role(role), None)
    gathered.look(lambda: require_email(email), None)
    try:
        gathered.settle()
        shown = wish.look(desk, approvals)
    except (Invalid, Conflict) as error:
        return _invite_form(desk, form, errors=wrong_with(desk, error))
    ask = partial(_invite_form, desk, form, wish, shown)
    if not form.has("stamp"):
        return ask()
    try:
        outcome = wish.put_forward(desk, approvals, form)
    except (Invalid, Conflict, Forbidden) as error:
        return ask(wrong_with(desk, error))
    if outcome.done is not None and isinstance(outcome.done.answer, Invited):
        return link_page(desk, outcome.done.answer, to=PAGE)
    return _after(desk, outcome, "invite")


@get("/people/{person_id:str}", opt=entry.ADMINISTRATORS, sync_to_thread=True)
def show_one(
    person_id: PersonId, desk: GivenDesk, people: GivenPeople, approvals: GivenApprovals
) -> Response[bytes]:
    """Show one person of the house, and what may be done about her."""
    what, role = desk.asked.get("what"), desk.asked.get("role", "")
    if what == "remove":
        return _one(desk, people, approvals, person_id, _removal(person_id))
    if what == "role" and role in ROLES:
        return _one(desk, people, approvals, person_id, _promotion(person_id, role))
    return _one(desk, people, approvals, person_id, None)


@post(
    "/people/{person_id:str}/role", opt=entry.ADMINISTRATORS, status_code=200, sync_to_thread=True
)
def change_role(
    person_id: PersonId,
    desk: GivenDesk,
    people: GivenPeople,
    approvals: GivenApprovals,
    form: GivenForm,
) -> Response[Any]:
    """Give somebody another role."""
    try:
        _require_role(form.one("role"))
    except Invalid as error:
        return _one(desk, people, approvals, person_id, None, wrong_with(desk, error))
    wish = _promotion(person_id, form.one("role"))
    return _put_forward(desk, people, approvals, wish, form)


@post(
    "/people/{person_id:str}/remove",
    opt=entry.ADMINISTRATORS,
    status_code=200,
    sync_to_thread=True,
)
def remove(
    person_id: PersonId,
    desk: GivenDesk,
    people: GivenPeople,
    approvals: GivenApprovals,
    form: GivenForm,
) -> Response[Any]:
    """Let somebody in no more."""
    return _put_forward(desk, people, approvals, _removal(person_id), form)


def _put_forward(
    desk: Desk, known: People, approvals: Approvals, wish: Wish, form: Form
) -> Response[Any]:
    try:
        outcome = wish.put_forward(desk, approvals, form)
    except (Invalid, Conflict, Forbidden) as error:
        person_id = str(wish.asked["person_id"])
        return _one(desk, known, approvals, person_id, wish, wrong_with(desk, error))
    return _after(desk, outcome, "remove" if wish.act is Act.REMOVE_OPERATOR else "role")


def _after(desk: Desk, outcome: Outcome, done: str) -> Response[Any]:
    if outcome.proposal is not None:
        return desk.go(f"{PROPOSALS}/{outcome.proposal.approval_id}?done=proposed")
    return desk.go(f"{PAGE}?done={done}")


def _promotion(person_id: str, role: str) -> Wish:
    return Wish(act=Act.CHANGE_ROLE, asked={"person_id": person_id, "role": role})


def _removal(person_id: str) -> Wish:
    return Wish(act=Act.REMOVE_OPERATOR, asked={"person_id": person_id})


def _signatory(desk: Desk) -> Signatory:
    visitor = desk.signed_in
    return Signatory(visitor.person.person_id, visitor.actor)


def _require_role(text: str) -> None:
    if text not in {str(role) for role in ROLES}:
        raise Invalid("role", "choose one of the roles that are offered")


def _one(  # noqa: PLR0913, PLR0917 - what a page is made of
    desk: Desk,
    known: People,
    approvals: Approvals,
    person_id: str,
    wish: Wish | None,
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    person = known.find(person_id)
    shown = wish.look(desk, approvals) if wish is not None else None
    return desk.page(
        "person.html.j2",
        status=422 if errors else 200,
        person=person,
        roles=ROLES,
        what="" if wish is None else "remove" if wish.act is Act.REMOVE_OPERATOR else "role",
        role="" if wish is None else str(wish.asked.get("role", "")),
        act=wish.name if wish is not None else "",
        shown=shown,
        errors=errors or {},
    )


def _invite_form(
    desk: Desk,
    form: Form,
    wish: Wish | None = None,
    shown: Shown | None = None,
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    return desk.page(
        "people_invite.html.j2",
        status=422 if errors else 200,
        roles=ROLES,
        email=form.one("email").strip(),
        role=form.one("role") or str(Role.VIEWER),
        act=wish.name if wish is not None else "",
        shown=shown,
        errors=errors or {},
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the pages about the people of the house."""
    return [show, ask_invite, invite, show_one, change_role, remove]
