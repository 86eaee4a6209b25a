"""
A venue as its users meet it: a real `tenure serve` in a sandbox, the sample exchange before it.

Both are started as their pages say and asked over HTTP. The operator's side of it is here: making
accounts and keys, moving the clock. The bots' side is in `bots`.
"""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from tenure import settings
from tenure.clock import Clock, SystemClock
from tenure.domain.model import KeyType
from tenure.faces.http import starting
from tenure.settings import Settings
from tests.clients.bots import Bot, Client
from tests.clients.installing import ROOT

TRADING: Final = "spot_margin_trading"
DAY_MS: Final = 86_400_000
TERM_MS: Final = 30 * DAY_MS
STARTS: Final = "2021-07-01T12:00:00Z"
"""Eight days before the rule, so that there can be keys older than it."""
AFTERWARDS_MS: Final = 1_638_352_800_000
"""2021-12-01 10:00: the rule is in force, and RULES' worked life goes on."""
_OPERATOR_TOKEN: Final = "an operator token for tests"
_READY_WITHIN_S: Final = 60
_LOOK_EVERY_S: Final = 0.05
_STOP_WITHIN_S: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as it was issued: *key* as the management API showed it, what signs with it."""

    key: Mapping[str, Any]
    secret_key: str | None
    private_key: str | None

    @property
    def key_id(self) -> str:
        """The operator's name for it."""
        return str(self.key["key_id"])

    @property
    def ends_at_ms(self) -> int | None:
        """When trading was to end, as shown when it was issued (ms)."""
        end: int | None = self.key["permissions"][TRADING]["ends_at_ms"]
        return end


class Venue:
    """The exchange at *url*; its operator reaches Tenure through *management*."""

    def __init__(self, url: str, management: httpx.Client) -> None:
        """Both are running."""
        self.url, self._management = url, management
        self._numbers = itertools.count(1)
        self._older: dict[tuple[str, KeyType], Key] = {}

    def grow_older(self, wanted: Iterable[tuple[str, KeyType]]) -> None:
        """Issue a key of an account of its own for each client and type *wanted*; months pass."""
        for client, key_type in wanted:
            self._older[client, key_type] = self.issue(self.account(), key_type)
        self.move(AFTERWARDS_MS)

    def older(self, client: Client, key_type: KeyType) -> Key:
        """Return the key from before the rule that was issued for this client and type."""
        return self._older[client.name, key_type]

    def now_ms(self) -> int:
        """Return where the sandbox's clock stands (ms)."""
        return int(self._ask("GET", "/sandbox/clock")["now_ms"])

    def move(self, now_ms: int) -> None:
        """Move the clock forward."""
        self._ask("PUT", "/sandbox/clock", {"now_ms": now_ms})

    def move_to_today(self) -> None:
        """Move the clock forward to what the machine's says."""
        self.move(time.time_ns() // 1_000_000)

    def account(self, kind: str = "normal") -> str:
        """Create an account, for a sub-account its master too; return its id."""
        wanted: dict[str, object] = {"kind": kind, "email": f"{next(self._numbers)}@example.com"}
        if kind == "sub":
            wanted["master_id"] = self.account("master")
        return str(self._ask("POST", "/v1/accounts", wanted)["account_id"])

    def family(self) -> tuple[str, str, str]:
        """Create a master and a sub-account; return both ids and the sub-account's e-mail."""
        master_id = self.account("master")
        # With a plus, as people number their addresses; every client spells it in its own way.
        email = f"sub+{next(self._numbers)}@example.com"
        wanted = {"kind": "sub", "email": email, "master_id": master_id}
        return master_id, str(self._ask("POST", "/v1/accounts", wanted)["account_id"]), email

    def freeze(self, account_id: str) -> None:
        """Refuse every key of the account."""
        self._ask("POST", f"/v1/accounts/{account_id}/freeze")

    def issue(self, account_id: str, key_type: KeyType, **more: object) -> Key:
        """Issue a key that may trade; *more* as the management API takes it."""
        wanted = {
            "label": "bot",
            "key_type": key_type,
            "public_key": public_key(key_type),
            "permissions": [TRADING],
            **more,
        }
        shown = self._ask("POST", f"/v1/accounts/{account_id}/keys", wanted)
        return Key(key=shown, secret_key=shown.get("secret_key"), private_key=private_key(key_type))

    def preview(self, key: Key, **wanted: object) -> Mapping[str, Any]:
        """Show what an edit would do."""
        return self._ask("POST", f"/v1/keys/{key.key_id}/edits/preview", wanted)

    def try_edit(self, key: Key, **wanted: object) -> httpx.Response:
        """Commit an edit, and return whatever comes of it."""
        return self._management.post(f"/v1/keys/{key.key_id}/edits", json=wanted)

    def edit(self, key: Key, **wanted: object) -> Mapping[str, Any]:
        """Look at an edit's plan and confirm it, as an owner in a hurry does."""
        stamp = self.preview(key, **wanted)["stamp"]
        return _read(self.try_edit(key, stamp=stamp, **wanted))

    def revoke(self, key: Key) -> None:
        """End a key for good."""
        self._ask("POST", f"/v1/keys/{key.key_id}/revoke")

    def bot(self, client: Client, key: Key) -> Bot:
        """Put a key in the hands of a client."""
        return Bot(
            client=client,
            base_url=self.url,
            api_key=key.key["api_key"],
            secret_key=key.secret_key,
            private_key=key.private_key,
        )

    def _ask(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        return _read(self._management.request(method, path, json=body))


@contextlib.contextmanager
def opening(home: Path, **more: object) -> Iterator[Venue]:
    """Run a venue in *home* while the block runs; *more* are settings of Tenure."""
    waiting = home / "waiting"
    waiting.mkdir(parents=True)
    tenure = settings.load(
        home=home / "var",
        listen="127.0.0.1:0",
        workers=1,
        sandbox=True,
        sandbox_start=STARTS,
        trusted_proxies=("127.0.0.1/32",),
        operator_token=_OPERATOR_TOKEN,
        # A machine busy with other tests is no reason to refuse; refusing is tested elsewhere.
        staleness_ms=60_000,
        **more,
    )
    with (
        contextlib.closing(SystemClock(waiting)) as clock,
        starting.starting(tenure, clock) as tenure_url,
        _exchange(tenure, tenure_url, clock) as url,
        httpx.Client(
            base_url=tenure_url,
            headers={"Authorization": f"Bearer {_OPERATOR_TOKEN}"},
            trust_env=False,
        ) as management,
    ):
        yield Venue(url, management)


@contextlib.contextmanager
def _exchange(tenure: Settings, tenure_url: str, clock: Clock) -> Iterator[str]:
    listen = f"127.0.0.1:{_free_port()}"
    environment = {name: text for name, text in os.environ.items() if name[:7] != "TENURE_"}
    for name in ("staleness_ms", "binance_decoded_retry"):
        environment[f"TENURE_{name.upper()}"] = str(getattr(tenure, name))
    command = [sys.executable, "-m", "examples.exchange", "--sandbox", "--home", str(tenure.home)]
    log = tenure.home / "exchange.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--tenure", tenure_url, "--listen", listen],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(int(_READY_WITHIN_S / _LOOK_EVERY_S)):
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://{listen}/api/v3/exchangeInfo", trust_env=False).is_success:
                    break
            clock.sleep(_LOOK_EVERY_S)
        else:
            raise AssertionError(log.read_text())
        yield f"http://{listen}"
    finally:
        process.terminate()
        process.wait(_STOP_WITHIN_S)


def public_key(key_type: KeyType) -> str | None:
    """Return the public half of the bots' key of this type as PEM text, None for HMAC."""
    pair = _pair(key_type)
    if pair is None:
        return None
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return pair.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def private_key(key_type: KeyType) -> str | None:
    """Return the private half as PEM text, None for HMAC."""
    pair = _pair(key_type)
    return None if pair is None else _private_pem(pair)


def another_private_key(key_type: KeyType) -> str | None:
    """Return a private key of this type that is not the bots', None for HMAC."""
    pair = _make(key_type)
    return None if pair is None else _private_pem(pair)


@cache
def _pair(key_type: KeyType) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | None:
    return _make(key_type)


def _make(key_type: KeyType) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | None:
    match key_type:
        case KeyType.HMAC:
            return None
        case KeyType.RSA:
            return rsa.generate_private_key(65_537, 2048)
        case KeyType.ED25519:
            return ed25519.Ed25519PrivateKey.generate()


def _private_pem(pair: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return pair.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _read(response: httpx.Response) -> Mapping[str, Any]:
    assert response.is_success, response.text
    shown: Mapping[str, Any] = response.json()
    return shown


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
