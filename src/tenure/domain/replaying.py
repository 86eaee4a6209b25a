"""
Replaying the journal: what the rows must hold, worked out from the events alone (SECURITY I5).

Each event that changes something holds its whole state afterwards, so the last one about a subject
is what its row has to say. A row that says otherwise, or about which no event says anything, was
written by somebody who went past Tenure. Secrets are in no event and so in no replay.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from tenure.domain import events
from tenure.domain.contacts import Contact, contact_state, first_contact
from tenure.domain.events import Tag
from tenure.domain.model import (
    Account,
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
from tenure.domain.rules import Rule, rule_state

Kind: TypeAlias = Literal[
    "key", "account", "rule", "mark", "contact", "person", "approval", "lead_times", "calendar"
]
KINDS: Final[tuple[Kind, ...]] = (
    *("key", "account", "rule", "mark", "contact", "person", "approval", "lead_times", "calendar"),
)
"""What has rows; all but the last is the member of an event's body that holds its state."""
State: TypeAlias = Mapping[str, Any]


class Said(NamedTuple):
    """What a replay needs of an event."""

    tag: str
    account_id: str | None
    key_id: str | None
    happened_at_ms: int
    body: Mapping[str, Any]


class Replay:
    """The state of everything after the events taken so far, by kind and subject."""

    def __init__(self) -> None:
        self.said: dict[Kind, dict[str, State]] = {kind: {} for kind in KINDS}
        self._swept: dict[str, set[tuple[str, int]]] = {}

    def take(self, event: Said) -> None:
        """Take the next *event*."""
        body, account_id = event.body, str(event.account_id)
        if event.tag == Tag.GRANT_SWEPT:
            swept = self._swept.setdefault(str(event.key_id), set())
            swept.add((body["permission"], body["ends_at_ms"]))
        if "key" in body:
            self.said["key"][str(event.key_id)] = {**body["key"], "account_id": account_id}
        self._take_of_account(event, body, account_id)
        self._take_houses(event)

    def _take_of_account(self, event: Said, body: Mapping[str, Any], account_id: str) -> None:
        if "account" in body:
            self.said["account"][account_id] = body["account"]
        if event.tag == Tag.ACCOUNT_CREATED:
            first = first_contact(account_from(body["account"], account_id))
            self.said["contact"][first.contact_id] = contact_row(first)
        if "contact" in body:
            contact = {**body["contact"], "account_id": account_id}
            self.said["contact"][str(contact["contact_id"])] = contact
        if "lead_times" in body:
            self.said["lead_times"][account_id] = body["lead_times"]
        if "person" in body:
            person = {**body["person"], "account_id": event.account_id}
            self.said["person"][str(person["person_id"])] = person
        if event.tag == Tag.CALENDAR_RENEWED:
            self.said["calendar"][account_id] = {"made_at_ms": event.happened_at_ms}

    def _take_houses(self, event: Said) -> None:
        """Take what is of the whole house: marks, approvals and rules."""
        body = event.body
        if "mark" in body:
            self.said["mark"][str(body["mark"]["mark_id"])] = body["mark"]
        if "approval" in body:
            self.said["approval"][str(body["approval"]["approval_id"])] = body["approval"]
        if "rule" in body:
            is_withdrawn = event.tag == Tag.RULE_WITHDRAWN
            withdrawn = {"withdrawn_at_ms": event.happened_at_ms if is_withdrawn else None}
            self.said["rule"][str(body["rule"]["id"])] = {**body["rule"], **withdrawn}

    def of(self, kind: Kind) -> dict[str, State]:
        """Return what the rows of one *kind* must say, by subject."""
        if kind != "key":
            return self.said[kind]
        return {
            key_id: {**state, "swept": self._swept_of(key_id, state)}
            for key_id, state in self.said["key"].items()
        }

    def _swept_of(self, key_id: str, state: State) -> list[str]:
        swept = self._swept.get(key_id, set())
        return sorted(
            permission
            for permission, grant in state["grants"].items()
            if (permission, grant["ends_at_ms"]) in swept
        )


def key_row(key: ApiKey, swept: list[str]) -> State:
    """
    Return what the rows of *key* say; *swept* are its permissions whose end is recorded.

    Of a key that a mark covers its own row is meant: a mark has a row of its own.
    """
    return {**events.key_state(key), "account_id": key.account_id, "swept": sorted(swept)}


def rule_row(rule: Rule) -> State:
    """Return what the row of *rule* says."""
    return {**rule_state(rule), "withdrawn_at_ms": rule.withdrawn_at_ms}


def contact_row(contact: Contact) -> State:
    """Return what the row of *contact* says, as far as the journal does: never a webhook's path."""
    return {**contact_state(contact), "account_id": contact.account_id}


def lead_times_row(chosen_ms: Sequence[int] | None) -> State:
    """Return what the rows of an account's lead times say, None where it has none."""
    return {"chosen_ms": None if chosen_ms is None else list(chosen_ms)}


def key_from(state: State, key_id: str, account_id: str) -> ApiKey:
    """Return the key that `events.key_state` gave *state* for."""
    grants = {}
    for permission, said in state["grants"].items():
        term = None
        if said["ends_at_ms"] is not None:
            term = Term(said["starts_at_ms"], said["ends_at_ms"], RuleId(said["rule_id"]))
        grants[Permission(permission)] = Grant(
            permission=Permission(permission), granted_at_ms=said["granted_at_ms"], term=term
        )
    return ApiKey(
        key_id=KeyId(key_id),
        api_key=state["api_key"],
        account_id=AccountId(account_id),
        account_kind=AccountKind(state["account_kind"]),
        label=state["label"],
        key_type=KeyType(state["key_type"]),
        issued_at_ms=state["issued_at_ms"],
        edited_at_ms=state["edited_at_ms"],
        version=state["version"],
        grants=grants,
        allowlist=tuple(state["ip_allowlist"]),
        public_key=state["public_key"],
        revoked_at_ms=state["revoked_at_ms"],
        quarantine=Quarantine(**state["quarantine"]) if state.get("quarantine") else None,
        overlap=Overlap(**state["overlap"]) if state.get("overlap") else None,
    )


def account_from(state: State, account_id: str) -> Account:
    """Return the account that `events.account_state` gave *state* for."""
    return Account(
        account_id=AccountId(account_id),
        kind=AccountKind(state["kind"]),
        email=state["email"],
        created_at_ms=state["created_at_ms"],
        master_id=AccountId(state["master_id"]) if state["master_id"] else None,
        frozen_at_ms=state["frozen_at_ms"],
    )


def difference(said: State | None, row: State | None) -> str | None:
    """Say how a *row* differs from what the journal *said* of it, None where it does not."""
    if said is None:
        return None if row is None else "no event explains it"
    if row is None:
        return "the journal has it, and the tables do not"
    # As text, for in Python True is 1 and 1.0, and here they are not.
    names = [
        name
        for name in sorted(said.keys() | row.keys())
        if events.canonical(said.get(name)) != events.canonical(row.get(name))
    ]
    if not names:
        return None
    shown = "; ".join(f"{name} is {_short(row.get(name))}" for name in names)
    wanted = "; ".join(f"{name} {_short(said.get(name))}" for name in names)
    return f"{shown}; by the journal: {wanted}"


def _short(value: object) -> str:
    text = events.canonical(value)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - a few lines of a terminal
