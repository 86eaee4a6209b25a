"""
Who calls the management face, what a route may be declared as, and whom an owner reaches.

Values and comparisons only. Looking up what an id belongs to is in `services.rights`; how a caller
proves who he is, in the face. Nothing else compares accounts: RULES R16 stands here alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from tenure.domain.model import READING, Account, AccountId, KeyId, Permission
from tenure.domain.people import OPERATOR_PREFIX, Person, PersonId, Role

ACTING: Final = Permission("spot_margin_trading")
"""
What a key needs to act here: the gravest permission that any key may hold, and one that lapses.

There is none for managing keys in the catalog, and one would be ticked by nobody.
"""
MASTER: Final = "master"
"""Whom a sub-account is shown where its master acted."""
OPERATOR: Final = "operator"
"""Whom an owner is shown where somebody of the house acted."""


class Right(StrEnum):
    """Who may call a route: what it is declared as, where it is defined."""

    OPEN = "open"
    """Anybody, unasked: probes, the document."""
    OPERATORS = "operators"
    """Operators alone; an owner is told that it is not his."""
    OWNER_READS = "owner reads"
    """Operators; and owners, for what lies in their account tree. Nothing changes by it."""
    OWNER_ACTS = "owner acts"
    """The same, for what changes something."""
    MASTER_ACTS = "master acts"
    """Operators; and a master, for its sub-accounts, not for itself."""

    @property
    def is_for_owners(self) -> bool:
        """Whether a request signed by an API key may come in at all."""
        return self in {Right.OWNER_READS, Right.OWNER_ACTS, Right.MASTER_ACTS}

    @property
    def is_act(self) -> bool:
        """Whether it changes something, so that a signed request may be used but once."""
        return self in {Right.OWNER_ACTS, Right.MASTER_ACTS}

    @property
    def permission(self) -> Permission:
        """What the key has to hold that signs such a request."""
        return ACTING if self.is_act else READING


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody of the house: the operator token's, or signed in as `operator:<e-mail>`."""

    name: str
    role: Role = Role.ADMINISTRATOR

    @property
    def actor(self) -> str:
        """Whom the journal names."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An account that calls by one of its own keys, or by a person of its who is signed in."""

    account_id: AccountId
    key_id: KeyId | None = None
    person_id: PersonId | None = None

    @property
    def actor(self) -> str:
        """Whom the journal names: the account, and by what or whom, so nobody has to look it up."""
        return f"{self.account_id}/{self.key_id or self.person_id}"


Caller: TypeAlias = Operator | Owner


def caller_of(person: Person) -> Caller:
    """Return who *person* is to the rest of Tenure."""
    if person.account_id is not None:
        return Owner(account_id=person.account_id, person_id=person.person_id)
    return Operator(person.actor, person.role)


def reaches(owner: Owner, account: Account) -> bool:
    """Whether *account* is *owner*'s own or, for a master, its sub-account's (RULES R16)."""
    return owner.account_id in {account.account_id, account.master_id}


def is_master_of(owner: Owner, account: Account) -> bool:
    """Whether *account* is a sub-account of *owner*'s."""
    return account.master_id == owner.account_id


def shown_actor(caller: Caller, actor: str, account_id: str | None) -> str:
    """
    Return *actor* as *caller* may see it, of an event about *account_id*.

    A sub-account learns that its master acted, and not by which key or person (RULES R16); who of
    the house acted is the house's own business.
    """
    if isinstance(caller, Operator):
        return actor
    return actor_for(actor, {caller.account_id, account_id})


def is_owners(actor: str) -> bool:
    """Whether *actor* is an account, by a key or person of its (see `Owner.actor`)."""
    return "/" in actor and not actor.startswith(OPERATOR_PREFIX)


def shown_body(caller: Caller, body: Mapping[str, object]) -> Mapping[str, object]:
    """
    Return the *body* of an event as *caller* may see it.

    Whom somebody of the house is, is not shown there either; nor is whose keys a bulk revocation
    ended besides the caller's own tree, and how many (RULES R16).
    """
    if isinstance(caller, Operator):
        return body
    shown, mark, places = dict(body), body.get("mark"), body.get("places")
    if isinstance(mark, Mapping) and mark.get("account_id") != caller.account_id:
        shown["mark"] = {name: value for name, value in mark.items() if name != "account_id"}
        shown.pop("keys", None)
    if isinstance(places, Sequence):
        shown["places"] = [
            {**place, "reporter": actor_for(str(place.get("reporter")), ())} for place in places
        ]
    return shown


def actor_for(actor: str, account_ids: Collection[str | None]) -> str:
    """Return *actor* as somebody of *account_ids* may see it; see `shown_actor`."""
    if actor.startswith(OPERATOR_PREFIX):
        return OPERATOR
    acting_id, slash, _ = actor.partition("/")
    return actor if not slash or acting_id in account_ids else MASTER
