"""
Sealing HMAC secrets: they must be recoverable to verify with, and useless to whoever reads a copy.

Secrets are sealed with AES-256-GCM under data keys; data keys are wrapped by the sealing key, which
never enters the store. The associated data binds a secret to its key and account, so nobody with
write access to the tables can paste one owner's secret into another's row (SECURITY section 7).
"""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenure.clock import Clock, new_id
from tenure.domain.errors import Unavailable
from tenure.services import keyfiles
from tenure.store import seals
from tenure.store.db import Transaction

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
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


def read_key(path: Path) -> SealingKey | None:
    """Return the sealing key in the file at *path* (64 hex digits), None if there is none."""
    try:
        raw = keyfiles.read(path)
    except ValueError as error:
        raise Unavailable("sealed", f"{path} holds no sealing key: {error}") from error
    return None if raw is None else SealingKey(raw)


def make_key(path: Path, clock: Clock) -> SealingKey:
    """Write a new sealing key to *path*, as `keyfiles.make` does, before anything is sealed."""
    return SealingKey(keyfiles.make(path, clock))


def _associated(key_id: str, account_id: str, data_key_id: str) -> bytes:
    return f"v1|hmac|{key_id}|{account_id}|{data_key_id}".encode()


def _wrap_associated(data_key_id: str) -> bytes:
    return f"v1|data-key|{data_key_id}".encode()
