"""What a process that decides keeps in memory of its own, by the number of keys in the keyring."""

import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from benchmarks import filling
from tenure import settings, wiring
from tenure.services.follower import Follower
from tenure.services.following import TICK_MS

_ASKED = 30_000
"""More keys than a process keeps ready, so that what it keeps is as much as it ever will be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Private anonymous memory (MiB) before and after deciding on very many keys."""

    keys: int
    before_mib: float
    after_mib: float


def measure(sizes: Sequence[int]) -> list[Row]:
    """Measure at every size, with HMAC keys."""
    return [_measure(size) for size in sizes]


def _measure(size: int) -> Row:
    kind = next(filling.kinds())
    with tempfile.TemporaryDirectory() as directory:
        worker = filling.fill(Path(directory), kind, size)
        assert worker.follower is not None
        stopped = Event()
        ticking = Thread(target=_tick, args=(worker.follower, stopped))
        ticking.start()
        try:
            said = subprocess.run(
                [sys.executable, "-m", "benchmarks.memory", directory, str(size)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        finally:
            stopped.set()
            ticking.join()
            worker.close()
    before, after = (float(text) for text in said.split())
    return Row(keys=size, before_mib=before, after_mib=after)


def _tick(follower: Follower, stopped: Event) -> None:
    while not stopped.wait(TICK_MS / 1000):
        follower.tick()


def _own_mib() -> float:
    text = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    lines = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return int(lines["Anonymous"].split()[0]) / 1024


def _decide(home: str, size: int) -> None:
    decider = wiring.open_decider(settings.load(home=home))
    keyring = decider._keyring  # noqa: SLF001 - the very thing that is measured
    chance = random.Random(size)  # noqa: S311 - which keys are asked for, not a secret
    kind = next(filling.kinds())
    keyring.find(filling.api_key(kind, 0))
    before = _own_mib()
    for _ in range(_ASKED):
        keyring.find(filling.api_key(kind, chance.randrange(size)))
    print(before, _own_mib())  # noqa: T201 - read by the process that measures


if __name__ == "__main__":
    _decide(sys.argv[1], int(sys.argv[2]))
