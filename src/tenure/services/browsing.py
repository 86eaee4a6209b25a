"""
Browsing the journal: filtered, newest first, each event checked as it is shown.

A request looks through so many events and says where to go on; it never walks through them all.
Whether the journal as a whole is as it was recorded is found out bit by bit in `rereading`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from tenure.domain import lines
from tenure.domain.lines import Record
from tenure.store import browsing, journal
from tenure.store.audits import Members
from tenure.store.browsing import Sought
from tenure.store.db import Store, Transaction

__all__ = ["Browsed", "Browsing", "Entry", "Filters", "Sought"]

SHOWN_MAX: Final = 50
LOOKED_AT_MAX: Final = 100_000
"""Events looked through for one answer: about half a second."""
EXPORTED_MAX: Final = 10_000
"""Events in one export; the whole journal is exported by `tenure audit export`."""
_LOOKS_MAX: Final = 10
_WINDOW: Final = 10_000
"""Events looked through in one transaction."""


EVERYTHING: Final = Sought()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """
    What somebody asks for: *sought*, recorded from *from_ms* on and before *until_ms* (ms, UTC).

    None for no such limit.
    """

    sought: Sought = EVERYTHING
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One event as it stands in the store; None for a *record* that nobody can read.

    *is_as_recorded*: its hash is that of what it says, and the next one shown follows on it.
    """

    seq: int
    record: Record | None
    is_as_recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsed:
    """
    Events, the newest first, and where to go on: *before* what seq, None at the beginning.

    *looked_at* events were looked through; *head* is the last of the journal.
    """

    entries: tuple[Entry, ...]
    before: int | None
    looked_at: int
    head: int


class Browsing:
    """Looks through the journal."""

    def __init__(self, store: Store, *, looked_at_max: int = LOOKED_AT_MAX) -> None:
        """*store* is only read; at most *looked_at_max* events are looked through at once."""
        self._store, self._looked_at_max = store, looked_at_max

    def browse(self, filters: Filters, before: int | None = None, most: int = SHOWN_MAX) -> Browsed:
        """Return at *most* so many events that *filters* let through before a seq, newest first."""
        first, head, limit = self._store.read(partial(_limits, filters=filters))
        begun = high = min(limit, before if before is not None else limit)
        found: list[Members] = []
        while high > first and begun - high < self._looked_at_max and len(found) < most:
            low = first if filters.sought.is_indexed else max(first, high - _WINDOW)
            room = most - len(found)
            look = partial(
                browsing.newest, sought=filters.sought, first=low, before=high, most=room
            )
            page = self._store.read(look)
            found += page
            # A full page ends at its last event; what is older was not looked at.
            high = page[-1]["seq"] if len(page) == room else low
        return Browsed(
            entries=tuple(_entries(found)),
            before=high if high > first else None,
            looked_at=begun - high,
            head=head,
        )

    def export(self, filters: Filters) -> Iterator[str]:
        """
        Yield the newest ten thousand events that *filters* let through, a line of JSON each.

        As `tenure audit export` writes them; what nobody can read is left out. No more than a
        million are looked through.
        """
        before: int | None = None
        left, looks = EXPORTED_MAX, _LOOKS_MAX
        while left > 0 and looks > 0:
            looks -= 1
            page = self.browse(filters, before, min(left, 1_000))
            yield from (entry.record.line for entry in page.entries if entry.record is not None)
            left, before = left - len(page.entries), page.before
            if before is None:
                return


def _limits(tx: Transaction, filters: Filters) -> tuple[int, int, int]:
    """Return the first seq asked for, the last there is, and the seq just past those asked for."""
    head = journal.head(tx)[0]
    first, limit = 1, head + 1
    if filters.from_ms is not None:
        first = browsing.first_since(tx, filters.from_ms, head)
    if filters.until_ms is not None:
        limit = browsing.first_since(tx, filters.until_ms, head)
    return first, head, limit


def _entries(found: Sequence[Members]) -> Iterator[Entry]:
    next_seq, next_previous = 0, ""
    for members in found:
        record = _record(members)
        is_as_recorded = record is not None and lines.digest(record) == record.hash
        if next_seq == members["seq"] + 1 and members["hash"] != next_previous:
            is_as_recorded = False
        next_seq, next_previous = members["seq"], members["previous_hash"]
        yield Entry(seq=members["seq"], record=record, is_as_recorded=is_as_recorded)


def _record(members: Members) -> Record | None:
    try:
        return lines.of(members)
    except ValueError:
        return None
