"""
How long a journal takes to sign, export, audit, save and restore, and in how much memory.

`python -m benchmarks.auditing --events 1000000`: a journal in which each of a tenth as many keys is
issued and then edited nine times. Every step runs in a process of its own, as an operator's would.
"""

import argparse
import dataclasses
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import filling
from tenure import settings, wiring
from tenure.domain import events
from tenure.domain.events import Change, Tag
from tenure.domain.model import AccountKind, ApiKey
from tenure.store import journal, keys
from tenure.store.db import Transaction

_EDITS: Final = 9
_BATCH: Final = 200
# The most memory it ever held, by the kernel's account of this program alone; rusage would count
# what it was forked from.
_TOLD: Final = """
import re
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
"""
_MEASURED: Final = f"""
import sys
from tenure.faces import cli
try:
    cli.app(sys.argv[1:], prog_name="tenure", standalone_mode=False)
finally:
    {_TOLD.strip().splitlines()[0]}
    {_TOLD.strip().splitlines()[1]}
"""
_SIGNED: Final = f"""
import sys
from tenure import settings, wiring
errands = wiring.open_errands(settings.load(home=sys.argv[1]))
while errands.once() == 0:
    pass
{_TOLD}
"""


def main() -> None:
    """Measure as the arguments say."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.auditing", description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000, help="events in the journal")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tenure-auditing-") as directory:
        home = Path(directory) / "home"
        count = fill(home, given.events)
        table = Table(title=f"A journal of {count:,} events, {count // (_EDITS + 1):,} keys")
        for name in ("step", "seconds", "µs an event", "most memory MiB"):
            table.add_column(name, justify="left" if name == "step" else "right")
        for step, code, words in _steps(Path(directory), home):
            begun = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            seconds = time.perf_counter() - begun
            mib = int(done.stderr.split()[-1]) / 1024
            table.add_row(step, f"{seconds:.1f}", f"{seconds / count * 1e6:.0f}", f"{mib:.0f}")
        Console(width=100).print(table)
        size = (Path(directory) / "export").stat().st_size
        Console().print(f"The export is {size / 2**20:,.0f} MiB.")


def _steps(directory: Path, home: Path) -> Iterator[tuple[str, str, list[str]]]:
    at, other = ["--home", str(home)], ["--home", str(directory / "restored")]
    export, backup = str(directory / "export"), str(directory / "backup")
    yield "sign the first checkpoint", _SIGNED, [str(home)]
    yield "audit export", _MEASURED, ["audit", "export", export, *at]
    yield "audit verify FILE", _MEASURED, ["audit", "verify", export]
    yield "audit verify --store", _MEASURED, ["audit", "verify", "--store", *at]
    yield "audit prove", _MEASURED, ["audit", "prove", "12345", *at]
    yield "backup", _MEASURED, ["backup", backup, *at]
    yield "restore", _MEASURED, ["restore", backup, *other]


def fill(home: Path, count: int) -> int:
    """Make a store with so many events at *home*, rows and all; return how many there are."""
    kind = next(item for item in filling.kinds() if item.name == "ed25519")
    with closing(wiring.open_alone(settings.load(home=home))) as worker:
        now_ms = worker.clock.now_ms()
        numbers = iter(range(count // (_EDITS + 1)))
        account = worker.accounts.create("all@example.com", AccountKind.NORMAL, None, "bench")
        for _ in track(range(count // (_EDITS + 1) // _BATCH), "filling", transient=True):
            batch = [
                dataclasses.replace(
                    filling.a_key(kind, number, now_ms), account_id=account.account_id
                )
                for number in itertools.islice(numbers, _BATCH)
            ]

            def write(tx: Transaction, batch: list[ApiKey] = batch) -> None:
                changes = []
                for key in batch:
                    edited = [
                        dataclasses.replace(key, label=f"edit {n}", version=n + 1)
                        for n in range(_EDITS + 1)
                    ]
                    keys.add(tx, edited[-1], None)
                    changes += [_change(one, now_ms) for one in edited]
                journal.append_all(tx, changes, now_ms)

            worker.store.write(write)
        return worker.journal.head()


def _change(key: ApiKey, now_ms: int) -> Change:
    return Change(
        tag=Tag.KEY_ISSUED if key.version == 1 else Tag.KEY_EDITED,
        actor="bench",
        happened_at_ms=now_ms,
        body={"key": events.key_state(key), "consequences": []},
        account_id=key.account_id,
        key_id=key.key_id,
    )


if __name__ == "__main__":
    main()
