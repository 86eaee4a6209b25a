"""
Whom to tell what: which event yields a notice, for whom, and how urgent it is.

Nothing lapses in silence. One event yields at most one notice for one audience, whose id follows
from the event, so that it cannot be written twice. A notice holds facts and never a secret; only
facts that are named here are taken over. What a running term is warned of is in `warnings`, what
a notice says in words in `services.rendering`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tenure.domain import rights
from tenure.domain.consequences import ConsequenceKind
from tenure.domain.events import Change, Event, Tag


class Kind(StrEnum):
    """What a notice tells of."""

    KEY_ISSUED = "key_issued"
    KEY_EDITED = "key_edited"
    TERM_STARTED = "term_started"
    TERM_LIFTED = "term_lifted"
    TERM_ENDS_SOON = "term_ends_soon"
    TERM_ENDED = "term_ended"
    KEY_ROTATED = "key_rotated"
    KEY_REVOKED = "key_revoked"
    KEYS_REVOKED = "keys_revoked"
    KEY_QUARANTINED = "key_quarantined"
    KEY_RELEASED = "key_released"
    KEY_REPORTED = "key_reported"
    KEY_ADDRESS_SEEN = "key_address_seen"
    KEY_OLD_SECRET_USED = "key_old_secret_used"  # noqa: S105 - the name of a kind, no secret
    ACCOUNT_FROZEN = "account_frozen"
    ACCOUNT_UNFROZEN = "account_unfrozen"
    CONTACTS_CHANGED = "contacts_changed"
    OWNER_JOINING = "owner_joining"
    SIGN_IN_CHANGED = "sign_in_changed"
    SIGN_IN_LOCKED = "sign_in_locked"
    PASSKEY_SUSPECTED = "passkey_suspected"
    RECOVERY_BEGUN = "recovery_begun"
    RECOVERY_ENDED = "recovery_ended"
    RULE_SCHEDULED = "rule_scheduled"
    RULE_WITHDRAWN = "rule_withdrawn"


class Urgency(StrEnum):
    """How soon an owner should look; a contact may mute what is not urgent."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Audience(StrEnum):
    """
    Who is told: one account; a master and its sub-accounts; everybody there is by then.

    Or whose keys a mark revoked, and the masters of those.
    """

    ACCOUNT = "account"
    TREE = "tree"
    MARKED = "marked"
    EVERYBODY = "everybody"


URGENCIES: Mapping[Kind, Urgency] = {
    Kind.KEY_ISSUED: Urgency.NORMAL,
    Kind.KEY_EDITED: Urgency.LOW,
    Kind.TERM_STARTED: Urgency.NORMAL,
    Kind.TERM_LIFTED: Urgency.LOW,
    Kind.TERM_ENDS_SOON: Urgency.NORMAL,
    Kind.TERM_ENDED: Urgency.HIGH,
    Kind.KEY_ROTATED: Urgency.NORMAL,
    Kind.KEY_REVOKED: Urgency.HIGH,
    Kind.KEYS_REVOKED: Urgency.HIGH,
    Kind.KEY_QUARANTINED: Urgency.HIGH,
    Kind.KEY_RELEASED: Urgency.NORMAL,
    Kind.KEY_REPORTED: Urgency.HIGH,
    Kind.KEY_ADDRESS_SEEN: Urgency.HIGH,
    Kind.KEY_OLD_SECRET_USED: Urgency.NORMAL,
    Kind.ACCOUNT_FROZEN: Urgency.HIGH,
    Kind.ACCOUNT_UNFROZEN: Urgency.NORMAL,
    Kind.CONTACTS_CHANGED: Urgency.HIGH,
    Kind.OWNER_JOINING: Urgency.NORMAL,
    Kind.SIGN_IN_CHANGED: Urgency.HIGH,
    Kind.SIGN_IN_LOCKED: Urgency.HIGH,
    Kind.PASSKEY_SUSPECTED: Urgency.HIGH,
    Kind.RECOVERY_BEGUN: Urgency.HIGH,
    Kind.RECOVERY_ENDED: Urgency.HIGH,
    Kind.RULE_SCHEDULED: Urgency.NORMAL,
    Kind.RULE_WITHDRAWN: Urgency.NORMAL,
}

_OF_TAG: Mapping[Tag, Kind] = {
    Tag.KEY_ISSUED: Kind.KEY_ISSUED,
    Tag.KEY_EDITED: Kind.KEY_EDITED,
    Tag.KEY_ROTATED: Kind.KEY_ROTATED,
    Tag.KEY_REVOKED: Kind.KEY_REVOKED,
    Tag.KEYS_REVOKED: Kind.KEYS_REVOKED,
    Tag.KEY_QUARANTINED: Kind.KEY_QUARANTINED,
    Tag.KEY_RELEASED: Kind.KEY_RELEASED,
    Tag.KEY_REPORTED: Kind.KEY_REPORTED,
    Tag.KEY_ADDRESS_SEEN: Kind.KEY_ADDRESS_SEEN,
    Tag.KEY_OLD_SECRET_USED: Kind.KEY_OLD_SECRET_USED,
    Tag.GRANT_SWEPT: Kind.TERM_ENDED,
    Tag.ACCOUNT_FROZEN: Kind.ACCOUNT_FROZEN,
    Tag.ACCOUNT_UNFROZEN: Kind.ACCOUNT_UNFROZEN,
    Tag.CONTACT_ADDED: Kind.CONTACTS_CHANGED,
    Tag.CONTACT_CHANGED: Kind.CONTACTS_CHANGED,
    Tag.CONTACT_REMOVED: Kind.CONTACTS_CHANGED,
    Tag.PERSON_INVITED: Kind.OWNER_JOINING,
    Tag.PERSON_LINKED: Kind.SIGN_IN_CHANGED,
    Tag.PERSON_FACTOR_ADDED: Kind.SIGN_IN_CHANGED,
    Tag.PERSON_FACTOR_REMOVED: Kind.SIGN_IN_CHANGED,
    Tag.PERSON_PASSWORD_CHANGED: Kind.SIGN_IN_CHANGED,
    Tag.PERSON_CODES_RENEWED: Kind.SIGN_IN_CHANGED,
    Tag.PERSON_CODE_USED: Kind.SIGN_IN_CHANGED,
    Tag.PERSON_LOCKED: Kind.SIGN_IN_LOCKED,
    Tag.PERSON_PASSKEY_SUSPECTED: Kind.PASSKEY_SUSPECTED,
    Tag.PERSON_RECOVERY_BEGUN: Kind.RECOVERY_BEGUN,
    Tag.PERSON_RECOVERY_ENDED: Kind.RECOVERY_ENDED,
    Tag.PERSON_REMOVED: Kind.SIGN_IN_CHANGED,
    Tag.PERSON_CLEARED: Kind.SIGN_IN_CHANGED,
    Tag.RULE_ADDED: Kind.RULE_SCHEDULED,
    Tag.RULE_WITHDRAWN: Kind.RULE_WITHDRAWN,
}
TAGS = tuple(_OF_TAG)
"""The tags whose events somebody is told of."""

_TO_THE_TREE = frozenset({Kind.ACCOUNT_FROZEN, Kind.ACCOUNT_UNFROZEN})
_TO_EVERYBODY = frozenset({Kind.RULE_SCHEDULED, Kind.RULE_WITHDRAWN})

_STARTS_A_TERM = frozenset(
    {ConsequenceKind.LOST, ConsequenceKind.TERM_STARTS, ConsequenceKind.TERM_SHORTENED}
)

# What may be taken over from an event's body: facts. Everything else stays in the journal.
_OF_THE_BODY = (
    *("permission", "starts_at_ms", "ends_at_ms", "rule_id", "consequences"),
    *("cause", "action", "source", "url", "address", "old_until_ms"),
    *("factor", "label", "outcome", "hold_until_ms"),
)
_OF_A_KEY = ("label", "key_type")
_OF_A_QUARANTINE = ("cause",)
_OF_A_RULE = (
    *("id", "title", "source", "effective_from_ms", "permissions", "unrestricted", "restricted"),
)
_OF_A_MARK = ("label", "issued_before_ms")
_OF_A_CONTACT = ("contact_id", "channel", "address")
_OF_A_PERSON = ("person_id", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """
    One thing to tell an *audience*; *account_id* is whose it is, None where it is everybody's.

    *facts* are JSON values. *happened_at_ms* is when it happened, or when a warning fell due. A
    warning names the *permission*, the end it is about and its *lead_ms* before that end; the
    others name the *seq* of the event they tell of, and of keys revoked at once the *mark_id*.
    """

    notice_id: str
    kind: Kind
    account_id: str | None
    happened_at_ms: int
    facts: Mapping[str, object]
    audience: Audience = Audience.ACCOUNT
    seq: int | None = None
    key_id: str | None = None
    permission: str | None = None
    ends_at_ms: int | None = None
    lead_ms: int | None = None
    mark_id: str | None = None

    @property
    def urgency(self) -> Urgency:
        """How soon its owner should look."""
        return URGENCIES[self.kind]


def kind_of(tag: Tag) -> Kind | None:
    """Return what an event under *tag* is told as, None where it is nobody's news."""
    return _OF_TAG.get(tag)


def can_mute(kind: Kind) -> bool:
    """
    Whether a contact may ask not to be sent notices of *kind*: never what is urgent.

    Nor that somebody joins: whoever has joined would mute it, and not hear of the next.
    """
    return URGENCIES[kind] is not Urgency.HIGH and kind is not Kind.OWNER_JOINING


def of_event(event: Event) -> Notice | None:
    """Return what somebody is to be told of *event*, None where it is nobody's news."""
    change = event.change
    kind = kind_of(change.tag)
    if kind is None or _is_old_news(kind, change):
        return None
    mark = change.body.get("mark")
    mark_id = str(mark["mark_id"]) if isinstance(mark, Mapping) else None
    if mark_id is not None:
        audience = Audience.MARKED
    elif change.account_id is None:
        if kind not in _TO_EVERYBODY:
            return None
        audience = Audience.EVERYBODY
    else:
        audience = Audience.TREE if kind in _TO_THE_TREE else Audience.ACCOUNT
    if kind is Kind.KEY_EDITED:
        kind = _of_edit(_consequences(change.body))
    if change.tag == Tag.PERSON_FACTOR_ADDED and change.body.get("is_first") is True:
        # The password alone opens nothing: joining is told once, when it is done.
        kind = Kind.OWNER_JOINING
    return Notice(
        notice_id=notice_id("event", event.seq, change.account_id),
        kind=kind,
        account_id=change.account_id,
        happened_at_ms=change.happened_at_ms,
        facts={"actor": _actor(change), **_facts(str(change.tag), change.body)},
        audience=audience,
        seq=event.seq,
        key_id=change.key_id,
        mark_id=mark_id,
    )


def notice_id(*identity: str | int | None) -> str:
    """Return the id of the notice that *identity* leads to: always the same one."""
    return f"ntc_{_digest(identity)}"


def message_id(notice: str, contact: str) -> str:
    """Return what a message is known by to whoever receives it, however often it is sent."""
    return f"msg_{_digest((notice, contact))}"


def _digest(identity: Iterable[str | int | None]) -> str:
    text = "|".join("" if part is None else str(part) for part in identity)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _actor(change: Change) -> str:
    """Return who did it, as the account it is about may see it: not a master's key (RULES R16)."""
    return rights.actor_for(change.actor, {change.account_id})


def _is_old_news(kind: Kind, change: Change) -> bool:
    """Whether it is a rule long in force, which a new house begins with: nobody's news."""
    rule = change.body.get("rule")
    since_ms = rule.get("effective_from_ms") if isinstance(rule, Mapping) else None
    is_in_force = isinstance(since_ms, int) and since_ms <= change.happened_at_ms
    return kind is Kind.RULE_SCHEDULED and is_in_force


def _facts(tag: str, body: Mapping[str, object]) -> dict[str, object]:
    facts = _taken(body, _OF_THE_BODY)
    key, rule = body.get("key"), body.get("rule")
    contact, mark, person = body.get("contact"), body.get("mark"), body.get("person")
    if isinstance(key, Mapping):
        facts |= _taken(key, _OF_A_KEY) | {"is_restricted": bool(key.get("ip_allowlist"))}
        quarantine = key.get("quarantine")
        if isinstance(quarantine, Mapping):
            facts |= _taken(quarantine, _OF_A_QUARANTINE)
    if isinstance(rule, Mapping):
        facts |= {"rule": _taken(rule, _OF_A_RULE)}
    if isinstance(mark, Mapping):
        facts |= {"mark": _taken(mark, _OF_A_MARK)}
    if isinstance(contact, Mapping):
        facts |= {"contact": _taken(contact, _OF_A_CONTACT), "change": tag.partition(":")[2]}
    if isinstance(person, Mapping):
        facts |= {"person": _taken(person, _OF_A_PERSON), "change": tag.partition(":")[2]}
    return facts


def _taken(found: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: found[name] for name in names if name in found}


def _consequences(body: Mapping[str, object]) -> frozenset[str]:
    listed = body.get("consequences")
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(str(item["kind"]) for item in listed if isinstance(item, Mapping))


def _of_edit(consequences: frozenset[str]) -> Kind:
    """Return what an edit is told as: by the most important thing it did."""
    if consequences & _STARTS_A_TERM:
        return Kind.TERM_STARTED
    return Kind.TERM_LIFTED if ConsequenceKind.TERM_LIFTED in consequences else Kind.KEY_EDITED
