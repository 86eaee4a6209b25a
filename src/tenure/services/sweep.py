"""
Sweeping: writing down that terms have ended. It decides nothing (RULES R10).

A tick: idempotent, without arguments, safe to run twice, in parallel, or not at all for a week. An
event is dated when the term ended, not when somebody looked.
"""

from collections.abc import Sequence

from tenure import metrics
from tenure.clock import Clock
from tenure.domain.events import Change, Event, Tag
from tenure.store import journal, keys
from tenure.store.db import Store, Transaction

BATCH = 500
"""Lapses recorded in one transaction: a few milliseconds of the journal's lock."""
ACTOR = "tenure:sweep"


class Sweep:
    """Records the terms that have ended by now."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """*clock* says what has ended."""
        self._store, self._clock = store, clock

    def tick(self) -> int:
        """Record every term that has ended, batch by batch; return how many this call recorded."""
        total = 0
        while True:
            found, recorded = self._sweep()
            total += recorded
            if found < BATCH:
                return total

    def step(self) -> bool:
        """Record one batch and return whether there may be more: for whoever has other work too."""
        found, _ = self._sweep()
        return found == BATCH

    def _sweep(self) -> tuple[int, int]:
        found, recorded = self._store.write(self._batch)
        metrics.swept.inc(recorded)
        return found, recorded

    def _batch(self, tx: Transaction) -> tuple[int, int]:
        now_ms = self._clock.now_ms()
        looked_at = keys.due(tx, now_ms, BATCH)
        return len(looked_at), len(_record(tx, looked_at, now_ms))


def record_lapses(tx: Transaction, key_id: str, now_ms: int) -> Event | None:
    """Record the ended terms of one key inside the caller's transaction; return the last event."""
    recorded = _record(tx, keys.due_of_key(tx, key_id, now_ms), now_ms)
    return recorded[-1] if recorded else None


def _record(tx: Transaction, looked_at: Sequence[tuple[str, str]], now_ms: int) -> list[Event]:
    lapses = keys.mark_swept(tx, looked_at, now_ms)
    return journal.append_all(tx, [_change(lapse) for lapse in lapses], now_ms)


def _change(lapse: keys.Lapse) -> Change:
    return Change(
        tag=Tag.GRANT_SWEPT,
        actor=ACTOR,
        happened_at_ms=lapse.ends_at_ms,
        body={
            "permission": lapse.permission,
            "starts_at_ms": lapse.starts_at_ms,
            "ends_at_ms": lapse.ends_at_ms,
            "rule_id": lapse.rule_id,
        },
        account_id=lapse.account_id,
        key_id=lapse.key_id,
    )
