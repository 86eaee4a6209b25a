"""
Putting forward what concerns the whole house: shown, confirmed, and done or proposed.

The same for every such act. What it means is planned in `services.house_acts`; whether a second
person has to agree, and how, is the business of `services.approvals`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from litestar import Response

from tenure.domain.approvals import Act, Asked, Signatory
from tenure.domain.errors import Conflict, Forbidden, Invalid
from tenure.faces.console.desk import Desk
from tenure.faces.console.forms import Form
from tenure.faces.console.operate import asking, told
from tenure.faces.console.operate.asking import Question
from tenure.faces.console.stepping import act_of
from tenure.services.approvals import Approvals, Outcome, Shown

APPROVALS_PATH: Final = "/console/operate/approvals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Putting:
    """
    An act of the house as a page puts it: what is asked for, and where the form goes.

    *more* is what follows besides what the plan says, in words.
    """

    act: Act
    asked: Asked
    to: str
    back: str
    subject: str = ""
    hidden: tuple[tuple[str, str], ...] = ()
    is_danger: bool = False
    more: tuple[str, ...] = ()

    @property
    def bound_to(self) -> str:
        """What the second factor approves: this very act."""
        return act_of(f"operate.house.{self.act}", dict(self.asked))


def signatory(desk: Desk) -> Signatory:
    """Return who is signed in, as somebody who proposes or approves."""
    visitor = desk.signed_in
    return Signatory(visitor.person.person_id, visitor.actor)


def look(desk: Desk, approvals: Approvals, putting: Putting) -> Shown:
    """Return what would follow; raises Invalid, NotFound and Conflict."""
    return approvals.look(putting.act, putting.asked, signatory(desk))


def question(desk: Desk, putting: Putting, shown: Shown) -> Question:
    """Return the page's question: what would follow, and whether a second person has to agree."""
    name = f"operate.act.{putting.act}"
    second = "needed" if shown.needs_second else "alone" if shown.able <= 1 else "off"
    return Question(
        title=desk.say(f"{name}.title"),
        button=desk.say(f"{name}.propose" if shown.needs_second else f"{name}.button"),
        subject=putting.subject,
        follows=[*told.effects(shown.plan.effects, desk.language), *putting.more],
        to=putting.to,
        back=putting.back,
        act=putting.bound_to,
        is_danger=putting.is_danger,
        hidden=(*putting.hidden, ("stamp", shown.stamp)),
        notes=[desk.say(f"operate.second.{second}")],
    )


def ask(
    desk: Desk, approvals: Approvals, putting: Putting, errors: dict[str, str] | None = None
) -> Response[bytes]:
    """Show what would follow, and ask for a second factor; raises as `look`."""
    return asking.ask(desk, question(desk, putting, look(desk, approvals, putting)), errors)


def take(
    desk: Desk, approvals: Approvals, putting: Putting, form: Form, done: str
) -> Response[Any]:
    """Do it or propose it, and go where it is *done*; what is wrong stands in the question."""
    try:
        outcome = put_forward(desk, approvals, putting, form, done)
    except (Invalid, Conflict, Forbidden) as error:
        return ask(desk, approvals, putting, told.wrong(error, desk.language))
    return after(desk, outcome, done)


def put_forward(
    desk: Desk, approvals: Approvals, putting: Putting, form: Form, done: str
) -> Outcome:
    """
    Do it, or propose it, as what was shown; raises Invalid `code`, Conflict, Forbidden.

    Whoever sends *form* again is led to where it is *done*, which says that it was sent before.
    A form that confirms nothing is answered by the plan: Conflict `confirmation_required`.
    """
    stamp = form.one("stamp") or None
    act = partial(approvals.put_forward, putting.act, putting.asked, stamp, signatory(desk))
    return asking.do(desk, putting.bound_to, form, act, _sent(done))


def after(desk: Desk, outcome: Outcome, done: str) -> Response[Any]:
    """Go to where it is done, or to the proposal that waits now."""
    if outcome.proposal is not None:
        return desk.go(f"{APPROVALS_PATH}/{outcome.proposal.approval_id}?done=proposed")
    if outcome.done is not None and not outcome.done.seq:
        return asking.go(desk, done.partition("?")[0], "nothing")
    return desk.go(done)


def require_new(desk: Desk, putting: Putting, form: Form, done: str) -> None:
    """Raise DoneBefore as `put_forward` does, where more than the form is looked at before it."""
    desk.require_new(putting.bound_to, form, _sent(done))


def _sent(done: str) -> str:
    # It was done, or only proposed: which of the two does not stand in what the form did.
    return f"{done.partition('?')[0]}?done=sent"
