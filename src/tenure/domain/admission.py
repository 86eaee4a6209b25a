"""
Which public keys may be used at all: what an owner pasted, read strictly and judged once.

Admission is where a bad key is caught, because the libraries load it: all 14 Ed25519 points of
low order, RSA keys that make every check dear or that anybody can factor (SECURITY D10, D11, T18).
How a signature is checked with an admitted key is `verifying`'s matter.

Somebody will paste a private key. It is recognised before anything else is looked at, refused
with the advice to discard it, and never becomes part of an exception: no message quotes the text,
and every refusal is raised outside of `except`, since `raise ... from None` hides the library's
exception but keeps it attached. The *text* remains a local variable of frames in the traceback:
whoever renders tracebacks must leave locals out.
"""

import math
import re
from binascii import a2b_base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from nacl.bindings import crypto_core_ed25519_is_valid_point

from tenure.domain import verifying
from tenure.domain.errors import Invalid, Why
from tenure.domain.model import KeyType

_CHARACTERS_MAX: Final = 8192
"""Ten times an RSA key of 4096 bits in PEM: room for blanks, none for floods."""

_HOW: Final = "`openssl pkey -in private.pem -pubout` prints the public key to paste here."
_UNREADABLE: Final = (
    f"This is neither PEM nor base64 of a public key we know. {_HOW}"
    " If it was the private half, discard that key and make a new one."
)

# Marks of a private key in text: PEM and SSH labels, PuTTY, age, JWK and XML members.
_PRIVATE_TEXT: Final = re.compile(
    r'PRIVATE\W+KEY|PRIVATE-LINES|AGE-SECRET-KEY|"D"\s*:|<D>', re.IGNORECASE
)
# Marks of a private key in the bytes after the tag and length of the outermost SEQUENCE. A version
# number comes first in PKCS #1, PKCS #8, SEC 1, DSA and PKCS #12 alike, and in no public key.
_DER_VERSION: Final = b"\x02\x01"
# Encrypted PKCS #8 names its algorithm first: something of PKCS #5, or PKCS #12's own.
_DER_ENCRYPTED: Final = (
    bytes.fromhex("06092a864886f70d0105"),
    bytes.fromhex("060a2a864886f70d010c01"),
)
_OPENSSH: Final = b"openssh-key-v1\0"

_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----")
_PEM_LINE: Final = re.compile(r"-----[^-]*-----")
_PKCS1_LABEL: Final = "RSA PUBLIC KEY"
_LABELS: Final = ("PUBLIC KEY", _PKCS1_LABEL)

# The object identifier of its algorithm is the first thing in a SubjectPublicKeyInfo.
_RSA_ALGORITHM: Final = bytes.fromhex("06092a864886f70d010101")
_ED25519_ALGORITHM: Final = bytes.fromhex("06032b6570")
_CERTIFICATE: Final = "a certificate"
_OTHER_KINDS: Final = {
    bytes.fromhex("a0030201"): _CERTIFICATE,  # Its version number, in the same place.
    bytes.fromhex("06092a864886f70d01010a"): "RSA-PSS",
    bytes.fromhex("06072a8648ce3d0201"): "ECDSA",
    bytes.fromhex("06072a8648ce380401"): "DSA",
    bytes.fromhex("06032b656e"): "X25519",
    bytes.fromhex("06032b6571"): "Ed448",
}

_ED25519_HEAD: Final = bytes.fromhex("302a300506032b6570032100")
"""The DER in front of every Ed25519 key's 32 bytes (RFC 8410 4)."""
_ED25519_BYTES: Final = 32


def _primes_below(limit: int) -> list[int]:
    is_prime = bytearray([0, 0]) + bytearray([1]) * (limit - 2)
    for number in range(2, math.isqrt(limit - 1) + 1):
        if is_prime[number]:
            multiples = range(number * number, limit, number)
            is_prime[multiples.start :: number] = bytes(len(multiples))
    return [number for number in range(limit) if is_prime[number]]


_SMALL_FACTORS: Final = math.prod(_primes_below(10_000))
"""
Shares no factor with a sound modulus.

boulder's `goodkey` tries the primes up to 751; going on to 10,000 costs less than 0.1 ms.
"""

_FERMAT_ROUNDS: Final = 100
"""
boulder's method, with the rounds of zlint's `e_rsa_fermat_factorization`: finds factors that agree
in their upper half or so.

Two random primes of 1024 bits come that close with a chance of about 2^-500.
"""

_ROCA_RESIDUES: Final = {
    prime: residues
    for prime in _primes_below(168)[1:]
    if len(residues := frozenset(pow(65537, power, prime) for power in range(prime))) < prime - 1
}
"""
The fingerprint of keys made by broken Infineon chips (CVE-2017-15361).

Their primes are k * M + (65537^a mod M), where M is the product of the first 39 or more primes, so
that modulo each small prime the modulus is a power of 65537. These are the primes for which that
says something (65537 is no primitive root): the 17 markers of crocs-muni/roca's first detector,
from "The Return of Coppersmith's Attack" (CCS 2017). About one sound key in 240 million looks the
same, and its owner makes another.
"""


def admit(key_type: KeyType, text: str) -> str:
    """
    Return the public key that an owner pasted as *text* the one way it is stored, or refuse it.

    *text* is PEM ("PUBLIC KEY", or "RSA PUBLIC KEY" as PKCS #1), or the bare base64 of the DER of
    a SubjectPublicKeyInfo (RFC 5280 4.1.2.7), blanks and line breaks wherever they fell. The
    answer is PEM of a SubjectPublicKeyInfo, ending in a line break. Raises Invalid for
    `public_key`, and nothing else whatever the text holds, with a message that says how to mend it
    and never quotes the text (SECURITY D10, D11, BI-34, BI-35).
    """
    if is_private(text):
        raise _refusal(
            "private",
            "This is a private key. Treat it as compromised: discard it, make a new pair, and"
            f" paste its public half only. {_HOW}",
        )
    if key_type is KeyType.HMAC:
        raise _refusal(
            "hmac", "An hmac key has no public key: leave this empty, or choose another type."
        )

    der, label = _decode(text)
    found = _algorithm(der, label)
    wanted = "RSA" if key_type is KeyType.RSA else "Ed25519"
    if found is None:
        raise _refusal("unreadable", _UNREADABLE)
    if found != wanted:
        message = f"The key is to be {wanted}, but this is {found}. {_HOW}"
        name = "certificate" if found == _CERTIFICATE else "other"
        raise _refusal(name, message, wanted=wanted, found=found)
    key = _admitted_rsa(der, label) if key_type is KeyType.RSA else _admitted_ed25519(der)
    return verifying.to_pem(key)


def type_of(text: str) -> KeyType:
    """
    Return RSA where *text* holds a key that says so, else Ed25519, for owners who are not asked.

    `admit` then says what is wrong with everything else. Raises Invalid as it does.
    """
    is_rsa = not is_private(text) and _algorithm(*_decode(text)) == "RSA"
    return KeyType.RSA if is_rsa else KeyType.ED25519


def _refusal(name: str, message: str, **parts: object) -> Invalid:
    return Invalid("public_key", message, why=Why(f"public_key_{name}", parts))


def is_private(text: str) -> bool:
    """Whether *text* gives itself away as a private key, cut short or mislabelled as it may be."""
    if _PRIVATE_TEXT.search(text):
        return True
    for body in _PEM_LINE.split(text):
        head = _head(body)
        inside = _contents(head)
        if (
            head.startswith(_OPENSSH)
            or inside.startswith(_DER_VERSION)
            or _contents(inside).startswith(_DER_ENCRYPTED)
        ):
            return True
    return False


def _head(body: str) -> bytes:
    """Decode the first 48 bytes of base64, as leniently as the library knows how."""
    characters = "".join(body.split()).translate({ord("-"): "+", ord("_"): "/"})[:64]
    try:
        return a2b_base64(characters[: len(characters) // 4 * 4])
    except ValueError:
        return b""


def _contents(der: bytes) -> bytes:
    """Return what follows the tag and length of a SEQUENCE; empty if *der* does not begin one."""
    if len(der) < 2 or der[0] != 0x30:  # noqa: PLR2004 - a tag and a length; X.690 numbers
        return b""
    length_octets = der[1] & 0x7F if der[1] & 0x80 else 0
    return der[2 + length_octets :]


def _decode(text: str) -> tuple[bytes, str]:
    """Return the DER within *text* and its PEM label; bare base64 counts as the usual one."""
    if len(text) > _CHARACTERS_MAX:
        message = f"This is longer than {_CHARACTERS_MAX} characters. {_HOW}"
        raise _refusal("long", message, most=_CHARACTERS_MAX)
    if not text.isascii():
        raise _refusal(
            "signs",
            "There are characters in it that no key has, such as typographic dashes or quotes."
            f" Copy it from the file, not from a formatted document. {_HOW}",
        )
    if "CERTIFICATE" in text:
        raise _refusal(
            "certificate",
            "This is a certificate or a request for one, not a public key."
            " `openssl x509 -in certificate.pem -noout -pubkey` prints the key in it.",
        )
    if text.count("-----BEGIN") > 1:
        raise _refusal("several", "There are several keys in it. Paste exactly one.")

    label, body = _LABELS[0], text
    if "-----" in text:
        frame = _PEM.fullmatch(text.strip())
        if frame is None:
            raise _refusal(
                "frame",
                "The PEM block is damaged. Paste it whole, from the BEGIN line to the END line,"
                f" and nothing before or after. {_HOW}",
            )
        label, body = frame.groups()
    if label not in _LABELS:
        raise _refusal("label", f"This PEM block does not hold a public key. {_HOW}")

    der = verifying.decode_base64("".join(body.split()))
    if der is None:
        raise _refusal("unreadable", _UNREADABLE)
    return der, label


def _algorithm(der: bytes, label: str) -> str | None:
    """Name the kind of key in *der* for its owner, without loading what is not ours to load."""
    inside = _contents(der)
    if label == _PKCS1_LABEL and inside.startswith(b"\x02"):
        return "RSA"
    identifier = _contents(inside)
    if identifier.startswith(_RSA_ALGORITHM):
        return "RSA"
    if identifier.startswith(_ED25519_ALGORITHM):
        return "Ed25519"
    for other, name in _OTHER_KINDS.items():
        if identifier.startswith(other):
            return name
    return None


def _admitted_ed25519(der: bytes) -> Ed25519PublicKey:
    """Let in points of the prime-order group alone, in their one encoding (SECURITY D10)."""
    head, point = der[: len(_ED25519_HEAD)], der[len(_ED25519_HEAD) :]
    if head != _ED25519_HEAD or len(point) != _ED25519_BYTES:  # PyNaCl raises on other lengths.
        message = f"The key is damaged: an Ed25519 key is 32 bytes in 44 of DER. {_HOW}"
        raise _refusal("damaged", message)
    if not crypto_core_ed25519_is_valid_point(point):
        raise _refusal(
            "unsafe",
            "The key is unsafe: it is no point of the curve's main group, so some or all"
            " signatures under it can be forged. Make a new pair:"
            " `openssl genpkey -algorithm ed25519 -out private.pem`.",
        )
    return Ed25519PublicKey.from_public_bytes(point)


def _admitted_rsa(der: bytes, label: str) -> RSAPublicKey:
    """Let in what D11 lists; the cheap tests come first."""
    is_pkcs1 = label == _PKCS1_LABEL
    key = _load_rsa(der, PublicFormat.PKCS1 if is_pkcs1 else PublicFormat.SubjectPublicKeyInfo)
    if key is None:
        message = f"The RSA key is damaged or not in its one encoding (DER). {_HOW}"
        raise _refusal("damaged", message)

    numbers = key.public_numbers()
    modulus = numbers.n
    if key.key_size not in verifying.RSA_BITS:
        problem = f"an RSA key has 2048, 3072 or 4096 bits, and this one {key.key_size}"
    elif numbers.e != verifying.RSA_PUBLIC_EXPONENT:
        problem = "the public exponent must be 65537"
    elif math.gcd(modulus, _SMALL_FACTORS) != 1:
        problem = "its modulus has a small factor"
    elif all(modulus % prime in residues for prime, residues in _ROCA_RESIDUES.items()):
        problem = "it looks made by a chip with the ROCA defect (CVE-2017-15361)"
    elif _has_close_factors(modulus):
        problem = "its two primes are so close that anybody can find them"
    else:
        return key
    raise _refusal(
        "unsafe" if key.key_size in verifying.RSA_BITS else "bits",
        f"The key is unsafe: {problem}. Make a new pair:"
        " `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private.pem`.",
        bits=key.key_size,
    )


def _load_rsa(der: bytes, form: PublicFormat) -> RSAPublicKey | None:
    """Load *der* if it is an RSA key in exactly this *form*: writing it again gives *der* back."""
    try:
        key = load_der_public_key(der)
    except ValueError:
        return None
    if isinstance(key, RSAPublicKey) and key.public_bytes(Encoding.DER, form) == der:
        return key
    return None


def _has_close_factors(modulus: int) -> bool:
    """Whether Fermat's method finds two factors in a few rounds: a^2 - n is a square b^2."""
    middle = math.isqrt(modulus - 1) + 1  # The root rounded up; of a square, the root itself.
    for a in range(middle, middle + _FERMAT_ROUNDS):
        square = a * a - modulus
        if math.isqrt(square) ** 2 == square:
            return True
    return False
