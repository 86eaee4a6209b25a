"""
Accounts as operators see them: all by e-mail, and of each its keys, sub-accounts and notices.

Freezing stops every key of it and of its sub-accounts at once, and unfreezing lets them go on.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import Account
from tenure.faces.console import entry, parameters
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import GivenForm
from tenure.faces.console.keys import Listing
from tenure.faces.console.operate import asking, rows, told
from tenure.faces.console.operate.asking import Question
from tenure.faces.console.operate.given import GivenOperating, GivenTelling
from tenure.faces.console.requests import AccountId
from tenure.faces.console.stepping import act_of
from tenure.faces.console.subaccounts import GivenTurn, Turn
from tenure.services.accounts import Accounts
from tenure.services.browsing import Filters, Sought
from tenure.services.keys import Keys
from tenure.services.operating import Operating
from tenure.services.people.facade import People
from tenure.services.telling import Telling
from tenure.services.usage import Usage

PATH: Final = "/console/operate/accounts"
_PAGE: Final = 50
_SUBS_SHOWN: Final = 100
_TOLD_SHOWN: Final = 10
_EVENTS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What the page of an account is made from."""

    accounts: Accounts
    keys: Keys
    usage: Usage
    people: People
    listing: Listing
    operating: Operating
    telling: Telling

    def page(self, desk: Desk, account_id: str) -> Response[bytes]:
        """Show an account."""
        language, account = desk.language, self.accounts.get(account_id)
        keys = self.keys.of_account(account_id)
        uses = self.usage.last_used(key.key_id for key in keys)
        told_of = self.telling.notices.latest(account_id, most=_TOLD_SHOWN)
        subs = self.accounts.subs(account_id, most=_SUBS_SHOWN + 1)
        events = self.operating.browsing.browse(
            Filters(sought=Sought(account_id=account_id)), most=_EVENTS_SHOWN
        )
        return desk.page(
            "operate/account.html.j2",
            account=account,
            freezer=self.accounts.freezer(account_id),
            master=self.accounts.get(account.master_id) if account.master_id else None,
            owner=self.people.owner_of(account_id),
            cards=self.listing.shown(desk).cards(keys, uses),
            subs=subs[:_SUBS_SHOWN],
            has_more_subs=len(subs) > _SUBS_SHOWN,
            contacts=self.telling.contacts.of_account(account_id),
            notices=[
                (listed, self.telling.rendering.subject(listed.notice, language))
                for listed in told_of
            ],
            rows=rows.of_entries(events.entries, language),
        )


def _question(desk: Desk, account: Account, turn: Turn) -> Question:
    page = f"{PATH}/{account.account_id}"
    return Question(
        title=desk.say(f"operate.{turn}.title"),
        button=desk.say(f"operate.{turn}.button"),
        subject=account.email,
        follows=[desk.say(f"operate.{turn}.follows.{number}") for number in (1, 2)],
        to=f"{page}/{turn}",
        back=page,
        act=act_of(f"operate.accounts.{turn}", account.account_id),
        is_danger=turn is Turn.FREEZE,
    )


@get("/accounts", opt=entry.VIEWERS, sync_to_thread=True)
def list_all(desk: GivenDesk, accounts: Given[Accounts]) -> Response[Any]:
    """Show a page of all accounts, by e-mail."""
    after_id = parameters.account_id(desk, "after")
    page = accounts.page(after_id, _PAGE)
    if after_id and not page.listed:
        return desk.go(PATH)
    return desk.page("operate/accounts.html.j2", page=page)


@get("/accounts/{account_id:str}", opt=entry.VIEWERS, sync_to_thread=True)
def show(  # noqa: PLR0913, PLR0917 - what the framework hands in
    account_id: AccountId,
    desk: GivenDesk,
    accounts: Given[Accounts],
    keys: Given[Keys],
    usage: Given[Usage],
    people: Given[People],
    listing: Given[Listing],
    operating: GivenOperating,
    telling: GivenTelling,
) -> Response[bytes]:
    """Show an account."""
    return Looking(
        accounts=accounts,
        keys=keys,
        usage=usage,
        people=people,
        listing=listing,
        operating=operating,
        telling=telling,
    ).page(desk, account_id)


@get("/accounts/{account_id:str}/{turn:str}", opt=entry.OPERATORS, sync_to_thread=True)
def ask(
    account_id: AccountId, turn: GivenTurn, desk: GivenDesk, accounts: Given[Accounts]
) -> Response[bytes]:
    """Say what freezing or unfreezing it means."""
    return asking.ask(desk, _question(desk, accounts.get(account_id), turn))


@post(
    "/accounts/{account_id:str}/{turn:str}",
    opt=entry.OPERATORS,
    status_code=200,
    sync_to_thread=True,
)
def do(
    account_id: AccountId,
    turn: GivenTurn,
    desk: GivenDesk,
    accounts: Given[Accounts],
    form: GivenForm,
) -> Response[Any]:
    """Freeze it, or let it go on."""
    question = _question(desk, accounts.get(account_id), turn)
    is_freeze, actor = turn is Turn.FREEZE, desk.signed_in.actor
    try:
        act = partial(accounts.set_frozen, account_id, frozen=is_freeze, actor=actor)
        asking.do(desk, question.act, form, act, f"{question.back}?done=again")
    except (Invalid, Conflict) as error:
        return asking.ask(desk, question, told.wrong(error, desk.language))
    return asking.go(desk, question.back, turn)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of accounts."""
    return [list_all, show, ask, do]
