"""
Whether a signature over a payload was made with a given key.

One class per key type, built once from what is stored with the key and then asked many times: the
algorithm is the key's own and no request can choose it (SECURITY T17). What the payload is, and
how the signature's text is found and percent-decoded, is the caller's work; whether a pasted
public key may be used at all is decided in `admission`.

A wrong signature costs the same whoever it is tried on. A key that nobody issued is checked
against a stand-in of the kind the signature looks like, and a key that exists is checked against
that very stand-in when the signature is not of its own kind. So the time spent follows from the
request alone and never tells whether a key exists, nor of which type it is (SECURITY T6).
"""

import hashlib
import hmac
from binascii import a2b_base64, b2a_base64, unhexlify
from dataclasses import dataclass, field
from typing import Final, Protocol, final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from nacl.bindings import crypto_core_ed25519_from_uniform, crypto_sign_open
from nacl.exceptions import BadSignatureError

from tenure.domain.model import KeyType

_HMAC_CHARACTERS: Final = 64
"""Two hex digits for each of SHA-256's 32 bytes; a truncated code is no code (BI-15)."""
_ED25519_CHARACTERS: Final = 88
"""Base64 of 64 bytes."""
_ED25519_BYTES: Final = 64

RSA_BITS: Final = (2048, 3072, 4096)
"""The sizes of modulus that admission lets in (SECURITY D11)."""
RSA_PUBLIC_EXPONENT: Final = 65537
"""The one public exponent it lets in; a huge one makes every check dear (SECURITY D11)."""

# Stateless, so one of each serves every check.
_PADDING: Final = PKCS1v15()
_HASH: Final = SHA256()


class Verifier(Protocol):
    """Something that tells a key's signatures from all others."""

    def verify(self, payload: bytes, signature: str) -> bool:
        """
        Say whether *signature* was made over exactly *payload* with this key.

        *payload* is the signed bytes; *signature* the text after percent-decoding, in the encoding
        of the key's type. Whatever the text holds, the answer is a boolean: this never raises.
        """


@final
@dataclass(frozen=True, slots=True)
class HmacVerifier:
    """
    Checks HMAC-SHA256 codes of 64 hex digits in either case (WIRE section 4, BI-14).

    *secret* is the UTF-8 text of the shared secret, never empty: an empty one raises ValueError.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Anybody could sign with an empty secret."""
        if not self.secret:
            raise ValueError("an HMAC secret must not be empty")

    def verify(self, payload: bytes, signature: str) -> bool:
        """See Verifier. The decoded bytes are compared in constant time (SECURITY T6)."""
        if len(signature) != _HMAC_CHARACTERS:
            return _spend(payload, signature)
        try:
            code = unhexlify(signature)  # bytes.fromhex would skip blanks (SECURITY T20).
        except ValueError:
            return False
        return hmac.compare_digest(code, hmac.digest(self.secret, payload, "sha256"))


@final
@dataclass(frozen=True, slots=True)
class RsaVerifier:
    """
    Checks RSASSA-PKCS1-v1_5 signatures with SHA-256, in base64 (SECURITY D11, RFC 8017 8.2.2).

    *public_key* is the PEM text that admission returned. Raises ValueError where it is none of an
    RSA key.
    """

    public_key: str
    _key: RSAPublicKey = field(init=False, repr=False, compare=False)
    _largest: bytes = field(init=False, repr=False, compare=False)
    _characters: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Load the key once; a check has no time for it."""
        key = _load(self.public_key)
        if not isinstance(key, RSAPublicKey):
            raise ValueError("not an RSA public key")  # noqa: TRY004 - wrong text, not wrong type
        size = (key.key_size + 7) // 8
        _set(self, "_key", key)
        _set(self, "_largest", (key.public_numbers().n - 1).to_bytes(size, "big"))
        _set(self, "_characters", (size + 2) // 3 * 4)

    def verify(self, payload: bytes, signature: str) -> bool:
        """See Verifier. The signature is exactly as long as the modulus (BI-17)."""
        if len(signature) != self._characters:
            return _spend(payload, signature)
        octets = decode_base64(signature)
        if octets is None or len(octets) != len(self._largest):
            return False
        # A number past the modulus is never a signature, but the library says so before its dear
        # step, and the time saved would tell whose modulus it was. One less than the modulus is
        # never a signature either (an odd power of -1 is -1), and takes the usual time.
        try:
            self._key.verify(min(octets, self._largest), payload, _PADDING, _HASH)
        except InvalidSignature:
            return False
        return True


@final
@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """
    Checks Ed25519 signatures of 64 bytes in base64 (SECURITY D10, RFC 8032 5.1.7).

    *public_key* is the PEM text that admission returned. Raises ValueError where it is none of an
    Ed25519 key. PyNaCl checks, because it refuses edge keys and signatures that OpenSSL takes and
    is twice as fast; its binding reads 32 bytes of key wherever they end, hence the loader.
    """

    public_key: str
    _point: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Unpack the key once; a check has no time for it."""
        key = _load(self.public_key)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("not an Ed25519 public key")  # noqa: TRY004 - wrong text, not wrong type
        _set(self, "_point", key.public_bytes_raw())

    def verify(self, payload: bytes, signature: str) -> bool:
        """See Verifier. Exactly 64 bytes, and S below the group's order (BI-12)."""
        if len(signature) != _ED25519_CHARACTERS:
            return _spend(payload, signature)
        octets = decode_base64(signature)
        return octets is not None and ed25519_verifies(self._point, payload, octets)


@final
@dataclass(frozen=True, slots=True)
class StandIn:
    """Does the work of *verifier* and then always says no: stands in where there is no key."""

    verifier: Verifier

    def verify(self, payload: bytes, signature: str) -> bool:
        """See Verifier. False, whatever the check found."""
        self.verifier.verify(payload, signature)
        return False


def verifier_for(
    key_type: KeyType, *, secret: bytes | None = None, public_key: str | None = None
) -> Verifier:
    """
    Build what checks the signatures of a key of *key_type*; build it once per key, it is kept.

    *secret* is the UTF-8 text of an HMAC key's secret, *public_key* the PEM text of an RSA or
    Ed25519 key; the half that the type does not use is not looked at. Raises ValueError where the
    half it does use is missing or cannot be read.
    """
    if key_type is KeyType.HMAC:
        if secret is None:
            raise ValueError("an HMAC key without its secret")
        return HmacVerifier(secret)
    if public_key is None:
        raise ValueError(f"a key of type {key_type} without its public key")
    return RsaVerifier(public_key) if key_type is KeyType.RSA else Ed25519Verifier(public_key)


def stand_in(signature: str) -> Verifier:
    """
    Return what an unknown key's *signature* is checked against: it costs the same, and says no.

    The kind follows from the length of the text alone: 64 characters look like HMAC, 88 like
    Ed25519, 344, 512 and 684 like RSA of 2048, 3072 and 4096 bits. Any other length is as cheap
    to refuse for every kind, and gets HMAC (SECURITY T6, BI-3).
    """
    return _STAND_INS.get(len(signature), _STAND_INS[_HMAC_CHARACTERS])


def ed25519_verifies(public_key: bytes, payload: bytes, signature: bytes) -> bool:
    """Whether *signature* over *payload* is by the private half of *public_key* (32 bytes)."""
    if len(signature) != _ED25519_BYTES:
        return False
    try:
        crypto_sign_open(signature + payload, public_key)
    except BadSignatureError:
        return False
    return True


def decode_base64(text: str) -> bytes | None:
    """
    Return the bytes that *text* is the one base64 spelling of, or None.

    Blanks, missing padding, the URL-safe alphabet and stray bits in the last character are other
    spellings, so refused: encoding again must give *text* back (RFC 4648 3.5, SECURITY T20).
    """
    try:
        octets = a2b_base64(text)
    except ValueError:
        return None
    return octets if b2a_base64(octets, newline=False).decode("ascii") == text else None


def to_pem(key: RSAPublicKey | Ed25519PublicKey) -> str:
    """Return *key* the one way it is stored: PEM of a SubjectPublicKeyInfo (RFC 7468 13)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _spend(payload: bytes, signature: str) -> bool:
    """Refuse a *signature* that is not of the key's kind, at the price an unknown key pays."""
    verifier = _STAND_INS.get(len(signature))
    if verifier is not None:
        verifier.verify(payload, signature)
    return False


def _set(verifier: RsaVerifier | Ed25519Verifier, name: str, value: object) -> None:
    # The documented way to fill a derived field of a frozen dataclass.
    object.__setattr__(verifier, name, value)


def _load(public_key: str) -> PublicKeyTypes:
    try:
        return load_pem_public_key(public_key.encode())
    except UnsupportedAlgorithm as error:
        raise ValueError("a public key of an unknown kind") from error


def _nobodys_rsa_key(bits: int) -> str:
    # The modulus is drawn from a hash, so nobody has chosen its factors or knows a private half.
    # Small factors would do no harm: StandIn says no.
    octets = hashlib.shake_256(f"Tenure stand-in, RSA {bits}".encode()).digest(bits // 8)
    modulus = int.from_bytes(octets, "big") | 1 << bits - 1 | 1  # Of full length, and odd.
    return to_pem(RSAPublicNumbers(RSA_PUBLIC_EXPONENT, modulus).public_key())


def _nobodys_ed25519_key() -> str:
    # A hash mapped onto the curve: a point of the prime-order group, as admission demands, whose
    # private half nobody can find.
    seed = hashlib.sha256(b"Tenure stand-in, Ed25519").digest()
    point = crypto_core_ed25519_from_uniform(seed)
    return to_pem(Ed25519PublicKey.from_public_bytes(point))


# Everything in here is public and the same everywhere, the HMAC secret too: what keeps a stand-in
# from ever verifying is that StandIn throws the result away. By length of the signature's text.
_STAND_INS: Final = {
    _HMAC_CHARACTERS: StandIn(HmacVerifier(b"Tenure stand-in, HMAC")),
    _ED25519_CHARACTERS: StandIn(Ed25519Verifier(_nobodys_ed25519_key())),
    **{(bits // 8 + 2) // 3 * 4: StandIn(RsaVerifier(_nobodys_rsa_key(bits))) for bits in RSA_BITS},
}
