"""
Bots: API keys in the hands of real clients, each client in a process and environment of its own.

The process stays while the tests run and does one act after another (`scripts/acting.py`), so that
an act costs a request and not the start of a Python.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

from tests.clients.installing import ROOT

SCRIPTS = {
    "python-binance": "tests.clients.scripts.python_binance",
    "binance-connector": "tests.clients.scripts.binance_connector",
}
RAISES = {"python-binance": "BinanceAPIException", "binance-connector": "ClientError"}
"""What each client raises for every 4xx."""
AN_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call: a *result*, or what was *raised* and what could be read off it."""

    result: Any = None
    raised: str | None = None
    status: int | None = None
    code: int | None = None
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Client:
    """One client library, as its users have it; close it."""

    def __init__(self, name: str, python: Path) -> None:
        """*name* is its name as a package; *python* the environment's that has it."""
        self.name = name
        self._process = subprocess.Popen(
            [python, "-m", SCRIPTS[name]],
            cwd=ROOT,
            env={"NO_PROXY": "*"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def do(self, act: Mapping[str, object]) -> Outcome:
        """Have the client do *act*; what its script cannot report ends the test."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(act) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the script for {self.name} ended; what it said is on standard error"
        return Outcome(**json.loads(line))


class How(TypedDict, total=False):
    """From which of this machine's addresses, and how far behind its clock is (s)."""

    source_address: str
    behind_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A key in a *client*: what to sign with, and where to send it."""

    client: Client
    base_url: str
    api_key: str
    secret_key: str | None = None
    private_key: str | None = None

    def restrictions(self, **how: Unpack[How]) -> Outcome:
        """Look at the key's own permissions."""
        return self.act("restrictions", **how)

    def account(self, **how: Unpack[How]) -> Outcome:
        """Look at the account."""
        return self.act("account", **how)

    def order(self, more: Mapping[str, str] | None = None, **how: Unpack[How]) -> Outcome:
        """Place a test order, with *more* parameters."""
        return self.act("order_test", AN_ORDER | dict(more or {}), **how)

    def act(
        self, call: str, parameters: Mapping[str, str] | None = None, **how: Unpack[How]
    ) -> Outcome:
        """Do *call* with *parameters*."""
        return self.client.do(
            {
                "call": call,
                "parameters": parameters or {},
                "base_url": self.base_url,
                "api_key": self.api_key,
                "secret_key": self.secret_key,
                "private_key": self.private_key,
                **how,
            }
        )
