"""Accounts as rows."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Row, exc, insert, select, update

from tenure.domain.errors import Conflict, NotFound
from tenure.domain.model import Account, AccountId, AccountKind
from tenure.store import schema
from tenure.store.db import Transaction


def add(tx: Transaction, account: Account) -> None:
    """Store a new *account*; raises Conflict `exists` where its e-mail is taken."""
    try:
        tx.execute(
            insert(schema.accounts).values(
                account_id=account.account_id,
                kind=str(account.kind),
                email=account.email,
                master_id=account.master_id,
                created_at_ms=account.created_at_ms,
                frozen_at_ms=account.frozen_at_ms,
            )
        )
    except exc.IntegrityError as error:
        raise Conflict("exists", "an account with this e-mail exists") from error


def get(tx: Transaction, account_id: str) -> Account:
    """Return the account called *account_id*; raises NotFound."""
    chosen = select(schema.accounts).where(schema.accounts.c.account_id == account_id)
    row = tx.execute(chosen).one_or_none()
    if row is None:
        raise NotFound("there is no such account")
    return _account(row)


def by_email(tx: Transaction, email: str) -> Account | None:
    """Return the account with exactly this e-mail."""
    row = tx.execute(select(schema.accounts).where(schema.accounts.c.email == email)).one_or_none()
    return None if row is None else _account(row)


def every(tx: Transaction, after_id: str = "", most: int = 1000) -> Iterator[Account]:
    """Yield at *most* so many accounts whose id sorts after *after_id*, by id."""
    chosen = select(schema.accounts).where(schema.accounts.c.account_id > after_id)
    for row in tx.execute(chosen.order_by(schema.accounts.c.account_id).limit(most)):
        yield _account(row)


def by_emails(tx: Transaction, after_id: str, most: int) -> Iterator[tuple[Account, bool]]:
    """
    Yield at *most* so many accounts by e-mail, those after the one called *after_id*.

    With each, whether its master is frozen. An id that is nobody's, or "", begins at the first.
    """
    own, master = schema.accounts, schema.accounts.alias("master")
    after = select(own.c.email).where(own.c.account_id == after_id)
    chosen = (
        select(own, master.c.frozen_at_ms.is_not(None).label("is_masters"))
        .outerjoin(master, own.c.master_id == master.c.account_id)
        .where(own.c.email > (tx.execute(after).scalar_one_or_none() or ""))
        .order_by(own.c.email)
        .limit(most)
    )
    for row in tx.execute(chosen):
        yield _account(row), bool(row.is_masters)


def of_master(tx: Transaction, master_id: str, after_id: str, most: int) -> Iterator[Account]:
    """Yield at *most* so many sub-accounts of *master_id* whose id sorts after *after_id*."""
    chosen = (
        select(schema.accounts)
        .where(schema.accounts.c.master_id == master_id)
        .where(schema.accounts.c.account_id > after_id)
    )
    for row in tx.execute(chosen.order_by(schema.accounts.c.account_id).limit(most)):
        yield _account(row)


def emails(tx: Transaction, account_ids: Iterable[str]) -> dict[str, str]:
    """Return the e-mails of those of *account_ids* that are accounts here."""
    column = schema.accounts.c
    chosen = select(column.account_id, column.email).where(
        column.account_id.in_(sorted(account_ids))
    )
    return {row.account_id: row.email for row in tx.execute(chosen)}


def set_frozen(tx: Transaction, account_id: str, frozen_at_ms: int | None) -> bool:
    """Freeze (an instant, ms) or unfreeze (None) one account; False where it already was so."""
    column = schema.accounts.c.frozen_at_ms
    changed = tx.execute(
        update(schema.accounts)
        .where(schema.accounts.c.account_id == account_id)
        .where(column.is_not(None) if frozen_at_ms is None else column.is_(None))
        .values(frozen_at_ms=frozen_at_ms)
    )
    return changed.rowcount == 1


def frozen(tx: Transaction) -> dict[str, int]:
    """Return since when (ms) accounts are frozen themselves; sub-accounts follow from masters."""
    column = schema.accounts.c.frozen_at_ms
    chosen = select(schema.accounts.c.account_id, column).where(column.is_not(None))
    return {row.account_id: row.frozen_at_ms for row in tx.execute(chosen)}


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        account_id=AccountId(row.account_id),
        kind=AccountKind(row.kind),
        email=row.email,
        created_at_ms=row.created_at_ms,
        master_id=AccountId(row.master_id) if row.master_id else None,
        frozen_at_ms=row.frozen_at_ms,
    )
