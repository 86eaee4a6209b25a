"""
May this signed request act? One function, and the one table of why not.

The order of the tests is fixed (DESIGN, "A signed request is decided"): key well-formed, known,
receive window, signature, revoked, frozen, quarantined, address, permission held, not expired. What
stands against the key comes before what stands against the request. Until the signature has proved
possession the answer depends on the request and the clock alone; a stand-in is verified for an
unknown key, so that even the time taken tells nothing (SECURITY T6). What an answer looks like on a
wire is the faces' business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tenure.domain import apikeys, signing, verifying
from tenure.domain.allowlist import Address
from tenure.domain.model import (
    AccountId,
    AccountKind,
    KeyId,
    KeyType,
    Permission,
    Quarantine,
    RuleId,
)
from tenure.domain.signing import Signed


class Reason(StrEnum):
    """Why a request may not act."""

    REQUEST_MALFORMED = "request_malformed"
    KEY_MALFORMED = "key_malformed"
    KEY_UNKNOWN = "key_unknown"
    OUTSIDE_RECEIVE_WINDOW = "outside_receive_window"
    SIGNATURE_INVALID = "signature_invalid"
    KEY_REVOKED = "key_revoked"
    ACCOUNT_FROZEN = "account_frozen"
    KEY_QUARANTINED = "key_quarantined"
    IP_NOT_ALLOWED = "ip_not_allowed"
    ROUTE_UNKNOWN = "route_unknown"
    PERMISSION_MISSING = "permission_missing"
    PERMISSION_EXPIRED = "permission_expired"
    REPLAYED = "replayed"


class Row(NamedTuple):
    """What a reason means in public: HTTP *status*, whether the caller is told, and in words."""

    status: int
    is_told: bool
    sentence: str


UNTOLD = "unauthorized"
"""The reason a caller is given who has not proved possession."""


def _untold(sentence: str) -> Row:
    return Row(status=401, is_told=False, sentence=sentence)


def _told(status: int, sentence: str) -> Row:
    return Row(status=status, is_told=True, sentence=sentence)


REFUSALS: Mapping[Reason, Row] = {
    Reason.REQUEST_MALFORMED: _untold("signature or timestamp cannot be read"),
    Reason.KEY_MALFORMED: _untold("no such key can exist: mistyped or not ours"),
    Reason.KEY_UNKNOWN: _untold("no such key"),
    Reason.OUTSIDE_RECEIVE_WINDOW: _untold("the timestamp is outside the receive window"),
    Reason.SIGNATURE_INVALID: _untold("the signature does not match"),
    Reason.KEY_REVOKED: _told(401, "the key was revoked, for good"),
    Reason.ACCOUNT_FROZEN: _told(403, "the account, or its master, is frozen"),
    Reason.KEY_QUARANTINED: _told(403, "the key is in quarantine: it may only read and cancel"),
    Reason.IP_NOT_ALLOWED: _told(403, "the address is not in the key's IP allowlist"),
    Reason.ROUTE_UNKNOWN: _told(403, "no permission is known for this route"),
    Reason.PERMISSION_MISSING: _told(403, "the permission is not ticked on this key"),
    Reason.PERMISSION_EXPIRED: _told(403, "the permission's term has ended; tick it again"),
    Reason.REPLAYED: _told(401, "this one-time request was used before"),
}


class LoadedGrant(NamedTuple):
    """A grant as deciding needs it: its end (ms, or None) and the rule that set it."""

    ends_at_ms: int | None
    rule_id: RuleId | None


@dataclass(slots=True, kw_only=True)
class LoadedKey:
    """A key ready to be decided on: compiled allowlist, loaded verifier. Treat it as frozen."""

    key_id: KeyId
    account_id: AccountId
    master_id: AccountId | None
    account_kind: AccountKind
    key_type: KeyType
    issued_at_ms: int
    version: int
    verifier: verifying.Verifier
    admits: Callable[[Address], bool]
    is_restricted: bool
    grants: Mapping[str, LoadedGrant]
    revoked_at_ms: int | None = None
    frozen_at_ms: int | None = None
    quarantine: Quarantine | None = None
    old_verifier: verifying.Verifier | None = None
    """Of what the key was proved with before it was rotated; asked while now < *old_until_ms*."""
    old_until_ms: int = 0
    label_digest: bytes = b""

    def holds(self, permission: str, now_ms: int) -> bool:
        """Whether *permission* is granted and has not ended at *now_ms*."""
        grant = self.grants.get(permission)
        return grant is not None and (grant.ends_at_ms is None or now_ms < grant.ends_at_ms)


class Allowed(NamedTuple):
    """The request may act, as *account_id*; *ends_at_ms* is when the permission will end."""

    account_id: AccountId
    key_id: KeyId
    permission: Permission
    ends_at_ms: int | None
    rule_id: RuleId | None
    loaded: LoadedKey
    used_old_secret: bool = False
    """It was proved with what the key had before its rotation: somebody has yet to move over."""


class Refused(NamedTuple):
    """The request may not act; what its caller may know beyond *reason* is filled in."""

    reason: Reason
    permission: str | None = None
    at_ms: int | None = None
    """When it was revoked, frozen or quarantined, or when the permission ended."""
    rule_id: RuleId | None = None
    address: str | None = None
    cause: str | None = None
    """Why it was put into quarantine."""
    is_ahead: bool = False
    """Outside the receive window because the timestamp lies in the future."""


def decide(  # noqa: PLR0913 - one argument per fact
    request: Signed,
    permission: str | None,
    loaded: LoadedKey | None,
    now_ms: int,
    *,
    window_now_ms: int | None = None,
    decoded_retry: bool = True,
    overlaps_until_ms: int = 0,
) -> Allowed | Refused:
    """
    Decide whether *request* may act under *permission* at *now_ms* (ms, UTC).

    *loaded* is the key called `request.api_key`, None if there is none; *permission* is None where
    the route is not known. *window_now_ms* is a second clock for the receive window alone
    (sandbox only). *decoded_retry* is WIRE's compatibility retry. Until *overlaps_until_ms* some
    key, this one or another, may be proved with what it had before its rotation.
    """
    if loaded is None and not apikeys.is_well_formed(request.api_key):
        return Refused(Reason.KEY_MALFORMED)
    if not signing.is_within_window(request, now_ms) and (
        window_now_ms is None or not signing.is_within_window(request, window_now_ms)
    ):
        return _outside(request, now_ms, window_now_ms)

    verifier = loaded.verifier if loaded else verifying.stand_in(request.signature)
    is_proved, used_old_secret = _is_proved(verifier, request, decoded_retry), False
    old_until_ms = loaded.old_until_ms if loaded else 0
    if not is_proved and now_ms < max(old_until_ms, overlaps_until_ms):
        # While any key has two secrets, every wrong signature is tried twice: else the time taken
        # would tell which key exists and was rotated (SECURITY T6).
        old = loaded.old_verifier if loaded and now_ms < old_until_ms else None
        verifier = old or verifying.stand_in(request.signature)
        is_proved = used_old_secret = _is_proved(verifier, request, decoded_retry)
    if loaded is None:
        return Refused(Reason.KEY_UNKNOWN)
    if not is_proved:
        return Refused(Reason.SIGNATURE_INVALID)
    outcome = judge(loaded, request.address, permission, now_ms)
    if used_old_secret and isinstance(outcome, Allowed):
        return outcome._replace(used_old_secret=True)
    return outcome


def _is_proved(verifier: verifying.Verifier, request: Signed, decoded_retry: bool) -> bool:  # noqa: FBT001 - the setting, handed on
    if verifier.verify(request.payload, request.signature):
        return True
    decoded = request.decoded_payload() if decoded_retry else None
    return decoded is not None and verifier.verify(decoded, request.signature)


def _outside(request: Signed, now_ms: int, window_now_ms: int | None) -> Refused:
    # Of two clocks the caller meant the nearer one, and is told how it missed that.
    clocks_ms = (now_ms,) if window_now_ms is None else (now_ms, window_now_ms)
    meant_ms = min(clocks_ms, key=lambda at_ms: abs(at_ms * 1000 - request.timestamp_us))
    return Refused(Reason.OUTSIDE_RECEIVE_WINDOW, is_ahead=signing.is_ahead(request, meant_ms))


def judge(  # noqa: PLR0911 - one exit per row of the table
    loaded: LoadedKey,
    address: Address,
    permission: str | None,
    now_ms: int,
    *,
    is_kept: bool = False,
) -> Allowed | Refused:
    """
    Decide for a caller who has proved possession of *loaded*: all that comes after.

    *is_kept* says of a key in quarantine that this is reading, or only reduces risk.
    """
    if loaded.revoked_at_ms is not None:
        return Refused(Reason.KEY_REVOKED, at_ms=loaded.revoked_at_ms)
    if loaded.frozen_at_ms is not None:
        return Refused(Reason.ACCOUNT_FROZEN, at_ms=loaded.frozen_at_ms)
    if loaded.quarantine is not None and not is_kept:
        since_ms, cause = loaded.quarantine.since_ms, loaded.quarantine.cause
        return Refused(Reason.KEY_QUARANTINED, permission, since_ms, cause=cause)
    if not loaded.admits(address):
        return Refused(Reason.IP_NOT_ALLOWED, address=address.text)
    if permission is None:
        return Refused(Reason.ROUTE_UNKNOWN)
    grant = loaded.grants.get(permission)
    if grant is None:
        return Refused(Reason.PERMISSION_MISSING, permission)
    ends_at_ms, rule_id = grant
    if ends_at_ms is not None and now_ms >= ends_at_ms:
        return Refused(Reason.PERMISSION_EXPIRED, permission, ends_at_ms, rule_id)
    return Allowed(
        loaded.account_id, loaded.key_id, Permission(permission), ends_at_ms, rule_id, loaded
    )
