"""
How a key stands in the keyring: one record of bytes, and back into a key ready to decide on.

The record holds what deciding needs and no more; HMAC secrets stay sealed in it. Where the records
are kept is the business of `keyring`.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from tenure.domain import allowlist, marks, verifying
from tenure.domain.decide import LoadedGrant, LoadedKey
from tenure.domain.errors import Unavailable
from tenure.domain.marks import Mark, Reach
from tenure.domain.model import (
    AccountId,
    AccountKind,
    ApiKey,
    KeyId,
    KeyType,
    Quarantine,
    RuleId,
)

FORMAT: Final = b"2"
"""Raise it when a record changes its shape: older keyrings are then made anew."""


class Record(msgspec.Struct, array_like=True, frozen=True):
    """
    One key, under its API key; *grants* are (end in ms or None, rule or None).

    *quarantine* is (since in ms, cause), *label_digest* what marks are compared with. What is *old*
    counts beside the new until *old_until_ms*.
    """

    key_id: str
    account_id: str
    master_id: str | None
    account_kind: str
    key_type: str
    issued_at_ms: int
    version: int
    revoked_at_ms: int | None
    public_key: str | None
    sealed_secret: bytes | None
    allowlist: tuple[str, ...]
    grants: dict[str, tuple[int | None, str | None]]
    label_digest: bytes
    quarantine: tuple[int, str] | None
    old_until_ms: int
    old_public_key: str | None
    old_sealed_secret: bytes | None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Record)


UNREADABLE: Final = b""
"""The record of a key whose rows nobody understands; nobody understands it either."""


def pack(
    key: ApiKey,
    sealed_secret: bytes | None,
    master_id: AccountId | None,
    old_sealed_secret: bytes | None = None,
) -> bytes:
    """Return the record of *key*; *master_id* is that of a sub-account's master."""
    quarantine, overlap = key.quarantine, key.overlap
    if overlap is not None and key.key_type is KeyType.HMAC and old_sealed_secret is None:
        overlap = None  # A restore has lost the old secret: it must not keep the new one from use.
    return _ENCODER.encode(
        Record(
            key_id=key.key_id,
            account_id=key.account_id,
            master_id=master_id,
            account_kind=str(key.account_kind),
            key_type=str(key.key_type),
            issued_at_ms=key.issued_at_ms,
            version=key.version,
            revoked_at_ms=key.revoked_at_ms,
            public_key=key.public_key,
            sealed_secret=sealed_secret,
            allowlist=key.allowlist,
            grants={
                permission: (grant.term.ends_at_ms, grant.term.rule_id)
                if grant.term
                else (None, None)
                for permission, grant in key.grants.items()
            },
            label_digest=marks.digest_of(key.label),
            quarantine=(quarantine.since_ms, quarantine.cause) if quarantine else None,
            old_until_ms=overlap.until_ms if overlap else 0,
            old_public_key=overlap.public_key if overlap else None,
            old_sealed_secret=old_sealed_secret if overlap else None,
        )
    )


def load(raw: bytes, unseal: Callable[[Record], bytes]) -> LoadedKey:
    """
    Return the key in the record *raw*; *unseal* is asked for the secret of an HMAC key.

    Raises Unavailable `keyring` for a record nobody understands: that key alone is refused
    (SECURITY D20); and whatever *unseal* raises.
    """
    try:
        record = _DECODER.decode(raw)
        key_type = KeyType(record.key_type)
        secret = unseal(record) if key_type is KeyType.HMAC else None
        return LoadedKey(
            key_id=KeyId(record.key_id),
            account_id=AccountId(record.account_id),
            master_id=AccountId(record.master_id) if record.master_id else None,
            account_kind=AccountKind(record.account_kind),
            key_type=key_type,
            issued_at_ms=record.issued_at_ms,
            version=record.version,
            verifier=verifying.verifier_for(key_type, secret=secret, public_key=record.public_key),
            admits=allowlist.compile_allowlist(record.allowlist),
            is_restricted=bool(record.allowlist),
            grants={
                permission: LoadedGrant(ends_at_ms, RuleId(rule_id) if rule_id else None)
                for permission, (ends_at_ms, rule_id) in record.grants.items()
            },
            revoked_at_ms=record.revoked_at_ms,
            quarantine=Quarantine(since_ms=record.quarantine[0], cause=record.quarantine[1])
            if record.quarantine
            else None,
            old_verifier=_old_verifier(record, key_type, unseal) if record.old_until_ms else None,
            old_until_ms=record.old_until_ms,
            label_digest=record.label_digest,
        )
    except (msgspec.MsgspecError, ValueError, TypeError, LookupError) as error:
        raise Unavailable("keyring", context="a record that nobody understands") from error


def pack_reach(mark: Mark) -> bytes:
    """Return the record of a *mark*: as much of it as deciding needs."""
    return msgspec.msgpack.encode(marks.reach_of(mark))


def unpack_reach(raw: bytes) -> Reach:
    """Return the mark in the record *raw*; raises Unavailable `keyring` where it is none."""
    try:
        return msgspec.msgpack.decode(raw, type=Reach)
    except (msgspec.MsgspecError, ValueError) as error:
        # Whom it revokes nobody can say, so nobody is decided (SECURITY I15).
        raise Unavailable("keyring", context="a mark that nobody understands") from error


def pack_standing(marks_count: int, overlaps_until_ms: int) -> bytes:
    """Return the note by which workers see whether marks or overlaps are others than they hold."""
    return f"{marks_count} {overlaps_until_ms}".encode()


def unpack_standing(raw: bytes) -> tuple[int, int]:
    """Return how many marks there are, and until when (ms, UTC) some key may have two secrets."""
    marks_count, _, overlaps_until_ms = raw.partition(b" ")
    try:
        return int(marks_count), int(overlaps_until_ms)
    except ValueError as error:
        raise Unavailable("keyring", context="no note of the marks in the keyring") from error


def _old_verifier(
    record: Record, key_type: KeyType, unseal: Callable[[Record], bytes]
) -> verifying.Verifier:
    secret = None
    if key_type is KeyType.HMAC:
        secret = unseal(msgspec.structs.replace(record, sealed_secret=record.old_sealed_secret))
    return verifying.verifier_for(key_type, secret=secret, public_key=record.old_public_key)
