"""
Doing again to the rows what an event did to them, for a store that is brought up after a restore.

The event itself is not written here, and whether it is the one that was recorded was checked
before. No event holds a secret: an HMAC key that was issued or rotated is left without, a webhook
that was added or changed leads nowhere any more, and a person whose ways to sign in were changed
has none. All are handed back, to be told; what is taken away from them for that is recorded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from tenure.domain import replaying
from tenure.domain.approvals import approval_from
from tenure.domain.contacts import Channel, contact_from, contact_state
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.events import Change, Tag
from tenure.domain.lines import Record
from tenure.domain.marks import mark_from
from tenure.domain.model import KeyType
from tenure.domain.person_states import (
    person_from,
    person_state,
    signs_in_alike,
    without_factors,
)
from tenure.domain.rules import rule_from
from tenure.services import logkey
from tenure.store import (
    accounts,
    approvals,
    audits,
    calendars,
    contacts,
    factors,
    journal,
    keys,
    lead_times,
    marks,
    people,
    rules,
    seals,
)
from tenure.store.contacts import SealedSecrets
from tenure.store.db import Transaction


@dataclass(frozen=True, slots=True)
class Lost:
    """What no journal holds: keys left without their secret, webhooks left leading nowhere."""

    secrets: set[str] = field(default_factory=set)
    """Ids of keys."""
    webhooks: set[tuple[str, str]] = field(default_factory=set)
    """Each by the ids of its account and of itself."""
    people: set[str] = field(default_factory=set)
    """Ids of people who have to be invited anew."""


def redo(tx: Transaction, record: Record, lost: Lost) -> None:
    """
    Do to the rows what the event that is *record* did to them, and add to *lost* what it cannot.

    Raises Conflict `unknown_event` for a kind nobody here knows: what it did is not guessed at;
    Invalid for what cannot have happened.
    """
    apply = _APPLIED.get(record.tag)
    if apply is None:
        raise Conflict(
            "unknown_event",
            f"event {record.seq} is a {record.tag}, which cannot be replayed: release the store "
            "with --accept, and repeat by hand what came after the backup",
        )
    apply(tx, record, lost)


def record(tx: Transaction, lost: Lost, actor: str, now_ms: int) -> None:
    """Put on record which webhooks are gone and who has to be invited anew, so that owners hear."""
    for account_id, contact_id in sorted(lost.webhooks):
        contact = replace(contacts.get(tx, account_id, contact_id), removed_at_ms=now_ms)
        contacts.save(tx, contact)
        contacts.set_secrets(tx, contact_id, SealedSecrets())
        body: dict[str, object] = {"contact": contact_state(contact)}
        _append(tx, Tag.CONTACT_REMOVED, actor, now_ms, body, account_id)
    for person_id in sorted(lost.people):
        person = people.get(tx, person_id)
        body = {"person": person_state(person)}
        _append(tx, Tag.PERSON_CLEARED, actor, now_ms, body, person.account_id)


def _append(  # noqa: PLR0913, PLR0917 - what an event says
    tx: Transaction,
    tag: Tag,
    actor: str,
    now_ms: int,
    body: Mapping[str, object],
    account_id: str | None,
) -> None:
    change = Change(tag=tag, actor=actor, happened_at_ms=now_ms, body=body, account_id=account_id)
    journal.append(tx, change, now_ms)


def _apply_account(tx: Transaction, record: Record, _lost: Lost) -> None:
    account = replaying.account_from(record.content["account"], str(record.account_id))
    if record.tag == Tag.ACCOUNT_CREATED:
        accounts.add(tx, account)
        contacts.add_first(tx, account)
    else:
        accounts.set_frozen(tx, account.account_id, account.frozen_at_ms)


def _apply_key(tx: Transaction, record: Record, lost: Lost) -> None:
    key = replaying.key_from(record.content["key"], str(record.key_id), str(record.account_id))
    if record.tag == Tag.KEY_ISSUED:
        keys.add(tx, key, None)
    else:
        before = keys.get(tx, key.key_id)
        if before.revoked_at_ms is not None:
            # Whatever the chain says: nobody can have recorded this (RULES R14).
            raise Invalid("events", f"event {record.seq} changes a key that was revoked")
        keys.save(tx, before, key)
    if record.tag in {Tag.KEY_ISSUED, Tag.KEY_ROTATED}:
        # Of an HMAC key the new secret is nowhere; the one before it counts as long as the key's
        # overlap says, and otherwise must not work again.
        keys.set_secret(tx, key, None)
        if key.key_type is KeyType.HMAC:
            lost.secrets.add(key.key_id)
    if key.revoked_at_ms is not None:
        lost.secrets.discard(key.key_id)


def _apply_lapse(tx: Transaction, record: Record, _lost: Lost) -> None:
    audits.mark_swept(tx, record)


def _apply_mark(tx: Transaction, record: Record, lost: Lost) -> None:
    marks.add(tx, mark_from(record.content["mark"]))
    # What it covers is revoked, and needs no secret any more.
    for stored in keys.load(tx, sorted(lost.secrets)):
        if stored.key.revoked_at_ms is not None:
            lost.secrets.discard(stored.key_id)


def _apply_rule(tx: Transaction, record: Record, _lost: Lost) -> None:
    rules.add(tx, rule_from(record.content["rule"]))


def _apply_approval(tx: Transaction, record: Record, _lost: Lost) -> None:
    proposal = approval_from(record.content["approval"])
    if record.tag == Tag.APPROVAL_PROPOSED:
        approvals.add(tx, proposal)
    else:
        approvals.settle(tx, proposal)


def _apply_withdrawal(tx: Transaction, record: Record, _lost: Lost) -> None:
    rules.withdraw(tx, record.content["rule"]["id"], record.happened_at_ms)


def _apply_contact(tx: Transaction, record: Record, lost: Lost) -> None:
    account_id = str(record.account_id)
    said = contact_from(record.content["contact"], account_id, record.happened_at_ms)
    named = (account_id, said.contact_id)
    if record.tag == Tag.CONTACT_ADDED:
        contacts.add(tx, said, SealedSecrets())
    else:
        contacts.save(tx, said)
    if record.tag == Tag.CONTACT_REMOVED:
        contacts.set_secrets(tx, said.contact_id, SealedSecrets())
        lost.webhooks.discard(named)
    elif said.channel is Channel.WEBHOOK:
        # Where it leads, and what it is signed with, may have changed: neither is in the journal.
        lost.webhooks.add(named)


def _apply_person(tx: Transaction, record: Record, lost: Lost) -> None:
    said = person_from(record.content["person"], record.account_id)
    before = people.find(tx, said.person_id)
    if before is None:
        people.add(tx, without_factors(said))
    elif signs_in_alike(before, said):
        people.save(tx, replace(said, locked_at_ms=before.locked_at_ms))
        return
    else:
        # What was added is nowhere, and what was taken away must not come back: nothing counts.
        factors.clear(tx, said.person_id)
        people.save(tx, without_factors(said))
    if said.has_joined and said.removed_at_ms is None:
        lost.people.add(said.person_id)
    else:
        lost.people.discard(said.person_id)


def _apply_calendar(tx: Transaction, record: Record, _lost: Lost) -> None:
    # The address before must not work again, and the one after it is nowhere.
    calendars.remove(tx, str(record.account_id))


def _apply_lead_times(tx: Transaction, record: Record, _lost: Lost) -> None:
    lead_times.put(tx, str(record.account_id), record.content["lead_times"]["chosen_ms"])


def _apply_nothing(_tx: Transaction, _record: Record, _lost: Lost) -> None:
    """Nothing but the event was written, or what came of it is in an event of its own."""


def _apply_release(tx: Transaction, record: Record, _lost: Lost) -> None:
    log_key = record.content.get("log_key")
    if log_key is not None:
        seals.replace_mark(tx, logkey.MARK, str(log_key))


_APPLIED: Final[Mapping[str, Callable[[Transaction, Record, Lost], None]]] = {
    Tag.ACCOUNT_CREATED: _apply_account,
    Tag.ACCOUNT_FROZEN: _apply_account,
    Tag.ACCOUNT_UNFROZEN: _apply_account,
    Tag.KEY_ISSUED: _apply_key,
    Tag.KEY_EDITED: _apply_key,
    Tag.KEY_ROTATED: _apply_key,
    Tag.KEY_REVOKED: _apply_key,
    Tag.KEY_QUARANTINED: _apply_key,
    Tag.KEY_RELEASED: _apply_key,
    Tag.KEY_REPORTED: _apply_nothing,
    Tag.KEY_ADDRESS_SEEN: _apply_nothing,
    Tag.KEY_OLD_SECRET_USED: _apply_nothing,
    Tag.KEYS_REVOKED: _apply_mark,
    Tag.GRANT_SWEPT: _apply_lapse,
    Tag.RULE_ADDED: _apply_rule,
    Tag.RULE_WITHDRAWN: _apply_withdrawal,
    Tag.CONTACT_ADDED: _apply_contact,
    Tag.CONTACT_CHANGED: _apply_contact,
    Tag.CONTACT_REMOVED: _apply_contact,
    Tag.CALENDAR_RENEWED: _apply_calendar,
    Tag.LEAD_TIMES_CHANGED: _apply_lead_times,
    Tag.PERSON_INVITED: _apply_person,
    Tag.PERSON_JOINED: _apply_person,
    Tag.PERSON_LINKED: _apply_person,
    Tag.PERSON_CHANGED: _apply_person,
    Tag.PERSON_FACTOR_ADDED: _apply_person,
    Tag.PERSON_FACTOR_REMOVED: _apply_person,
    Tag.PERSON_PASSWORD_CHANGED: _apply_person,
    Tag.PERSON_CODES_RENEWED: _apply_person,
    Tag.PERSON_CODE_USED: _apply_person,
    Tag.PERSON_LOCKED: _apply_nothing,
    Tag.PERSON_PASSKEY_SUSPECTED: _apply_nothing,
    Tag.PERSON_RECOVERY_BEGUN: _apply_person,
    Tag.PERSON_RECOVERY_ENDED: _apply_person,
    Tag.PERSON_ROLE_CHANGED: _apply_person,
    Tag.PERSON_REMOVED: _apply_person,
    Tag.PERSON_CLEARED: _apply_person,
    Tag.APPROVAL_PROPOSED: _apply_approval,
    Tag.APPROVAL_APPROVED: _apply_approval,
    Tag.APPROVAL_WITHDRAWN: _apply_approval,
    Tag.STORE_RESTORED: _apply_release,
    Tag.STORE_RESTORED_ACCEPTED: _apply_release,
}
"""How each kind of event is done again; one that is not here is not guessed at."""
