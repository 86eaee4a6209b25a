"""Running seeds: what one of them did, and where it went wrong."""

import traceback
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog.testing

from tests.simulation import audit
from tests.simulation.play import Play

STEPS = 150
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of its own is made in it, mode 0700


@dataclass(frozen=True, slots=True)
class Ran:
    """One seed: *steps* taken, decisions *compared*, the *trace*'s hash, what differed if any."""

    seed: int
    steps: int
    compared: int
    trace: str
    difference: str = ""


def run(seed: int, steps: int = STEPS) -> Ran:
    """Play the life of *seed* and audit what it left; what differs is part of the answer."""
    play, step = Play(seed), 0
    fast = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    # A follower that was stopped is complained about at length; here it is stopped on purpose.
    with (
        TemporaryDirectory(prefix="tenure-simulation-", dir=fast) as home,
        play.machine.running(),
        structlog.testing.capture_logs(),
    ):
        try:
            play.begin(Path(home))
            for step in range(1, steps + 1):  # noqa: B007 - told when one fails
                play.step()
            trace = play.finish()
            store, journal = play.world.worker.store, play.world.journal()
            audit.verify_chain(journal)
            audit.verify_events(journal, play.ledger)
            audit.verify_replay(store)
            audit.verify_rows(store, play.ledger)
            play.world.close()
        except Exception:  # noqa: BLE001 - whatever went wrong, its seed is the report
            return Ran(seed, step, play.compared, "", traceback.format_exc())
    return Ran(seed, step, play.compared, trace)
