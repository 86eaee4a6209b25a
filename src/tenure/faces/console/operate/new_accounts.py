"""
Creating an account: whose it is and of which kind, and the link by which its owner joins.

A sub-account is begun on the page of its master, which the address names. Where owners sign in at
the platform's own provider there is no link to hand over.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.model import Account, AccountKind
from tenure.faces.console import entry, owners, people
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import GivenPeople
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.operate import accounts, asking, told
from tenure.faces.console.operate.asking import Question
from tenure.faces.console.stepping import ONCE, act_of
from tenure.faces.http.requests import ACCOUNT_ID
from tenure.services.accounts import Accounts
from tenure.services.acts import Done
from tenure.services.people.facade import People

PATH: Final = f"{accounts.PATH}/new"
_KINDS: Final = (AccountKind.NORMAL, AccountKind.MASTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The account that is asked for; *master* where it is to be a sub-account."""

    email: str
    kind: str
    master: Account | None

    @property
    def of_kind(self) -> AccountKind:
        """Its kind; raises Invalid."""
        if self.master is not None:
            return AccountKind.SUB
        if self.kind not in set(_KINDS):
            raise Invalid("kind", "choose one of the kinds that are offered")
        return AccountKind(self.kind)

    @property
    def master_id(self) -> str | None:
        """Its master's id."""
        return None if self.master is None else self.master.account_id

    @property
    def back(self) -> str:
        """Where it was asked for."""
        return f"{accounts.PATH}/{self.master_id}" if self.master_id else accounts.PATH

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """The fields of the form that asks for it."""
        return (("email", self.email), ("kind", self.kind), ("master", self.master_id or ""))

    @property
    def act(self) -> str:
        """What the second factor is bound to."""
        return act_of("operate.accounts.create", self.hidden)


class Creating:
    """Shows the form and the question, and creates."""

    def __init__(self, known: Accounts, owners: People) -> None:
        """One per request."""
        self._known, self._owners = known, owners

    def wanted(self, email: str, kind: str, master_id: str) -> Wanted:
        """Return what is asked for; raises NotFound for a master that is none."""
        master = self._master(master_id) if master_id else None
        return Wanted(email=email.strip(), kind=kind, master=master)

    def form(
        self, desk: Desk, wanted: Wanted, errors: dict[str, str] | None = None
    ) -> Response[bytes]:
        """Ask whose account it is to be."""
        return desk.page(
            "operate/account_new.html.j2",
            status=422 if errors else 200,
            wanted=wanted,
            kinds=_KINDS,
            errors=errors or {},
        )

    def take(self, desk: Desk, wanted: Wanted, form: Form) -> Response[Any]:
        """Say what follows and ask for a second factor, then create; show it if that was done."""
        desk.require_new(wanted.act, form, self._again)
        try:
            self._known.check(wanted.email, wanted.of_kind, wanted.master_id)
            if self._has_links:
                self._owners.invitations.require_unknown(wanted.email)
        except (Invalid, Conflict) as error:
            return self.form(desk, wanted, _beside(desk, error))
        question = self._question(desk, wanted)
        if not form.has(ONCE):
            return asking.ask(desk, question)
        actor = desk.signed_in.actor
        create = partial(self._known.create, wanted.email, wanted.of_kind, wanted.master_id, actor)
        try:
            account = asking.do(desk, question.act, form, create, self._again)
        except Invalid as error:
            return asking.ask(desk, question, told.beside(error, desk.language))
        page = f"{accounts.PATH}/{account.account_id}"
        if not self._has_links:
            return asking.go(desk, page, "create")
        invited = self._owners.invitations.of_account(account.account_id, actor)
        return people.link_page(desk, invited, to=page)

    def _again(self, done: Done) -> str:
        if not self._has_links:
            return f"{accounts.PATH}/{done.account_id}?done=create"
        # The link is not shown again: where the owner is looked after, another can be made.
        return f"{owners.page_of(str(done.account_id))}?done=created"

    @property
    def _has_links(self) -> bool:
        return self._owners.oidc is None

    def _master(self, master_id: str) -> Account:
        if re.fullmatch(ACCOUNT_ID, master_id):
            master = self._known.get(master_id)
            if master.kind is AccountKind.MASTER:
                return master
        raise NotFound("there is no such master account")

    def _question(self, desk: Desk, wanted: Wanted) -> Question:
        joins = "link" if self._has_links else "provider"
        return Question(
            title=desk.say("operate.create.sure"),
            button=desk.say("operate.create.button"),
            subject=f"{wanted.email} · {desk.say(f'account.{wanted.of_kind}')}",
            follows=[desk.say("operate.create.follows"), desk.say(f"operate.create.{joins}")],
            to=PATH,
            back=wanted.back,
            act=wanted.act,
            hidden=wanted.hidden,
        )


def _beside(desk: Desk, error: Invalid | Conflict) -> dict[str, str]:
    if isinstance(error, Invalid):
        return told.beside(error, desk.language)
    return {"email": desk.say("operate.create.taken")}


@get("/accounts/new", opt=entry.OPERATORS, sync_to_thread=True)
def ask(desk: GivenDesk, accounts: Given[Accounts], people: GivenPeople) -> Response[bytes]:
    """Ask whose account it is to be."""
    creating = Creating(accounts, people)
    return creating.form(
        desk, creating.wanted("", AccountKind.NORMAL, desk.asked.get("master", ""))
    )


@post("/accounts/new", opt=entry.OPERATORS, status_code=200, sync_to_thread=True)
def create(
    desk: GivenDesk, accounts: Given[Accounts], people: GivenPeople, form: GivenForm
) -> Response[Any]:
    """Create it, once what follows was read and a second factor approves it."""
    creating = Creating(accounts, people)
    fields = (form.one(name) for name in ("email", "kind", "master"))
    return creating.take(desk, creating.wanted(*fields), form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that create an account."""
    return [ask, create]
