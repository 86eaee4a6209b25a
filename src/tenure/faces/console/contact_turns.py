"""
Removing a contact, and giving a webhook a new secret, each with what will follow shown first.

Adding and changing contacts is in `contacts`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.contacts import Channel, Contact
from tenure.domain.errors import Invalid, NotFound
from tenure.faces.console import entry
from tenure.faces.console.contacts import BACK, SHOWN_ONCE, secret_page
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.requests import AccountId, ContactId
from tenure.faces.console.stepping import act_of
from tenure.services.contacts import Contacts


class Turn(StrEnum):
    """What is done to a contact, as it stands in the page's address."""

    REMOVE = "remove"
    ROTATE = "rotate"


GivenTurn: TypeAlias = Annotated[Turn, PathParameter()]


class Turning:
    """Shows what will follow, and does it."""

    def __init__(self, contacts: Contacts) -> None:
        """One per worker."""
        self._contacts = contacts

    def ask(
        self,
        desk: Desk,
        turn: Turn,
        account_id: str,
        contact_id: str,
        errors: Mapping[str, str] | None = None,
    ) -> Response[bytes]:
        """Show what will follow, and ask for a second factor."""
        contact = self._contacts.get(account_id, contact_id)
        _require_turn(turn, contact)
        return desk.page(
            "contact_turn.html.j2",
            status=422 if errors else 200,
            account_id=account_id,
            contact=contact,
            turn=turn,
            is_last=len(self._contacts.of_account(account_id)) == 1,
            act=_turn_act(turn, account_id, contact_id),
            errors=errors or {},
        )

    def do(
        self, desk: Desk, turn: Turn, account_id: str, contact_id: str, form: Form
    ) -> Response[Any]:
        """Remove a contact, or give a webhook a new secret."""
        act = _turn_act(turn, account_id, contact_id)
        actor, rotated = desk.signed_in.actor, None
        again = f"{BACK}?done={SHOWN_ONCE if turn is Turn.ROTATE else 'removed'}#contacts"
        desk.require_new(act, form, again)
        _require_turn(turn, self._contacts.get(account_id, contact_id))
        try:
            with desk.acting(act, form, again):
                if turn is Turn.ROTATE:
                    rotated = self._contacts.rotate(account_id, contact_id, actor)
                else:
                    self._contacts.remove(account_id, contact_id, actor)
        except Invalid as error:
            return self.ask(desk, turn, account_id, contact_id, {"code": error.message})
        if rotated is not None:
            return secret_page(desk, rotated, is_new=False)
        return desk.go(f"{BACK}?done=removed#contacts")


def _turn_act(turn: Turn, account_id: str, contact_id: str) -> str:
    return act_of(f"contacts.{turn}", account_id, contact_id)


def _require_turn(turn: Turn, contact: Contact) -> None:
    if turn is Turn.ROTATE and contact.channel is not Channel.WEBHOOK:
        raise NotFound  # Only a webhook has a secret.


@get(
    "/accounts/{account_id:str}/contacts/{contact_id:str}/{doing:str}",
    opt=entry.OWNERS,
    sync_to_thread=True,
)
def ask(
    account_id: AccountId,
    contact_id: ContactId,
    doing: GivenTurn,
    desk: GivenDesk,
    turning: Given[Turning],
) -> Response[bytes]:
    """Show what will follow."""
    return turning.ask(desk, doing, account_id, contact_id)


@post(
    "/accounts/{account_id:str}/contacts/{contact_id:str}/{doing:str}",
    opt=entry.OWNERS,
    status_code=200,
    sync_to_thread=True,
)
def do(  # noqa: PLR0913, PLR0917 - a parameter each
    account_id: AccountId,
    contact_id: ContactId,
    doing: GivenTurn,
    desk: GivenDesk,
    turning: Given[Turning],
    form: GivenForm,
) -> Response[Any]:
    """Do it."""
    return turning.do(desk, doing, account_id, contact_id, form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that end contacts, and secrets."""
    return [ask, do]
