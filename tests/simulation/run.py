"""Running seeds: what one of them did, and where it went wrong."""

import traceback
from dataclasses import dataclass

import structlog.testing

from tests.simulation import audit
from tests.simulation.play import Play

STEPS = 150


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
    # A follower that was stopped is complained about at length; here it is stopped on purpose.
    with play.machine.running(), structlog.testing.capture_logs():
        play.begin()
        try:
            for step in range(1, steps + 1):  # noqa: B007 - told when one fails
                play.step()
            trace = play.finish()
            journal = play.world.journal()
            audit.verify_chain(journal)
            audit.verify_events(journal, play.ledger)
            audit.verify_replay(play.world.worker.store, journal)
            audit.verify_rows(play.world.worker.store, play.ledger)
        except Exception:  # noqa: BLE001 - whatever went wrong, its seed is the report
            return Ran(seed, step, play.compared, "", traceback.format_exc())
        finally:
            play.world.close()
    return Ran(seed, step, play.compared, trace)
