"""
Who signs in for an account, as operators see it: inviting the owner, and letting one in again.

A recovery holds for 48 hours in which the owner can object and the keys are frozen (SECURITY T41);
what each step means is said before it is taken, and each asks for a second factor.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.errors import Conflict, Invalid
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import GivenPeople
from tenure.faces.console.forms import GivenForm
from tenure.faces.console.operate import told
from tenure.faces.console.people import link_page
from tenure.faces.console.requests import AccountId
from tenure.faces.console.stepping import act_of
from tenure.services.accounts import Accounts
from tenure.services.people.facade import People
from tenure.services.people.invitations import Invited

_LINKING: Final = ("invite", "complete")
"""The steps that show a link, once."""
_STEPS: Final = ("invite", "begin", "complete", "cancel")
Step: TypeAlias = Annotated[str, PathParameter(pattern=r"^(?:invite|begin|complete|cancel)$")]


def page_of(account_id: str) -> str:
    """Return where the owner of an account is looked after."""
    return f"/console/owners/{account_id}"


@get("/owners/{account_id:str}", opt=entry.OPERATORS, sync_to_thread=True)
def show(
    account_id: AccountId, desk: GivenDesk, people: GivenPeople, accounts: Given[Accounts]
) -> Response[bytes]:
    """Show who signs in for an account, and what may be done about it."""
    return _show(desk, people, accounts, account_id)


@post(
    "/owners/{account_id:str}/{step:str}", opt=entry.OPERATORS, status_code=200, sync_to_thread=True
)
def act(  # noqa: PLR0913, PLR0917 - what the framework hands in
    account_id: AccountId,
    step: Step,
    desk: GivenDesk,
    people: GivenPeople,
    accounts: Given[Accounts],
    form: GivenForm,
) -> Response[Any]:
    """Take one step, once a second factor approves it."""
    name, actor = act_of(f"owners.{step}", account_id), desk.signed_in.actor
    again = f"{page_of(account_id)}?done={'created' if step in _LINKING else step}"
    try:
        with desk.acting(name, form, again):
            done = _steps(people)[step](account_id, actor)
    except (Invalid, Conflict) as error:
        return _show(desk, people, accounts, account_id, step, told.wrong(error, desk.language))
    if isinstance(done, Invited):
        return link_page(desk, done, to=page_of(account_id))
    return desk.go(f"{page_of(account_id)}?done={step}")


def _steps(known: People) -> Mapping[str, Callable[[str, str], object]]:
    """Return what each step does, to an account and by whom."""
    return {
        "invite": known.invitations.of_account,
        "begin": known.recovery.begin,
        "complete": known.recovery.complete,
        "cancel": known.recovery.cancel,
    }


def _show(  # noqa: PLR0913, PLR0917 - what a page is made of
    desk: Desk,
    known: People,
    accounts: Accounts,
    account_id: str,
    step: str = "",
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    owner = known.owner_of(account_id)
    hold = owner.recovery if owner else None
    # The hold runs on the machine's own time, in a sandbox too.
    is_over = hold is not None and known.now_ms() >= hold.until_ms
    asked = step or desk.asked.get("step", "")
    return desk.page(
        "owner.html.j2",
        status=422 if errors else 200,
        account=accounts.get(account_id),
        owner=owner,
        hold=hold,
        is_over=is_over,
        step=asked if asked in _STEPS else "",
        acts={each: act_of(f"owners.{each}", account_id) for each in _STEPS},
        errors=errors or {},
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the pages about who signs in for an account."""
    return [show, act]
