"""
Sealing HMAC secrets: they must be recoverable to verify with, and useless to whoever reads a copy.

Secrets are sealed with AES-256-GCM under data keys; data keys are wrapped by the sealing key, which
never enters the store. The associated data binds a secret to its key and account, so nobody with
write access to the tables can paste one owner's secret into another's row (SECURITY section 7).
"""

import hashlib
import hmac
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenure.clock import Clock, new_id
from tenure.domain import apikeys
from tenure.domain.errors import Unavailable
from tenure.domain.model import ApiKey, KeyType, Secret
from tenure.store import seals
from tenure.store.db import Transaction

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SECRET_BYTES: Final = 48
"""Random bytes handed to `apikeys.secret_text`."""
_VERSION: Final = b"\x01"
DATA_KEY_GOOD_FOR_MS: Final = 30 * 86_400_000
"""New secrets get a new data key monthly (SECURITY section 7); old ones stay readable."""
CHECK_MARK: Final = "sealing_key_check"


class SealingKey:
    """The key that wraps data keys; keeps them unwrapped once used."""

    def __init__(self, raw: bytes) -> None:
        """*raw* is 32 bytes."""
        self._wrapping = AESGCM(raw)
        self.check = hmac.digest(raw, b"tenure sealing key check", hashlib.sha256)[:16].hex()
        self._data_keys: dict[bytes, AESGCM] = {}

    def seal(self, secret: bytes, *, key_id: str, account_id: str, data_key: "DataKey") -> bytes:
        """Return *secret* sealed for that key of that account alone, under *data_key*."""
        sealed = self._unwrapped(data_key).encrypt(
            data_key.nonce, secret, _associated(key_id, account_id, data_key.data_key_id)
        )
        name = data_key.data_key_id.encode()
        return _VERSION + bytes([len(name)]) + name + data_key.nonce + sealed

    def open(
        self, sealed: bytes, *, key_id: str, account_id: str, wrapped: Mapping[str, bytes]
    ) -> bytes:
        """
        Return the secret in *sealed*; *wrapped* holds the wrapped data keys by id.

        Raises Unavailable `sealed` where it was sealed for another key or account, under another
        sealing key, or was altered.
        """
        try:
            if sealed[:1] != _VERSION:
                raise Unavailable("sealed", context="unknown form of a sealed secret")
            name_end = 2 + sealed[1]
            data_key_id = sealed[2:name_end].decode("ascii")
            nonce = sealed[name_end : name_end + _NONCE_BYTES]
            data_key = DataKey(data_key_id, wrapped[data_key_id], nonce)
            return self._unwrapped(data_key).decrypt(
                nonce,
                sealed[name_end + _NONCE_BYTES :],
                _associated(key_id, account_id, data_key_id),
            )
        except (InvalidTag, LookupError, ValueError) as error:
            raise Unavailable("sealed", context=f"{key_id} cannot be unsealed") from error

    def wrap(self, data_key_id: str, data_key: bytes, nonce: bytes) -> bytes:
        """Return *data_key* (32 bytes) wrapped under this sealing key."""
        return nonce + self._wrapping.encrypt(nonce, data_key, _wrap_associated(data_key_id))

    def _unwrapped(self, data_key: "DataKey") -> AESGCM:
        found = self._data_keys.get(data_key.wrapped)
        if found is None:
            nonce, wrapped = data_key.wrapped[:_NONCE_BYTES], data_key.wrapped[_NONCE_BYTES:]
            found = AESGCM(
                self._wrapping.decrypt(nonce, wrapped, _wrap_associated(data_key.data_key_id))
            )
            self._data_keys[data_key.wrapped] = found
        return found


class DataKey:
    """A wrapped data key, and the fresh nonce for the one secret it is about to seal."""

    __slots__ = ("data_key_id", "nonce", "wrapped")

    def __init__(self, data_key_id: str, wrapped: bytes, nonce: bytes) -> None:
        """*nonce* is 12 random bytes, never used before."""
        self.data_key_id = data_key_id
        self.wrapped = wrapped
        self.nonce = nonce


def data_key(tx: Transaction, sealing_key: SealingKey, clock: Clock, now_ms: int) -> DataKey:
    """Return the data key for a secret sealed at *now_ms*, a new one if the last is a month old."""
    newest = seals.newest_data_key(tx)
    if newest is not None and now_ms - newest.created_at_ms < DATA_KEY_GOOD_FOR_MS:
        return DataKey(newest.data_key_id, newest.wrapped, clock.random_bytes(_NONCE_BYTES))
    data_key_id = new_id(clock, "dek")
    wrapped = sealing_key.wrap(
        data_key_id, clock.random_bytes(_KEY_BYTES), clock.random_bytes(_NONCE_BYTES)
    )
    seals.add_data_key(tx, data_key_id, wrapped, now_ms)
    return DataKey(data_key_id, wrapped, clock.random_bytes(_NONCE_BYTES))


def new_secret(
    tx: Transaction, sealing_key: SealingKey | None, clock: Clock, key: ApiKey, now_ms: int
) -> tuple[Secret | None, bytes | None]:
    """
    Make the secret of an HMAC *key*: as its owner is shown it once, and as it is stored.

    Two Nones for the types that have none. Raises Unavailable `sealed` without a *sealing_key*.
    """
    if key.key_type is not KeyType.HMAC:
        return None, None
    if sealing_key is None:
        raise Unavailable("sealed", "secrets are sealed: the sealing key is missing or wrong")
    text = apikeys.secret_text(clock.random_bytes(_SECRET_BYTES))
    sealed = sealing_key.seal(
        text.encode(),
        key_id=key.key_id,
        account_id=key.account_id,
        data_key=data_key(tx, sealing_key, clock, now_ms),
    )
    return Secret(text), sealed


def read_key(path: Path) -> SealingKey | None:
    """Return the sealing key in the file at *path* (64 hex digits), None if there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
        raw = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Unavailable("sealed", f"{path} holds no sealing key: 64 hex digits") from error
    if len(raw) != _KEY_BYTES:
        raise Unavailable("sealed", f"{path} holds no sealing key: 64 hex digits")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unavailable("sealed", f"others may read {path}; run: chmod 0400 {path}")
    return SealingKey(raw)


def make_key(path: Path, clock: Clock) -> SealingKey:
    """
    Write a new sealing key to *path*, mode 0400, durable before anything is sealed with it.

    It is there whole or not at all, and never in place of another: raises FileExistsError.
    """
    raw = clock.random_bytes(_KEY_BYTES)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(raw.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return SealingKey(raw)


def _associated(key_id: str, account_id: str, data_key_id: str) -> bytes:
    return f"v1|hmac|{key_id}|{account_id}|{data_key_id}".encode()


def _wrap_associated(data_key_id: str) -> bytes:
    return f"v1|data-key|{data_key_id}".encode()
