"""
Looking through the journal as an operator does: newest first, and by what is asked for.

What concerns one key, one account or the house as a whole is found by an index. Anything else is
looked for from the newest event backwards, so many at a time. Instants lead to a seq by halving,
since events are recorded in order. Rows come as they are stored, believing nothing (see `audits`).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select, true

from tenure.store import schema
from tenure.store.audits import Members
from tenure.store.db import Transaction

_EVENT: Final = schema.events.c


class Sought(NamedTuple):
    """What is looked for; None, and no tags, for whatever there is."""

    tags: Sequence[str] = ()
    account_id: str | None = None
    key_id: str | None = None
    is_house: bool = False
    """Only what is about no account and no key."""
    actor: str | None = None
    """How the actor begins."""

    @property
    def is_indexed(self) -> bool:
        """Whether an index leads there, so that nothing has to be looked through."""
        return self.is_house or self.account_id is not None or self.key_id is not None


def newest(tx: Transaction, sought: Sought, first: int, before: int, most: int) -> list[Members]:
    """Return at *most* so many events from seq *first* on and before *before*, the newest first."""
    chosen: Select[tuple[object, ...]] = (
        select(schema.events)
        .where(_EVENT.seq >= first, _EVENT.seq < before, *_conditions(sought))
        .order_by(_EVENT.seq.desc())
        .limit(most)
    )
    return [dict(row) for row in tx.execute(chosen).mappings()]


def first_since(tx: Transaction, at_ms: int, head: int) -> int:
    """Return the seq of the first event recorded at *at_ms* or later; head + 1 where none is."""
    low, high = 1, head + 1
    while low < high:
        middle = (low + high) // 2
        recorded = select(_EVENT.recorded_at_ms).where(_EVENT.seq == middle)
        # A hole in the journal is shown by whoever verifies it; here it is on the older side.
        if (tx.execute(recorded).scalar_one_or_none() or 0) < at_ms:
            low = middle + 1
        else:
            high = middle
    return low


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [true()]
    if sought.tags:
        found.append(_EVENT.tag.in_(list(sought.tags)))
    if sought.account_id is not None:
        found.append(_EVENT.account_id == sought.account_id)
    if sought.key_id is not None:
        found.append(_EVENT.key_id == sought.key_id)
    if sought.is_house:
        found.append(_EVENT.account_id.is_(None) & _EVENT.key_id.is_(None))
    if sought.actor is not None:
        found.append(func.substr(_EVENT.actor, 1, len(sought.actor)) == sought.actor)
    return found
