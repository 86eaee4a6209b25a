"""
A whole Tenure in one process, on a sandbox clock, and a way to ask its ASGI faces by raw bytes.

Nothing is mocked: a real SQLite file, a real keyring, real signatures. Ticks run when called.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tenure import settings, wiring
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.services.keys import Draft
from tests import migrated, signers
from tests.builders import ms, shipped

Asgi = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]],
    Awaitable[None],
]
Signer = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        """Return the body, read as JSON."""
        return json.loads(self.body)


def ask(  # noqa: PLR0913 - a request has that many parts
    app: Asgi,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    body: bytes = b"",
    peer: str = "198.51.100.9",
) -> Reply:
    """Send one request to *app* as an HTTP server would hand it over, *target* undecoded."""
    path, _, query = target.partition("?")
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers or [])
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in pairs],
        "client": (peer, 50_000),
        "server": ("127.0.0.1", 8080),
        "state": {},
        "extensions": {},
    }
    sent: list[Any] = []
    arriving = [{"type": "http.request", "body": body, "more_body": False}]
    is_answered = asyncio.Event()

    async def receive() -> object:
        if not arriving:  # The client hangs up once it has its answer, and not before.
            await is_answered.wait()
            return {"type": "http.disconnect"}
        return arriving.pop()

    async def send(message: Any) -> None:  # noqa: ANN401 - an ASGI message
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            is_answered.set()

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]  # an Awaitable that is a coroutine
    start = sent[0]
    found: dict[str, str] = {}
    for raw_name, raw_value in start["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # Of several cookies each has a line; of anything else the last counts.
        is_more = name == "set-cookie" and name in found
        found[name] = f"{found[name]}\n{value}" if is_more else value
    return Reply(
        start["status"],
        found,
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def one_time_catalog(directory: Path, *permissions: str) -> Path:
    """Write the shipped catalog with *permissions* made one-time, and return where it is."""
    text = shipped("catalogs/exchange.toml")
    for permission in permissions:
        line = f'id = "{permission}"\n'
        assert line in text, permission
        text = text.replace(line, f"{line}one_time = true\n", 1)
    path = directory / "catalog.toml"
    path.write_text(text, encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything in one process; *signers* by key id."""

    worker: wiring.Worker
    signers: dict[str, Signer]

    @classmethod
    def open(cls, home: Path, start: str = "2021-12-01T10:00:00Z", **more: object) -> "House":
        """Open, or make, the sandbox in *home*; *more* are settings."""
        given = {"home": home, "sandbox": True, "sandbox_start": start, **more}
        found = settings.load(**given)
        if found.database_url.startswith("sqlite:///"):
            migrated.lay(Path(found.database_url.removeprefix("sqlite:///")))
        return cls(worker=wiring.open_alone(found), signers={})

    def close(self) -> None:
        """Let go of everything, so that the same home can be opened again."""
        self.worker.close()

    def move(self, moment: str | int) -> None:
        """Set the clock forward to *moment*."""
        self.worker.clock.move(ms(moment) if isinstance(moment, str) else moment)  # type: ignore[union-attr]  # a sandbox
        assert self.worker.follower is not None
        self.worker.follower.tick()

    def account(
        self,
        email: str = "owner@example.com",
        kind: AccountKind = AccountKind.NORMAL,
        master_id: str | None = None,
    ) -> str:
        """Create an account and return its id."""
        return self.worker.accounts.create(email, kind, master_id, "test").account_id

    def issue(
        self,
        account_id: str,
        *permissions: str,
        key_type: KeyType = KeyType.HMAC,
        ips: tuple[str, ...] = (),
        label: str = "bot",
    ) -> ApiKey:
        """Issue a key that this house can sign for."""
        issued = self.worker.keys.issue(
            account_id,
            Draft(
                label=label,
                key_type=key_type,
                public_key=signers.public_key(key_type),
                permissions=permissions,
                ip_allowlist=ips,
            ),
            "test",
        )
        key = issued.plan.after
        if issued.secret_key is not None:
            secret = issued.secret_key.reveal().encode()
            self.signers[key.key_id] = lambda payload: signers.hmac_sign(secret, payload)
        else:
            self.signers[key.key_id] = lambda payload: signers.sign(key_type, payload)
        return key

    def signed_query(self, key: ApiKey, query: str = "", *, at_ms: int | None = None) -> str:
        """Return *query* with timestamp and signature, as a client sends it."""
        at_ms = self.worker.clock.now_ms() if at_ms is None else at_ms
        query = f"{query}&timestamp={at_ms}" if query else f"timestamp={at_ms}"
        signature = self.signers[key.key_id](query.encode())
        return f"{query}&signature={quote(signature, safe='')}"
