"""
The people who sign in: owners of an account, and operators by role; their sessions and limits.

Values and comparisons only. What may be a password is in `passwords`; it and second factors are
proved in `services.people`. What somebody may reach once signed in is in `rights`; what the journal
says of a person, in `person_states`. Every instant here is on the machine's own clock
(ms, UTC), in a sandbox too: people sign in now, whatever day is being rehearsed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NewType, TypeAlias

from tenure.domain.errors import Invalid
from tenure.domain.model import AccountId

PersonId = NewType("PersonId", str)
"""`psn_` and 24 characters."""

FAILURES_MAX: Final = 5
FAILURES_WINDOW_MS: Final = 15 * 60_000
"""So many failures in so long, counted per person and never per session (SECURITY T21)."""
SESSION_IDLE_MS: Final = 30 * 60_000
SESSION_MS: Final = 12 * 3_600_000
"""Unused for so long, or so old, a session is over (NIST SP 800-63B 2.2.3, as for AAL2)."""
PASSWORD_STAGE_MS: Final = 10 * 60_000
"""How long a proved password waits for its second factor: time enough to find the telephone."""
ENROLLING_STAGE_MS: Final = 60 * 60_000
"""How long somebody new may take to set a second factor up, an app to install included."""
STEP_UP_MS: Final = 5 * 60_000
"""How old the second factor may be that an act asks for (SECURITY T24)."""
CHALLENGE_MS: Final = 5 * 60_000
"""How long a challenge can be answered: what browsers give their users (WebAuthn level 3, 15.1)."""
INVITATION_MS: Final = 72 * 3_600_000
"""How long a link to join is good for: a weekend, and no longer."""
RECOVERY_HOLD_MS: Final = 48 * 3_600_000
"""How long a recovery waits for somebody to object (SECURITY T41)."""
RECOVERY_CODES: Final = 10
PASSKEYS_MAX: Final = 10
"""Passkeys a person may have: telephones, computers, two or three keys in a drawer."""
LABEL_CHARACTERS_MAX: Final = 64
OPERATOR_PREFIX: Final = "operator:"
"""How the journal's name of an operator who signed in begins; the operator token's has no name."""

_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Role(StrEnum):
    """What a person is here; of operators each role may do what the one before it may."""

    OWNER = "owner"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    @property
    def is_operators(self) -> bool:
        """Whether it is a role of the house's own people."""
        return self is not Role.OWNER

    def allows(self, least: "Role") -> bool:
        """Whether it may do what *least* may; an owner's role is beside the others, not below."""
        if Role.OWNER in {self, least}:
            return self is least
        return _RANKS[self] >= _RANKS[least]


_RANKS: Final[Mapping[Role, int]] = {role: rank for rank, role in enumerate(Role)}


class Stage(StrEnum):
    """How far somebody has come in."""

    PASSWORD = "password"  # noqa: S105 - the name of a stage, no secret
    """The password is proved; the second factor is still missing."""
    ENROLLING = "enrolling"
    """There is no second factor yet: it must be set up before anything else."""
    FULL = "full"
    """Signed in."""


STAGE_MS: Final[Mapping[Stage, int]] = {
    Stage.PASSWORD: PASSWORD_STAGE_MS,
    Stage.ENROLLING: ENROLLING_STAGE_MS,
    Stage.FULL: SESSION_MS,
}
"""How long a session lasts at most, by its stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as its holder knows it; *fingerprint* is of its public key, for the journal."""

    passkey_id: str
    label: str
    added_at_ms: int
    last_used_at_ms: int | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A recovery under way: since when, until when somebody may object, and what it froze."""

    begun_at_ms: int
    until_ms: int
    has_frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    Somebody who may sign in; an owner names an *account_id*, an operator none.

    *language* and *time_zone* are None for the house's own. *password_set_at_ms* is None for who
    has not joined yet, or has to join anew. *locked_at_ms* is since when codes are not taken any
    more: a passkey or a recovery code still is. *oidc_subject* says who it is at the provider.
    """

    person_id: PersonId
    email: str
    role: Role
    created_at_ms: int
    account_id: AccountId | None = None
    language: str | None = None
    time_zone: str | None = None
    password_set_at_ms: int | None = None
    totp_added_at_ms: int | None = None
    passkeys: tuple[Passkey, ...] = ()
    recovery_codes_left: int = 0
    oidc_subject: str | None = None
    locked_at_ms: int | None = None
    recovery: Hold | None = None
    removed_at_ms: int | None = None

    @property
    def actor(self) -> str:
        """Whom the journal names; see `rights.shown_actor`."""
        if self.account_id is not None:
            return f"{self.account_id}/{self.person_id}"
        return f"{OPERATOR_PREFIX}{self.email}"

    @property
    def has_totp(self) -> bool:
        """Whether an authenticator app is set up."""
        return self.totp_added_at_ms is not None

    @property
    def factors(self) -> int:
        """How many second factors there are; recovery codes are none, they only stand in."""
        return len(self.passkeys) + self.has_totp

    @property
    def has_joined(self) -> bool:
        """Whether somebody took the invitation."""
        return self.password_set_at_ms is not None or self.oidc_subject is not None

    @property
    def stage_after_first_factor(self) -> Stage:
        """Where a session begins once the password, or the provider, has said who it is."""
        return Stage.PASSWORD if self.factors else Stage.ENROLLING


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    A signed-in browser. *session_id* is the digest of what its cookie holds, and safe to show.

    *visit_id* stays the same when the cookie gets a new value within a stage: what was begun in
    another tab, a challenge or a form, is bound to it. Instants are ms UTC on the machine's clock.
    """

    session_id: str
    visit_id: str
    person: Person
    stage: Stage
    started_at_ms: int
    seen_at_ms: int
    ends_at_ms: int
    agent: str = ""

    @property
    def is_full(self) -> bool:
        """Whether everything was proved that there is to prove."""
        return self.stage is Stage.FULL


@dataclass(frozen=True, slots=True)
class TotpCode:
    """Six digits from an authenticator app."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """What a browser answered to a challenge, as JSON text (WebAuthn's PublicKeyCredential)."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """One of the codes that were shown once."""

    text: str = field(repr=False)


Proof: TypeAlias = TotpCode | PasskeyAnswer | RecoveryCode
"""What proves a second factor, or stands in for one."""


def sign_in_name(email: str) -> str:
    """
    Return *email* as it is compared at sign-in: without blanks around it, A to Z in lower case.

    Nothing else is folded: to Unicode more than one sign is a K, and who writes one of the others
    must not become somebody else.
    """
    return email.strip(" \t").translate(_ASCII_LOWER)


def require_label(label: str) -> str:
    """Return *label* if a passkey may be called so; raises Invalid `label`."""
    label = label.strip()
    if not 1 <= len(label) <= LABEL_CHARACTERS_MAX or not label.isprintable():
        raise Invalid("label", f"must have 1 to {LABEL_CHARACTERS_MAX} printable characters")
    return label
