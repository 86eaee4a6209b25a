"""
Operators and platform back ends: who holds the operator token.

The token is kept as its SHA-256 once it is read; the file is written once, mode 0600.
"""

import base64
import hashlib
import hmac
import os
from pathlib import Path

from tenure.clock import Clock
from tenure.domain.errors import Unauthenticated
from tenure.domain.rights import Operator

_TOKEN_BYTES = 32
"""256 random bits (SECURITY section 7)."""


class Operators:
    """Tells an operator from anybody else."""

    def __init__(self, given: str, path: Path) -> None:
        """*given* is the configured token; without it the one in the file at *path* counts."""
        held = given.encode() or _read(path)
        self._digest = hashlib.sha256(held).digest() if held else b""

    @staticmethod
    def prepare(given: str, path: Path, clock: Clock) -> Path | None:
        """Make sure there is a token; return the file it lies in, None where it is *given*."""
        if given:
            return None
        if not _read(path):
            token = base64.urlsafe_b64encode(clock.random_bytes(_TOKEN_BYTES)).decode().rstrip("=")
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(descriptor, 0o600)  # Also where an empty file was there already.
                file.write(token + "\n")
        return path

    def authenticate(self, authorization: str | None) -> Operator:
        """
        Return who sends the header *authorization* (`Bearer <operator token>`).

        Raises Unauthenticated.
        """
        scheme, _, token = (authorization or "").partition(" ")
        digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        if scheme.lower() != "bearer" or not hmac.compare_digest(digest, self._digest):
            raise Unauthenticated
        return Operator("operator")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        return b""
