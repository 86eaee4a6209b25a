"""
The ends to come, day by day over all keys: what an operator's chart is drawn from.

A look at very many terms is kept for a minute, since a page that everybody opens asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tenure.clock import Clock
from tenure.domain.model import Permission
from tenure.store import ends
from tenure.store.db import Store, Transaction
from tenure.store.ends import DAY_MS

DAYS_MAX: Final = 90
LOOKED_AT_MAX: Final = 100_000
"""Terms up to which revoked keys are left out: half a second; more are counted without looking."""
_KEPT_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day (UTC) that begins at *begins_at_ms*, and how many permissions end on it."""

    begins_at_ms: int
    by_permission: Mapping[Permission, int]

    @property
    def ends(self) -> int:
        """How many end on it, of whatever permission."""
        return sum(self.by_permission.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """
    The ends from *counted_at_ms* on, day by day, the first day being what is left of today.

    *has_revoked*: there are so many that those of revoked keys were not left out.
    """

    counted_at_ms: int
    days: tuple[Day, ...]
    has_revoked: bool

    @property
    def ends(self) -> int:
        """How many there are altogether."""
        return sum(day.ends for day in self.days)


class Ends:
    """Counts the ends to come."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """*clock* says what is still to come."""
        self._store, self._clock = store, clock
        self._kept: dict[int, Coming] = {}

    def coming(self, days: int = 30) -> Coming:
        """Return the ends of today and the next *days* days, at most 90."""
        days = min(days, DAYS_MAX)
        now_ms = self._clock.now_ms()
        kept = self._kept.get(days)
        if kept is not None and 0 <= now_ms - kept.counted_at_ms < _KEPT_MS:
            return kept
        found = self._count(days, now_ms)
        if found.has_revoked:
            self._kept[days] = found
        return found

    def _count(self, days: int, now_ms: int) -> Coming:
        first = now_ms // DAY_MS
        # What ends at this very millisecond has ended.
        from_ms, until_ms = now_ms + 1, (first + days + 1) * DAY_MS

        def look(tx: Transaction) -> tuple[bool, dict[int, dict[Permission, int]]]:
            has_revoked = ends.count(tx, from_ms, until_ms, LOOKED_AT_MAX + 1) > LOOKED_AT_MAX
            return has_revoked, ends.per_day(tx, from_ms, until_ms, of_alive=not has_revoked)

        has_revoked, found = self._store.read(look)
        return Coming(
            counted_at_ms=now_ms,
            days=tuple(
                Day(begins_at_ms=day * DAY_MS, by_permission=found.get(day, {}))
                for day in range(first, first + days + 1)
            ),
            has_revoked=has_revoked,
        )
