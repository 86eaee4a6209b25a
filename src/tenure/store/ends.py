"""
How many terms end on which day, over all keys: counted by the store, in one statement.

By the index the sweeper uses. Looking at each key as well, to leave out those that were revoked,
costs ten times as much, so whoever asks says whether it is worth it.
"""

from sqlalchemy import bindparam, func, select

from tenure.domain.model import Permission
from tenure.store import marks, schema
from tenure.store.db import Transaction

DAY_MS = 86_400_000
_GRANT = schema.grants.c
_DAY = (_GRANT.ends_at_ms // DAY_MS).label("day")
_COMING = (
    _GRANT.swept_at_ms.is_(None),
    _GRANT.ends_at_ms >= bindparam("from_ms"),
    _GRANT.ends_at_ms < bindparam("until_ms"),
)

_MANY = select(func.count()).select_from(
    select(_GRANT.ends_at_ms).where(*_COMING).limit(bindparam("most")).subquery()
)


_ALL = (
    select(_DAY, _GRANT.permission, func.count().label("ends"))
    .where(*_COMING)
    .group_by(_DAY, _GRANT.permission)
)
_ALIVE = (
    _ALL.join(schema.keys, schema.keys.c.key_id == _GRANT.key_id)
    .join(schema.accounts, schema.accounts.c.account_id == schema.keys.c.account_id)
    .where(schema.keys.c.revoked_at_ms.is_(None), marks.SINCE.is_(None))
)


def count(tx: Transaction, from_ms: int, until_ms: int, most: int) -> int:
    """Count the terms that end from *from_ms* on and before *until_ms*, up to *most* of them."""
    named = {"from_ms": from_ms, "until_ms": until_ms, "most": most}
    return tx.execute(_MANY, named).scalar_one()


def per_day(
    tx: Transaction, from_ms: int, until_ms: int, *, of_alive: bool
) -> dict[int, dict[Permission, int]]:
    """
    Return how many terms end by the day (UTC, counted from 1970) and permission.

    From *from_ms* on and before *until_ms*; *of_alive*: only those of keys that are not revoked.
    """
    found: dict[int, dict[Permission, int]] = {}
    chosen = _ALIVE if of_alive else _ALL
    for row in tx.execute(chosen, {"from_ms": from_ms, "until_ms": until_ms}):
        found.setdefault(row.day, {})[Permission(row.permission)] = row.ends
    return found
