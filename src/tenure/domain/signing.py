"""
A signed request: what was sent, taken apart just far enough to prove who sent it.

Here live the `binance` payload profile (WIRE, section 4) and the receive window. What a signature
is checked against is in `verifying`; whether the request may act in `decide`. The profile covers
neither method nor path and joins query and body without a separator: it is kept for unmodified
clients and never mixed with another scheme.
"""

import re
from binascii import a2b_base64, unhexlify
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from urllib.parse import unquote_to_bytes

from tenure.domain.allowlist import Address

RECV_WINDOW_MS_DEFAULT = 5_000
RECV_WINDOW_MS_MAX = 60_000
AHEAD_US_MAX = 1_000_000
"""A timestamp must lie strictly less than this ahead of the clock (WIRE, section 4, Time)."""
MICROSECONDS_FROM = 1_483_228_800_000_000
"""2017-01-01 in microseconds: from here on a timestamp counts microseconds, below it ms."""
TIMESTAMP_MS_MIN = 1_483_228_800_000

# ASCII digits only: int() alone would take `1_7`, `+17`, ` 17` and full-width digits.
_TIMESTAMP = re.compile(rb"^[1-9][0-9]{0,18}\Z")
_RECV_WINDOW = re.compile(rb"^(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,3}))?\Z")
_RECV_WINDOW_LENGTH_MAX = 14
_SIGNATURE = re.compile(r"^[A-Za-z0-9+/=]{1,1024}\Z")
SIGNATURE_RANGE = "^[A-Za-z0-9+/=]{1,1024}$"
"""The union of what every key type may send, so that refusing one tells nothing of the key."""
_HMAC_CHARACTERS = 64


class Fault(StrEnum):
    """What is wrong with a parameter before any key is looked at."""

    MISSING = "missing"
    MALFORMED = "malformed"
    DUPLICATE = "duplicate"
    ILLEGAL = "illegal"
    WINDOW_TOO_LONG = "window_too_long"


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request that cannot be judged: *parameter* has the *fault*. The same for every key."""

    fault: Fault
    parameter: str


class Signed(Protocol):
    """What is judged of a signed request, in whichever scheme it was signed."""

    @property
    def api_key(self) -> str:
        """The key it says it was signed with."""

    @property
    def payload(self) -> bytes:
        """What the signature has to cover."""

    @property
    def signature(self) -> str:
        """Its text, in the encoding of the key's type."""

    @property
    def timestamp_us(self) -> int:
        """When it was signed, as it says (µs, UTC)."""

    @property
    def recv_window_us(self) -> int:
        """How long it may be under way (µs)."""

    @property
    def address(self) -> Address:
        """Where it came from, as seen."""

    def decoded_payload(self) -> bytes | None:
        """Return another text that the signature may cover instead, or None."""

    def fingerprint(self) -> bytes:
        """Return what makes it this request among all of its key, once its signature is proved."""


@dataclass(slots=True)
class SignedRequest:
    """
    What proves possession and when: the exact bytes that were signed, and by which key they say.

    *query* and *body* are raw and without the `signature` pair. *signature* is percent-decoded
    text. Times are microseconds; *address* is the caller's as seen. Treat it as frozen: it is not
    made so because that would cost a fifth of a whole decision.
    """

    api_key: str
    query: bytes
    body: bytes
    signature: str
    timestamp_us: int
    recv_window_us: int
    address: Address

    @property
    def payload(self) -> bytes:
        """The raw query, then the raw body, nothing between them (WIRE, section 4)."""
        return self.query + self.body if self.body else self.query

    def decoded_payload(self) -> bytes | None:
        """
        Return the payload percent-decoded, as clients have it that sign first and encode then.

        None where that is the same text or no UTF-8, and where it would not split into the very
        same pairs: an encoded `&` must never become a separator (WIRE, "The compatibility retry").
        """
        query = _decoded(self.query, plus_is_space=False)
        body = _decoded(self.body, plus_is_space=True)
        if query is None or body is None or query + body == self.payload:
            return None
        return query + body

    def fingerprint(self) -> bytes:
        """
        Return the signature's bytes, so that another spelling is not another request (BI-14).

        Nothing else counts, since bytes may move between query and body under one signature
        (BI-20). Only an HMAC code that was proved has 64 characters, and those are hex.
        """
        is_hex = len(self.signature) == _HMAC_CHARACTERS
        octets = unhexlify(self.signature) if is_hex else a2b_base64(self.signature)
        return b"binance\0" + octets


def parse(  # noqa: PLR0911 - one exit per fault, in the order in which they are told
    api_key: str, query: bytes, body: bytes, address: Address
) -> SignedRequest | Malformed:
    """
    Read the signed request with the raw *query* and form *body*, neither with a leading `?`.

    Returns Malformed for the first fault found: `signature` first, then `timestamp`, then
    `recvWindow` (WIRE, section 5.1, step 2).
    """
    given = parameters(query)
    if isinstance(given, Malformed):
        return given
    is_in_query = b"signature" in given
    if body:
        in_body = parameters(body)
        if isinstance(in_body, Malformed):
            return in_body
        if is_in_query and b"signature" in in_body:
            return Malformed(Fault.DUPLICATE, "signature")
        given = in_body | given  # In both places the query's value wins.

    signature = _signature_of(given.get(b"signature", b""))
    if isinstance(signature, Malformed):
        return signature
    timestamp = given.get(b"timestamp", b"")
    if not _TIMESTAMP.match(timestamp):
        return Malformed(Fault.MALFORMED if timestamp else Fault.MISSING, "timestamp")
    recv_window_us = _recv_window_us(given.get(b"recvWindow"))
    if isinstance(recv_window_us, Malformed):
        return recv_window_us

    number = int(timestamp)
    return SignedRequest(
        api_key,
        _without_signature(query) if is_in_query else query,
        body if is_in_query or not body else _without_signature(body),
        signature,
        number if number >= MICROSECONDS_FROM else number * 1000,
        recv_window_us,
        address,
    )


def parameters(raw: bytes) -> dict[bytes, bytes] | Malformed:
    """
    Split a *raw* query or form body at `&` and the first `=`; nothing is decoded.

    Returns Malformed for a name that comes twice or has a percent sign in it: two spellings of one
    name would let two readers see two values.
    """
    found: dict[bytes, bytes] = {}
    if not raw:
        return found
    pairs = raw.split(b"&")
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        found[name] = value
    # Nearly every request is clean, so the loop above asks nothing and faults are named here.
    if len(found) != len(pairs) or b"%" in b"".join(found):
        fault = _fault_in(pairs)
        if fault is not None:
            return fault
    return found


def _fault_in(pairs: list[bytes]) -> Malformed | None:
    seen: set[bytes] = set()
    for pair in pairs:
        name = pair.partition(b"=")[0]
        if name in seen and name:
            return Malformed(Fault.DUPLICATE, name.decode("ascii", "replace"))
        if b"%" in name:
            return Malformed(Fault.ILLEGAL, name.decode("ascii", "replace"))
        seen.add(name)
    return None


def is_within_window(request: Signed, now_ms: int) -> bool:
    """Whether the timestamp is under 1 s ahead of *now_ms* and at most the window behind it."""
    return not is_ahead(request, now_ms) and not is_too_old(request, now_ms)


def is_ahead(request: Signed, now_ms: int) -> bool:
    """Whether the timestamp lies 1 s or more ahead of *now_ms*: strict (WIRE, section 4)."""
    return request.timestamp_us >= now_ms * 1000 + AHEAD_US_MAX


def is_too_old(request: Signed, now_ms: int) -> bool:
    """Whether the timestamp lies further back than its receive window: not strict."""
    return (
        now_ms * 1000 - request.timestamp_us > request.recv_window_us
        or request.timestamp_us < TIMESTAMP_MS_MIN * 1000
    )


def _signature_of(raw: bytes) -> str | Malformed:
    if not raw:
        return Malformed(Fault.MISSING, "signature")
    # A plus is a plus here, never a blank: base64 has it.
    if b"%" in raw:
        # What base64 needs escaped, as every client does; the general way is ten times slower.
        raw = raw.replace(b"%2B", b"+").replace(b"%2F", b"/").replace(b"%3D", b"=")
        if b"%" in raw:
            raw = unquote_to_bytes(raw)
    text = raw.decode("latin-1")
    return text if _SIGNATURE.match(text) else Malformed(Fault.ILLEGAL, "signature")


def _recv_window_us(raw: bytes | None) -> int | Malformed:
    if raw is None:
        return RECV_WINDOW_MS_DEFAULT * 1000
    if len(raw) > _RECV_WINDOW_LENGTH_MAX:
        # Tested outside the cache, which strangers must not fill with long texts.
        return Malformed(Fault.MALFORMED, "recvWindow")
    return _short_recv_window_us(raw)


@lru_cache(maxsize=1024)  # Nearly all send one of a few lengths.
def _short_recv_window_us(raw: bytes) -> int | Malformed:
    found = _RECV_WINDOW.match(raw)
    if found is None:
        return Malformed(Fault.MALFORMED, "recvWindow")
    window_us = int(found.group(1)) * 1000 + int((found.group(2) or b"").ljust(3, b"0"))
    if window_us > RECV_WINDOW_MS_MAX * 1000:
        return Malformed(Fault.WINDOW_TOO_LONG, "recvWindow")
    return window_us if window_us > 0 else Malformed(Fault.MALFORMED, "recvWindow")


def _without_signature(raw: bytes) -> bytes:
    head, found, tail = raw.rpartition(b"&")
    if found and tail.startswith(b"signature="):
        return head  # Where every client tested puts it.
    return b"&".join(pair for pair in raw.split(b"&") if pair.partition(b"=")[0] != b"signature")


def _decoded(raw: bytes, *, plus_is_space: bool) -> bytes | None:
    text = unquote_to_bytes(raw.replace(b"+", b" ") if plus_is_space else raw)
    try:
        text.decode()
    except UnicodeDecodeError:
        return None
    before = [pair.partition(b"=") for pair in raw.split(b"&")]
    after = [pair.partition(b"=") for pair in text.split(b"&")]
    same_pairs = len(before) == len(after) and all(
        old_name == name and old_sign == sign
        for (old_name, old_sign, _), (name, sign, _) in zip(before, after, strict=True)
    )
    return text if same_pairs else None
