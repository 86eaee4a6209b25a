"""
What the row of an API key says: how it is read with all that belongs to it, and written again.

A key that a mark covers reads as revoked, whoever reads it: the row itself is left as it was. Which
rows are asked for is the business of `keys`.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Row, select

from tenure.domain.model import (
    AccountId,
    AccountKind,
    ApiKey,
    Grant,
    KeyId,
    KeyType,
    Overlap,
    Permission,
    Quarantine,
    RuleId,
    Term,
)
from tenure.store import marks, schema

WITH_ACCOUNT = select(
    schema.keys,
    schema.accounts.c.kind.label("account_kind"),
    schema.accounts.c.master_id,
    marks.SINCE.label("marked_at_ms"),
).join(schema.accounts, schema.keys.c.account_id == schema.accounts.c.account_id)
"""A key with what its account says of it, and since when a mark covers it."""


class Stored(NamedTuple):
    """A key's *row* and those of its *grants*, as they came: nobody has understood them yet."""

    row: Row[tuple[object, ...]]
    grants: Sequence[Row[tuple[object, ...]]]

    @property
    def key_id(self) -> KeyId:
        """Our name for it."""
        return KeyId(self.row.key_id)

    @property
    def api_key(self) -> str:
        """Its public name."""
        return str(self.row.api_key)

    @property
    def sealed_secret(self) -> bytes | None:
        """What only the keyring needs: the secret of an HMAC key, sealed."""
        return None if self.row.sealed_secret is None else bytes(self.row.sealed_secret)

    @property
    def old_sealed_secret(self) -> bytes | None:
        """What only the keyring needs: the secret it had before its rotation, sealed."""
        return None if self.row.old_sealed_secret is None else bytes(self.row.old_sealed_secret)

    @property
    def master_id(self) -> AccountId | None:
        """What only the keyring needs: the master of its account."""
        return AccountId(self.row.master_id) if self.row.master_id else None

    @property
    def key(self) -> ApiKey:
        """The key; raises ValueError or TypeError for rows that nobody understands."""
        return _key(self.row, {grant.permission: _grant(grant) for grant in self.grants})

    @property
    def unmarked(self) -> ApiKey:
        """The key by its own row alone, as if there were no marks; raises as `key`."""
        return replace(self.key, revoked_at_ms=self.row.revoked_at_ms)


def editable(key: ApiKey) -> dict[str, object]:
    """Return the columns that change in the life of *key*, but for its proof of possession."""
    overlap, quarantine = key.overlap, key.quarantine
    columns: dict[str, object] = {
        "label": key.label,
        "ip_allowlist": json.dumps(key.allowlist),
        "edited_at_ms": key.edited_at_ms,
        "revoked_at_ms": key.revoked_at_ms,
        "version": key.version,
        "quarantined_at_ms": quarantine.since_ms if quarantine else None,
        "quarantine_cause": quarantine.cause if quarantine else None,
        "old_until_ms": overlap.until_ms if overlap else None,
        "old_public_key": overlap.public_key if overlap else None,
    }
    # A secret that no longer counts is not kept.
    return columns if overlap else {**columns, "old_sealed_secret": None}


def _grant(row: Row[tuple[object, ...]]) -> Grant:
    term = None
    if row.ends_at_ms is not None:
        term = Term(row.starts_at_ms, row.ends_at_ms, RuleId(row.rule_id))
    return Grant(permission=Permission(row.permission), granted_at_ms=row.granted_at_ms, term=term)


def _key(row: Row[tuple[object, ...]], grants: dict[Permission, Grant]) -> ApiKey:
    quarantine = overlap = None
    if row.quarantined_at_ms is not None:
        quarantine = Quarantine(since_ms=row.quarantined_at_ms, cause=row.quarantine_cause)
    if row.old_until_ms is not None:
        overlap = Overlap(until_ms=row.old_until_ms, public_key=row.old_public_key)
    revoked = [at_ms for at_ms in (row.revoked_at_ms, row.marked_at_ms) if at_ms is not None]
    return ApiKey(
        key_id=KeyId(row.key_id),
        api_key=row.api_key,
        account_id=AccountId(row.account_id),
        account_kind=AccountKind(row.account_kind),
        label=row.label,
        key_type=KeyType(row.key_type),
        issued_at_ms=row.issued_at_ms,
        edited_at_ms=row.edited_at_ms,
        version=row.version,
        grants=grants,
        allowlist=tuple(json.loads(row.ip_allowlist)),
        public_key=row.public_key,
        revoked_at_ms=min(revoked, default=None),
        quarantine=quarantine,
        overlap=overlap,
    )
