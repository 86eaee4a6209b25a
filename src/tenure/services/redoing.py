"""
Doing again to the rows what an event did to them, for a store that is brought up after a restore.

The event itself is not written here, and whether it is the one that was recorded was checked
before. No event holds a secret: an HMAC key that was issued or rotated is left without.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tenure.domain import replaying
from tenure.domain.errors import Conflict
from tenure.domain.events import Tag
from tenure.domain.lines import Record
from tenure.domain.model import KeyType
from tenure.domain.rules import rule_from
from tenure.services import logkey
from tenure.store import accounts, audits, keys, rules, seals
from tenure.store.db import Transaction


def redo(tx: Transaction, record: Record, without: set[str]) -> None:
    """
    Do to the rows what the event that is *record* did to them.

    Keys whose secret is lost by it are added to *without*. Raises Conflict `unknown_event` for a
    kind that nobody here knows: what it did is not guessed at.
    """
    apply = _APPLIED.get(record.tag)
    if apply is None:
        raise Conflict(
            "unknown_event",
            f"event {record.seq} is a {record.tag}, which cannot be replayed: release the store "
            "with --accept, and repeat by hand what came after the backup",
        )
    apply(tx, record, without)


def _apply_account(tx: Transaction, record: Record, _without: set[str]) -> None:
    account = replaying.account_from(record.content["account"], str(record.account_id))
    if record.tag == Tag.ACCOUNT_CREATED:
        accounts.add(tx, account)
    else:
        accounts.set_frozen(tx, account.account_id, account.frozen_at_ms)


def _apply_key(tx: Transaction, record: Record, without: set[str]) -> None:
    key = replaying.key_from(record.content["key"], str(record.key_id), str(record.account_id))
    if record.tag == Tag.KEY_ISSUED:
        keys.add(tx, key, None)
    else:
        keys.save(tx, keys.get(tx, key.key_id), key)
    if record.tag in {Tag.KEY_ISSUED, Tag.KEY_ROTATED} and key.key_type is KeyType.HMAC:
        # The secret before it must not work again, and the one after it is nowhere.
        keys.set_secret(tx, key, None)
        without.add(key.key_id)
    elif record.tag == Tag.KEY_ROTATED:
        keys.set_secret(tx, key, None)
    if key.revoked_at_ms is not None:
        without.discard(key.key_id)


def _apply_lapse(tx: Transaction, record: Record, _without: set[str]) -> None:
    audits.mark_swept(tx, record)


def _apply_rule(tx: Transaction, record: Record, _without: set[str]) -> None:
    rules.add(tx, rule_from(record.content["rule"]))


def _apply_release(tx: Transaction, record: Record, _without: set[str]) -> None:
    log_key = record.content.get("log_key")
    if log_key is not None:
        seals.replace_mark(tx, logkey.MARK, str(log_key))


_APPLIED: Final[Mapping[str, Callable[[Transaction, Record, set[str]], None]]] = {
    Tag.ACCOUNT_CREATED: _apply_account,
    Tag.ACCOUNT_FROZEN: _apply_account,
    Tag.ACCOUNT_UNFROZEN: _apply_account,
    Tag.KEY_ISSUED: _apply_key,
    Tag.KEY_EDITED: _apply_key,
    Tag.KEY_ROTATED: _apply_key,
    Tag.KEY_REVOKED: _apply_key,
    Tag.GRANT_SWEPT: _apply_lapse,
    Tag.RULE_ADDED: _apply_rule,
    Tag.STORE_RESTORED: _apply_release,
    Tag.STORE_RESTORED_ACCEPTED: _apply_release,
}
"""How each kind of event is done again; one that is not here is not guessed at."""
