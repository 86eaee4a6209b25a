"""
Hashing passwords: Argon2id, a few at a time, and the same work where there is nobody to check.

What may be a password is in `domain.people`; budgets of attempts in `budgets`.
"""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from tenure.clock import Clock
from tenure.domain.errors import Unavailable
from tenure.domain.people import PASSWORD_CHARACTERS_MAX

MEMORY_KIB: Final = 19_456
PASSES: Final = 2
LANES: Final = 1
"""19 MiB and two passes: OWASP's Password Storage Cheat Sheet; 42 ms where SECURITY measured it."""
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
AT_ONCE: Final = 2
"""Hashes a worker works on at a time: each takes a processor and 19 MiB (SECURITY T35)."""
WAITING_MAX: Final = 16
"""More than so many that wait are sent away: under a second of work lies before the last."""


class Passwords:
    """Hashes and verifies; as many at once as a worker can bear."""

    def __init__(self, clock: Clock) -> None:
        """*clock* gives the salts."""
        self._clock = clock
        self._hasher = argon2.PasswordHasher(
            time_cost=PASSES,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
        )
        self._stand_in = _stand_in(clock)
        self._working = threading.BoundedSemaphore(AT_ONCE)
        self._room = threading.BoundedSemaphore(AT_ONCE + WAITING_MAX)

    def hash(self, password: str) -> str:
        """Return *password* hashed, parameters and salt included; raises Unavailable `busy`."""
        with self._turn():
            return self._hasher.hash(password, salt=self._clock.random_bytes(SALT_BYTES))

    def verify(self, hashed: str | None, password: str) -> bool:
        """
        Whether *hashed* is of *password*; never for None, and that takes as long.

        Raises Unavailable `busy`.
        """
        with self._turn():
            try:
                self._hasher.verify(
                    hashed or self._stand_in, password[: PASSWORD_CHARACTERS_MAX + 1]
                )
            except (VerificationError, InvalidHashError):
                return False
            return hashed is not None

    def is_dated(self, hashed: str) -> bool:
        """Whether *hashed* was made with other parameters than these."""
        return self._hasher.check_needs_rehash(hashed)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise Unavailable("busy", "too many are signing in just now; try again in a moment")
        try:
            with self._working:
                yield
        finally:
            self._room.release()


def _stand_in(clock: Clock) -> str:
    """Return a hash of nothing anybody knows, in the form that `hash` gives."""
    salt, hashed = clock.random_bytes(SALT_BYTES), clock.random_bytes(HASH_BYTES)
    return (
        f"$argon2id$v={argon2.low_level.ARGON2_VERSION}$m={MEMORY_KIB},t={PASSES},p={LANES}"
        f"${_unpadded(salt)}${_unpadded(hashed)}"
    )


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
