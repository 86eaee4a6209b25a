"""
The native signed request: HTTP Message Signatures (RFC 9421), in one narrow profile.

Here the signature headers are taken apart and the text they cover (the signature base) is put
together again from the request itself. The receive window, and what is known of a request whatever
its scheme, are in `signing`; whether it may act in `decide`. Neither scheme ever falls back to the
other (decision 0006).

RFC 9421 leaves nearly everything open and lets one value be spelled in many ways. This profile
takes one signature, covering exactly what it has to, in the one spelling that serialising gives
(RFC 8941 4.1): so the text that was sent is the text that was signed, and a few regular
expressions do what a parser of structured fields, a serialiser and a check of both would.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tenure.domain.allowlist import Address
from tenure.domain.signing import RECV_WINDOW_MS_DEFAULT, Fault, Malformed
from tenure.domain.verifying import decode_base64

INPUT: Final = "signature-input"
SIGNATURE: Final = "signature"
DIGEST: Final = "content-digest"
HOST: Final = "host"
HEADERS: Final = (INPUT, SIGNATURE, DIGEST)
"""What a client adds to its request; `host` it sends anyway."""
OTHER_SCHEME: Final = "x-mbx-apikey"
"""The header of the `binance` profile. Signed in both ways, a request says two things at once."""

KINDS: Final[Mapping[int, str]] = {
    32: "hmac-sha256",
    64: "ed25519",
    **dict.fromkeys((256, 384, 512), "rsa-v1_5-sha256"),
}
"""
Which `alg` (RFC 9421 3.3) makes signatures of so many bytes; of any other length none does.

A key's verifier takes signatures of its own length alone, so an `alg` that fits the length is the
stored key's or the signature fails. No key has to be looked at, and no `alg` selects anything.
"""
_HMAC_BYTES: Final = 32

# Structured fields (RFC 8941): a dictionary of one member, its key as in 3.1.2.
_LABEL = r"([a-z*][a-z0-9_.*-]{0,63})"
_PARAMETER = r';[a-z]{1,16}=(?:[0-9]{1,15}|"[^";]{0,128}")'
_INPUT = re.compile(
    rf'{_LABEL}=(\(("[a-z@-]{{1,32}}"(?: "[a-z@-]{{1,32}}"){{0,8}})\)((?:{_PARAMETER}){{0,8}}))'
)
_SIGNATURE = re.compile(rf"{_LABEL}=:([A-Za-z0-9+/=]{{1,1024}}):")
_DIGEST = re.compile(r"sha-256=:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=:")
_PARAMETERS: Final = {
    "created": re.compile(r"([1-9][0-9]{9})"),
    "keyid": re.compile(r'"([A-Za-z0-9]{1,128})"'),
    "nonce": re.compile(r'"([A-Za-z0-9+/=_.:~-]{1,128})"'),
    "alg": re.compile(r'"([a-z0-9_-]{1,32})"'),
}
_REQUIRED: Final = {"created", "keyid", "nonce"}

# Nothing that could end a line of the signature base, or let a part of the request pass for
# another: no blanks, no control characters, ASCII only (RFC 9421 2.5).
_METHOD = re.compile(r"[A-Z]{1,16}")
_AUTHORITY = re.compile(r"[!-~]{1,255}")
_PATH = re.compile(r"/[!-\"$->@-~]*")
_QUERY = re.compile(r"[!-\"$-~]*")
_OTHER_SIGNATURE = re.compile(r"(?:.*&)?signature(?:[=&].*)?")


@dataclass(slots=True, kw_only=True)
class SignedMessage:
    """
    What proves possession and when; `signing.Signed` says what its parts are. Treat it as frozen.

    *payload* is the signature base. *content_digest* is the digest that was signed, or empty:
    whoever has the body and did not hand it to `parse` still has to compare the two.
    """

    api_key: str
    payload: bytes
    signature: str
    timestamp_us: int
    address: Address
    nonce: str
    content_digest: str
    recv_window_us: int = RECV_WINDOW_MS_DEFAULT * 1000

    def decoded_payload(self) -> bytes | None:
        """There is none: what was signed is what was sent."""
        return None

    def fingerprint(self) -> bytes:
        """Return the nonce: whatever else is signed anew under it, it is used but once (BI-11)."""
        return b"native\0" + self.nonce.encode()


def is_native(headers: Mapping[str, str]) -> bool:
    """Whether a request with these *headers* (lower-case names) says that it is signed natively."""
    return INPUT in headers


def parse(  # noqa: PLR0911 - one exit per fault
    method: str, target: str, headers: Mapping[str, str], body: bytes | None, address: Address
) -> SignedMessage | Malformed:
    """
    Read a natively signed request: its *method*, its raw *target* such as `/a?b=c`, its *headers*.

    Headers go by lower-case name, each with its one value; HEADERS, `host` and OTHER_SCHEME are
    looked at. A *body* that is None was not handed over, and its digest is not compared here.
    Returns Malformed for the first fault found; it depends on the request alone.
    """
    found = _INPUT.fullmatch(headers.get(INPUT, ""))
    if found is None:
        return Malformed(Fault.MALFORMED if INPUT in headers else Fault.MISSING, INPUT)
    label, signed_as, covered, parameters = found.groups()
    given = _read(parameters)
    if given is None:
        return Malformed(Fault.MALFORMED, INPUT)
    signature = _signature(label, headers.get(SIGNATURE, ""))
    if signature is None:
        return Malformed(Fault.MALFORMED, SIGNATURE)
    if given.get("alg") not in {None, KINDS[len(signature)]}:
        return Malformed(Fault.ILLEGAL, INPUT)
    components = _components(method, target, headers)
    if isinstance(components, Malformed):
        return components
    names = covered[1:-1].split('" "')
    if DIGEST in names:
        components[DIGEST] = headers.get(DIGEST, "")
        if not _digest_holds(components[DIGEST], body):
            return Malformed(Fault.MALFORMED, DIGEST)
    elif body:
        return Malformed(Fault.MISSING, DIGEST)
    if len(names) != len(components) or components.keys() != set(names):
        return Malformed(Fault.ILLEGAL, INPUT)

    return SignedMessage(
        api_key=given["keyid"],
        payload=signature_base([(name, components[name]) for name in names], signed_as),
        # Codes come as hex to what checks them; all else has one length per kind in base64.
        signature=signature.hex()
        if len(signature) == _HMAC_BYTES
        else base64.b64encode(signature).decode("ascii"),
        timestamp_us=int(given["created"]) * 1_000_000,
        address=address,
        nonce=given["nonce"],
        content_digest=components.get(DIGEST, ""),
    )


def signature_base(components: list[tuple[str, str]], signed_as: str) -> bytes:
    """
    Return the bytes that a signature over *components*, in this order, is made of (RFC 9421 2.5).

    *signed_as* is the member of Signature-Input, covered components and parameters, as sent.
    """
    lines = [f'"{name}": {value}' for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {signed_as}']).encode("ascii")


def content_digest(body: bytes) -> str:
    """Return the value of Content-Digest for *body* (RFC 9530 2)."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")
    return f"sha-256=:{digest}:"


def _read(parameters: str) -> dict[str, str] | None:
    """Return the parameters by name; None where one is missing, doubled, unknown or misspelt."""
    given: dict[str, str] = {}
    for parameter in parameters.split(";")[1:]:
        name, _, value = parameter.partition("=")
        found = _PARAMETERS[name].fullmatch(value) if name in _PARAMETERS else None
        if found is None or name in given:
            return None
        given[name] = found.group(1)
    return given if given.keys() >= _REQUIRED else None


def _signature(label: str, header: str) -> bytes | None:
    """Return the bytes of the one signature, called *label*; None where there is none such."""
    found = _SIGNATURE.fullmatch(header)
    if found is None or found.group(1) != label:
        return None
    octets = decode_base64(found.group(2))
    return octets if octets is not None and len(octets) in KINDS else None


def _components(method: str, target: str, headers: Mapping[str, str]) -> dict[str, str] | Malformed:
    """Return what has to be covered, by name (RFC 9421 2.2)."""
    path, _, query = target.partition("?")
    host = headers.get(HOST, "")
    is_plain = (
        _METHOD.fullmatch(method)
        and _AUTHORITY.fullmatch(host)
        and _PATH.fullmatch(path)
        and _QUERY.fullmatch(query)
    )
    if not is_plain:
        return Malformed(Fault.ILLEGAL, "target")
    if OTHER_SCHEME in headers or _OTHER_SIGNATURE.fullmatch(query):
        return Malformed(Fault.DUPLICATE, SIGNATURE)
    return {
        "@method": method,
        "@authority": host.lower(),  # RFC 9421 2.2.3; a default port is left out by clients.
        "@path": path,
        "@query": f"?{query}",
    }


def _digest_holds(digest: str, body: bytes | None) -> bool:
    if body is None:
        return _DIGEST.fullmatch(digest) is not None
    return digest == content_digest(body)
