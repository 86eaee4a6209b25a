"""
The inbox: what an account was told, the last first, what of it is unread, and marking it as read.

Looking marks nothing: a notice counts as read once its owner says so, for an unread warning climbs
to the master. Words are `services.rendering`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.notices import Kind, Notice
from tenure.domain.people import Stage
from tenure.domain.rights import Owner
from tenure.faces.console import entry, parameters
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.requests import AccountId, NoticeId
from tenure.faces.console.visitors import Visitor
from tenure.services.notices import Notices
from tenure.services.rendering import Rendering, Told
from tenure.services.rules import Rules
from tenure.store.notices import Listed

PAGE: Final = 25
_ENDING: Final = frozenset({Kind.TERM_ENDS_SOON})
_TO_THE_CONTACTS: Final = frozenset({Kind.CONTACTS_CHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A notice in words, and the page to go to from it: its *link*, under the text *link_id*."""

    number: int
    notice: Notice
    told: Told
    is_unread: bool
    link: str
    link_id: str


class Inbox:
    """Shows what accounts were told."""

    def __init__(self, notices: Notices, rendering: Rendering, rules: Rules) -> None:
        """One per worker."""
        self._notices, self._rendering, self._rules = notices, rendering, rules

    def page(self, desk: Desk) -> Response[bytes]:
        """Show a page of what the visitor was told."""
        account_id, is_unread = desk.signed_in.account_id, desk.asked.get("unread") == "1"
        found = self._notices.latest(
            account_id,
            before=parameters.number(desk, "before"),
            most=PAGE + 1,
            unread=is_unread,
        )
        shown = found[:PAGE]
        return desk.page(
            "inbox.html.j2",
            items=[self._item(desk, listed) for listed in shown],
            account_id=account_id,
            is_unread=is_unread,
            unread=self._notices.unread(account_id),
            upto=shown[0].number if shown else 0,
            next_before=shown[-1].number if len(found) > PAGE else None,
        )

    def read(self, desk: Desk, account_id: str, notice_id: str) -> Response[Any]:
        """Mark a notice as read; a script is given it as it is then."""
        listed = self._notices.read(account_id, notice_id)
        if not desk.is_partial:
            return desk.go(f"/console/inbox#n{listed.number}")
        return desk.page(
            "inbox_notice.html.j2", item=self._item(desk, listed), account_id=account_id
        )

    def read_all(self, desk: Desk, account_id: str, form: Form) -> Response[Any]:
        """Mark all as read that was shown."""
        self._notices.read_all(account_id, parameters.number_in(form.one("upto")) or 0)
        return desk.go("/console/inbox")

    def _item(self, desk: Desk, listed: Listed) -> Item:
        notice = listed.notice
        link, link_id = _link(notice)
        return Item(
            number=listed.number,
            notice=notice,
            told=self._rendering.told(notice, desk.language, self._rules.rulebook()),
            is_unread=listed.read_at_ms is None,
            link=link,
            link_id=link_id,
        )


def waiting(notices: Notices, visitor: Visitor) -> Mapping[str, int]:
    """Return how many notices wait for a visitor who is signed in."""
    if visitor.stage is not Stage.FULL or not isinstance(visitor.caller, Owner):
        return {}
    return {"inbox": notices.unread(visitor.account_id)}


def _link(notice: Notice) -> tuple[str, str]:
    rule = notice.facts.get("rule")
    if notice.kind in _ENDING and notice.key_id is not None:
        return f"/console/keys/{notice.key_id}/edit?renew={notice.permission}", "inbox.renew"
    if notice.key_id is not None:
        return f"/console/keys/{notice.key_id}", "inbox.see_key"
    if isinstance(rule, Mapping) and "id" in rule:
        return f"/console/announcements/{rule['id']}", "inbox.see_rule"
    if notice.kind in _TO_THE_CONTACTS:
        return "/console/preferences#contacts", "inbox.see_contacts"
    return ("/console/keys", "inbox.see_keys") if notice.kind is Kind.KEYS_REVOKED else ("", "")


@get("/inbox", opt=entry.OWNERS, sync_to_thread=True)
def show(desk: GivenDesk, inbox: Given[Inbox]) -> Response[bytes]:
    """Show what the visitor was told."""
    return inbox.page(desk)


@post(
    "/accounts/{account_id:str}/inbox/read",
    opt=entry.OWNERS,
    status_code=200,
    sync_to_thread=True,
)
def read_all(
    account_id: AccountId, desk: GivenDesk, inbox: Given[Inbox], form: GivenForm
) -> Response[Any]:
    """Mark all that was shown as read."""
    return inbox.read_all(desk, account_id, form)


@post(
    "/accounts/{account_id:str}/inbox/{notice_id:str}/read",
    opt=entry.OWNERS,
    status_code=200,
    sync_to_thread=True,
)
def read_one(
    account_id: AccountId, notice_id: NoticeId, desk: GivenDesk, inbox: Given[Inbox]
) -> Response[Any]:
    """Mark one notice as read."""
    return inbox.read(desk, account_id, notice_id)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of the inbox."""
    return [show, read_all, read_one]
