"""
The journal and the rows beside it as an audit reads them: page by page, believing nothing.

Events come as they are stored, with tags that nobody knows and columns that somebody spoiled; what
they should be is judged in `domain.lines` and `domain.auditing`.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, exists, insert, select, true

from tenure.domain import events, lines
from tenure.domain.events import Tag
from tenure.domain.lines import Record
from tenure.store import acts, keys, notices, schema
from tenure.store.db import Transaction
from tenure.store.key_rows import Stored

Members = dict[str, Any]
"""An event's columns by name, for `domain.lines.of`."""

_RAW = (
    select(schema.events)
    .where(schema.events.c.seq > bindparam("seq"))
    .order_by(schema.events.c.seq)
    .limit(bindparam("most"))
)


class Rows(NamedTuple):
    """A key as stored, and the permissions whose end is recorded as swept."""

    stored: Stored
    swept: list[str]


def raw(tx: Transaction, after: int, most: int) -> Iterator[Members]:
    """Yield at *most* so many events after a seq, as they are stored."""
    for row in tx.execute(_RAW, {"seq": after, "most": most}).mappings():
        yield dict(row)


def records(tx: Transaction, after: int, most: int) -> Iterator[Record]:
    """Yield at *most* so many events after a seq; raises ValueError for one that is spoiled."""
    for members in raw(tx, after, most):
        yield lines.of(members)


def add(tx: Transaction, found: Sequence[Record]) -> None:
    """
    Store events as they were recorded elsewhere; the caller has checked what they follow on.

    With their notices and acts, as when they were recorded: whoever was told may be told once
    more, under the same id, and nobody is left out.
    """
    columns = [column.name for column in schema.events.columns]
    tx.execute(
        insert(schema.events),
        [{name: getattr(record, name) for name in columns} for record in found],
    )
    last = found[-1]
    tx.execute(
        schema.journal_head.update().values(
            seq=last.seq, hash=last.hash, recorded_at_ms=last.recorded_at_ms
        )
    )
    told = [events.of_record(record) for record in found]
    for event in told:
        acts.record(tx, event)
    for recorded_at_ms, together in itertools.groupby(told, lambda event: event.recorded_at_ms):
        notices.tell(tx, list(together), recorded_at_ms)


def mark_swept(tx: Transaction, record: Record) -> None:
    """Record a lapse as *record*, of a grant that was swept, says it was."""
    said = record.content
    tx.execute(
        schema.grants.update()
        .where(schema.grants.c.key_id == record.key_id)
        .where(schema.grants.c.permission == said["permission"])
        .where(schema.grants.c.ends_at_ms == said["ends_at_ms"])
        .values(swept_at_ms=record.recorded_at_ms)
    )


def keys_without_row(tx: Transaction, after_id: str, most: int) -> list[str]:
    """Return at *most* so many ids of keys that the journal speaks of and the tables do not."""
    has_row = exists().where(schema.keys.c.key_id == schema.events.c.key_id)
    return _distinct(tx, schema.events.c.key_id, after_id, most, ~has_row)


def accounts_without_row(tx: Transaction, after_id: str, most: int) -> list[str]:
    """Return at *most* so many ids of accounts that the journal speaks of and the tables do not."""
    has_row = exists().where(schema.accounts.c.account_id == schema.events.c.account_id)
    return _distinct(tx, schema.events.c.account_id, after_id, most, ~has_row)


def about_keys(tx: Transaction, key_ids: Sequence[str]) -> Iterator[Members]:
    """Yield every event about one of *key_ids*, in order, as stored."""
    yield from _about(tx, schema.events.c.key_id.in_(key_ids))


def about_accounts(tx: Transaction, account_ids: Sequence[str]) -> Iterator[Members]:
    """Yield every event about one of *account_ids* itself, not its keys, in order, as stored."""
    is_itself = schema.events.c.account_id.in_(account_ids) & schema.events.c.key_id.is_(None)
    yield from _about(tx, is_itself)


def about_all(tx: Transaction) -> Iterator[Members]:
    """Yield every event about neither one account nor one key, in order: rules, store, marks."""
    is_nobodys = schema.events.c.account_id.is_(None) & schema.events.c.key_id.is_(None)
    yield from _about(tx, is_nobodys | (schema.events.c.tag == Tag.KEYS_REVOKED))


def rows_of_keys(tx: Transaction, key_ids: Sequence[str]) -> Iterator[Rows]:
    """Yield the rows of the keys called *key_ids*."""
    for stored in keys.load(tx, key_ids):
        swept = [grant.permission for grant in stored.grants if grant.swept_at_ms is not None]
        yield Rows(stored, swept)


def stored_keys(tx: Transaction, after_id: str, most: int) -> list[str]:
    """Return at *most* so many ids of keys that have a row, in order."""
    return _distinct(tx, schema.keys.c.key_id, after_id, most, true())


def stored_accounts(tx: Transaction, after_id: str, most: int) -> list[str]:
    """Return at *most* so many ids of accounts that have a row, in order."""
    return _distinct(tx, schema.accounts.c.account_id, after_id, most, true())


def _distinct(
    tx: Transaction,
    column: ColumnElement[Any],
    after_id: str,
    most: int,
    condition: ColumnElement[bool],
) -> list[str]:
    chosen = select(column).where(column > after_id).where(condition)
    return [
        str(item) for item in tx.execute(chosen.distinct().order_by(column).limit(most)).scalars()
    ]


def _about(tx: Transaction, condition: ColumnElement[bool]) -> Iterator[Members]:
    chosen: Select[Any] = select(schema.events).where(condition).order_by(schema.events.c.seq)
    for row in tx.execute(chosen).mappings():
        yield dict(row)
