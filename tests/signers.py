"""
The test keys: one of each type, always the same, and what signs with them as a client does.

Their private halves stand here in plain sight, so no key that signs like these is safe to issue.
"""

import base64
import hashlib
import hmac
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tenure.domain import verifying
from tenure.domain.model import KeyType

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
"""The secret key of the venue's official examples (WIRE section 4), for every HMAC key here."""

_ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(b"a seed of thirty-two test bytes!")
_P = int(
    "fd2997bbef8bf5651af2883bf8fb2d2f3705b033eea16e61839b22c17bb038b3590f3dea1b0d15132c5b0fb1ff07a472"
    "23a2720142c44f1f93240131e8ff7ae42e51bead217f0b8df7e04ee270a15d98cb0dedbd7bfeabdd4cf8ba8d21a94d72"
    "15ffc66e0de1907ce54ce26c6f33fe785fdecd2b95e35950e5f0785fd5d2847d",
    16,
)
_Q = int(
    "b7fa8b2ce34e31e4efdb135c37e6cd72a7d18c8a551e67dbe383de40224e0c151d73f3721d583cb5069830afce2c9422"
    "f8d638d24b66cdd93b5123193b52e2b9c0f5d7c9c8d8d185ad4e5a4cee1e5e15748aa51dd039ead8d9d6efdf2d47da61"
    "86e287f05d7791bad2cb35e5097f0bcdd5afc624bbfc3805cc12dc1cd623dcb5",
    16,
)


@cache
def _rsa() -> rsa.RSAPrivateKey:
    exponent = 65_537
    private = pow(exponent, -1, (_P - 1) * (_Q - 1))
    return rsa.RSAPrivateNumbers(
        p=_P,
        q=_Q,
        d=private,
        dmp1=rsa.rsa_crt_dmp1(private, _P),
        dmq1=rsa.rsa_crt_dmq1(private, _Q),
        iqmp=rsa.rsa_crt_iqmp(_P, _Q),
        public_numbers=rsa.RSAPublicNumbers(exponent, _P * _Q),
    ).private_key(unsafe_skip_rsa_key_validation=True)  # Validated once; 0.1 s each time.


@cache
def public_key(key_type: KeyType) -> str | None:
    """Return the PEM text of the public half, None for HMAC."""
    match key_type:
        case KeyType.HMAC:
            return None
        case KeyType.RSA:
            return verifying.to_pem(_rsa().public_key())
        case KeyType.ED25519:
            return verifying.to_pem(_ED25519.public_key())


def private_key() -> str:
    """Return the PEM text of the Ed25519 key's private half, for programs that sign."""
    return _ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def sign(key_type: KeyType, payload: bytes) -> str:
    """Sign *payload* with the test key of *key_type*: hex or base64, not percent-encoded."""
    match key_type:
        case KeyType.HMAC:
            return hmac_sign(SECRET.encode(), payload)
        case KeyType.RSA:
            return base64.b64encode(_rsa().sign(payload, padding.PKCS1v15(), SHA256())).decode()
        case KeyType.ED25519:
            return base64.b64encode(_ED25519.sign(payload)).decode()


def rsa_sign(payload: bytes, how: padding.AsymmetricPadding, digest: HashAlgorithm) -> str:
    """Sign *payload* with the RSA test key, padded and hashed as no client should."""
    return base64.b64encode(_rsa().sign(payload, how, digest)).decode()


@cache
def verifier(key_type: KeyType) -> verifying.Verifier:
    """Return what checks the signatures of every test key of *key_type*."""
    return verifying.verifier_for(key_type, secret=SECRET.encode(), public_key=public_key(key_type))


def hmac_sign(secret: bytes, payload: bytes) -> str:
    """Sign *payload* with an HMAC *secret*, as hex."""
    return hmac.new(secret, payload, hashlib.sha256).hexdigest()
