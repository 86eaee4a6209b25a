"""`python -m tests.simulation --seeds 1000 --start 0`: years of simulated life, counted."""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from tests.simulation.run import STEPS, Ran, run

_TOLD_EVERY = 50
_TOLD_DIFFERENCES_MAX = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds asked for and say what came of them; 1 where anything differed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of each")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    chosen = parser.parse_args(arguments)

    seeds = range(chosen.start, chosen.start + chosen.seeds)
    ran: list[Ran] = []
    with _running(seeds, chosen.steps, chosen.jobs) as results:
        for number, result in enumerate(results, start=1):
            ran.append(result)
            if result.difference:
                _tell_difference(ran)
            if number % _TOLD_EVERY == 0:
                _say(f"{number} of {len(seeds)} seeds")
    different = [result.seed for result in ran if result.difference]
    _say(
        f"seeds {seeds.start}..{seeds.stop - 1}: {len(ran)} run, "
        f"{sum(result.steps for result in ran)} steps, "
        f"{sum(result.compared for result in ran)} decisions compared, "
        f"differences = {len(different)}" + (f" (seeds {different[:20]})" if different else "")
    )
    return 1 if different else 0


@contextmanager
def _running(seeds: range, steps: int, jobs: int) -> Iterator[Iterator[Ran]]:
    one = partial(run, steps=steps)
    if jobs == 1:
        yield map(one, seeds)
        return
    # Spawned, not forked: what a seed does must not follow from what its parent had open.
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield pool.imap(one, seeds, chunksize=5)


def _tell_difference(ran: Sequence[Ran]) -> None:
    if sum(bool(result.difference) for result in ran) <= _TOLD_DIFFERENCES_MAX:
        last = ran[-1]
        _say(f"seed {last.seed}, step {last.steps}:\n{last.difference}")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    sys.exit(main())
