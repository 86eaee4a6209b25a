"""
Forward-auth over HTTP with one worker, against peers and servers that do nothing, in one run.

The load comes from `wrk` (Debian's package), in a process and, where there are two cores, on a core
of its own. All are sent the same request, signed with HMAC; `python -m benchmarks.forwarding`
measures this alone.
"""

import argparse
import contextlib
import dataclasses
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import pages, peers
from benchmarks.peers import Peer
from tenure.clock import SystemClock
from tenure.domain.errors import Unavailable
from tenure.faces.http.starting import starting
from tenure.settings import load

CONNECTIONS = 32
_UNIT_US = {"us": 1.0, "ms": 1000.0, "s": 1_000_000.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one server did: requests a second (median of the rounds), latencies in µs."""

    server: str
    per_second: float
    p50_us: float
    p99_us: float


def main() -> None:
    """Measure as the arguments say."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.forwarding", description=__doc__)
    options.add_argument("--rounds", type=int, default=9, help="rounds of load on each server")
    options.add_argument("--seconds", type=int, default=5, help="seconds of load a round")
    options.add_argument("--write-docs", action="store_true", help="write docs/reference")
    given = options.parse_args()
    report(given.rounds, given.seconds, write_docs=given.write_docs)


def report(rounds: int, seconds: int, *, write_docs: bool) -> None:
    """Measure, print, and write the page if asked; say so where it cannot be measured."""
    try:
        rows = measure(rounds=rounds, seconds=seconds)
    except Unavailable as error:
        Console(stderr=True).print(f"forward-auth was not measured: {error}")
        return
    table = Table(title="Forward-auth over HTTP, one worker, one core for the load")
    for name in ("server", "requests/s", "p50 µs", "p99 µs", "Tenure's rate over its"):
        table.add_column(name, justify="left" if name == "server" else "right")
    for row in rows:
        table.add_row(
            row.server,
            f"{row.per_second:,.0f}",
            f"{row.p50_us:,.0f}",
            f"{row.p99_us:,.0f}",
            f"{rows[0].per_second / row.per_second:.2f}",
        )
    pages.show([table])
    if write_docs:
        figures = {"forwarding": [dataclasses.asdict(row) for row in rows]}
        pages.write("forward-auth", [table], figures)


def measure(*, rounds: int, seconds: int) -> list[Row]:
    """Measure Tenure's forward-auth, which comes first, its peers and both bare servers."""
    if shutil.which("wrk") is None:
        raise Unavailable("wrk", "wrk is not installed: apt-get install wrk")
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clock = SystemClock(home / "clock")
        settings = load(
            home=home / "var", listen="127.0.0.1:0", workers=1, trusted_proxies=("127.0.0.1/32",)
        )
        url = stack.enter_context(starting(settings, clock))
        operator_token = (home / "var" / "operator-token").read_text().strip()
        key = _issue(url, operator_token)
        servers = {"tenure /authorize, HMAC": Peer(f"{url}/authorize", {})}
        for name, peer in {
            "nginx + Lua, HMAC": peers.nginx_lua(key["api_key"], key["secret_key"], _on_core(0)),
            "better-auth, a hash": peers.better_auth(_on_core(0)),
            "bare granian, 204": _bare(_granian),
            "bare uvicorn, 204": _bare(_uvicorn),
        }.items():
            try:
                servers[name] = stack.enter_context(peer)
            except Unavailable as error:
                Console(stderr=True).print(f"{name} was not measured: {error}")
        seen: dict[str, list[tuple[float, float, float]]] = {name: [] for name in servers}
        for _ in track(range(rounds), "forward-auth", transient=True):
            for name, server in servers.items():
                headers = {**_signed(key, clock.wall_ms()), **server.headers}
                seen[name].append(_load(server.url, headers, seconds))
    return [
        Row(
            server=name,
            per_second=median(row[0] for row in rows),
            p50_us=median(row[1] for row in rows),
            p99_us=median(row[2] for row in rows),
        )
        for name, rows in seen.items()
    ]


def _issue(url: str, operator_token: str) -> Mapping[str, str]:
    with httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {operator_token}"}, trust_env=False
    ) as client:
        account = client.post("/v1/accounts", json={"email": "b@example.com", "kind": "normal"})
        draft = {"label": "bench", "key_type": "hmac", "permissions": ["spot_margin_trading"]}
        answer = client.post(f"/v1/accounts/{account.json()['account_id']}/keys", json=draft)
        answer.raise_for_status()
        key: Mapping[str, str] = answer.json()
        return key


def _signed(key: Mapping[str, str], now_ms: int) -> Mapping[str, str]:
    # The widest window lasts a minute, longer than any round.
    text = f"symbol=LTCBTC&side=BUY&type=MARKET&quantity=1&recvWindow=60000&timestamp={now_ms}"
    import hmac  # noqa: PLC0415 - the one line that signs

    signature = hmac.digest(key["secret_key"].encode(), text.encode(), "sha256").hex()
    return {
        "X-MBX-APIKEY": key["api_key"],
        "X-Original-Method": "POST",
        "X-Original-URI": f"/api/v3/order?{text}&signature={signature}",
        "X-Forwarded-For": "198.51.100.9",
    }


def _load(url: str, headers: Mapping[str, str], seconds: int) -> tuple[float, float, float]:
    said = subprocess.run(
        [
            *_on_core(1),
            "wrk",
            "--latency",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            *(part for name, value in headers.items() for part in ("-H", f"{name}: {value}")),
            url,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in said:
        raise Unavailable("bench", f"not every request was allowed:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    half = re.search(r"50%\s+([\d.]+)(us|ms|s)", said)
    late = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert rate
    assert half
    assert late
    return (
        float(rate[1]),
        float(half[1]) * _UNIT_US[half[2]],
        float(late[1]) * _UNIT_US[late[2]],
    )


def _granian(port: int) -> Sequence[str]:
    options = ("--interface", "asginl", "--loop", "uvloop", "--workers", "1", "--no-ws")
    return ("granian", *options, "--port", str(port), "benchmarks.bare:app")


def _uvicorn(port: int) -> Sequence[str]:
    options = ("--loop", "uvloop", "--http", "auto", "--workers", "1", "--lifespan", "off")
    quiet = ("--log-level", "critical", "--no-access-log")
    return ("uvicorn", *options, *quiet, "--port", str(port), "benchmarks.bare:app")


@contextlib.contextmanager
def _bare(command: Callable[[int], Sequence[str]]) -> Iterator[Peer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    module, *options = command(port)
    process = subprocess.Popen(
        [*_on_core(0), sys.executable, "-m", module, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, trust_env=False) as client:
            client.get(url).raise_for_status()
        yield Peer(url, {})
    finally:
        process.terminate()
        process.wait()


def _on_core(core: int) -> Sequence[str]:
    has_two = (os.cpu_count() or 1) > 1 and shutil.which("taskset") is not None
    return ("taskset", "-c", str(core)) if has_two else ()


if __name__ == "__main__":
    main()
