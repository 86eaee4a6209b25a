"""
Hashing passwords: Argon2id, a few at a time, and the same work where there is nobody to check.

What may be a password is in `domain.passwords`, which is handed the common ones from here; budgets
of attempts are in `budgets`.
"""

import base64
import threading
from functools import cache
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from tenure.clock import Clock
from tenure.domain.passwords import PASSWORD_CHARACTERS_MAX, require_password
from tenure.services.people.room import Room

MEMORY_KIB: Final = 19_456
PASSES: Final = 2
LANES: Final = 1
"""19 MiB and two passes: OWASP's Password Storage Cheat Sheet; 42 ms where SECURITY measured it."""
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
AT_ONCE: Final = 2
"""Hashes a worker works on at a time: each takes a processor and 19 MiB (SECURITY T35)."""
WAITING_MAX: Final = 1
"""More that wait are sent away, with 503: one place stays for other ways in, see `room`."""


class Passwords:
    """Hashes and verifies; as many at once as a worker can bear."""

    def __init__(self, clock: Clock, room: Room, origin: str) -> None:
        """*clock* gives the salts; *room* is that of all who come in, *origin* where to."""
        self._clock, self._names = clock, _names(origin)
        self._hasher = argon2.PasswordHasher(
            time_cost=PASSES,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
        )
        self._stand_in = _stand_in(clock)
        self._working = threading.BoundedSemaphore(AT_ONCE)
        self._room = Room(AT_ONCE + WAITING_MAX, within=room)

    def require(self, password: str, email: str) -> str:
        """Return *password* if it may be one for *email*; raises Invalid `password`."""
        return require_password(password, email, self._names, _common())

    def hash(self, password: str) -> str:
        """Return *password* hashed, parameters and salt included; raises Unavailable `busy`."""
        with self._room.turn(), self._working:
            return self._hasher.hash(password, salt=self._clock.random_bytes(SALT_BYTES))

    def verify(self, hashed: str | None, password: str) -> bool:
        """
        Whether *hashed* is of *password*; never for None, and that takes as long.

        Raises Unavailable `busy`.
        """
        with self._room.turn(), self._working:
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


@cache
def _common() -> frozenset[str]:
    """Return the passwords that many have; read when somebody first sets one."""
    page = resources.files("tenure.services.people").joinpath("common_passwords.txt")
    lines = page.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _names(origin: str) -> tuple[str, ...]:
    """Return what the house is called, as far as its address says; not `com`, nor a number."""
    host = urlsplit(origin).hostname or ""
    return (host, *(part for part in host.split(".")[:-1] if not part.isdigit()))


def _stand_in(clock: Clock) -> str:
    """Return a hash of nothing anybody knows, in the form that `hash` gives."""
    salt, hashed = clock.random_bytes(SALT_BYTES), clock.random_bytes(HASH_BYTES)
    return (
        f"$argon2id$v={argon2.low_level.ARGON2_VERSION}$m={MEMORY_KIB},t={PASSES},p={LANES}"
        f"${_unpadded(salt)}${_unpadded(hashed)}"
    )


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
