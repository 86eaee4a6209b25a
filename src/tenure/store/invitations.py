"""Invitations as rows: one-time links, by the digest of their secret."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from tenure.domain.people import Role
from tenure.store import schema_people as tables
from tenure.store.db import Transaction

_TABLE = tables.invitations


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInvitation:
    """An invitation; *person_id* is None for the first administrator's."""

    digest: str
    role: Role
    ends_at_ms: int
    person_id: str | None = None


def add(tx: Transaction, invitation: StoredInvitation) -> None:
    """Store a new invitation in the place of every other one for the same person."""
    column = _TABLE.c.person_id
    tx.execute(delete(_TABLE).where(column.is_not_distinct_from(invitation.person_id)))
    tx.execute(
        insert(_TABLE).values(
            digest=invitation.digest,
            role=str(invitation.role),
            person_id=invitation.person_id,
            ends_at_ms=invitation.ends_at_ms,
        )
    )


def get(tx: Transaction, digest: str, now_ms: int) -> StoredInvitation | None:
    """Return the invitation with a digest, if it is still good."""
    chosen = select(_TABLE).where((_TABLE.c.digest == digest) & (_TABLE.c.ends_at_ms > now_ms))
    row = tx.execute(chosen).one_or_none()
    if row is None:
        return None
    return StoredInvitation(
        digest=row.digest,
        role=Role(row.role),
        ends_at_ms=row.ends_at_ms,
        person_id=row.person_id,
    )


def spend(tx: Transaction, digest: str) -> bool:
    """Use an invitation up; False where there is none."""
    return tx.execute(delete(_TABLE).where(_TABLE.c.digest == digest)).rowcount == 1


def withdraw(tx: Transaction, person_id: str | None) -> None:
    """Withdraw every invitation of a person, or of the first administrator."""
    tx.execute(delete(_TABLE).where(_TABLE.c.person_id.is_not_distinct_from(person_id)))
