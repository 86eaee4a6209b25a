"""
When and from where keys were used, as rows: written in batches, read key by key or page by page.

Whoever writes reads first, in the same transaction: one write runs at a time (see `db`), so what is
known and what is added to it never part, and an older instant never overwrites a later one.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update

from tenure.domain.model import AccountId, KeyId, Permission
from tenure.domain.usage import KeyUsage, LastUsed, Seen, Unused
from tenure.store import schema
from tenure.store.db import Transaction

_usage, _addresses = schema.key_usage, schema.key_addresses

# Active keys that are old enough to have been used and were not, by id. A key nobody ever used has
# no row on the right-hand side.
_UNUSED = (
    select(
        schema.keys.c.key_id,
        schema.keys.c.account_id,
        schema.keys.c.label,
        schema.keys.c.issued_at_ms,
        _usage.c.last_used_at_ms,
        _usage.c.last_address,
        _usage.c.last_permission,
    )
    .select_from(schema.keys.outerjoin(_usage, schema.keys.c.key_id == _usage.c.key_id))
    .where(schema.keys.c.revoked_at_ms.is_(None))
    .where(schema.keys.c.issued_at_ms < bindparam("since_ms"))
    .where(
        or_(_usage.c.last_used_at_ms.is_(None), _usage.c.last_used_at_ms < bindparam("since_ms"))
    )
    .where(schema.keys.c.key_id > bindparam("after_id"))
    .order_by(schema.keys.c.key_id)
    .limit(bindparam("most"))
)


def owners(tx: Transaction, key_ids: Iterable[str]) -> dict[str, AccountId]:
    """Return the account of each of *key_ids* that is a key here; others are left out."""
    chosen = select(schema.keys.c.key_id, schema.keys.c.account_id).where(
        schema.keys.c.key_id.in_(list(key_ids))
    )
    return {row.key_id: AccountId(row.account_id) for row in tx.execute(chosen)}


def of_keys(tx: Transaction, key_ids: Iterable[str]) -> dict[str, KeyUsage]:
    """Return what is known of the use of *key_ids*; those that were never used are left out."""
    named = list(key_ids)
    seen: dict[str, list[Seen]] = {}
    chosen = select(_addresses).where(_addresses.c.key_id.in_(named))
    for row in tx.execute(
        chosen.order_by(_addresses.c.last_used_at_ms.desc(), _addresses.c.address)
    ):
        item = Seen(row.address, row.first_used_at_ms, row.last_used_at_ms)
        seen.setdefault(row.key_id, []).append(item)
    return {
        row.key_id: KeyUsage(
            key_id=KeyId(row.key_id),
            first_used_at_ms=row.first_used_at_ms,
            last_used_at_ms=row.last_used_at_ms,
            last_address=row.last_address,
            last_permission=Permission(row.last_permission),
            addresses=tuple(seen.get(row.key_id, ())),
            told_on_day=row.told_on_day,
            told_count=row.told_count,
            old_secret_told_on_day=row.old_secret_told_on_day,
        )
        for row in tx.execute(select(_usage).where(_usage.c.key_id.in_(named)))
    }


def last_used(tx: Transaction, key_ids: Iterable[str]) -> dict[str, LastUsed]:
    """Return the last noted use of each of *key_ids*; those never used are left out."""
    rows = tx.execute(select(_usage).where(_usage.c.key_id.in_(list(key_ids))))
    return {row.key_id: _last_used(row) for row in rows}


def save(tx: Transaction, changed: Sequence[tuple[KeyUsage | None, KeyUsage]]) -> None:
    """Save what is known of keys, each as it was (None: never used) and as it is now."""
    _execute(tx, insert(_usage), [_row(after) for before, after in changed if before is None])
    _execute(
        tx,
        update(_usage).where(_usage.c.key_id == bindparam("of_key")),
        [{"of_key": after.key_id, **_row(after)} for before, after in changed if before],
    )
    added: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for before, after in changed:
        held = {item.address: item for item in before.addresses} if before else {}
        for item in after.addresses:
            known = held.pop(item.address, None)
            if known is None:
                added.append({"key_id": after.key_id, **item._asdict()})
            elif known != item:
                moved.append({"of_key": after.key_id, "at": item.address, **item._asdict()})
        dropped += [{"of_key": after.key_id, "at": address} for address in held]
    is_it = (_addresses.c.key_id == bindparam("of_key")) & (_addresses.c.address == bindparam("at"))
    _execute(tx, delete(_addresses).where(is_it), dropped)
    _execute(tx, update(_addresses).where(is_it), moved)
    _execute(tx, insert(_addresses), added)


def unused(tx: Transaction, since_ms: int, after_id: str, most: int) -> Iterator[Unused]:
    """
    Yield at *most* so many active keys issued before *since_ms* and not used from then on, by id.

    Those whose id sorts after *after_id*.
    """
    named = {"since_ms": since_ms, "after_id": after_id, "most": most}
    for row in tx.execute(_UNUSED, named):
        last = None if row.last_used_at_ms is None else _last_used(row)
        yield Unused(
            KeyId(row.key_id), AccountId(row.account_id), row.label, row.issued_at_ms, last
        )


def _last_used(row: Any) -> LastUsed:  # noqa: ANN401 - a row, of whatever else
    return LastUsed(row.last_used_at_ms, row.last_address, Permission(row.last_permission))


def _execute(tx: Transaction, statement: Any, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401 - insert, update or delete
    if rows:
        tx.execute(statement, rows)


def _row(usage: KeyUsage) -> dict[str, Any]:
    return {
        "key_id": usage.key_id,
        "first_used_at_ms": usage.first_used_at_ms,
        "last_used_at_ms": usage.last_used_at_ms,
        "last_address": usage.last_address,
        "last_permission": usage.last_permission,
        "told_on_day": usage.told_on_day,
        "told_count": usage.told_count,
        "old_secret_told_on_day": usage.old_secret_told_on_day,
    }
