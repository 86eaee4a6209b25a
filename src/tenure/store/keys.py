"""
API keys and their grants as rows, and the statement that records ended terms.

A key is saved whole: its row and its grants in one transaction, guarded by its version. Its sealed
secret is written apart, because most that load a key have no business with it. How a row is read
is in `key_rows`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from tenure.domain.errors import Conflict, NotFound
from tenure.domain.model import AccountId, ApiKey, KeyId, Permission, RuleId
from tenure.store import key_rows, marks, schema
from tenure.store.db import Transaction
from tenure.store.key_rows import Stored

# Grants whose term has ended and that nobody has recorded yet, the oldest end first. By nothing
# else: where a million end at one instant, every batch would sort what is left of them.
_DUE = (
    select(schema.grants.c.key_id, schema.grants.c.permission)
    .where(schema.grants.c.swept_at_ms.is_(None))
    .where(schema.grants.c.ends_at_ms <= bindparam("now_ms"))
    .order_by(schema.grants.c.ends_at_ms)
    .limit(bindparam("most"))
)

# Records ended terms; it decides nothing (RULES R10). Sweepers may race: whoever changes a row gets
# it back and writes its event, the others get nothing. The end is compared again, so a grant that
# was renewed since somebody looked is left alone.
_MARK_SWEPT = (
    update(schema.grants)
    .where(schema.grants.c.key_id.in_(bindparam("swept_key_ids", expanding=True)))
    .where(schema.grants.c.permission.in_(bindparam("swept_permissions", expanding=True)))
    .where(schema.grants.c.swept_at_ms.is_(None))
    .where(schema.grants.c.ends_at_ms <= bindparam("now_ms"))
    .values(swept_at_ms=bindparam("now_ms"))
    .returning(
        schema.grants.c.key_id,
        schema.grants.c.permission,
        schema.grants.c.starts_at_ms,
        schema.grants.c.ends_at_ms,
        schema.grants.c.rule_id,
    )
)


class Lapse(NamedTuple):
    """A grant whose term ended, just recorded as swept."""

    account_id: AccountId
    key_id: KeyId
    permission: Permission
    starts_at_ms: int
    ends_at_ms: int
    rule_id: RuleId


def add(tx: Transaction, key: ApiKey, sealed_secret: bytes | None) -> None:
    """Store a new *key* with its *sealed_secret* (HMAC keys) and its grants."""
    tx.execute(
        insert(schema.keys).values(
            key_id=key.key_id,
            api_key=key.api_key,
            account_id=key.account_id,
            key_type=str(key.key_type),
            public_key=key.public_key,
            sealed_secret=sealed_secret,
            issued_at_ms=key.issued_at_ms,
            **key_rows.editable(key),
        )
    )
    _add_grants(tx, key, list(key.grants))


def save(tx: Transaction, before: ApiKey, after: ApiKey) -> None:
    """
    Save *after* over *before*, grants and all.

    Raises Conflict `stale` where the stored version is no longer that of *before*.
    """
    changed = tx.execute(
        update(schema.keys)
        .where(schema.keys.c.key_id == before.key_id)
        .where(schema.keys.c.version == before.version)
        .values(**key_rows.editable(after))
    )
    if changed.rowcount != 1:
        raise Conflict("stale", "this key was changed meanwhile")
    touched = [
        permission
        for permission in before.grants.keys() | after.grants.keys()
        if before.grants.get(permission) != after.grants.get(permission)
    ]
    if touched:
        tx.execute(
            delete(schema.grants)
            .where(schema.grants.c.key_id == after.key_id)
            .where(schema.grants.c.permission.in_(touched))
        )
        _add_grants(tx, after, [name for name in touched if name in after.grants])


def set_secret(tx: Transaction, key: ApiKey, sealed_secret: bytes | None) -> None:
    """
    Replace the proof of possession of *key*: its sealed secret, or its public key.

    The sealed secret it had is kept beside the new one where *key* has an overlap.
    """
    values: dict[str, object] = {"sealed_secret": sealed_secret, "public_key": key.public_key}
    if key.overlap is not None:
        values["old_sealed_secret"] = schema.keys.c.sealed_secret
    tx.execute(update(schema.keys).where(schema.keys.c.key_id == key.key_id).values(**values))


def get(tx: Transaction, key_id: str) -> ApiKey:
    """Return the key called *key_id*, revoked ones too; raises NotFound."""
    found = list(load(tx, [key_id]))
    if not found:
        raise NotFound("there is no such key")
    return found[0].key


def load(tx: Transaction, key_ids: Sequence[str]) -> Iterator[Stored]:
    """Yield the keys called *key_ids* with their sealed secrets; unknown ids are passed over."""
    rows = tx.execute(key_rows.WITH_ACCOUNT.where(schema.keys.c.key_id.in_(key_ids))).all()
    yield from _with_grants(tx, rows)


def of_account(tx: Transaction, account_id: str) -> list[ApiKey]:
    """Return all keys of one account, revoked ones too, the oldest first."""
    rows = tx.execute(
        key_rows.WITH_ACCOUNT.where(schema.keys.c.account_id == account_id).order_by(
            schema.keys.c.issued_at_ms, schema.keys.c.key_id
        )
    ).all()
    return [stored.key for stored in _with_grants(tx, rows)]


def count_active(tx: Transaction, account_id: str) -> int:
    """Return how many keys of one account are not revoked, by no mark either."""
    chosen = (
        select(func.count())
        .select_from(schema.keys.join(schema.accounts))
        .where(schema.keys.c.account_id == account_id)
        .where(schema.keys.c.revoked_at_ms.is_(None), marks.SINCE.is_(None))
    )
    return tx.execute(chosen).scalar_one()


def overlaps_until_ms(tx: Transaction) -> int:
    """Return until when (ms, UTC) some key may be proved by two secrets; 0 where none ever was."""
    until_ms = schema.keys.c.old_until_ms
    chosen = select(until_ms).where(until_ms.is_not(None)).order_by(until_ms.desc()).limit(1)
    return tx.execute(chosen).scalar_one_or_none() or 0


def every(tx: Transaction, after_id: str, most: int) -> list[Stored]:
    """Return at *most* so many keys whose id sorts after *after_id*, by id."""
    rows = tx.execute(
        key_rows.WITH_ACCOUNT.where(schema.keys.c.key_id > after_id)
        .order_by(schema.keys.c.key_id)
        .limit(most)
    ).all()
    return list(_with_grants(tx, rows))


def due(tx: Transaction, now_ms: int, most: int) -> list[tuple[str, str]]:
    """Return at *most* so many (key_id, permission) whose term ended by *now_ms*, unrecorded."""
    return [
        (row.key_id, row.permission) for row in tx.execute(_DUE, {"now_ms": now_ms, "most": most})
    ]


def due_of_key(tx: Transaction, key_id: str, now_ms: int) -> list[tuple[str, str]]:
    """Return (key_id, permission) of one key's terms that ended by *now_ms*, unrecorded."""
    chosen = (
        select(schema.grants.c.permission)
        .where(schema.grants.c.key_id == key_id)
        .where(schema.grants.c.swept_at_ms.is_(None))
        .where(schema.grants.c.ends_at_ms <= now_ms)
    )
    return [(key_id, permission) for permission in tx.execute(chosen).scalars()]


def mark_swept(tx: Transaction, looked_at: Sequence[tuple[str, str]], now_ms: int) -> list[Lapse]:
    """
    Record that the terms *looked_at*, (key_id, permission) each, ended; the oldest end first.

    Those are left out that somebody else has recorded, or that have not ended any more.
    """
    if not looked_at:
        return []
    # Both databases find rows by two lists in an index, and by a list of pairs only by reading all.
    # What is named by both but not as a pair is recorded too: it has ended just the same.
    named = {
        "swept_key_ids": list({key_id for key_id, _ in looked_at}),
        "swept_permissions": list({permission for _, permission in looked_at}),
    }
    rows = tx.execute(_MARK_SWEPT, {**named, "now_ms": now_ms}).all()
    chosen = select(schema.keys.c.key_id, schema.keys.c.account_id).where(
        schema.keys.c.key_id.in_({row.key_id for row in rows})
    )
    owners = {row.key_id: row.account_id for row in tx.execute(chosen)}
    return [
        Lapse(
            AccountId(owners[row.key_id]),
            KeyId(row.key_id),
            Permission(row.permission),
            row.starts_at_ms,
            row.ends_at_ms,
            RuleId(row.rule_id),
        )
        for row in sorted(rows, key=lambda row: (row.ends_at_ms, row.key_id, row.permission))
    ]


def _add_grants(tx: Transaction, key: ApiKey, permissions: Sequence[Permission]) -> None:
    if not permissions:
        return
    tx.execute(
        insert(schema.grants),
        [
            {
                "key_id": key.key_id,
                "permission": grant.permission,
                "granted_at_ms": grant.granted_at_ms,
                "starts_at_ms": grant.term.starts_at_ms if grant.term else None,
                "ends_at_ms": grant.term.ends_at_ms if grant.term else None,
                "rule_id": grant.term.rule_id if grant.term else None,
                "swept_at_ms": None,
            }
            for grant in (key.grants[permission] for permission in permissions)
        ],
    )


def _with_grants(tx: Transaction, rows: Sequence[Row[tuple[object, ...]]]) -> Iterator[Stored]:
    grants: dict[str, list[Row[tuple[object, ...]]]] = {row.key_id: [] for row in rows}
    chosen = select(schema.grants).where(schema.grants.c.key_id.in_(list(grants)))
    # All at once: taken one by one, each row would cost half as much again.
    for row in tx.execute(chosen.order_by(schema.grants.c.permission)).all():
        grants[row.key_id].append(row)
    for row in rows:
        yield Stored(row, grants[row.key_id])
