"""
The project's own signature cases, kept in `signature_cases.json` so that others can run them.

Keys, good signatures of each kind, and the ways in which a signature can be nearly right.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenure.domain import verifying
from tenure.domain.model import KeyType

_TABLE: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="ascii"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of the table; the half its type does not use is None."""

    key_type: KeyType
    secret: bytes | None
    public_key: str | None

    def verifier(self) -> verifying.Verifier:
        """Build what checks this key's signatures."""
        return verifying.verifier_for(self.key_type, secret=self.secret, public_key=self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Whether *signature* verifies over *payload* with the key named *key*; *why* it is here."""

    key: str
    why: str
    payload: bytes
    signature: str
    verifies: bool


PAYLOAD: Final[bytes] = _TABLE["payload"].encode()
KEYS: Final = {
    name: Key(
        key_type=KeyType(row["type"]),
        secret=row["secret"].encode() if "secret" in row else None,
        public_key=row.get("public_key"),
    )
    for name, row in _TABLE["keys"].items()
}
CASES: Final = [
    Case(
        key=row["key"],
        why=row["why"],
        payload=row.get("payload", _TABLE["payload"]).encode(),
        signature=row["signature"],
        verifies=row["verifies"],
    )
    for row in _TABLE["cases"]
]


def public_key_of(name: str) -> str:
    """Return the PEM text of the public key named *name*."""
    public_key = KEYS[name].public_key
    assert public_key is not None
    return public_key


def signed(name: str) -> str:
    """Return the good signature over PAYLOAD of the key named *name*."""
    return next(case.signature for case in CASES if case.key == name and case.verifies)
