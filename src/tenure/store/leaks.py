"""Leak reports as rows: queued once each, taken key by key, and marked when worked off."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import Row, insert, select, update

from tenure.domain import leaks
from tenure.domain.events import Tag
from tenure.domain.leaks import LeakAction, Report
from tenure.domain.model import AccountId, KeyId
from tenure.store import schema
from tenure.store.db import Transaction
from tenure.store.schema_leaks import leak_reports

_NAMED_MAX = 1_000
"""Values in one list of a statement: both databases find so many by an index, and take no more."""
_DUE = leak_reports.c.worked_at_ms.is_(None)

_Item = TypeVar("_Item")


class Listed(NamedTuple):
    """
    A report, whose key it names, and when it was received and worked off (ms, UTC).

    *action* is what was last done about that key; None while nothing was, or it had ended before.
    """

    report: Report
    account_id: AccountId
    label: str
    received_at_ms: int
    worked_at_ms: int | None
    action: LeakAction | None


def ours(tx: Transaction, api_keys: Collection[str]) -> dict[str, KeyId]:
    """Return the ids of those *api_keys* that are keys of ours, revoked ones too."""
    columns = select(schema.keys.c.api_key, schema.keys.c.key_id)
    return {
        row.api_key: KeyId(row.key_id)
        for named in _pieces(list(api_keys))
        for row in tx.execute(columns.where(schema.keys.c.api_key.in_(named)))
    }


def add(tx: Transaction, reports: Sequence[Report], received_at_ms: int) -> int:
    """Queue those of *reports* that were never queued before; return how many that were."""
    new = {leaks.digest(report): report for report in reports}
    for named in _pieces(list(new)):
        held = select(leak_reports.c.digest).where(leak_reports.c.digest.in_(named))
        for digest in tx.execute(held).scalars():
            del new[digest]
    if new:
        tx.execute(
            insert(leak_reports),
            [
                {
                    "digest": digest,
                    "key_id": report.key_id,
                    "reporter": report.reporter,
                    "url": report.url,
                    "source": report.source,
                    "found_at_ms": report.found_at_ms,
                    "received_at_ms": received_at_ms,
                    "worked_at_ms": None,
                }
                for digest, report in new.items()
            ],
        )
    return len(new)


def due(tx: Transaction, most: int) -> list[KeyId]:
    """Return at *most* so many keys that have reports nobody has worked off, by id."""
    chosen = select(leak_reports.c.key_id).where(_DUE).distinct()
    rows = tx.execute(chosen.order_by(leak_reports.c.key_id).limit(most)).scalars()
    return [KeyId(key_id) for key_id in rows]


def of_keys(tx: Transaction, key_ids: Sequence[str]) -> dict[KeyId, list[Report]]:
    """Return the reports that nobody has worked off, by the key among *key_ids*, oldest first."""
    chosen = select(leak_reports).where(_DUE).where(leak_reports.c.key_id.in_(key_ids))
    found: dict[KeyId, list[Report]] = {}
    for row in tx.execute(chosen.order_by(leak_reports.c.received_at_ms, leak_reports.c.digest)):
        found.setdefault(KeyId(row.key_id), []).append(_report(row))
    return found


def latest(tx: Transaction, most: int) -> list[Listed]:
    """Return at *most* so many reports, the last received first, with what was done about each."""
    chosen = (
        select(leak_reports, schema.keys.c.label, schema.keys.c.account_id)
        .join(schema.keys, schema.keys.c.key_id == leak_reports.c.key_id)
        .order_by(leak_reports.c.received_at_ms.desc(), leak_reports.c.digest)
        .limit(most)
    )
    rows = tx.execute(chosen).all()
    done = _actions(tx, {row.key_id for row in rows})
    return [
        Listed(
            report=_report(row),
            account_id=AccountId(row.account_id),
            label=row.label,
            received_at_ms=row.received_at_ms,
            worked_at_ms=row.worked_at_ms,
            action=None if row.worked_at_ms is None else done.get(row.key_id),
        )
        for row in rows
    ]


def mark_worked(tx: Transaction, key_ids: Sequence[str], now_ms: int) -> int:
    """Record that every report about *key_ids* was worked off; return how many this call marked."""
    statement = update(leak_reports).where(_DUE).where(leak_reports.c.key_id.in_(key_ids))
    return tx.execute(statement.values(worked_at_ms=now_ms)).rowcount


def _pieces(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _NAMED_MAX):
        yield items[start : start + _NAMED_MAX]


def _actions(tx: Transaction, key_ids: Collection[str]) -> dict[str, LeakAction]:
    """Return what the journal last says was done about leaked keys, by the key."""
    event = schema.events.c
    chosen = (
        select(event.key_id, event.body)
        .where(event.key_id.in_(list(key_ids)), event.tag == str(Tag.KEY_REPORTED))
        .order_by(event.seq)
    )
    return {row.key_id: LeakAction(json.loads(row.body)["action"]) for row in tx.execute(chosen)}


def _report(row: Row[tuple[object, ...]]) -> Report:
    return Report(
        key_id=KeyId(row.key_id),
        reporter=row.reporter,
        url=row.url,
        source=row.source,
        found_at_ms=row.found_at_ms,
    )
