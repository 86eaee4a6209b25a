"""
One attempt to act, carried to each of the three faces that decide, and what each of them said.

The faces are those of the assembled application: forward-auth as a gateway asks it, `POST
/v1/authorize` as a platform's back end asks it, and the compatible surface as a client calls it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from tenure.domain.model import ApiKey, KeyType
from tenure.faces.http import app
from tests.faces.http.managed import OPERATOR_TOKEN, TRADING
from tests.house import Asgi, House, Reply, ask
from tests.native import HOST, Request

GATEWAY, CLIENT, STRANGER = "10.0.0.7", "203.0.113.9", "198.51.100.66"
ORDER, LOOK = "/api/v3/order", "/sapi/v1/account/status"
AS_OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}

Outcome: TypeAlias = tuple[int, str | int]
"""HTTP status, and what is said beside it: `allowed`, a code, or the venue's number."""
ALLOWED: Outcome = (200, "allowed")
UNAUTHORIZED: Outcome = (401, "unauthorized")
UNREADABLE: Outcome = (422, "invalid")
FORM, WINDOW, SIGNATURE = (400, -2014), (400, -1021), (400, -1022)
MANDATORY, ILLEGAL, TWICE = (400, -1102), (400, -1100), (400, -1101)
UNKNOWN_ROUTE: Outcome = (404, -1020)
UNKNOWN = "tnr1NqIc7A9gVcy8VyOBZLNmsaqXIcEZvTWHKTBsZpgdOm6bclf1w6gdT54D2Fh5"
"""A well-formed API key, and nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    What a client sends to place an order, raw; texts are bytes read as Latin-1.

    *client* is its address as seen: what the gateway says of it, or, where no gateway stands
    between (*is_direct*), the peer itself. *native* are the headers of a native signature.
    """

    api_key: str | None
    query: str
    more: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    method: str = "POST"
    path: str = ORDER
    look: str = LOOK
    client: str = CLIENT
    is_direct: bool = True
    peer: str = GATEWAY
    native: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    An attempt under its number (*bi*) in the table of bad inputs, *why* it is one to look at.

    *gateway*, *platform* and *surface* are what those faces answer, None where it cannot be brought
    to one. Rows that are allowed stand beside what they must not be taken for.
    """

    bi: str
    why: str
    attempt: "Callable[[Door], Attempt]"
    gateway: Outcome | None = UNAUTHORIZED
    platform: Outcome | None = UNAUTHORIZED
    surface: Outcome | None

    def answers(self) -> Iterator[tuple[str, Outcome]]:
        """Yield each face that the row applies to, with its answer."""
        for face in FACES:
            outcome: Outcome | None = getattr(self, face)
            if outcome is not None:
                yield face, outcome


def good(bi: str, why: str, attempt: "Callable[[Door], Attempt]") -> Row:
    """Return a row that is allowed everywhere."""
    said = {"gateway": ALLOWED, "platform": ALLOWED, "surface": ALLOWED}
    return Row(bi=bi, why=why, attempt=attempt, **said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The assembled application, and holders of keys of every type."""

    house: House
    app: Asgi
    keys: Mapping[str, ApiKey]

    @property
    def now_ms(self) -> int:
        """Where the clock stands."""
        return self.house.worker.clock.now_ms()

    def sign(self, payload: str, key: str = "hmac") -> str:
        """Sign *payload* as the holder of *key* does."""
        return self.house.signers[self.keys[key].key_id](payload.encode())

    def attempt(
        self, query: str | None = None, *, key: str = "hmac", signature: str | None = None
    ) -> Attempt:
        """Attempt with *query*, by default a good one, rightly signed unless *signature* says."""
        query = f"symbol=A&timestamp={self.now_ms}" if query is None else query
        signature = self.sign(query, key) if signature is None else signature
        return Attempt(
            api_key=self.keys[key].api_key,
            query=f"{query}&signature={quote(signature, safe='')}",
        )

    def natively(self, key: str = "ed25519", **more: object) -> Attempt:
        """Attempt with a native signature; *more* are parts of what is signed."""
        request = Request(
            api_key=self.keys[key].api_key, created_s=self.now_ms // 1000, target=f"{ORDER}?a=1"
        )
        request = replace(request, **more)  # type: ignore[arg-type]  # its own fields
        native = request.headers(self.house.signers[self.keys[key].key_id])
        return Attempt(api_key=None, query="a=1", body=request.body, native=native)

    def gateway(self, attempt: Attempt) -> Outcome:
        """Say what forward-auth answers a gateway that holds *attempt*."""
        target = f"{attempt.path}?{attempt.query}"
        headers = [("X-Original-Method", attempt.method), ("X-Original-URI", target)]
        headers += [("X-Original-Host", attempt.native.get("host", HOST))]
        headers += [("X-Forwarded-For", attempt.client), *_said(attempt)]
        return _outcome(ask(self.fresh(), "GET", "/authorize", headers=headers, peer=attempt.peer))

    def platform(self, attempt: Attempt) -> Outcome:
        """Say what `POST /v1/authorize` answers a back end that was sent *attempt*."""
        given = {
            "api_key": attempt.api_key,
            "method": attempt.method,
            "path": attempt.path,
            "query": attempt.query,
            "body": attempt.body.decode("latin-1"),
            "client_ip": attempt.client,
            "headers": dict(attempt.native),
        }
        body = json.dumps(given).encode()
        reply = ask(self.fresh(), "POST", "/v1/authorize", headers=AS_OPERATOR, body=body)
        if reply.status != 200:
            return _outcome(reply)
        said = reply.json()
        return ALLOWED if said["allowed"] else (said["status"], said["reason"])

    def surface(self, attempt: Attempt) -> Outcome:
        """Say what the compatible surface answers *attempt*'s sender, who looks at its account."""
        headers = list(_said(attempt))
        if not attempt.is_direct:
            headers.append(("X-Forwarded-For", attempt.client))
        peer = attempt.client if attempt.is_direct else attempt.peer
        target = f"{attempt.look}?{attempt.query}"
        return _outcome(
            ask(self.fresh(), "GET", target, headers=headers, body=attempt.body, peer=peer)
        )

    def fresh(self) -> Asgi:
        """Return the application, on a keyring that has just been brought up to date."""
        assert self.house.worker.follower is not None
        self.house.worker.follower.tick()
        return self.app


FACES: Mapping[str, Callable[[Door, Attempt], Outcome]] = {
    "gateway": Door.gateway,
    "platform": Door.platform,
    "surface": Door.surface,
}


def door_of(house: House) -> Door:
    """Return the doors of *house*, with a key of each type and one for CLIENT's address alone."""
    account_id = house.account()
    keys = {str(kind): house.issue(account_id, TRADING, key_type=kind) for kind in KeyType}
    keys["restricted"] = house.issue(account_id, TRADING, ips=(CLIENT,))
    return Door(house=house, app=app.build(house.worker), keys=keys)


@contextmanager
def standing_door(home: Path) -> Iterator[Door]:
    """Open a sandbox whose clock no one moves but the test."""
    house = House.open(
        home, trusted_proxies=(GATEWAY,), operator_token=OPERATOR_TOKEN, staleness_ms=60_000
    )
    yield door_of(house)
    house.close()


def _said(attempt: Attempt) -> Iterator[tuple[str, str]]:
    if attempt.api_key is not None:
        yield "X-MBX-APIKEY", attempt.api_key
    yield from ((name, value) for name, value in attempt.native.items() if name != "host")
    yield from attempt.more


def _outcome(reply: Reply) -> Outcome:
    if reply.status == 200:
        return ALLOWED
    return reply.status, reply.json()["code"]
