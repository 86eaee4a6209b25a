"""
The audit vocabulary: every tag a change is recorded under, the Event record, and its hash.

One event per change, in the same transaction (see `store.journal`). An event holds the hash of
the one before, so an edited, dropped or swapped record shows (SECURITY D16). A key's event holds
the whole state of the key afterwards, without secrets: replaying the journal gives the rows.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tenure.domain import lines
from tenure.domain.model import Account, ApiKey
from tenure.domain.plans import Plan

canonical = lines.canonical
"""Returns JSON values as text in one spelling: sorted names, no blanks, ASCII."""
GENESIS_HASH = "0" * 64
"""What the first event names as the hash before it."""


class Tag(StrEnum):
    """What happened, as `subject:action`."""

    ACCOUNT_CREATED = "account:created"
    ACCOUNT_FROZEN = "account:frozen"
    ACCOUNT_UNFROZEN = "account:unfrozen"
    KEY_ISSUED = "key:issued"
    KEY_EDITED = "key:edited"
    KEY_ROTATED = "key:rotated"
    KEY_REVOKED = "key:revoked"
    KEY_QUARANTINED = "key:quarantined"
    KEY_RELEASED = "key:released"
    KEYS_REVOKED = "keys:revoked"
    KEY_REPORTED = "key:reported"
    GRANT_SWEPT = "grant:swept"
    KEY_ADDRESS_SEEN = "key:address_seen"
    KEY_OLD_SECRET_USED = "key:old_secret_used"  # noqa: S105 - the name of a tag, no secret
    RULE_ADDED = "rule:added"
    RULE_WITHDRAWN = "rule:withdrawn"
    CONTACT_ADDED = "contact:added"
    CONTACT_CHANGED = "contact:changed"
    CONTACT_REMOVED = "contact:removed"
    CALENDAR_RENEWED = "calendar:renewed"
    LEAD_TIMES_CHANGED = "lead_times:changed"
    PERSON_INVITED = "person:invited"
    PERSON_JOINED = "person:joined"
    PERSON_LINKED = "person:linked"
    PERSON_CHANGED = "person:changed"
    PERSON_FACTOR_ADDED = "person:factor_added"
    PERSON_FACTOR_REMOVED = "person:factor_removed"
    PERSON_PASSWORD_CHANGED = "person:password_changed"  # noqa: S105 - the name of a tag, no secret
    PERSON_CODES_RENEWED = "person:recovery_codes_renewed"
    PERSON_CODE_USED = "person:recovery_code_used"
    PERSON_LOCKED = "person:locked"
    PERSON_PASSKEY_SUSPECTED = "person:passkey_suspected"
    PERSON_RECOVERY_BEGUN = "person:recovery_begun"
    PERSON_RECOVERY_ENDED = "person:recovery_ended"
    PERSON_ROLE_CHANGED = "person:role_changed"
    PERSON_REMOVED = "person:removed"
    PERSON_CLEARED = "person:cleared"
    APPROVAL_PROPOSED = "approval:proposed"
    APPROVAL_APPROVED = "approval:approved"
    APPROVAL_WITHDRAWN = "approval:withdrawn"
    STORE_RESTORED = "store:restored"
    STORE_RESTORED_ACCEPTED = "store:restored_accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    A change about to be recorded: what, about whom, by whom, and when it happened (ms, UTC).

    *happened_at_ms* of a swept grant is its end, not the instant somebody looked.
    """

    tag: Tag
    actor: str
    happened_at_ms: int
    body: Mapping[str, object]
    account_id: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A recorded change: gap-free *seq*, when it was recorded, and its place in the chain."""

    seq: int
    recorded_at_ms: int
    change: Change
    previous_hash: str
    hash: str


def seal(change: Change, *, seq: int, recorded_at_ms: int, previous_hash: str) -> Event:
    """Give *change* its place in the chain after *previous_hash* (64 hex digits)."""
    return Event(
        seq=seq,
        recorded_at_ms=recorded_at_ms,
        change=change,
        previous_hash=previous_hash,
        hash=digest(change, seq=seq, recorded_at_ms=recorded_at_ms, previous_hash=previous_hash),
    )


def digest(change: Change, *, seq: int, recorded_at_ms: int, previous_hash: str) -> str:
    """Return the SHA-256 (hex) over everything the event says and the hash before it."""
    return lines.digest(
        lines.Record(
            seq=seq,
            recorded_at_ms=recorded_at_ms,
            tag=change.tag,
            actor=change.actor,
            happened_at_ms=change.happened_at_ms,
            account_id=change.account_id,
            key_id=change.key_id,
            body=canonical(change.body),
            previous_hash=previous_hash,
            hash="",
        )
    )


def of_record(record: lines.Record) -> Event:
    """Return the event that *record* is, once it was checked; raises ValueError for a new tag."""
    change = Change(
        tag=Tag(record.tag),
        actor=record.actor,
        happened_at_ms=record.happened_at_ms,
        body=record.content,
        account_id=record.account_id,
        key_id=record.key_id,
    )
    return Event(
        seq=record.seq,
        recorded_at_ms=record.recorded_at_ms,
        change=change,
        previous_hash=record.previous_hash,
        hash=record.hash,
    )


def key_state(key: ApiKey) -> dict[str, object]:
    """Return all that is public of *key* as JSON values, the shape of a key event's body."""
    return {
        "api_key": key.api_key,
        "account_kind": str(key.account_kind),
        "label": key.label,
        "key_type": str(key.key_type),
        "public_key": key.public_key,
        "ip_allowlist": list(key.allowlist),
        "version": key.version,
        "issued_at_ms": key.issued_at_ms,
        "edited_at_ms": key.edited_at_ms,
        "revoked_at_ms": key.revoked_at_ms,
        "quarantine": dataclasses.asdict(key.quarantine) if key.quarantine else None,
        "overlap": dataclasses.asdict(key.overlap) if key.overlap else None,
        "grants": {
            permission: {
                "granted_at_ms": grant.granted_at_ms,
                "starts_at_ms": grant.term.starts_at_ms if grant.term else None,
                "ends_at_ms": grant.term.ends_at_ms if grant.term else None,
                "rule_id": grant.term.rule_id if grant.term else None,
            }
            for permission, grant in key.grants.items()
        },
    }


def account_state(account: Account) -> dict[str, object]:
    """Return *account* as JSON values, the shape of an account event's body."""
    return {
        "kind": str(account.kind),
        "email": account.email,
        "master_id": account.master_id,
        "created_at_ms": account.created_at_ms,
        "frozen_at_ms": account.frozen_at_ms,
    }


def planned(plan: Plan) -> dict[str, object]:
    """Return the body of the event that records *plan*: the state after, and what was shown."""
    return {
        "key": key_state(plan.after),
        "consequences": [
            {
                "kind": str(item.kind),
                "permission": item.permission,
                "is_asked": item.is_asked,
                "ends_at_ms": item.ends_at_ms,
                "ended_at_ms": item.ended_at_ms,
                "rule_id": item.rule_id,
            }
            for item in plan.consequences
        ],
    }
