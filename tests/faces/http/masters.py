"""
A master at the compatible surface: its key signs, its sub-accounts' keys are managed.

Calls go through the real ASGI application by raw bytes, as `tests.house.ask` sends them.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.faces.http import app
from tests.house import Asgi, House, Reply, ask

V1 = "/sapi/v1/sub-account/subAccountApi"
V2 = "/sapi/v2/sub-account/subAccountApi"
A = ("GET", f"{V1}/ipRestriction")
B = ("POST", f"{V2}/ipRestriction")
C = ("DELETE", f"{V1}/ipRestriction/ipList")
D = ("POST", V1)
E = ("POST", V2)
F = ("GET", V1)
G = ("POST", f"{V1}Permission")
H = ("DELETE", V1)

TRADING = "spot_margin_trading"
EMAIL = "sub+one@example.com"
NOT_FOUND = (400, -9901, "Sub-account or API key not found.")

Route = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A *house* with a master, its *key*, and a sub-account with the e-mail EMAIL."""

    house: House
    app: Asgi
    master_id: str
    sub_id: str
    key: ApiKey

    @classmethod
    def open(cls, home: Path, start: str = "2021-12-01T10:00:00Z", **more: object) -> "Desk":
        """Open one in *home*, the clock at *start*; *more* are settings."""
        house = House.open(home, start, **more)
        master_id = house.account("master@example.com", AccountKind.MASTER)
        return cls(
            house=house,
            app=app.compatible_of(house.worker),
            master_id=master_id,
            sub_id=house.account(EMAIL, AccountKind.SUB, master_id),
            key=house.issue(master_id, TRADING),
        )

    def sub_key(
        self, *permissions: str, ips: tuple[str, ...] = (), key_type: KeyType = KeyType.HMAC
    ) -> ApiKey:
        """Issue a key to the sub-account, as an operator does."""
        return self.house.issue(
            self.sub_id, *permissions, ips=ips, label="its bot", key_type=key_type
        )

    def now(self, key: ApiKey) -> ApiKey:
        """Return *key* as it is now."""
        return self.house.worker.keys.get(key.key_id)

    def by(self, key: ApiKey) -> "Desk":
        """Return the same desk with another *key*'s holder at it."""
        return replace(self, key=key)

    def call(self, route: Route, **given: str) -> Reply:
        """Call *route* with *given* parameters in the query, percent-encoded, e-mail and all."""
        return self.send(route, query=urlencode(given))

    def of(self, route: Route, key: ApiKey, **given: str) -> Reply:
        """Call *route* about *key*, a key of the sub-account."""
        return self.call(route, **{"email": EMAIL, "subAccountApiKey": key.api_key, **given})

    def send(self, route: Route, *, query: str = "", body: str = "") -> Reply:
        """Call *route* with *query* and *body* exactly so; timestamp and signature go last."""
        method, path = route
        stamped = f"timestamp={self.house.worker.clock.now_ms()}"
        if body:
            signature = self.house.signers[self.key.key_id](f"{query}{body}&{stamped}".encode())
            body = f"{body}&{stamped}&{urlencode({'signature': signature})}"
        else:
            query = self.house.signed_query(self.key, query)
        target = f"{path}?{query}" if query else path
        headers = {
            "X-MBX-APIKEY": self.key.api_key,
            "Content-Type": "application/json;charset=utf-8",
        }
        return ask(self.app, method, target, headers=headers, body=body.encode())

    def events(self) -> list[tuple[str, str]]:
        """Return the journal from the beginning: tag and actor."""
        return [
            (str(event.change.tag), event.change.actor)
            for event in self.house.worker.journal.after(0)
        ]


def told(reply: Reply) -> tuple[int, int, str]:
    """Return status, code and message of a refusal; there is nothing more in its body."""
    said = reply.json()
    assert set(said) == {"code", "msg"}, said
    return reply.status, int(said["code"]), str(said["msg"])


def missing(name: str) -> tuple[int, int, str]:
    """Return the refusal of a call without a mandatory parameter."""
    message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return 400, -1102, message


def not_valid(name: str) -> tuple[int, int, str]:
    """Return the refusal of a parameter that makes no sense."""
    return 400, -1130, f"Data sent for parameter '{name}' is not valid."
