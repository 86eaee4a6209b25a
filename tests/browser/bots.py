"""A bot that trades with a key as it was shown in the console: really signed, really decided."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests import signers
from tests.browser.served import Served

ORDER = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """Trades at the venue that *served* decides for."""

    served: Served
    api_key: str
    sign: Callable[[bytes], str]

    @classmethod
    def with_secret(cls, served: Served, api_key: str, secret_key: str) -> "Bot":
        """Make one that signs by a shared secret."""
        secret = secret_key.encode()
        return cls(
            served=served,
            api_key=api_key,
            sign=lambda payload: signers.hmac_sign(secret, payload),
        )

    @classmethod
    def with_pair(cls, served: Served, api_key: str, private_key: str) -> "Bot":
        """Make one that signs by an Ed25519 private key, as PEM text."""
        key = load_pem_private_key(private_key.encode(), None)
        assert isinstance(key, ed25519.Ed25519PrivateKey)
        return cls(
            served=served,
            api_key=api_key,
            sign=lambda payload: base64.b64encode(key.sign(payload)).decode(),
        )

    def order(self, address: str = "198.51.100.20") -> Any:  # noqa: ANN401 - the API's JSON
        """Send an order from *address*, and return the decision on it."""
        query = f"{ORDER}&timestamp={self.served.house.worker.clock.now_ms()}"
        signature = quote(self.sign(query.encode()), safe="")
        asked = {
            "api_key": self.api_key,
            "method": "POST",
            "path": "/api/v3/order",
            "query": f"{query}&signature={signature}",
            "client_ip": address,
        }
        return self.served.ask("POST", "/v1/authorize", asked)

    def outcome(self, address: str = "198.51.100.20") -> str:
        """Send an order from *address*; return `allowed`, or the reason of the refusal."""
        decision = self.order(address)
        return "allowed" if decision["allowed"] else str(decision["reason"])
