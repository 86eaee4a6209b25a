"""How much is waiting in the store, and since when: asked by index, and counted to a bound."""

from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, select

from tenure.store import schema
from tenure.store.db import Transaction
from tenure.store.schema_leaks import leak_reports
from tenure.store.schema_notices import deliveries

COUNTED_MAX: Final = 10_000
"""What waits beyond this is told as so many or more: nobody waits for a million to be counted."""

FAILURES_MAX: Final = 16
"""As many as one claim: a relay that is down fails them all, and a reader's server some."""


class Waiting(NamedTuple):
    """How many wait, up to ten thousand; since when the first has (ms, UTC), 0 where none does."""

    number: int
    since_ms: int
    channel: str = ""


def unswept(tx: Transaction, now_ms: int) -> Waiting:
    """Return the terms that ended by *now_ms* and that nobody has recorded."""
    grant = schema.grants.c
    due = (grant.swept_at_ms.is_(None), grant.ends_at_ms <= now_ms)
    first = select(grant.ends_at_ms).where(*due).order_by(grant.ends_at_ms).limit(1)
    since_ms = tx.execute(first).scalar_one_or_none()
    return Waiting(_count(tx, select(grant.ends_at_ms).where(*due)), since_ms or 0)


def unsent(tx: Transaction, channels: tuple[str, ...]) -> Waiting:
    """Return the messages that are to be sent yet; since when the one most overdue is due."""
    pending = deliveries.c.next_attempt_at_ms.is_not(None)
    firsts = []
    for channel in channels:  # Each by the index, which has the channel first.
        chosen = (
            select(deliveries.c.next_attempt_at_ms)
            .where(deliveries.c.channel == channel, pending)
            .order_by(deliveries.c.next_attempt_at_ms)
            .limit(1)
        )
        if (due_ms := tx.execute(chosen).scalar_one_or_none()) is not None:
            firsts.append((due_ms, channel))
    since_ms, channel = min(firsts, default=(0, ""))
    chosen = select(deliveries.c.number).where(pending, deliveries.c.channel.in_(channels))
    return Waiting(_count(tx, chosen), since_ms, channel)


def failures(tx: Transaction, channel: str, now_ms: int) -> list[str]:
    """Return why a few messages on *channel* failed that are tried again after *now_ms*."""
    delivery = deliveries.c
    # What is put off alone: what nobody has tried yet is due, however much of it there is.
    chosen = (
        select(delivery.last_error)
        .where(delivery.channel == channel, delivery.next_attempt_at_ms > now_ms)
        .where(delivery.attempts > 0, delivery.last_error.is_not(None))
        .order_by(delivery.next_attempt_at_ms)
        .limit(FAILURES_MAX)
    )
    return [str(reason) for reason in tx.execute(chosen).scalars()]


def unworked(tx: Transaction) -> Waiting:
    """Return the leak reports that nobody has acted on."""
    waiting = leak_reports.c.worked_at_ms.is_(None)
    # By the index of those that wait; there are seldom any.
    since_ms = tx.execute(select(func.min(leak_reports.c.received_at_ms)).where(waiting))
    number = _count(tx, select(leak_reports.c.key_id).where(waiting))
    return Waiting(number, since_ms.scalar_one_or_none() or 0)


def recorded_at_ms(tx: Transaction, seq: int) -> int:
    """Return when event *seq* was recorded (ms, UTC), 0 where there is no such event."""
    chosen = select(schema.events.c.recorded_at_ms).where(schema.events.c.seq == seq)
    return tx.execute(chosen).scalar_one_or_none() or 0


def _count(tx: Transaction, chosen: Select[Any]) -> int:
    bounded = chosen.limit(COUNTED_MAX).subquery()
    return tx.execute(select(func.count()).select_from(bounded)).scalar_one()
