"""
A keyring with very many keys, filled by hand: what a follower writes, without the store.

All keys of a type share one key pair or secret, so that one signature serves them all; each HMAC
secret is sealed for its own key all the same, because opening it is part of a decision.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from rich.progress import track

from tenure import settings, wiring
from tenure.domain import apikeys, verifying
from tenure.domain.model import (
    AccountId,
    AccountKind,
    ApiKey,
    Grant,
    KeyId,
    KeyType,
    Permission,
    RuleId,
    Term,
)
from tenure.services import records, sealing
from tenure.wiring import Worker

TRADING: Final = Permission("spot_margin_trading")
_YEAR_MS: Final = 365 * 86_400_000
_BATCH: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of key: how it signs, and its public half or its secret."""

    name: str
    key_type: KeyType
    sign: Callable[[bytes], str]
    public_key: str | None = None
    secret: bytes | None = None


def kinds() -> Iterator[Kind]:
    """Yield every sort of key a decision may meet, each with a fresh pair or secret."""
    secret = apikeys.secret_text(hashlib.sha512(b"benchmark").digest()).encode()
    verifier = verifying.HmacVerifier(secret)
    yield Kind(name="hmac", key_type=KeyType.HMAC, sign=_hmac(verifier.secret), secret=secret)
    for bits in (2048, 3072, 4096):
        private = rsa.generate_private_key(65_537, bits)
        yield Kind(
            name=f"rsa-{bits}",
            key_type=KeyType.RSA,
            sign=_rsa(private),
            public_key=verifying.to_pem(private.public_key()),
        )
    signer = ed25519.Ed25519PrivateKey.generate()
    yield Kind(
        name="ed25519",
        key_type=KeyType.ED25519,
        sign=lambda payload: base64.b64encode(signer.sign(payload)).decode(),
        public_key=verifying.to_pem(signer.public_key()),
    )


def api_key(kind: Kind, number: int) -> str:
    """Return the API key of the key of that *kind* with this *number*."""
    return apikeys.compose(hashlib.sha512(f"{kind.name} {number}".encode()).digest())


def fill(home: Path, kind: Kind, count: int) -> Worker:
    """Open a Tenure in *home* whose keyring holds *count* keys of *kind*."""
    worker = wiring.open_alone(settings.load(home=home))
    assert worker.follower is not None
    sealing_key = sealing.read_key(worker.settings.sealing_key_path)
    assert sealing_key is not None
    now_ms = worker.clock.now_ms()
    data_key = worker.store.write(
        lambda tx: sealing.data_key(tx, sealing_key, worker.clock, now_ms)
    )
    worker.accounts.create("seals@example.com", AccountKind.NORMAL, None, "bench")
    env, databases = worker.follower.environment
    numbers = track(range(0, count, _BATCH), f"{count:,} {kind.name} keys", transient=True)
    for start in numbers:
        with env.begin(write=True) as txn:
            for number in range(start, min(start + _BATCH, count)):
                key = made(kind, number, now_ms)
                sealed = None
                if kind.secret is not None:
                    nonce = worker.clock.random_bytes(12)
                    sealed = sealing_key.seal(
                        kind.secret,
                        key_id=key.key_id,
                        account_id=key.account_id,
                        data_key=sealing.DataKey(data_key.data_key_id, data_key.wrapped, nonce),
                    )
                record = records.pack(key, sealed, None)
                txn.put(key.api_key.encode(), record, db=databases[b"keys"])
    worker.follower.tick()
    return worker


def made(kind: Kind, number: int, now_ms: int) -> ApiKey:
    """Return the key of that *kind* with this *number*, issued at *now_ms* (ms, UTC)."""
    term = Term(now_ms, now_ms + _YEAR_MS, RuleId("2021-07-09"))
    return ApiKey(
        key_id=KeyId(f"key_{number:024d}"),
        api_key=api_key(kind, number),
        account_id=AccountId(f"acct_{number // 10:024d}"),
        account_kind=AccountKind.NORMAL,
        label="bench",
        key_type=kind.key_type,
        issued_at_ms=now_ms,
        edited_at_ms=now_ms,
        grants={
            Permission("reading"): Grant(permission=Permission("reading"), granted_at_ms=now_ms),
            TRADING: Grant(permission=TRADING, granted_at_ms=now_ms, term=term),
        },
        public_key=kind.public_key,
    )


def _hmac(secret: bytes) -> Callable[[bytes], str]:
    import hmac  # noqa: PLC0415 - the only signer that needs it

    return lambda payload: hmac.digest(secret, payload, "sha256").hex()


def _rsa(private: rsa.RSAPrivateKey) -> Callable[[bytes], str]:
    return lambda payload: base64.b64encode(
        private.sign(payload, padding.PKCS1v15(), SHA256())
    ).decode()
