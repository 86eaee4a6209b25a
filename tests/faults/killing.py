"""
A real server that is killed under edits, and the owners who remember what it told them.

Each owner has an account and keys of its own and asks for one thing at a time, so all there can be
doubt about after a kill is the one act it had no answer to.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, final

import httpx

from tests import signers
from tests.builders import HOME, TRADING

OPERATOR_TOKEN = "of-the-killing-tests-0123456789"
_READY_WITHIN_S: Final = 180.0
"""Long, because this may share two cores with everything else; a start takes a few seconds."""
_LOOK_EVERY_S: Final = 0.1
_ANSWER_WITHIN_S: Final = 20.0

View = dict[str, Any]


class Unanswered(Exception):  # noqa: N818 - nobody's error: the server was killed
    """An act got no answer, or one that leaves open whether it took place."""


@final
class Server:
    """`tenure serve` on the store in *home*: its own process group, to be killed as one."""

    def __init__(self, home: Path, port: int) -> None:
        self._home, self._port = home, port
        self.url = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("TENURE_")}
        settings = {
            "TENURE_HOME": str(self._home),
            "TENURE_LISTEN": f"127.0.0.1:{self._port}",
            "TENURE_WORKERS": "2",
            "TENURE_OPERATOR_TOKEN": OPERATOR_TOKEN,
            "TENURE_KEYS_PER_ACCOUNT": "100000",
        }
        with (self._home / "serve.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tenure", "serve"],
                env=kept | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_ready()
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process of it, whatever happened."""
        self.kill()

    def kill(self) -> None:
        """Kill every process of it at one blow, and return when none is left."""
        group = self._process.pid
        with contextlib.suppress(ProcessLookupError):  # Killed before.
            os.killpg(group, signal.SIGKILL)
        self._process.wait()
        while _is_alive(group):
            time.sleep(_LOOK_EVERY_S)

    def _await_ready(self) -> None:
        give_up = time.monotonic() + _READY_WITHIN_S
        with client_of(self.url) as client:
            while not _is_ready(client):
                assert self._process.poll() is None, self._said()
                assert time.monotonic() < give_up, self._said()
                time.sleep(_LOOK_EVERY_S)

    def _said(self) -> str:
        return (self._home / "serve.log").read_text(errors="replace")[-4_000:]


@dataclass(slots=True)
class Told:
    """What an owner knows of a key: its *view* as last answered, and what may be true of it now."""

    view: View
    secret: str | None
    doubt: Mapping[str, object] | None = None

    def learn(self, view: View) -> None:
        """Compare with what there is after a kill: all that was answered, no more than asked."""
        if self.doubt is not None and view["version"] != self.view["version"]:
            assert view["version"] == self.view["version"] + 1
            assert {name: view[name] for name in self.doubt} == self.doubt
        else:
            assert view == self.view
        self.view, self.doubt = view, None


@final
@dataclass(slots=True)
class Owner:
    """One account and its keys; *acknowledged* is every state that was ever answered."""

    account_id: str
    dice: random.Random
    keys: dict[str, Told] = field(default_factory=dict)
    acknowledged: list[View] = field(default_factory=list)
    issuing: bool = False
    """Whether a key may have been issued without its owner hearing of it."""
    failure: BaseException | None = None

    def act_until_killed(self, url: str) -> None:
        """Issue, edit and revoke, one after the other, until there is no answer."""
        with client_of(url) as client:
            try:
                while True:
                    self._act(client)
            except Unanswered:
                return
            except BaseException as error:  # noqa: BLE001 - told by the test, in its own thread
                self.failure = error

    def _act(self, client: httpx.Client) -> None:
        alive = [told for told in self.keys.values() if told.view["status"] == "active"]
        if not alive or self.dice.random() < 0.2:
            self._issue(client)
            return
        told = self.dice.choice(alive)
        key_id = told.view["key_id"]
        if self.dice.random() < 0.15:
            told.doubt = {"status": "revoked"}
            self._learn(told, post(client, f"/v1/keys/{key_id}/revoke", {}))
        else:
            self._edit(client, told, f"/v1/keys/{key_id}/edits")
        expect_decided(client, told)

    def _issue(self, client: httpx.Client) -> None:
        self.issuing = True
        wanted = {
            "label": f"bot {self.dice.getrandbits(40):x}",
            "key_type": "hmac",
            "permissions": self.dice.choice([[], [TRADING], [TRADING, "futures"]]),
            "ip_allowlist": self.dice.choice([[], [HOME]]),
        }
        answer = post(client, f"/v1/accounts/{self.account_id}/keys", wanted)
        self.issuing = False
        told = Told({}, answer.pop("secret_key"))
        self._learn(told, answer)
        self.keys[told.view["key_id"]] = told
        expect_decided(client, told)

    def _edit(self, client: httpx.Client, told: Told, path: str) -> None:
        edit: dict[str, Any] = {"label": f"bot {self.dice.getrandbits(40):x}"}
        edit |= self.dice.choice(
            [
                {},
                {"permissions": {TRADING: "renew"}},
                {"permissions": {TRADING: not is_on(told.view)}},
                {"ip_allowlist": [] if told.view["ip_allowlist"] else [HOME]},
            ]
        )
        plan = post(client, f"{path}/preview", edit)
        told.doubt = {name: edit[name] for name in edit.keys() - {"permissions"}}
        self._learn(told, post(client, path, {**edit, "stamp": plan["stamp"]}))

    def _learn(self, told: Told, answer: View) -> None:
        answer.pop("consequences", None)
        told.view, told.doubt = answer, None
        self.acknowledged.append(answer)


def client_of(url: str) -> httpx.Client:
    """Return a client that may do everything."""
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    return httpx.Client(base_url=url, headers=headers, timeout=_ANSWER_WITHIN_S, trust_env=False)


def post(client: httpx.Client, path: str, body: Mapping[str, object]) -> View:
    """Ask for an act and return the answer; raises Unanswered where its outcome is open."""
    try:
        reply = client.post(path, json=body)
    except httpx.TransportError as error:
        raise Unanswered from error
    if reply.status_code == 503:
        raise Unanswered(reply.text)
    assert reply.is_success, reply.text
    answer: View = reply.json()
    return answer


def get(client: httpx.Client, path: str) -> View:
    """Return what there is."""
    reply = client.get(path)
    assert reply.is_success, reply.text
    answer: View = reply.json()
    return answer


def is_on(view: View) -> bool:
    """Whether a key may trade as far as its view tells."""
    return bool(view["permissions"].get(TRADING, {}).get("enabled"))


def expect_decided(client: httpx.Client, told: Told) -> None:
    """Send a signed request; what it is told follows from what the key's owner was told."""
    if told.secret is None:
        return
    query = f"timestamp={time.time_ns() // 1_000_000}"
    question = {
        "api_key": told.view["api_key"],
        "method": "POST",
        "path": "/api/v3/order",
        "query": query,
        "signature": signers.hmac_sign(told.secret.encode(), query.encode()),
        "client_ip": HOME,
        "permission": TRADING,
    }
    answer = post(client, "/v1/authorize", question)
    if told.view["status"] == "revoked":
        assert answer["reason"] == "key_revoked"
    elif is_on(told.view):
        assert answer["allowed"], answer
    else:
        assert answer["reason"] == "permission_missing"


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").is_success
    except httpx.TransportError:
        return False


def _is_alive(group: int) -> bool:
    """Whether any process of the process *group* still runs; a zombie does not."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group, *_ = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state != "Z":
            return True
    return False
