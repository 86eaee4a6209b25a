"""Facts about the store itself, and the wrapped data keys that seal secrets."""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from tenure.store import schema
from tenure.store.db import Transaction

# Made once: the follower asks for two of them twenty times a second.
_MARK = select(schema.marks.c.value).where(schema.marks.c.name == bindparam("name"))


class WrappedDataKey(NamedTuple):
    """A data key as stored: its id, its wrapped bytes, and when it was made (ms, UTC)."""

    data_key_id: str
    wrapped: bytes
    created_at_ms: int


def mark(tx: Transaction, name: str) -> str | None:
    """Return the store's mark called *name*, or None."""
    return tx.execute(_MARK, {"name": name}).scalar_one_or_none()


def set_mark(tx: Transaction, name: str, value: str) -> None:
    """Set a mark for good; it must not be there yet."""
    tx.execute(insert(schema.marks).values(name=name, value=value))


def replace_mark(tx: Transaction, name: str, value: str) -> None:
    """Set a mark that may be there already; the event that says why belongs beside it."""
    tx.execute(delete(schema.marks).where(schema.marks.c.name == name))
    set_mark(tx, name, value)


def data_keys(tx: Transaction) -> dict[str, bytes]:
    """Return every wrapped data key by its id."""
    return {row.data_key_id: row.wrapped for row in tx.execute(select(schema.data_keys))}


def newest_data_key(tx: Transaction) -> WrappedDataKey | None:
    """Return the data key made last, or None before the first."""
    newest = select(schema.data_keys).order_by(
        schema.data_keys.c.created_at_ms.desc(), schema.data_keys.c.data_key_id
    )
    row = tx.execute(newest.limit(1)).one_or_none()
    return WrappedDataKey(row.data_key_id, row.wrapped, row.created_at_ms) if row else None


def add_data_key(tx: Transaction, data_key_id: str, wrapped: bytes, now_ms: int) -> None:
    """Store a new data key, wrapped by the sealing key."""
    tx.execute(
        insert(schema.data_keys).values(
            data_key_id=data_key_id, wrapped=wrapped, created_at_ms=now_ms
        )
    )
