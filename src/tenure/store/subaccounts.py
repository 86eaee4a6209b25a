"""
Sub-accounts and their keys as their master names them: by e-mail, and by the public API key.

What belongs to nobody and what belongs to somebody else is not found in one and the same way
(RULES R16).
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select, true

from tenure.domain.errors import NotFound
from tenure.domain.model import Account, ApiKey
from tenure.store import accounts, keys, marks, schema
from tenure.store.db import Transaction


def account(tx: Transaction, master_id: str, email: str) -> Account:
    """Return the sub-account of *master_id* with exactly this *email*; raises NotFound."""
    chosen = select(schema.accounts.c.account_id).where(
        schema.accounts.c.email == email, schema.accounts.c.master_id == master_id
    )
    account_id = tx.execute(chosen).scalar_one_or_none()
    if account_id is None:
        raise NotFound("no such sub-account, or no such key of it")
    return accounts.get(tx, account_id)


def key(tx: Transaction, master_id: str, email: str, api_key: str) -> ApiKey:
    """Return that sub-account's key called *api_key*, revoked ones too; raises NotFound."""
    chosen = select(schema.keys.c.key_id).where(
        schema.keys.c.account_id == account(tx, master_id, email).account_id,
        schema.keys.c.api_key == api_key,
    )
    key_id = tx.execute(chosen).scalar_one_or_none()
    if key_id is None:
        raise NotFound("no such sub-account, or no such key of it")
    return keys.get(tx, key_id)


def count_alive(tx: Transaction, account_ids: Sequence[str]) -> dict[str, int]:
    """Return how many keys that are not revoked each of *account_ids* has; none is left out."""
    key, owner = schema.keys.c, schema.accounts.c
    counted = (
        select(key.account_id, func.count().label("alive"))
        .join(schema.accounts, owner.account_id == key.account_id)
        .where(key.account_id.in_(account_ids))
        .where(key.revoked_at_ms.is_(None), marks.SINCE.is_(None))
        .group_by(key.account_id)
    )
    alive = {row.account_id: row.alive for row in tx.execute(counted)}
    return {account_id: alive.get(account_id, 0) for account_id in account_ids}


def live_keys(
    tx: Transaction, account_id: str, *, api_key: str | None = None, skip: int, most: int
) -> tuple[int, list[ApiKey]]:
    """
    Return how many keys of *account_id* are not revoked, and at *most* so many after *skip*.

    The oldest first; where *api_key* is given, that one alone counts.
    """
    is_named: ColumnElement[bool] = true() if api_key is None else schema.keys.c.api_key == api_key
    wanted = and_(
        schema.keys.c.account_id == account_id, schema.keys.c.revoked_at_ms.is_(None), is_named
    )
    total = tx.execute(select(func.count()).select_from(schema.keys).where(wanted)).scalar_one()
    key_ids = tx.execute(
        select(schema.keys.c.key_id)
        .where(wanted)
        .order_by(schema.keys.c.issued_at_ms, schema.keys.c.key_id)
        .limit(most)
        .offset(skip)
    )
    order = list(key_ids.scalars())
    found = {stored.key_id: stored.key for stored in keys.load(tx, order)}
    return total, [found[key_id] for key_id in order]
