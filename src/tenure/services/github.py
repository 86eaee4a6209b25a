"""
Leak reports by GitHub's secret-scanning partner programme: telling them from forgeries.

A message is signed with ECDSA over P-256 and SHA-256, over its raw bytes. The public keys are
fetched from a configured address and kept; strangers cannot make Tenure fetch more than once a
minute, nor remember without bound what they made up (SECURITY T19, BI-47). What a report does is
in `leaks`.
"""

import threading
from collections.abc import Callable
from typing import Final, TypeAlias, final

import msgspec
import structlog
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tenure.clock import Clock
from tenure.domain import verifying
from tenure.domain.errors import Unavailable
from tenure.services.outbound import addresses
from tenure.services.outbound.egress import Answer, Call, Egress
from tenure.services.outbound.outcome import Failed
from tenure.settings import Settings

_OK: Final = 200
_KEYS_BYTES_MAX: Final = 262_144
_KEYS_MAX: Final = 100
IDENTIFIER_LENGTH_MAX: Final = 128
"""GitHub's are 64 hex digits."""
SIGNATURE_LENGTH_MAX: Final = 96
"""Base64 of a DER signature over P-256, which has 72 bytes at most."""
_NS: Final = 1_000_000_000
KEPT_S: Final = 86_400
"""A key that GitHub withdraws is believed for a day at most."""
FETCH_EVERY_S: Final = 60
UNKNOWN_S: Final = 600
UNKNOWN_MAX: Final = 1_000
"""Identifiers remembered as nobody's: a stranger can make up any number of them."""

Fetch: TypeAlias = Callable[[], Answer | Failed]

log = structlog.get_logger()


class _PublicKey(msgspec.Struct):
    key_identifier: str
    key: str


class _PublicKeys(msgspec.Struct):
    public_keys: list[_PublicKey]


_DECODER = msgspec.json.Decoder(_PublicKeys)


@final
class GitHub:
    """Tells GitHub's messages from everybody else's; one per worker, for all its threads."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        """*fetch* gets the document with GitHub's public keys."""
        self._fetch, self._clock, self._lock = fetch, clock, threading.Lock()
        self._known: dict[str, EllipticCurvePublicKey] = {}
        self._unknown: dict[str, int] = {}
        self._fetched_ns: int | None = None
        self._tried_ns: int | None = None

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> "GitHub | None":
        """Return what verifies as *settings* say, None where they name no keys to verify by."""
        if not settings.github_keys_url:
            return None
        # The operator's own choice of an address, so this machine is as good as any.
        target = addresses.read(settings.github_keys_url, allows_loopback=True)
        egress = Egress(
            proxy=settings.egress_proxy,
            trust_file=settings.egress_trust_file,
            allows_loopback=True,
        )
        call = Call(
            method="GET",
            target=target,
            headers={"accept": "application/json", "user-agent": "Tenure"},
            answer_bytes_max=_KEYS_BYTES_MAX,
        )
        return cls(lambda: egress.make(call), clock)

    def has_signed(self, body: bytes, identifier: str, signature: str) -> bool:
        """
        Say whether GitHub signed exactly *body*; cheap tests come first.

        *identifier* names the public key, *signature* is base64 of DER, as the headers have them.
        Raises Unavailable `github_keys` where GitHub's keys cannot be had just now.
        """
        if not 0 < len(identifier) <= IDENTIFIER_LENGTH_MAX:
            return False
        octets = verifying.decode_base64(signature) if _is_short(signature) else None
        if not octets:
            return False
        key = self._find(identifier)
        return key is not None and verify(key, body, octets)

    def _find(self, identifier: str) -> EllipticCurvePublicKey | None:
        with self._lock:  # While one thread fetches, the others wait for what it gets.
            now_ns = self._clock.elapsed_ns()
            if self._is_younger(self._fetched_ns, KEPT_S, now_ns):
                if (key := self._known.get(identifier)) is not None:
                    return key
                if self._is_younger(self._unknown.get(identifier), UNKNOWN_S, now_ns):
                    return None
            if not self._is_younger(self._tried_ns, FETCH_EVERY_S, now_ns):
                self._tried_ns = now_ns
                self._renew(now_ns)
            if not self._is_younger(self._fetched_ns, KEPT_S, now_ns):
                raise Unavailable("github_keys", "GitHub's public keys cannot be had just now")
            if identifier not in self._known:
                self._forget_one()
                self._unknown[identifier] = now_ns
            return self._known.get(identifier)

    def _renew(self, now_ns: int) -> None:
        answer = self._fetch()
        if isinstance(answer, Failed) or answer.status != _OK:
            why = answer.reason if isinstance(answer, Failed) else f"it answered {answer.status}"
            log.warning("GitHub's public keys cannot be fetched", reason=why)
            return
        try:
            given = _DECODER.decode(answer.body).public_keys[:_KEYS_MAX]
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            log.warning("GitHub's public keys cannot be read")
            return
        known = {each.key_identifier: load(each.key) for each in given}
        self._known = {name: key for name, key in known.items() if key is not None}
        self._fetched_ns = now_ns
        self._unknown.clear()  # What was nobody's a moment ago may be somebody's now.

    def _forget_one(self) -> None:
        if len(self._unknown) >= UNKNOWN_MAX:
            del self._unknown[next(iter(self._unknown))]

    @staticmethod
    def _is_younger(than_ns: int | None, seconds: int, now_ns: int) -> bool:
        return than_ns is not None and now_ns - than_ns < seconds * _NS


def load(pem: str) -> EllipticCurvePublicKey | None:
    """Return the P-256 public key in the text *pem*, None where it is none."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    is_ours = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    return key if isinstance(key, EllipticCurvePublicKey) and is_ours else None


def verify(key: EllipticCurvePublicKey, payload: bytes, signature: bytes) -> bool:
    """
    Say whether *signature*, ECDSA with SHA-256 in DER, over *payload* was made with *key*.

    Of each that verifies, a second one can be made by anybody: (r, n - s) besides (r, s). It proves
    the payload just the same, and names nothing.
    """
    try:
        key.verify(signature, payload, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _is_short(signature: str) -> bool:
    return 0 < len(signature) <= SIGNATURE_LENGTH_MAX and signature.isascii()
