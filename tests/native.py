"""
Requests signed natively, as a client would by RFC 9421; each part can be replaced.

Written apart from `messages`, which reads them, so that the two can disagree.
"""

import base64
import hashlib
from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests import signers

HOST = "api.example.com"
ORDER = "/api/v3/order?symbol=A&side=BUY"
COVERED = ("@method", "@authority", "@path", "@query")
DIGEST = "content-digest"


def digest(body: bytes) -> str:
    """Return the Content-Digest of *body*."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request about to be signed by the key called *api_key*, at *created_s* (s, UTC)."""

    api_key: str
    created_s: int
    method: str = "POST"
    target: str = ORDER
    host: str = HOST
    body: bytes = b""
    nonce: str = "a-nonce"
    label: str = "sig1"
    covered: Sequence[str] | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of the signature, as they are serialised."""

    def headers(self, sign: Callable[[bytes], str]) -> dict[str, str]:
        """Return the headers to send; *sign* gives hex for HMAC, else base64, as in `signers`."""
        path, _, query = self.target.partition("?")
        values = {
            "@method": self.method,
            "@authority": self.host,
            "@path": path,
            "@query": f"?{query}",
            DIGEST: digest(self.body),
        }
        covered = self.covered
        if covered is None:
            covered = (*COVERED, DIGEST) if self.body else COVERED
        names = " ".join(f'"{name}"' for name in covered)
        parameters = {
            "created": str(self.created_s),
            "keyid": f'"{self.api_key}"',
            "nonce": f'"{self.nonce}"',
            **self.more,
        }
        tail = "".join(f";{name}={value}" for name, value in parameters.items())
        lines = [f'"{name}": {values.get(name, "")}\n' for name in covered]
        base = "".join(lines) + f'"@signature-params": ({names}){tail}'
        headers = {
            "host": self.host,
            "signature-input": f"{self.label}=({names}){tail}",
            "signature": f"{self.label}=:{as_base64(sign(base.encode()))}:",
        }
        return headers | ({DIGEST: digest(self.body)} if DIGEST in covered else {})


def as_base64(signature: str) -> str:
    """Return the text that `signers` made as base64, which is how all bytes travel here."""
    is_hex = len(signature) == len(signers.hmac_sign(b"any", b""))
    return base64.b64encode(unhexlify(signature)).decode() if is_hex else signature
