"""The addresses of calendar feeds as rows: one an account, its secret kept as a hash."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, insert, select

from tenure.store import schema_notices as tables
from tenure.store.db import Transaction

_TABLE: Final = tables.calendars


def put(tx: Transaction, account_id: str, secret_hash: str, now_ms: int) -> None:
    """Give an account's feed a new address, known by *secret_hash*; the former one is no more."""
    tx.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id))
    tx.execute(
        insert(_TABLE).values(account_id=account_id, secret_hash=secret_hash, made_at_ms=now_ms)
    )


def remove(tx: Transaction, account_id: str) -> None:
    """Close an account's feed, until somebody asks for an address again."""
    tx.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id))


def made_at_ms(tx: Transaction, account_ids: Sequence[str]) -> dict[str, int]:
    """Return, of those of *account_ids* that have a feed, since when it has its address (ms)."""
    chosen = select(_TABLE.c.account_id, _TABLE.c.made_at_ms)
    rows = tx.execute(chosen.where(_TABLE.c.account_id.in_(account_ids)))
    return {row.account_id: row.made_at_ms for row in rows}


def owner_of(tx: Transaction, secret_hash: str) -> str | None:
    """Return whose feed is known by *secret_hash*, None where there is none."""
    chosen = select(_TABLE.c.account_id).where(_TABLE.c.secret_hash == secret_hash)
    return tx.execute(chosen).scalar()
