"""
What people prove who they are with, as rows: password hashes, sealed seeds, passkeys, code digests.

Each is spent or changed by one conditional statement, so that of two who race one is told no.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, delete, exc, insert, select, update

from tenure.domain.errors import Conflict
from tenure.domain.people import Passkey
from tenure.store import schema_people as tables
from tenure.store.db import Transaction

_PEOPLE, _PASSKEYS, _CODES = tables.people, tables.passkeys, tables.recovery_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPasskey:
    """A passkey with what verifies it: the authenticator's name for it, its key and its count."""

    passkey: Passkey
    person_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTotp:
    """A sealed seed, and the last step a code of it was accepted of."""

    sealed: bytes
    last_step: int


def password_of(tx: Transaction, person_id: str) -> str | None:
    """Return the hash of a person's password, None where there is none."""
    chosen = select(_PEOPLE.c.password_hash).where(_PEOPLE.c.person_id == person_id)
    return tx.execute(chosen).scalar_one_or_none()


def set_password(tx: Transaction, person_id: str, hashed: str | None, now_ms: int | None) -> None:
    """Replace a person's password."""
    values = {"password_hash": hashed, "password_set_at_ms": now_ms}
    tx.execute(update(_PEOPLE).where(_PEOPLE.c.person_id == person_id).values(values))


def rehash(tx: Transaction, person_id: str, before: str, after: str) -> None:
    """Store the same password hashed anew, unless it was changed meanwhile."""
    is_same = (_PEOPLE.c.person_id == person_id) & (_PEOPLE.c.password_hash == before)
    tx.execute(update(_PEOPLE).where(is_same).values(password_hash=after))


def totp_of(tx: Transaction, person_id: str) -> StoredTotp | None:
    """Return the seed a person's app was set up with, None where there is none."""
    chosen = select(_PEOPLE.c.totp_sealed, _PEOPLE.c.totp_last_step)
    row = tx.execute(chosen.where(_PEOPLE.c.person_id == person_id)).one_or_none()
    if row is None or row.totp_sealed is None:
        return None
    return StoredTotp(bytes(row.totp_sealed), row.totp_last_step)


def set_totp(
    tx: Transaction, person_id: str, sealed: bytes | None, now_ms: int | None, last_step: int
) -> None:
    """Replace the seed of a person's app; codes up to *last_step* are spent."""
    values = {"totp_sealed": sealed, "totp_added_at_ms": now_ms, "totp_last_step": last_step}
    tx.execute(update(_PEOPLE).where(_PEOPLE.c.person_id == person_id).values(values))


def spend_step(tx: Transaction, person_id: str, step: int) -> bool:
    """Accept a code of *step*; False where it, or a later one, was accepted before (T21)."""
    is_fresh = (_PEOPLE.c.person_id == person_id) & (_PEOPLE.c.totp_last_step < step)
    return tx.execute(update(_PEOPLE).where(is_fresh).values(totp_last_step=step)).rowcount == 1


def passkeys(tx: Transaction, person_ids: Sequence[str]) -> dict[str, list[Passkey]]:
    """Return the passkeys of some people by person, the oldest first."""
    chosen = select(_PASSKEYS).where(_PASSKEYS.c.person_id.in_(person_ids))
    found: dict[str, list[Passkey]] = {}
    for row in tx.execute(chosen.order_by(_PASSKEYS.c.added_at_ms, _PASSKEYS.c.passkey_id)):
        found.setdefault(row.person_id, []).append(_stored(row).passkey)
    return found


def stored_passkeys(tx: Transaction, person_id: str) -> list[StoredPasskey]:
    """Return one person's passkeys with what verifies them."""
    chosen = select(_PASSKEYS).where(_PASSKEYS.c.person_id == person_id)
    return [_stored(row) for row in tx.execute(chosen.order_by(_PASSKEYS.c.added_at_ms))]


def passkey_called(tx: Transaction, credential_id: bytes) -> StoredPasskey | None:
    """Return the passkey that its authenticator calls *credential_id*."""
    chosen = select(_PASSKEYS).where(_PASSKEYS.c.credential_id == credential_id)
    row = tx.execute(chosen).one_or_none()
    return None if row is None else _stored(row)


def add_passkey(tx: Transaction, stored: StoredPasskey) -> None:
    """Store a new passkey; raises Conflict `exists` where somebody has it already."""
    try:
        tx.execute(
            insert(_PASSKEYS).values(
                passkey_id=stored.passkey.passkey_id,
                person_id=stored.person_id,
                credential_id=stored.credential_id,
                public_key=stored.public_key,
                sign_count=stored.sign_count,
                transports=json.dumps(stored.transports),
                label=stored.passkey.label,
                added_at_ms=stored.passkey.added_at_ms,
            )
        )
    except exc.IntegrityError as error:
        raise Conflict("exists", "this passkey was added before") from error


def use_passkey(tx: Transaction, stored: StoredPasskey, sign_count: int, now_ms: int) -> bool:
    """Note a use of a passkey; False where another one was noted since *stored* was read."""
    same = _PASSKEYS.c.passkey_id == stored.passkey.passkey_id
    changed = tx.execute(
        update(_PASSKEYS)
        .where(same & (_PASSKEYS.c.sign_count == stored.sign_count))
        .values(sign_count=sign_count, last_used_at_ms=now_ms)
    )
    return changed.rowcount == 1


def remove_passkey(tx: Transaction, person_id: str, passkey_id: str) -> bool:
    """Remove one passkey of a person; False where there is none."""
    own = (_PASSKEYS.c.passkey_id == passkey_id) & (_PASSKEYS.c.person_id == person_id)
    return tx.execute(delete(_PASSKEYS).where(own)).rowcount == 1


def set_codes(tx: Transaction, person_id: str, digests: Iterable[str]) -> None:
    """Replace a person's recovery codes."""
    tx.execute(delete(_CODES).where(_CODES.c.person_id == person_id))
    rows = [{"digest": digest, "person_id": person_id} for digest in digests]
    if rows:
        tx.execute(insert(_CODES), rows)


def spend_code(tx: Transaction, person_id: str, digest: str) -> bool:
    """Use a recovery code up; False where there is no such one."""
    own = (_CODES.c.digest == digest) & (_CODES.c.person_id == person_id)
    return tx.execute(delete(_CODES).where(own)).rowcount == 1


def clear(tx: Transaction, person_id: str) -> None:
    """Take away everything a person signs in with."""
    tx.execute(delete(_PASSKEYS).where(_PASSKEYS.c.person_id == person_id))
    set_codes(tx, person_id, ())
    set_password(tx, person_id, None, None)
    values = {"totp_sealed": None, "totp_added_at_ms": None, "oidc_subject": None}
    values |= {"locked_at_ms": None}
    tx.execute(update(_PEOPLE).where(_PEOPLE.c.person_id == person_id).values(values))


def _stored(row: Row[tuple[object, ...]]) -> StoredPasskey:
    public_key = bytes(row.public_key)
    return StoredPasskey(
        passkey=Passkey(
            passkey_id=row.passkey_id,
            label=row.label,
            added_at_ms=row.added_at_ms,
            last_used_at_ms=row.last_used_at_ms,
            fingerprint=hashlib.sha256(bytes(row.credential_id) + public_key).hexdigest(),
        ),
        person_id=row.person_id,
        credential_id=bytes(row.credential_id),
        public_key=public_key,
        sign_count=row.sign_count,
        transports=tuple(json.loads(row.transports)),
    )
