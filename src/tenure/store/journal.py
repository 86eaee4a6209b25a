"""
The journal: appending events and reading them back, in order.

`append` belongs in the very transaction that makes the change. Updating the one row of
`journal_head` is the lock: it makes `seq` gap-free and in commit order, so a reader who asks for
"after seq N" never misses one (SECURITY D6). What an event is news of is written with it: notices.
"""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Row, bindparam, insert, select, update

from tenure.domain import events
from tenure.domain.events import Change, Event, Tag
from tenure.store import acts, holds, notices, schema
from tenure.store.db import Transaction

# Takes the lock, and the next seqs with it. An event is never recorded before the one ahead of it,
# whatever the clock does (RULES R15): the instant is raised to that of the last event.
_TAKE_HEAD = (
    update(schema.journal_head)
    .where(schema.journal_head.c.head_id == 1)
    .values(seq=schema.journal_head.c.seq + bindparam("count"))
    .returning(
        schema.journal_head.c.seq,
        schema.journal_head.c.hash,
        schema.journal_head.c.recorded_at_ms,
    )
)

_HEAD = select(schema.journal_head)

_SET_HEAD = (
    update(schema.journal_head)
    .where(schema.journal_head.c.head_id == 1)
    .values(hash=bindparam("new_hash"), recorded_at_ms=bindparam("new_recorded_at_ms"))
)

_AFTER = (
    select(schema.events)
    .where(schema.events.c.seq > bindparam("seq"))
    .order_by(schema.events.c.seq)
    .limit(bindparam("most"))
)


# What a follower needs of an event: not its tag or body, so that one of a kind it does not know
# yet is followed all the same (SECURITY D20).
_STEPS = (
    select(
        schema.events.c.seq,
        schema.events.c.key_id,
        schema.events.c.previous_hash,
        schema.events.c.hash,
    )
    .where(schema.events.c.seq > bindparam("seq"))
    .order_by(schema.events.c.seq)
    .limit(bindparam("most"))
)


class Step(NamedTuple):
    """That something happened to a key, or to something else: an event without what it says."""

    seq: int
    key_id: str | None
    previous_hash: str
    hash: str


def append(tx: Transaction, change: Change, now_ms: int) -> Event:
    """
    Record *change* at *now_ms* (ms, UTC) as the next event; part of the caller's transaction.

    Raises Unavailable `restored` in a store that is held: so every change is refused (D18);
    Conflict `repeated` where another request did this already, under the same Idempotency-Key.
    """
    (event,) = append_all(tx, [change], now_ms)
    return event


def append_all(tx: Transaction, changes: Sequence[Change], now_ms: int) -> list[Event]:
    """Record each of *changes* as `append` does, in order; many cost little more than one."""
    if not changes:
        return []
    changes = [acts.marked(tx, changes[0]), *changes[1:]]
    holds.require_released(tx)
    head = tx.execute(_TAKE_HEAD, {"count": len(changes)}).one()
    recorded_at_ms, previous_hash = max(now_ms, head.recorded_at_ms), head.hash
    appended: list[Event] = []
    for seq, change in enumerate(changes, start=head.seq - len(changes) + 1):
        event = events.seal(
            change, seq=seq, recorded_at_ms=recorded_at_ms, previous_hash=previous_hash
        )
        previous_hash = event.hash
        appended.append(event)
    tx.execute(insert(schema.events), [_row(event) for event in appended])
    tx.execute(_SET_HEAD, {"new_hash": previous_hash, "new_recorded_at_ms": recorded_at_ms})
    notices.tell(tx, appended, recorded_at_ms)
    acts.record(tx, appended[0])
    return appended


def head(tx: Transaction) -> tuple[int, str, int]:
    """Return the last event's seq, hash and recording instant (ms); 0 before the first."""
    row = tx.execute(_HEAD).one()
    return row.seq, row.hash, row.recorded_at_ms


def after(tx: Transaction, seq: int, most: int) -> Iterator[Event]:
    """Yield at *most* so many events after *seq*, in order."""
    for row in tx.execute(_AFTER, {"seq": seq, "most": most}):
        yield event_of(row)


def steps(tx: Transaction, seq: int, most: int) -> list[Step]:
    """Return at *most* so many steps after *seq*, in order."""
    rows = tx.execute(_STEPS, {"seq": seq, "most": most})
    return [Step(row.seq, row.key_id, row.previous_hash, row.hash) for row in rows]


def of_key(tx: Transaction, key_id: str) -> Iterator[Event]:
    """Yield every event about one key, in order."""
    chosen = select(schema.events).where(schema.events.c.key_id == key_id)
    for row in tx.execute(chosen.order_by(schema.events.c.seq)):
        yield event_of(row)


def of_account(
    tx: Transaction, account_id: str, seq: int, most: int, key_id: str | None = None
) -> Iterator[Event]:
    """Yield at *most* so many events about one account after *seq*; about one of its keys alone."""
    chosen = select(schema.events).where(
        schema.events.c.account_id == account_id, schema.events.c.seq > seq
    )
    if key_id is not None:
        chosen = chosen.where(schema.events.c.key_id == key_id)
    for row in tx.execute(chosen.order_by(schema.events.c.seq).limit(most)):
        yield event_of(row)


def last_of(tx: Transaction, account_id: str, tag: Tag) -> Event | None:
    """Return the last event of one account with a *tag*."""
    own = (schema.events.c.account_id == account_id) & (schema.events.c.tag == tag)
    chosen = select(schema.events).where(own).order_by(schema.events.c.seq.desc()).limit(1)
    row = tx.execute(chosen).first()
    return None if row is None else event_of(row)


def _row(event: Event) -> dict[str, object]:
    return {
        "seq": event.seq,
        "tag": str(event.change.tag),
        "actor": event.change.actor,
        "account_id": event.change.account_id,
        "key_id": event.change.key_id,
        "happened_at_ms": event.change.happened_at_ms,
        "recorded_at_ms": event.recorded_at_ms,
        "body": events.canonical(event.change.body),
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


def event_of(row: Row[tuple[object, ...]]) -> Event:
    """Return the event in a *row* of the table."""
    return Event(
        seq=row.seq,
        recorded_at_ms=row.recorded_at_ms,
        change=Change(
            tag=Tag(row.tag),
            actor=row.actor,
            happened_at_ms=row.happened_at_ms,
            body=json.loads(row.body),
            account_id=row.account_id,
            key_id=row.key_id,
        ),
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
