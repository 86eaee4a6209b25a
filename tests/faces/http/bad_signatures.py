"""Bad signatures over a good request, one row each: BI-12 to BI-17 of the table of bad inputs."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from itertools import count

from cryptography.hazmat.primitives.asymmetric import ed25519, padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests import signers
from tests.faces.http.attempts import (
    ILLEGAL,
    MANDATORY,
    SIGNATURE,
    Attempt,
    Door,
    Outcome,
    Row,
    good,
)

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD_PRIME = 2**255 - 19


def signed(
    bi: str, why: str, key: str, sign: Callable[[Door, str], str], surface: Outcome = SIGNATURE
) -> Row:
    """Return a row of a request that names *key* and is signed by *sign*, handed the query."""

    def attempt(door: Door) -> Attempt:
        query = f"timestamp={door.now_ms}"
        return door.attempt(query, key=key, signature=sign(door, query))

    return Row(bi=bi, why=f"{key}: {why}", attempt=attempt, surface=surface)


def respelt(
    bi: str, why: str, key: str, change: Callable[[str], str], surface: Outcome = SIGNATURE
) -> Row:
    """Return a row whose signature is the right one with its text changed."""
    return signed(bi, why, key, lambda door, query: change(door.sign(query, key)), surface)


def reworked(
    bi: str, why: str, key: str, change: Callable[[bytes], bytes], surface: Outcome = SIGNATURE
) -> Row:
    """Return a row whose signature is the right one with its bytes changed."""

    def text_of(text: str) -> str:
        return base64.b64encode(change(base64.b64decode(text))).decode()

    return respelt(bi, why, key, text_of, surface)


def edwards() -> Iterator[Row]:
    """BI-12: what a lenient reading of RFC 8032 takes."""
    yield reworked("BI-12", "63 bytes", "ed25519", lambda octets: octets[:-1])
    yield reworked("BI-12", "65 bytes", "ed25519", lambda octets: octets + b"\0")
    yield reworked("BI-12", "no bytes", "ed25519", lambda _: b"", MANDATORY)
    yield reworked("BI-12", "S past the group's order", "ed25519", _past_the_order)
    yield signed(
        "BI-12", "R not canonical", "ed25519", lambda _, query: _over_r(1 + FIELD_PRIME, query)
    )
    yield signed("BI-12", "R of low order", "ed25519", lambda _, query: _over_r(1, query))


def spellings() -> Iterator[Row]:
    """BI-13: the same bytes in another spelling, or nearly."""
    yield respelt("BI-13", "a blank", "ed25519", lambda text: f"{text[:9]} {text[9:]}", ILLEGAL)
    yield respelt("BI-13", "a line break", "ed25519", lambda text: f"{text}\n", ILLEGAL)
    yield respelt(
        "BI-13", "full-width", "ed25519", lambda text: text.replace("=", "\uff1d"), ILLEGAL
    )
    yield respelt("BI-13", "no padding", "ed25519", lambda text: text.rstrip("="))
    yield respelt("BI-13", "half the padding", "ed25519", lambda text: text[:-1])
    yield respelt("BI-13", "more padding", "ed25519", lambda text: f"{text}=")
    yield respelt("BI-13", "stray bits", "ed25519", _stray_bits)
    yield Row(bi="BI-13", why="URL-safe", attempt=_url_safe, surface=ILLEGAL)


def codes() -> Iterator[Row]:
    """BI-14 and BI-15: HMAC in hex."""
    yield good("BI-14", "upper case", lambda door: _hmac(door, str.upper))
    yield good("BI-14", "either case", lambda door: _hmac(door, str.title))
    yield Row(bi="BI-14", why="natively there is no hex", attempt=_hex_natively, surface=None)
    yield respelt("BI-15", "16 bytes", "hmac", lambda text: text[:32])
    yield respelt("BI-15", "31 bytes", "hmac", lambda text: text[:62])
    yield respelt("BI-15", "an odd number of digits", "hmac", lambda text: text[:63])
    yield respelt("BI-15", "33 bytes", "hmac", lambda text: f"{text}00")
    yield respelt("BI-15", "no digits at all", "hmac", lambda _: "z" * 64)
    yield respelt("BI-15", "zeros", "hmac", lambda _: "0" * 64)
    yield reworked_hex("as base64")
    yield respelt("BI-15", "a blank", "hmac", lambda text: f"{text[:9]} {text[10:]}", ILLEGAL)
    yield respelt("BI-15", "blanks", "hmac", lambda text: bytes.fromhex(text).hex(" "), ILLEGAL)
    yield respelt("BI-15", "a tab in front", "hmac", lambda text: f"\t{text}", ILLEGAL)
    yield respelt("BI-15", "full-width", "hmac", lambda text: f"\uff11{text[1:]}", ILLEGAL)
    yield respelt("BI-15", "not ASCII", "hmac", lambda text: f"{text[:-1]}\xe9", ILLEGAL)


def reworked_hex(why: str) -> Row:
    """Return a row whose code is right, and written in base64."""
    return respelt(
        "BI-15", why, "hmac", lambda text: base64.b64encode(bytes.fromhex(text)).decode()
    )


def confused() -> Iterator[Row]:
    """BI-16: a public key, in each form it is handed around in, taken for an HMAC secret."""
    forms: dict[str, Callable[[str], bytes]] = {
        "PEM": str.encode,
        "PEM, stripped": lambda pem: pem.strip().encode(),
        "base64": lambda pem: "".join(pem.splitlines()[1:-1]).encode(),
        "DER": lambda pem: base64.b64decode("".join(pem.splitlines()[1:-1])),
        "the last 32 bytes": lambda pem: base64.b64decode("".join(pem.splitlines()[1:-1]))[-32:],
    }
    for key in ("ed25519", "rsa"):
        for why, form in forms.items():
            yield signed("BI-16", why, key, _as_a_secret(key, form))
    yield signed("BI-16", "its own name", "hmac", _named)


def padded() -> Iterator[Row]:
    """BI-17: RSA."""
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
    yield reworked("BI-17", "a zero added", "rsa", lambda octets: b"\0" + octets)
    yield Row(bi="BI-17", why="rsa: a zero stripped", attempt=_stripped, surface=SIGNATURE)
    yield signed(
        "BI-17", "PSS", "rsa", lambda _, query: signers.rsa_sign(query.encode(), pss, SHA256())
    )
    yield signed("BI-17", "SHA-1", "rsa", lambda _, query: _sha1(query))
    yield good("BI-17", "rsa: as it should be", lambda door: door.attempt(key="rsa"))


def _past_the_order(octets: bytes) -> bytes:
    number = int.from_bytes(octets[32:], "little") + GROUP_ORDER
    return octets[:32] + number.to_bytes(32, "little")


def _over_r(y: int, query: str) -> str:
    """
    Sign *query* with the point (0, 1) for R, its encoding given as *y*.

    It satisfies the equation of RFC 8032 5.1.7: who reads R leniently, or computes with it without
    a look at its order, takes it.
    """
    private = load_pem_private_key(signers.private_key().encode(), None)
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    digest = bytearray(hashlib.sha512(private.private_bytes_raw()).digest()[:32])
    digest[0] &= 0xF8
    digest[31] = digest[31] & 0x3F | 0x40
    r = y.to_bytes(32, "little")
    challenge = hashlib.sha512(r + private.public_key().public_bytes_raw() + query.encode())
    s = int.from_bytes(challenge.digest(), "little") * int.from_bytes(digest, "little")
    return base64.b64encode(r + (s % GROUP_ORDER).to_bytes(32, "little")).decode()


def _stray_bits(text: str) -> str:
    """Set a bit in the last character that no byte is made of."""
    other = f"{text[:-3]}{chr(ord(text[-3]) + 1)}=="
    assert base64.b64decode(other) == base64.b64decode(text)
    return other


def _url_safe(door: Door) -> Attempt:
    for number in count():
        query = f"timestamp={door.now_ms}&symbol={number}"
        right = door.sign(query, "ed25519")
        if "+" in right and "/" in right:
            text = right.replace("+", "-").replace("/", "_")
            return door.attempt(query, key="ed25519", signature=text)
    raise AssertionError


def _hmac(door: Door, respell: Callable[[str], str]) -> Attempt:
    query = f"timestamp={door.now_ms}"
    return door.attempt(query, signature=respell(door.sign(query)))


def _hex_natively(door: Door) -> Attempt:
    attempt = door.natively("hmac")
    code = base64.b64decode(attempt.native["signature"].partition(":")[2])
    attempt.native["signature"] = f"sig1=:{code.hex()}:"  # type: ignore[index]  # a dict, made for this row
    return attempt


def _as_a_secret(key: str, form: Callable[[str], bytes]) -> Callable[[Door, str], str]:
    def sign(door: Door, query: str) -> str:
        pem = door.keys[key].public_key
        assert pem is not None
        return signers.hmac_sign(form(pem), query.encode())

    return sign


def _named(door: Door, query: str) -> str:
    return signers.hmac_sign(door.keys["hmac"].api_key.encode(), query.encode())


def _sha1(query: str) -> str:
    digest = SHA1()  # noqa: S303 - it is what has to be refused
    return signers.rsa_sign(query.encode(), padding.PKCS1v15(), digest)


def _stripped(door: Door) -> Attempt:
    for number in count():
        query = f"timestamp={door.now_ms}&symbol={number}"
        octets = base64.b64decode(door.sign(query, "rsa"))
        if not octets[0]:
            text = base64.b64encode(octets[1:]).decode()
            return door.attempt(query, key="rsa", signature=text)
    raise AssertionError


ROWS = (*edwards(), *spellings(), *codes(), *confused(), *padded())
