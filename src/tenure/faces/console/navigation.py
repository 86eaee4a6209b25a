"""The parts of the console, in the order they are offered, and who has which."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tenure.domain.people import Role
from tenure.faces.console.visitors import Visitor


class Item(NamedTuple):
    """A part of the console: what it is called by programs and people, and where it begins."""

    name: str
    text_id: str
    path: str


_OWNERS: Final[Sequence[Item]] = (
    Item("keys", "nav.keys", "/console/keys"),
    Item("inbox", "nav.inbox", "/console/inbox"),
    Item("activity", "nav.activity", "/console/activity"),
    Item("refusals", "nav.refusals", "/console/refusals"),
    Item("preferences", "nav.preferences", "/console/preferences"),
)
_MASTERS: Final[Sequence[Item]] = (Item("subaccounts", "nav.subaccounts", "/console/sub-accounts"),)
_OPERATORS: Final[Sequence[tuple[Role, Item]]] = (
    (Role.VIEWER, Item("overview", "operate.nav.overview", "/console/operate")),
    (Role.VIEWER, Item("accounts", "operate.nav.accounts", "/console/operate/accounts")),
    (Role.VIEWER, Item("search", "operate.nav.search", "/console/operate/search")),
    (Role.VIEWER, Item("approvals", "operate.nav.approvals", "/console/operate/approvals")),
    (Role.VIEWER, Item("rules", "operate.nav.rules", "/console/operate/rules")),
    (Role.VIEWER, Item("revocations", "operate.nav.revocations", "/console/operate/revocations")),
    (Role.VIEWER, Item("leaks", "operate.nav.leaks", "/console/operate/leaks")),
    (Role.VIEWER, Item("journal", "operate.nav.journal", "/console/operate/journal")),
    (Role.VIEWER, Item("people", "nav.people", "/console/people")),
)
_ALL: Final[Sequence[Item]] = (
    Item("announcements", "nav.announcements", "/console/announcements"),
    Item("security", "nav.security", "/console/security"),
)


def of(visitor: Visitor, *, is_master: bool) -> list[Item]:
    """Return the parts that *visitor* has; *is_master* where his account has sub-accounts."""
    role = visitor.person.role
    if role.is_operators:
        return [*(item for least, item in _OPERATORS if role.allows(least)), *_ALL]
    keys, *others = _OWNERS
    return [keys, *(_MASTERS if is_master else ()), *others, *_ALL]
