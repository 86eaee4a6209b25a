"""Timing a call, fairly: many calls a round, rounds of all candidates interleaved, the median."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call costs: the median of the rounds, and the spread between quartiles (µs)."""

    median_us: float
    spread_us: float


def cost(rounds_us: Sequence[float]) -> Cost:
    """Sum up what a call cost in each round."""
    low, _, high = statistics.quantiles(rounds_us, n=4)
    return Cost(statistics.median(rounds_us), high - low)


def interleaved(
    candidates: Mapping[str, Callable[[], int]], rounds: int, between: Callable[[], object]
) -> dict[str, Cost]:
    """
    Run every candidate once a round, *rounds* times; each returns how many calls it made.

    *between* is called before each, outside the timing: whatever must be kept fresh.
    """
    spent: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, run in candidates.items():
            between()
            gc.collect()
            started_ns = time.perf_counter_ns()
            calls = run()
            spent[name].append((time.perf_counter_ns() - started_ns) / calls / 1000)
    return {name: cost(rounds_us) for name, rounds_us in spent.items()}
