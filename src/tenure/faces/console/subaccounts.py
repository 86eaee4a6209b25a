"""
Sub-accounts: a master's list with what ends next, and freezing one with what will follow first.

A sub-account's keys, activity and refused requests are the same pages as one's own. It never sees
its master's (RULES R16).
"""

from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.errors import Invalid
from tenure.domain.freezes import Freezer
from tenure.domain.model import AccountKind
from tenure.faces.console import entry, parameters
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.requests import AccountId
from tenure.faces.console.shown import DAY_MS
from tenure.faces.console.stepping import act_of
from tenure.faces.console.words import Words
from tenure.services.accounts import Accounts
from tenure.services.families import Families

_SOON_MS = 7 * DAY_MS
"""When an end is shown as near: the longest of the default lead times."""


class Turn(StrEnum):
    """What is done to an account, as it stands in the page's address."""

    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


GivenTurn: TypeAlias = Annotated[Turn, PathParameter()]


class Freezing:
    """Lists sub-accounts, and freezes them."""

    def __init__(self, families: Families, accounts: Accounts, words: Words) -> None:
        """One per worker."""
        self._families, self._accounts, self._words = families, accounts, words

    def page(self, desk: Desk, master_id: str) -> Response[bytes]:
        """Show a page of a master's sub-accounts."""
        family = self._families.of_master(master_id, parameters.account_id(desk, "after"))
        return desk.page(
            "subaccounts.html.j2",
            family=family,
            is_master=family.master.kind is AccountKind.MASTER,
            permission=lambda name: self._words.permission(name, desk.language),
            soon_ms=desk.now_ms + _SOON_MS,
        )

    def ask(
        self,
        desk: Desk,
        turn: Turn,
        account_id: str,
        errors: dict[str, str] | None = None,
    ) -> Response[bytes]:
        """Show what will follow, and ask for a second factor."""
        return desk.page(
            "freeze.html.j2",
            status=422 if errors else 200,
            account=self._accounts.get(account_id),
            turn=turn,
            is_houses=turn is Turn.UNFREEZE and self._accounts.freezer(account_id) is Freezer.HOUSE,
            act=_act(turn, account_id),
            errors=errors or {},
        )

    def do(self, desk: Desk, turn: Turn, account_id: str, form: Form) -> Response[Any]:
        """Freeze or unfreeze, once the second factor is given."""
        is_freeze, actor = turn is Turn.FREEZE, desk.signed_in.actor
        act = _act(turn, account_id)
        try:
            with desk.acting(act, form, "/console/sub-accounts?done=again"):
                self._accounts.set_frozen(account_id, frozen=is_freeze, actor=actor)
        except Invalid as error:
            return self.ask(desk, turn, account_id, {"code": error.message})
        return desk.go(f"/console/sub-accounts?done={turn}")


def _act(turn: Turn, account_id: str) -> str:
    return act_of(f"accounts.{turn}", account_id)


@get("/sub-accounts", opt=entry.OWNERS, sync_to_thread=True)
def list_subs(desk: GivenDesk, freezing: Given[Freezing]) -> Response[bytes]:
    """Show the visitor's sub-accounts."""
    return freezing.page(desk, desk.signed_in.account_id)


@get("/accounts/{account_id:str}/{turn:str}", opt=entry.MASTERS, sync_to_thread=True)
def ask(
    account_id: AccountId, turn: GivenTurn, desk: GivenDesk, freezing: Given[Freezing]
) -> Response[bytes]:
    """Show what will follow."""
    return freezing.ask(desk, turn, account_id)


@post(
    "/accounts/{account_id:str}/{turn:str}",
    opt=entry.MASTERS,
    status_code=200,
    sync_to_thread=True,
)
def do(
    account_id: AccountId,
    turn: GivenTurn,
    desk: GivenDesk,
    freezing: Given[Freezing],
    form: GivenForm,
) -> Response[Any]:
    """Do it."""
    return freezing.do(desk, turn, account_id, form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of sub-accounts."""
    return [list_subs, ask, do]
