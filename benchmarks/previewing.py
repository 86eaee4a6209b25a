"""
A preview of new rules over very many keys in the store: `python -m benchmarks.previewing 1000000`.

The keys are written row by row, past the services, in a handful of shapes: with addresses and
without, with a running term and without, of each kind of account. What is timed is the whole
preview as `POST /v1/rules/preview` does it, slice after slice, and the memory it takes.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track
from sqlalchemy import insert

from benchmarks import filling
from tenure import settings, wiring
from tenure.domain import rulebooks
from tenure.services.rules import Rules
from tenure.store import schema
from tenure.wiring import Worker

_BATCH: Final = 20_000
_KINDS: Final = ("normal", "master", "sub")
_HELD: Final = ("reading", "spot_margin_trading", "futures")
_PROPOSED: Final = """
[[rule]]
id = "proposed"
title = "Without trusted IPs, trading and futures last 90 days"
source = "a benchmark"
effective_from = 2100-01-01T00:00:00Z
permissions = ["spot_margin_trading", "futures"]
unrestricted = "90d"

[[rule]]
id = "proposed-universal-transfer"
title = "Universal transfer needs trusted IPs"
source = "a benchmark"
effective_from = 2100-01-01T00:00:00Z
permissions = ["universal_transfer"]
unrestricted = "not_allowed"
"""


def fill(home: Path, count: int) -> Worker:
    """Open a Tenure in *home* whose store holds *count* keys of three permissions each."""
    worker = wiring.open_alone(settings.load(home=home))
    now_ms = worker.clock.now_ms()
    kind = next(filling.kinds())
    for start in track(range(0, count, _BATCH), f"{count:,} keys into the store", transient=True):
        numbers = range(start, min(start + _BATCH, count))
        with worker.store.engine.begin() as connection:
            connection.execute(insert(schema.accounts), list(_accounts(numbers, now_ms)))
            connection.execute(insert(schema.keys), list(_keys(kind, numbers, now_ms)))
            connection.execute(insert(schema.grants), list(_grants(numbers, now_ms)))
    return worker


def _accounts(numbers: range, now_ms: int) -> Iterator[dict[str, object]]:
    for number in numbers:
        if number % 10 == 0:
            kind = _KINDS[number // 10 % 3]
            yield {
                "account_id": f"acct_{number // 10:024d}",
                "kind": kind,
                "email": f"owner{number}@example.com",
                "master_id": f"acct_{number // 10 - 1:024d}" if kind == "sub" else None,
                "created_at_ms": now_ms,
                "frozen_at_ms": None,
            }


def _keys(kind: filling.Kind, numbers: range, now_ms: int) -> Iterator[dict[str, object]]:
    for number in numbers:
        yield {
            "key_id": f"key_{number:024d}",
            "api_key": filling.api_key(kind, number),
            "account_id": f"acct_{number // 10:024d}",
            "label": "bench",
            "key_type": "hmac",
            "ip_allowlist": json.dumps(["203.0.113.7"] if number % 4 == 0 else []),
            "issued_at_ms": now_ms,
            "edited_at_ms": now_ms,
            "version": 1,
        }


def _grants(numbers: range, now_ms: int) -> Iterator[dict[str, object]]:
    for number in numbers:
        for permission in _HELD:
            has_term = permission == "spot_margin_trading" and number % 4 == 1
            yield {
                "key_id": f"key_{number:024d}",
                "permission": permission,
                "granted_at_ms": now_ms,
                "starts_at_ms": now_ms if has_term else None,
                "ends_at_ms": now_ms + 30 * rulebooks.DAY_MS if has_term else None,
                "rule_id": "2021-07-09" if has_term else None,
                "swept_at_ms": None,
            }


def preview(rules: Rules, worker: Worker) -> int:
    """Preview slice after slice, as the command does, and return how many keys were looked at."""
    proposed = rulebooks.read(_PROPOSED, frozenset(worker.catalog.offers))
    looked_at, after = 0, ""
    while True:
        shown = rules.preview(proposed, after)
        looked_at += shown.tally.keys
        if shown.next_after is None:
            return looked_at
        after = shown.next_after


def main() -> None:
    """Fill, preview, and print how long it took."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("keys", type=int, nargs="?", default=1_000_000)
    options.add_argument("--home", type=Path, help="keep the store there, and use one that is")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = given.home or Path(directory)
        if (home / "tenure.db").exists():
            worker = wiring.open_alone(settings.load(home=home))
        else:
            worker = fill(home, given.keys)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started_ns = time.perf_counter_ns()
        looked_at = preview(worker.rules, worker)
        spent_s = (time.perf_counter_ns() - started_ns) / 1e9
        grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
        worker.close()
    assert looked_at == given.keys
    Console().print(
        f"{looked_at:,} keys previewed in {spent_s:.1f} s, {spent_s / looked_at * 1e6:.1f} µs each;"
        f" the peak of memory grew by {grown_mib:.1f} MiB"
    )


if __name__ == "__main__":
    main()
