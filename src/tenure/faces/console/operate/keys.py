"""
One key as operators see it: all its owner sees, who used it from where, and who was turned away.

Quarantine, its release and the end of a key are for operators; what a key may do is its owner's.
"""

from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import ApiKey
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.ending import is_open
from tenure.faces.console.forms import GivenForm
from tenure.faces.console.keys import Listing
from tenure.faces.console.operate import asking, rows, told
from tenure.faces.console.operate.asking import Question
from tenure.faces.console.operate.given import GivenOperating
from tenure.faces.console.requests import KeyId
from tenure.faces.console.stepping import act_of
from tenure.services.accounts import Accounts
from tenure.services.browsing import Filters, Sought
from tenure.services.keys import Keys
from tenure.services.quarantine import Quarantine
from tenure.services.refusals import Refusals
from tenure.services.usage import Usage

PATH: Final = "/console/operate/keys"
_EVENTS_SHOWN: Final = 20
_REFUSALS_SHOWN: Final = 20


class Turn(StrEnum):
    """What operators do to a key, as it stands in the page's address."""

    REVOKE = "revoke"
    QUARANTINE = "quarantine"
    RELEASE = "release"


GivenTurn: TypeAlias = Annotated[Turn, PathParameter()]


@get("/keys/{key_id:str}", opt=entry.VIEWERS, sync_to_thread=True)
def show(  # noqa: PLR0913, PLR0917 - what the framework hands in
    key_id: KeyId,
    desk: GivenDesk,
    keys: Given[Keys],
    accounts: Given[Accounts],
    usage: Given[Usage],
    refusals: Given[Refusals],
    listing: Given[Listing],
    operating: GivenOperating,
) -> Response[bytes]:
    """Show a key."""
    key, used = keys.get(key_id), usage.of_key(key_id)
    events = operating.browsing.browse(Filters(sought=Sought(key_id=key_id)), most=_EVENTS_SHOWN)
    return desk.page(
        "operate/key.html.j2",
        card=listing.shown(desk).card(key, usage.last_used([key_id]).get(key_id)),
        account=accounts.get(key.account_id),
        used=used,
        refused=refusals.of_key(key_id)[:_REFUSALS_SHOWN],
        rows=rows.of_entries(events.entries, desk.language),
    )


@get("/keys/{key_id:str}/{turn:str}", opt=entry.OPERATORS, sync_to_thread=True)
def ask(key_id: KeyId, turn: GivenTurn, desk: GivenDesk, keys: Given[Keys]) -> Response[Any]:
    """Say what would follow; or show the key, where that is over."""
    key = keys.get(key_id)
    return _ask(desk, turn, key) if is_open(turn, key) else desk.go(f"{PATH}/{key_id}")


@post("/keys/{key_id:str}/{turn:str}", opt=entry.OPERATORS, status_code=200, sync_to_thread=True)
def do(  # noqa: PLR0913, PLR0917 - what the framework hands in
    key_id: KeyId,
    turn: GivenTurn,
    desk: GivenDesk,
    keys: Given[Keys],
    quarantine: Given[Quarantine],
    form: GivenForm,
) -> Response[Any]:
    """Do it."""
    key, actor, cause = keys.get(key_id), desk.signed_in.actor, form.one("cause")
    acts = {
        Turn.REVOKE: partial(keys.revoke, key_id, actor),
        Turn.QUARANTINE: partial(quarantine.place, key_id, actor, cause=cause),
        Turn.RELEASE: partial(quarantine.release, key_id, actor),
    }
    try:
        asking.do(desk, _act(turn, key), form, acts[turn], f"{PATH}/{key_id}?done=again")
    except Invalid as error:
        return _ask(desk, turn, key, cause, told.beside(error, desk.language))
    except Conflict as conflict:
        if conflict.code != "revoked":
            raise
        return desk.go(f"{PATH}/{key_id}")
    return asking.go(desk, f"{PATH}/{key_id}", turn)


def _ask(
    desk: Desk, turn: Turn, key: ApiKey, cause: str = "", errors: dict[str, str] | None = None
) -> Response[bytes]:
    page = f"{PATH}/{key.key_id}"
    question = Question(
        title=desk.say(f"{turn}.title"),
        button=desk.say(f"{turn}.button"),
        subject=key.label,
        follows=[desk.say(f"operate.{turn}.follows.{number}") for number in (1, 2)],
        to=f"{page}/{turn}",
        back=page,
        act=_act(turn, key),
        is_danger=turn is Turn.REVOKE,
    )
    template = "operate/quarantine.html.j2" if turn is Turn.QUARANTINE else "operate/act.html.j2"
    return asking.ask(desk, question, errors, template=template, cause=cause)


def _act(turn: Turn, key: ApiKey) -> str:
    return act_of(f"operate.keys.{turn}", key.key_id)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of keys."""
    return [show, ask, do]
