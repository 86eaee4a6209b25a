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
_OPERATORS: Final[Sequence[tuple[Role, Item]]] = ()
_ALL: Final[Sequence[Item]] = ()


def of(visitor: Visitor) -> list[Item]:
    """Return the parts that *visitor* has."""
    role = visitor.person.role
    if role.is_operators:
        return [*(item for least, item in _OPERATORS if role.allows(least)), *_ALL]
    return [*_OWNERS, *_ALL]
