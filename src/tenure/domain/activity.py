"""
What an owner may ask the journal: whose, which key, what about, and when.

Values only. How an event reads in words is in `services.activity`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tenure.domain.events import Tag


class Group(StrEnum):
    """What an event is about, as an owner would ask for it."""

    KEYS = "keys"
    """A key was issued, edited, rotated, revoked."""
    ENDS = "ends"
    """A term ended."""
    SAFETY = "safety"
    """A key was used from somewhere new, reported, quarantined."""
    ACCOUNT = "account"
    """The account itself: created, frozen."""
    PEOPLE = "people"
    """Who may sign in, and how."""
    TELLING = "telling"
    """Where and when its owner is told things."""


TAGS: Mapping[Group, frozenset[Tag]] = {
    Group.KEYS: frozenset(
        {Tag.KEY_ISSUED, Tag.KEY_EDITED, Tag.KEY_ROTATED, Tag.KEY_REVOKED, Tag.KEYS_REVOKED}
    ),
    Group.ENDS: frozenset({Tag.GRANT_SWEPT}),
    Group.SAFETY: frozenset(
        {
            *(Tag.KEY_ADDRESS_SEEN, Tag.KEY_OLD_SECRET_USED, Tag.KEY_REPORTED),
            *(Tag.KEY_QUARANTINED, Tag.KEY_RELEASED),
        }
    ),
    Group.ACCOUNT: frozenset({Tag.ACCOUNT_CREATED, Tag.ACCOUNT_FROZEN, Tag.ACCOUNT_UNFROZEN}),
    Group.PEOPLE: frozenset(tag for tag in Tag if tag.startswith("person:")),
    Group.TELLING: frozenset(
        {
            *(Tag.CONTACT_ADDED, Tag.CONTACT_CHANGED, Tag.CONTACT_REMOVED),
            *(Tag.CALENDAR_RENEWED, Tag.LEAD_TIMES_CHANGED),
        }
    ),
}
"""The tags of each group; those of the whole house are in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    Which events: those of *account_id*, and with *is_tree* of its sub-accounts.

    About one key, one group, or all; that happened in `[from_ms, until_ms)` (ms, UTC).
    """

    account_id: str
    is_tree: bool = True
    key_id: str | None = None
    group: Group | None = None
    from_ms: int | None = None
    until_ms: int | None = None
