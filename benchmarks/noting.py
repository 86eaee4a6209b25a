"""
What noting the use of keys costs a decision: `python -m benchmarks.noting`.

The same decisions with and without it, interleaved in one run, on one key and on keys drawn from
all; and what a flush costs, which a thread of the worker pays beside its decisions.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks import deciding, filling, previewing
from tenure.domain import allowlist
from tenure.domain.decide import Allowed, LoadedKey
from tenure.domain.model import AccountId, KeyId
from tenure.services.deciding import Decider
from tenure.services.usage import Usage, Uses
from tenure.wiring import Worker

_KEYS: Final = 10_000
_FLUSHED: Final = 20_000


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=400, help="rounds of every measurement")
    options.add_argument("--calls", type=int, default=250, help="decisions a round")
    given = options.parse_args()
    table = Table(title="A whole HMAC decision, with its use noted and without")
    for name in ("keys", "without µs", "noted µs", "ratio"):
        table.add_column(name, justify="left" if name == "keys" else "right")
    for name, (without_us, noted_us) in _measure(given.rounds, given.calls).items():
        ratio = f"{noted_us / without_us:.3f}"
        table.add_row(name, f"{without_us:.2f}", f"{noted_us:.2f}", ratio)
    Console(width=100).print(table)
    Console().print(f"a flush: {_flush_us():.0f} µs for each key and address noted, in batches")


def _measure(rounds: int, calls: int) -> dict[str, tuple[float, float]]:
    kind = next(filling.kinds())
    with tempfile.TemporaryDirectory() as directory:
        worker = filling.fill(Path(directory), kind, _KEYS)
        try:
            chance = random.Random(_KEYS)  # noqa: S311 - which keys are asked for, not a secret
            drawn = [filling.api_key(kind, chance.randrange(_KEYS)) for _ in range(calls)]
            return {
                "one key": _costs(worker, kind, [drawn[0]] * calls, rounds),
                f"{calls} of {_KEYS:,} keys": _costs(worker, kind, drawn, rounds),
            }
        finally:
            worker.close()


def _costs(worker: Worker, kind: filling.Kind, keys: list[str], rounds: int) -> tuple[float, float]:
    """Return the µs of one decision without noting and with it: medians over short rounds."""
    assert worker.follower is not None
    address = allowlist.parse_address("198.51.100.9")
    assert address is not None
    uses = Uses()
    deciders = [_decider(worker, None), _decider(worker, uses)]
    spent_us: list[list[float]] = [[], []]
    for number in range(rounds):
        worker.follower.tick()
        query = deciding.signed(worker, kind)
        uses.take()
        # By turns first and second, and in processor time: whatever else runs here hits both.
        for which in (0, 1) if number % 2 else (1, 0):
            decide = deciders[which].decide_raw
            started_ns = time.process_time_ns()
            for api_key in keys:
                assert type(decide(api_key, query, b"", address, filling.TRADING)) is Allowed
            spent_us[which].append((time.process_time_ns() - started_ns) / len(keys) / 1000)
    without_us, noted_us = (statistics.median(each) for each in spent_us)
    return without_us, noted_us


def _decider(worker: Worker, uses: Uses | None) -> Decider:
    return Decider(
        worker.keyring,
        worker.clock,
        worker.catalog,
        decoded_retry=True,
        sandbox=False,
        uses=uses,
    )


def _flush_us() -> float:
    with tempfile.TemporaryDirectory() as directory:
        worker = previewing.fill(Path(directory), _FLUSHED)
        address = allowlist.parse_address("198.51.100.9")
        assert address is not None
        uses, now_ms = Uses(), worker.clock.now_ms()
        for number in range(_FLUSHED):
            uses.note(_allowed(number), address, now_ms)
        usage = Usage(worker.store, worker.clock, uses, addresses_per_key=30)
        started_ns = time.process_time_ns()
        assert usage.flush() == _FLUSHED
        spent_us = (time.process_time_ns() - started_ns) / 1000
        worker.close()
    return spent_us / _FLUSHED


def _allowed(number: int) -> Allowed:
    loaded: LoadedKey | None = None
    key_id, account_id = KeyId(f"key_{number:024d}"), AccountId(f"acct_{number // 10:024d}")
    return Allowed(account_id, key_id, filling.TRADING, None, None, loaded)  # type: ignore[arg-type]  # nobody looks at it


if __name__ == "__main__":
    main()
