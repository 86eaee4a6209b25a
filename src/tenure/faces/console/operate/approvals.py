"""
Approvals: what waits for a second person, what would follow, and agreeing to it or not.

Whoever proposed it may take it back; only somebody else can approve it. A plan that is another by
now is shown as stale, and can only be proposed anew.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from tenure.domain.approvals import Proposal, Standing
from tenure.domain.errors import Conflict, Forbidden, Invalid
from tenure.domain.people import Role
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import GivenForm
from tenure.faces.console.operate import asking, house, told
from tenure.faces.console.operate.asking import Question
from tenure.faces.console.operate.given import ApprovalId, GivenOperating
from tenure.faces.console.stepping import act_of
from tenure.services.approvals import Approvals
from tenure.services.people.invitations import Invited

PATH: Final = house.APPROVALS_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A proposal in words."""

    proposal: Proposal
    standing: Standing
    title: str
    effects: list[str]
    by: str
    settled_by: str


@get("/approvals", opt=entry.VIEWERS, sync_to_thread=True)
def show(desk: GivenDesk, operating: GivenOperating) -> Response[bytes]:
    """List what waits, and what was settled of late."""
    lines = [_line(desk, proposal) for proposal in operating.approvals.latest()]
    return desk.page(
        "operate/approvals.html.j2",
        waiting=[_line(desk, proposal) for proposal in operating.approvals.waiting()],
        settled=[line for line in lines if line.standing is not Standing.WAITING],
    )


@get("/approvals/{approval_id:str}", opt=entry.VIEWERS, sync_to_thread=True)
def show_one(
    approval_id: ApprovalId, desk: GivenDesk, operating: GivenOperating
) -> Response[bytes]:
    """Show one proposal."""
    return _one(desk, operating.approvals, approval_id)


@post(
    "/approvals/{approval_id:str}/approve",
    opt=entry.ADMINISTRATORS,
    status_code=200,
    sync_to_thread=True,
)
def approve(
    approval_id: ApprovalId, desk: GivenDesk, operating: GivenOperating, form: GivenForm
) -> Response[Any]:
    """Agree to it, which does it."""
    approvals, act = operating.approvals, _act("approve", approval_id)
    by, done = house.signatory(desk), f"{PATH}/{approval_id}?done=approved"
    try:
        outcome = asking.do(desk, act, form, partial(approvals.approve, approval_id, by), done)
    except Invalid as error:
        return _one(desk, approvals, approval_id, told.beside(error, desk.language))
    except (Conflict, Forbidden) as error:
        wrong = told.wrong(error, desk.language)
        return _one(desk, approvals, approval_id, wrong, status=409)
    answer = outcome.done.answer if outcome.done else None
    if isinstance(answer, Invited):
        # Shown once, to whoever approved: to be handed on, for Tenure has nobody's address.
        return _one(desk, approvals, approval_id, link=answer.link.reveal())
    return desk.go(done)


@get("/approvals/{approval_id:str}/withdraw", opt=entry.ADMINISTRATORS, sync_to_thread=True)
def ask_withdraw(
    approval_id: ApprovalId, desk: GivenDesk, operating: GivenOperating
) -> Response[bytes]:
    """Say what taking it back, or turning it down, means."""
    return asking.ask(desk, _withdrawing(desk, operating.approvals, approval_id))


@post(
    "/approvals/{approval_id:str}/withdraw",
    opt=entry.ADMINISTRATORS,
    status_code=200,
    sync_to_thread=True,
)
def withdraw(
    approval_id: ApprovalId, desk: GivenDesk, operating: GivenOperating, form: GivenForm
) -> Response[Any]:
    """Take it back, or turn it down."""
    approvals, by = operating.approvals, house.signatory(desk)
    act, done = _act("withdraw", approval_id), f"{PATH}/{approval_id}?done=turned_down"
    try:
        asking.do(desk, act, form, partial(approvals.withdraw, approval_id, by), done)
    except Invalid as error:
        question = _withdrawing(desk, approvals, approval_id)
        return asking.ask(desk, question, told.beside(error, desk.language))
    except Conflict as error:
        wrong = told.wrong(error, desk.language)
        return _one(desk, approvals, approval_id, wrong, status=409)
    return desk.go(done)


def _withdrawing(desk: Desk, approvals: Approvals, approval_id: str) -> Question:
    proposal = approvals.get(approval_id).proposal
    is_own = desk.signed_in.person.person_id == proposal.by.person_id
    what = desk.say(f"operate.approvals.{'take_back' if is_own else 'turn_down'}")
    page = f"{PATH}/{approval_id}"
    return Question(
        title=what,
        button=what,
        subject=" ".join(told.effects(proposal.effects, desk.language)),
        follows=[desk.say("operate.approvals.withdraw_follows")],
        to=f"{page}/withdraw",
        back=page,
        act=_act("withdraw", approval_id),
        is_danger=True,
    )


def _line(desk: Desk, proposal: Proposal) -> Line:
    settled, language = proposal.settled, desk.language
    return Line(
        proposal=proposal,
        standing=proposal.standing(desk.now_ms),
        title=language.say(f"operate.act.{proposal.act}.title"),
        effects=told.effects(proposal.effects, language),
        by=told.actor(proposal.by.actor, language),
        settled_by=told.actor(settled.by.actor, language) if settled else "",
    )


def _one(  # noqa: PLR0913 - what a page is made of
    desk: Desk,
    approvals: Approvals,
    approval_id: str,
    errors: dict[str, str] | None = None,
    *,
    status: int | None = None,
    link: str = "",
) -> Response[bytes]:
    looked = approvals.get(approval_id)
    person = desk.signed_in.person
    line = _line(desk, looked.proposal)
    may_settle = line.standing is Standing.WAITING and person.role.allows(Role.ADMINISTRATOR)
    is_own = person.person_id == looked.proposal.by.person_id
    return desk.page(
        "operate/approval.html.j2",
        status=status or (422 if errors else 200),
        line=line,
        problem=told.problem(looked.problem, desk.language) if looked.problem else "",
        is_own=is_own,
        may_approve=may_settle and not is_own and not looked.is_stale,
        may_withdraw=may_settle,
        act=_act("approve", approval_id),
        rulebook=looked.proposal.asked.get("rulebook", ""),
        link=link,
        errors=errors or {},
    )


def _act(what: str, approval_id: str) -> str:
    return act_of(f"operate.approvals.{what}", approval_id)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of approvals."""
    return [show, show_one, approve, ask_withdraw, withdraw]
