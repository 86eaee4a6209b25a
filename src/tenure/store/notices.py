"""
Notices as rows: written with the change they tell of, listed to whom they concern, marked as read.

`tell` is called by `journal.append_all` and by nothing else, so no change is told of that was not
committed, and none is committed without being told of (SECURITY I14). Warnings have no event; they
go through `write_missing`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from tenure.domain import events
from tenure.domain.events import Event
from tenure.domain.model import Account
from tenure.domain.notices import Audience, Kind, Notice, of_event
from tenure.store import marks, schema
from tenure.store import schema_notices as tables
from tenure.store.db import Transaction

_IDS_AT_ONCE = 500
"""How many ids are named in one statement."""


class Listed(NamedTuple):
    """A notice as an account sees it: where it stands in the list, and since when it is read."""

    number: int
    notice: Notice
    read_at_ms: int | None


def tell(tx: Transaction, appended: Sequence[Event], now_ms: int) -> None:
    """
    Write the notices that the events *appended* yield, in the same transaction.

    That a term of a revoked key has ended is no news: it ended with the key, and nothing can be
    done about it (RULES R14).
    """
    found = [notice for event in appended if (notice := of_event(event)) is not None]
    known = _named(tx, found)
    rows = []
    for item in found:
        key = known.get(item.key_id or "", _NAMELESS)
        if not (key.is_revoked and item.kind is Kind.TERM_ENDED):
            rows.append(_row(item, now_ms, key.label))
    if rows:
        tx.execute(insert(tables.notices), rows)


def write_missing(tx: Transaction, found: Sequence[Notice], now_ms: int) -> int:
    """Write those of *found* that are not there yet, and return how many that were."""
    known: set[str] = set()
    for ids in _slices([notice.notice_id for notice in found]):
        chosen = select(tables.notices.c.notice_id)
        known.update(tx.execute(chosen.where(tables.notices.c.notice_id.in_(ids))).scalars())
    # Nobody else can write one in between: a store has one writer at a time (see `db`).
    missing = {item.notice_id: item for item in found if item.notice_id not in known}
    if missing:
        tx.execute(insert(tables.notices), [_row(item, now_ms) for item in missing.values()])
    return len(missing)


def of_account(
    tx: Transaction, account: Account, *, after: int, most: int, unread: bool
) -> list[Listed]:
    """
    Return what *account* was told, in order: at *most* so many notices after a number.

    With *unread*, only what it has not marked as read.
    """
    chosen = (
        _with_reads(account)
        .where(tables.notices.c.number > after)
        .where(_concerns(account))
        .order_by(tables.notices.c.number)
        .limit(most)
    )
    if unread:
        chosen = chosen.where(tables.notice_reads.c.read_at_ms.is_(None))
    return [Listed(row.number, notice_of(row), row.read_at_ms) for row in tx.execute(chosen)]


def latest(
    tx: Transaction, account: Account, *, before: int | None, most: int, unread: bool
) -> list[Listed]:
    """Return the last that *account* was told, the latest first: at *most* so many, before one."""
    found: list[Listed] = []
    for told in _told(account):
        chosen = _with_reads(account).where(told)
        if before is not None:
            chosen = chosen.where(tables.notices.c.number < before)
        if unread:
            chosen = chosen.where(tables.notice_reads.c.read_at_ms.is_(None))
        rows = tx.execute(chosen.order_by(tables.notices.c.number.desc()).limit(most))
        found += [Listed(row.number, notice_of(row), row.read_at_ms) for row in rows]
    return sorted(found, key=lambda listed: -listed.number)[:most]


def count_unread(tx: Transaction, account: Account, most: int) -> int:
    """Return how many notices *account* has not marked as read, counting no further than *most*."""
    count = 0
    for told in _told(account):
        unread = _with_reads(account).where(told, tables.notice_reads.c.read_at_ms.is_(None))
        counted = select(func.count()).select_from(unread.limit(most - count).subquery())
        count += tx.execute(counted).scalar_one()
    return count


def mark_all_read(tx: Transaction, account: Account, upto: int, now_ms: int) -> int:
    """Note that *account* has read all it was told up to a number; return how many were new."""
    count = 0
    for told in _told(account):
        unread = (
            _with_reads(account)
            .with_only_columns(
                literal(account.account_id), tables.notices.c.notice_id, literal(now_ms)
            )
            .where(told, tables.notice_reads.c.read_at_ms.is_(None))
            .where(tables.notices.c.number <= upto)
        )
        columns = ["account_id", "notice_id", "read_at_ms"]
        marked = insert(tables.notice_reads).from_select(columns, unread)
        count += tx.execute(marked.execution_options(preserve_rowcount=True)).rowcount
    return count


def find(tx: Transaction, account: Account, notice_id: str) -> Listed | None:
    """Return the notice called *notice_id* if *account* was told it, else None."""
    read = tables.notice_reads
    chosen = (
        select(tables.notices)
        .where(tables.notices.c.notice_id == notice_id)
        .where(_concerns(account))
    )
    row = tx.execute(chosen).one_or_none()
    if row is None:
        return None
    marked = (
        select(read.c.read_at_ms)
        .where(read.c.account_id == account.account_id)
        .where(read.c.notice_id == notice_id)
    )
    return Listed(row.number, notice_of(row), tx.execute(marked).scalar())


def mark_read(tx: Transaction, account_id: str, notice_id: str, now_ms: int) -> None:
    """Note that an account has read a notice which it had not read before."""
    tx.execute(
        insert(tables.notice_reads).values(
            account_id=account_id, notice_id=notice_id, read_at_ms=now_ms
        )
    )


def head(tx: Transaction) -> int:
    """Return the number of the last notice, 0 before the first."""
    return tx.execute(select(func.max(tables.notices.c.number))).scalar() or 0


def position(tx: Transaction, name: str) -> list[int | str] | None:
    """Return how far the background work called *name* has come, None before its first step."""
    chosen = select(tables.notice_positions.c.position)
    held = tx.execute(chosen.where(tables.notice_positions.c.name == name)).scalar()
    return None if held is None else list(json.loads(held))


def set_position(tx: Transaction, name: str, reached: Sequence[int | str]) -> None:
    """Note how far the background work called *name* has come."""
    text = json.dumps(list(reached))
    changed = tx.execute(
        update(tables.notice_positions)
        .where(tables.notice_positions.c.name == name)
        .values(position=text)
    )
    if changed.rowcount == 0:
        tx.execute(insert(tables.notice_positions).values(name=name, position=text))


def notice_of(row: Row[tuple[object, ...]]) -> Notice:
    """Return the notice in a *row* of the table."""
    return Notice(
        notice_id=row.notice_id,
        kind=Kind(row.kind),
        account_id=row.account_id,
        happened_at_ms=row.happened_at_ms,
        facts=json.loads(row.facts),
        audience=Audience(row.audience),
        seq=row.seq,
        key_id=row.key_id,
        permission=row.permission,
        ends_at_ms=row.ends_at_ms,
        lead_ms=row.lead_ms,
        mark_id=row.mark_id,
    )


def _with_reads(account: Account) -> Select[Any]:
    """Return every notice, with since when *account* has read it."""
    read = tables.notice_reads
    is_its = and_(
        read.c.notice_id == tables.notices.c.notice_id, read.c.account_id == account.account_id
    )
    return select(tables.notices, read.c.read_at_ms).outerjoin(read, is_its)


def _told(account: Account) -> tuple[ColumnElement[bool], ...]:
    """Return what selects the notices that *account* was told: each part by an index of its own."""
    table = tables.notices.c
    is_one_accounts = table.audience == Audience.ACCOUNT
    return (
        and_(table.account_id == account.account_id, is_one_accounts),
        and_(table.audience != Audience.ACCOUNT, _concerns(account)),
    )


def _concerns(account: Account) -> ColumnElement[bool]:
    """Whether *account* is told a notice: its own, its tree's, everybody's, a mark's."""
    table = tables.notices.c
    tree = [account.account_id, *([account.master_id] if account.master_id else [])]
    return or_(
        and_(table.account_id == account.account_id, table.audience != Audience.MARKED),
        and_(
            table.audience == Audience.TREE,
            table.account_id.in_(tree),
            table.written_at_ms >= account.created_at_ms,
        ),
        and_(
            table.audience == Audience.EVERYBODY,
            table.written_at_ms >= account.created_at_ms,
        ),
        and_(table.audience == Audience.MARKED, marks.concern(table.mark_id, account.account_id)),
    )


class _Named(NamedTuple):
    """What names a key in a notice whose event does not, and whether it is revoked by now."""

    label: Mapping[str, object]
    is_revoked: bool


_NAMELESS = _Named({}, is_revoked=False)
_NAMED = (
    select(
        schema.keys.c.key_id,
        schema.keys.c.label,
        schema.keys.c.key_type,
        schema.keys.c.ip_allowlist,
        schema.keys.c.revoked_at_ms,
        marks.SINCE.label("marked_at_ms"),
    )
    .join(schema.accounts, schema.accounts.c.account_id == schema.keys.c.account_id)
    .where(schema.keys.c.key_id.in_(bindparam("key_ids", expanding=True)))
)


def _named(tx: Transaction, found: Sequence[Notice]) -> Mapping[str, _Named]:
    """Return what names each key whose event does not name it: one look for all of them."""
    nameless = {
        item.key_id for item in found if item.key_id is not None and "key_type" not in item.facts
    }
    known: dict[str, _Named] = {}
    for ids in _slices(sorted(nameless)):
        for row in tx.execute(_NAMED, {"key_ids": ids}):
            label = {
                "label": row.label,
                "key_type": row.key_type,
                "is_restricted": row.ip_allowlist != "[]",
            }
            is_revoked = row.revoked_at_ms is not None or row.marked_at_ms is not None
            known[row.key_id] = _Named(label, is_revoked)
    return known


def _row(
    notice: Notice, now_ms: int, label: Mapping[str, object] | None = None
) -> dict[str, object]:
    return {
        "notice_id": notice.notice_id,
        "kind": str(notice.kind),
        "audience": str(notice.audience),
        "account_id": notice.account_id,
        "key_id": notice.key_id,
        "seq": notice.seq,
        "permission": notice.permission,
        "ends_at_ms": notice.ends_at_ms,
        "lead_ms": notice.lead_ms,
        "mark_id": notice.mark_id,
        "facts": events.canonical({**(label or {}), **notice.facts}),
        "happened_at_ms": notice.happened_at_ms,
        "written_at_ms": now_ms,
    }


def _slices(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE))
