"""What tests hand in where production has a machine: a clock that is told, chance that repeats."""

import random
import threading

from tests.builders import Moment, at_ms

BOOT = 71
"""Which boot a FakeClock says this is, until it is told otherwise."""


class FakeClock:
    """
    Implements `clock.Clock`: time stands still but for `advance` and `sleep`.

    *now* is what is decided by, *wall* what the machine's clock says (ms, UTC), *elapsed* the
    nanoseconds since *boot_id* began; a test may part them. Random bytes come from *seed*.
    """

    def __init__(self, now: Moment = "2021-12-01 10:00", *, seed: int = 1) -> None:
        self.now = self.wall = at_ms(now)
        self.elapsed = 3_600_000_000_000
        self.boot_id = BOOT
        self._random = random.Random(seed)  # noqa: S311 - guessable on purpose: runs repeat
        self._lock = threading.Lock()

    def advance(self, ms: int) -> None:
        """Let *ms* milliseconds pass on every clock."""
        with self._lock:
            self.now += ms
            self.wall += ms
            self.elapsed += ms * 1_000_000

    def set(self, now: Moment) -> None:
        """Let time pass until *now*."""
        self.advance(at_ms(now) - self.now)

    def now_ms(self) -> int:
        """Return the instant to decide by."""
        return self.now

    def wall_ms(self) -> int:
        """Return what the machine's clock says."""
        return self.wall

    def elapsed_ns(self) -> int:
        """Return the time since the boot."""
        return self.elapsed

    def boot(self) -> int:
        """Return which boot this is."""
        return self.boot_id

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass at once."""
        self.advance(max(1, round(seconds * 1000)))

    def random_bytes(self, count: int) -> bytes:
        """Return the next *count* bytes of the seed's sequence."""
        with self._lock:
            return self._random.randbytes(count)
