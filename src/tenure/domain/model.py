"""
The nouns of Tenure: accounts, API keys, permissions held as grants, and their terms.

Values only. How long a grant lasts is worked out in `rules`, what an edit does in `plans`, and
whether a request may act in `decide`. Every instant is an integer: milliseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, final

from typing_extensions import override

AccountId = NewType("AccountId", str)
KeyId = NewType("KeyId", str)
Permission = NewType("Permission", str)
"""The catalog's id of a permission, such as `spot_margin_trading`."""
RuleId = NewType("RuleId", str)

READING = Permission("reading")
"""What every key may hold without asking (RULES R18)."""


class KeyType(StrEnum):
    """How a key signs; fixed when the key is issued, never taken from a request."""

    HMAC = "hmac"
    RSA = "rsa"
    ED25519 = "ed25519"


class AccountKind(StrEnum):
    """A sub-account has a master; the rules judge all three alike (RULES R16)."""

    NORMAL = "normal"
    MASTER = "master"
    SUB = "sub"


class KeyStatus(StrEnum):
    """Whether the key itself is alive; its permissions are another matter."""

    ACTIVE = "active"
    QUARANTINED = "quarantined"
    REVOKED = "revoked"


@final
class Secret:
    """Text that must not be shown: its `repr` and `str` are `***`; `reveal` is the way in."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; call it only where it is used or handed to its owner."""
        return self._text

    @override
    def __repr__(self) -> str:
        return "***"

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    @override
    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Term:
    """How long a grant lasts: `[starts_at_ms, ends_at_ms)`, half-open, and the rule that set it."""

    starts_at_ms: int
    ends_at_ms: int
    rule_id: RuleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permission a key holds since *granted_at_ms*; without a *term* it has no end."""

    permission: Permission
    granted_at_ms: int
    term: Term | None = None

    def has_ended(self, now_ms: int) -> bool:
        """At the end the permission is off; one millisecond earlier it is on (RULES, Time)."""
        return self.term is not None and now_ms >= self.term.ends_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """
    After a rotation: what the key was proved with before counts too, while now < *until_ms*.

    *public_key* is the PEM text of an RSA or Ed25519 key's, None for HMAC.
    """

    until_ms: int
    public_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Since when a key may only read and cancel, and why, in the words its callers are told."""

    since_ms: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account; a sub-account names its *master_id*. Frozen since *frozen_at_ms*, or None."""

    account_id: AccountId
    kind: AccountKind
    email: str
    created_at_ms: int
    master_id: AccountId | None = None
    frozen_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """
    An API key as its owner knows it; secrets are kept elsewhere.

    *allowlist* holds normalised entries (see `allowlist.normalise`); *public_key* is the PEM text
    of an RSA or Ed25519 key and None for HMAC. *version* counts edits from 1. *edited_at_ms* is
    when it last changed. *revoked_at_ms* is the instant of its own revocation or of the first mark
    that covers it (see `marks`), whichever came first.
    """

    key_id: KeyId
    api_key: str
    account_id: AccountId
    account_kind: AccountKind
    label: str
    key_type: KeyType
    issued_at_ms: int
    edited_at_ms: int
    version: int = 1
    grants: Mapping[Permission, Grant] = field(default_factory=dict)
    allowlist: tuple[str, ...] = ()
    public_key: str | None = None
    revoked_at_ms: int | None = None
    quarantine: Quarantine | None = None
    overlap: Overlap | None = None

    @property
    def is_restricted(self) -> bool:
        """Whether only listed addresses may use the key (RULES R2)."""
        return bool(self.allowlist)

    @property
    def status(self) -> KeyStatus:
        """Revoked is for good (RULES R14)."""
        if self.revoked_at_ms is not None:
            return KeyStatus.REVOKED
        return KeyStatus.ACTIVE if self.quarantine is None else KeyStatus.QUARANTINED

    @property
    def quarantined_at_ms(self) -> int | None:
        """Since when it is in quarantine, None where it is not."""
        return self.quarantine.since_ms if self.quarantine else None

    def holds(self, permission: Permission, now_ms: int) -> bool:
        """Whether *permission* is granted and has not ended at *now_ms*."""
        grant = self.grants.get(permission)
        return grant is not None and not grant.has_ended(now_ms)
