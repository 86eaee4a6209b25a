"""
A passkey without a browser: makes and answers WebAuthn challenges as an authenticator would.

Whatever may be wrong with an answer can be asked for by name; nothing is by default.
"""

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_UP, _UV, _AT = 0x01, 0x04, 0x40


@dataclass(slots=True, kw_only=True)
class Authenticator:
    """One passkey for *origin*; *count* goes up each time, or stays 0 where it *is_synced*."""

    origin: str
    name: bytes = b"passkey-1"
    is_synced: bool = False
    count: int = 0
    private_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: str, **wrong: Any) -> str:  # noqa: ANN401 - whatever is to be wrong
        """Answer *options* of a registration."""
        asked = json.loads(options)
        client = self._client("webauthn.create", asked["challenge"], wrong)
        public = self.private_key.public_key().public_numbers()
        key = cbor2.dumps(
            {
                1: 2,
                3: -7,
                -1: 1,
                -2: public.x.to_bytes(32, "big"),
                -3: public.y.to_bytes(32, "big"),
            }
        )
        attested = bytes([7]) * 16 + struct.pack(">H", len(self.name)) + self.name + key
        verified = _UV if wrong.get("user_verified", True) else 0
        spoken = wrong.get("rp_id", asked["rp"]["id"])
        return self._answer(
            clientDataJSON=client,
            attestationObject=cbor2.dumps(
                {
                    "fmt": "none",
                    "attStmt": {},
                    "authData": self._spoken(spoken, _UP | _AT | verified) + attested,
                }
            ),
            transports=["internal", "nonsense"],
        )

    def answer(self, options: str, **wrong: Any) -> str:  # noqa: ANN401 - as above
        """Answer *options* of an authentication."""
        asked = json.loads(options)
        self.count = wrong.get("count", self.count if self.is_synced else self.count + 1)
        client = self._client("webauthn.get", asked["challenge"], wrong)
        verified = _UV if wrong.get("user_verified", True) else 0
        spoken = self._spoken(wrong.get("rp_id", asked["rpId"]), _UP | verified)
        signed = spoken + hashlib.sha256(client).digest()
        signature = self.private_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client, authenticatorData=spoken, signature=signature, userHandle=b"x"
        )

    def _client(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("type", kind),
            "challenge": wrong.get("challenge", challenge),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(said).encode()

    def _spoken(self, rp_id: str, flags: int) -> bytes:
        return (
            hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)
        )

    def _answer(self, **response: Any) -> str:  # noqa: ANN401 - bytes, or JSON
        name = _text(self.name)
        shown = {
            key: _text(value) if isinstance(value, bytes) else value
            for key, value in response.items()
        }
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": shown,
                "clientExtensionResults": {},
            }
        )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
