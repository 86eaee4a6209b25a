"""
Revoking many keys at once: by label, by account tree, by when they were issued.

Counted first, confirmed with the stamp of what was shown. One account and its sub-accounts is an
operator's business; across accounts it concerns the whole house, and is an administrator's.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.approvals import Act
from tenure.domain.errors import Conflict, Forbidden, Invalid
from tenure.domain.marks import MarkPlan, Selection
from tenure.domain.people import Role
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.operate import asking, house, instants, told
from tenure.faces.console.operate.asking import Question
from tenure.faces.console.operate.given import GivenOperating
from tenure.faces.console.operate.house import Putting
from tenure.faces.console.stepping import act_of
from tenure.services.house_acts import selection_asked
from tenure.services.languages import Language
from tenure.services.operating import Operating
from tenure.services.revocations import Revocations, Shown

PATH: Final = "/console/operate/revocations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the form has in its fields, or was sent with."""

    label: str = ""
    account: str = ""
    issued_before: str = ""

    @classmethod
    def of(cls, form: Form) -> "Filled":
        """Read what was sent."""
        return cls(
            label=form.one("label").strip(),
            account=form.one("account").strip(),
            issued_before=form.one("issued_before").strip(),
        )

    def selection(self, operating: Operating, language: Language) -> Selection:
        """Return which keys are meant; raises Invalid."""
        account_id = self._account_id(operating, language) if self.account else None
        before_ms = instants.read("issued_before", self.issued_before, language)
        if not self.label and account_id is None and before_ms is None:
            raise Invalid("form", language.say("operate.revocations.nothing_selected"))
        return Selection.of(self.label or None, account_id, before_ms)

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """The fields, for a form that sends them again."""
        return (
            ("label", self.label),
            ("account", self.account),
            ("issued_before", self.issued_before),
        )

    def _account_id(self, operating: Operating, language: Language) -> str:
        """Return the id of the account that is named by it, or by its e-mail."""
        found = [item.account for item in operating.search.find(self.account).accounts]
        named = [each for each in found if self.account in {each.account_id, each.email}]
        if not named:
            raise Invalid("account", language.say("operate.revocations.no_account"))
        return named[0].account_id


@get("/revocations", opt=entry.VIEWERS, sync_to_thread=True)
def show(desk: GivenDesk, revocations: Given[Revocations]) -> Response[bytes]:
    """Show what was revoked together, and ask what to revoke."""
    filled = Filled(
        label=desk.asked.get("label", ""),
        account=desk.asked.get("account", ""),
        issued_before=desk.asked.get("issued_before", ""),
    )
    return _form(desk, revocations, filled)


@post("/revocations/preview", opt=entry.OPERATORS, status_code=200, sync_to_thread=True)
def preview(
    desk: GivenDesk, revocations: Given[Revocations], operating: GivenOperating, form: GivenForm
) -> Response[bytes]:
    """Count the keys, and show some; changes nothing."""
    filled = Filled.of(form)
    if form.has("back"):
        return _form(desk, revocations, filled)
    return _previewed(desk, revocations, operating, filled)


@post("/revocations", opt=entry.OPERATORS, status_code=200, sync_to_thread=True)
def commit(
    desk: GivenDesk, revocations: Given[Revocations], operating: GivenOperating, form: GivenForm
) -> Response[Any]:
    """Revoke them, or propose to."""
    filled, done = Filled.of(form), f"{PATH}?done=revoked"
    try:
        selection = filled.selection(operating, desk.language)
        if selection.account_id is None:
            putting = _putting(filled, selection)
            _require_administrator(desk)
            outcome = house.put_forward(desk, operating.approvals, putting, form, done)
            return house.after(desk, outcome, done)
        stamp = form.one("stamp") or None
        revoke = partial(revocations.commit, selection, stamp, desk.signed_in.actor)
        asking.do(desk, _act(selection), form, revoke, f"{PATH}?done=sent")
    except (Invalid, Conflict) as error:
        wrong = told.wrong(error, desk.language)
        return _previewed(desk, revocations, operating, filled, wrong)
    return desk.go(done)


def _previewed(
    desk: Desk,
    revocations: Revocations,
    operating: Operating,
    filled: Filled,
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    try:
        selection = filled.selection(operating, desk.language)
        shown = revocations.preview(selection)
    except Invalid as error:
        return _form(desk, revocations, filled, told.beside(error, desk.language))
    if not shown.plan.matched:
        nobody = {"form": desk.say("operate.revocations.nobody")}
        return _form(desk, revocations, filled, nobody)
    is_house = selection.account_id is None
    if is_house:
        putting = _putting(filled, selection)
        look = house.look(desk, operating.approvals, putting)
        question = house.question(desk, putting, look)
    else:
        question = _question(desk, filled, shown)
    return asking.ask(
        desk,
        question,
        errors,
        template="operate/revocations_preview.html.j2",
        plan=shown.plan,
        kinds=told.kinds(
            {str(kind): keys for kind, keys in shown.plan.by_kind.items()}, desk.language
        ),
        filled=filled,
        may_act=not is_house or _is_administrator(desk),
    )


def _form(
    desk: Desk, revocations: Revocations, filled: Filled, errors: dict[str, str] | None = None
) -> Response[bytes]:
    return desk.page(
        "operate/revocations.html.j2",
        status=422 if errors else 200,
        filled=filled,
        marks=list(reversed(revocations.every())),
        errors=errors or {},
    )


def _putting(filled: Filled, selection: Selection) -> Putting:
    return Putting(
        act=Act.REVOKE_KEYS,
        asked=selection_asked(selection),
        subject=filled.label,
        to=PATH,
        back=PATH,
        hidden=filled.hidden,
        is_danger=True,
    )


def _question(desk: Desk, filled: Filled, shown: Shown) -> Question:
    plan: MarkPlan = shown.plan
    return Question(
        title=desk.say("operate.act.revoke_keys.title"),
        button=desk.say("operate.act.revoke_keys.button"),
        subject=filled.account,
        follows=[
            desk.say("operate.effect.keys_revoked.tree", keys=desk.language.number(plan.matched))
        ],
        to=PATH,
        back=PATH,
        act=_act(plan.selection),
        is_danger=True,
        hidden=(*filled.hidden, ("stamp", shown.stamp)),
    )


def _act(selection: Selection) -> str:
    return act_of(
        "operate.revoke_tree",
        selection.account_id,
        selection.label,
        selection.issued_before_ms,
    )


def _is_administrator(desk: Desk) -> bool:
    return desk.signed_in.person.role.allows(Role.ADMINISTRATOR)


def _require_administrator(desk: Desk) -> None:
    if not _is_administrator(desk):
        raise Forbidden("Only an administrator may do this.", code="administrator")


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that revoke many keys at once."""
    return [show, preview, commit]
