"""
Contacts as rows. One that was removed keeps its row, for what was sent to it is on record.

The sealed secret of a webhook is written apart, because most that load a contact have no business
with it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Row, func, insert, select, update

from tenure.domain.contacts import Channel, Contact, first_contact
from tenure.domain.errors import NotFound
from tenure.domain.model import Account
from tenure.domain.notices import Kind
from tenure.store import schema_notices as tables
from tenure.store.db import Transaction

_TABLE: Final = tables.contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecrets:
    """A webhook's signing secret, sealed, and the one before it while that still signs too."""

    sealed: bytes | None = None
    sealed_old: bytes | None = None
    old_until_ms: int | None = None


def add(tx: Transaction, contact: Contact, secrets: SealedSecrets) -> None:
    """Store a new *contact* with its *secrets*."""
    tx.execute(
        insert(_TABLE).values(
            contact_id=contact.contact_id,
            account_id=contact.account_id,
            channel=str(contact.channel),
            added_at_ms=contact.added_at_ms,
            **_editable(contact),
            **_sealed(secrets),
        )
    )


def add_first(tx: Transaction, account: Account) -> None:
    """Store the contact that every account begins with."""
    add(tx, first_contact(account), SealedSecrets())


def save(tx: Transaction, contact: Contact) -> None:
    """Save what may change of a *contact*."""
    tx.execute(
        update(_TABLE).where(_TABLE.c.contact_id == contact.contact_id).values(**_editable(contact))
    )


def set_secrets(tx: Transaction, contact_id: str, secrets: SealedSecrets) -> None:
    """Replace the sealed secrets of a contact."""
    tx.execute(update(_TABLE).where(_TABLE.c.contact_id == contact_id).values(**_sealed(secrets)))


def get(tx: Transaction, account_id: str, contact_id: str) -> Contact:
    """Return a contact of one account that was not removed; raises NotFound."""
    chosen = (
        select(_TABLE)
        .where(_TABLE.c.contact_id == contact_id)
        .where(_TABLE.c.account_id == account_id)
        .where(_TABLE.c.removed_at_ms.is_(None))
    )
    row = tx.execute(chosen).one_or_none()
    if row is None:
        raise NotFound("there is no such contact")
    return contact_of(row)


def secrets(tx: Transaction, contact_id: str) -> SealedSecrets:
    """Return the sealed secrets of a contact."""
    row = tx.execute(select(_TABLE).where(_TABLE.c.contact_id == contact_id)).one()
    return SealedSecrets(
        sealed=None if row.sealed_secret is None else bytes(row.sealed_secret),
        sealed_old=None if row.sealed_old_secret is None else bytes(row.sealed_old_secret),
        old_until_ms=row.old_secret_until_ms,
    )


def account_of(tx: Transaction, contact_id: str) -> str:
    """Return whose a contact is."""
    chosen = select(_TABLE.c.account_id).where(_TABLE.c.contact_id == contact_id)
    return str(tx.execute(chosen).scalar_one())


def of_account(tx: Transaction, account_id: str) -> list[Contact]:
    """Return the contacts of one account, the oldest first, without those removed."""
    chosen = (
        select(_TABLE)
        .where(_TABLE.c.account_id == account_id)
        .where(_TABLE.c.removed_at_ms.is_(None))
        .order_by(_TABLE.c.added_at_ms, _TABLE.c.contact_id)
    )
    return [contact_of(row) for row in tx.execute(chosen)]


def rows_of(tx: Transaction, account_ids: Sequence[str]) -> list[Row[tuple[object, ...]]]:
    """Return the rows of the contacts of some accounts, removed ones too: for `contact_of`."""
    return list(tx.execute(select(_TABLE).where(_TABLE.c.account_id.in_(account_ids))))


def count(tx: Transaction, account_id: str) -> int:
    """Return how many contacts one account has."""
    chosen = (
        select(func.count())
        .select_from(_TABLE)
        .where(_TABLE.c.account_id == account_id)
        .where(_TABLE.c.removed_at_ms.is_(None))
    )
    return tx.execute(chosen).scalar_one()


def contact_of(row: Row[tuple[object, ...]]) -> Contact:
    """Return the contact in a *row* of the table."""
    return Contact(
        contact_id=row.contact_id,
        account_id=row.account_id,
        channel=Channel(row.channel),
        address=row.address,
        added_at_ms=row.added_at_ms,
        language=row.language,
        time_zone=row.time_zone,
        muted=tuple(Kind(name) for name in json.loads(row.muted)),
        confirmed_at_ms=row.confirmed_at_ms,
        removed_at_ms=row.removed_at_ms,
    )


def _editable(contact: Contact) -> dict[str, object]:
    return {
        "address": contact.address,
        "language": contact.language,
        "time_zone": contact.time_zone,
        "muted": json.dumps([str(kind) for kind in contact.muted]),
        "confirmed_at_ms": contact.confirmed_at_ms,
        "removed_at_ms": contact.removed_at_ms,
    }


def _sealed(secrets: SealedSecrets) -> dict[str, object]:
    return {
        "sealed_secret": secrets.sealed,
        "sealed_old_secret": secrets.sealed_old,
        "old_secret_until_ms": secrets.old_until_ms,
    }
