"""
The machine a simulated Tenure runs on: its clocks, its dice, and how long a sleep takes.

It is put where `tenure.clock` finds the real ones, so that the shipped SystemClock runs, with its
mark in a real file; nothing else in Tenure reads a clock or draws a number (tests/tidy).
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import final

import pytest

MS = 1_000_000
"""Nanoseconds."""


@final
class Machine:
    """What `time` and `secrets` are to `tenure.clock`; the simulation moves it."""

    CLOCK_BOOTTIME = time.CLOCK_BOOTTIME

    def __init__(self, dice: random.Random, wall_ms: int) -> None:
        """
        *dice* own everything that is left to chance.

        Tenure's own bytes come from a sequence that they begin, so that a Tenure which draws more
        of them does not thereby live another life.
        """
        self._bytes = random.Random(dice.random())  # noqa: S311 - to be repeatable is the point
        self.wall_ms, self.elapsed_ns, self.boot = wall_ms, 60_000 * MS, 1
        self.while_asleep: Callable[[], None] = lambda: None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be this process's machine while the block runs."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tenure.clock.time", self)
            patch.setattr("tenure.clock.secrets", self)
            patch.setattr("tenure.clock._boot", lambda: self.boot)
            yield

    def pass_time(self, delay_ms: int) -> None:
        """Let *delay_ms* go by."""
        self.wall_ms += delay_ms
        self.elapsed_ns += delay_ms * MS

    def step_wall(self, by_ms: int) -> None:
        """Set the machine's clock, forwards or back, while no time goes by."""
        self.wall_ms += by_ms

    def reboot(self) -> None:
        """Start anew: the wall clock goes on, elapsed time begins again."""
        self.boot += 1
        self.elapsed_ns = 5_000 * MS

    def time_ns(self) -> int:
        """Return what the wall clock says."""
        return self.wall_ms * MS

    def clock_gettime_ns(self, clock: int) -> int:
        """Return the time since boot, the only other clock there is."""
        assert clock == self.CLOCK_BOOTTIME
        return self.elapsed_ns

    def sleep(self, seconds: float) -> None:
        """Let others run meanwhile; they say how long it took."""
        assert seconds > 0
        self.while_asleep()

    def drawn(self, count: int) -> bytes:
        """Return the next bytes of the one sequence."""
        return self._bytes.randbytes(count)

    token_bytes = drawn  # What the standard library calls it.
