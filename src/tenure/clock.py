"""
Time and chance: the only sources of surprise, made here and passed in.

Nothing else in Tenure reads a clock, sleeps, or draws a random number. `now_ms` never runs
backwards, not over a restart either (RULES R15). The sandbox clock is for rehearsals: it stands
still unless told to run, and only ever moves forward.
"""

import secrets
import time
from functools import cache
from pathlib import Path
from typing import Protocol, final

from tenure.domain.errors import Invalid, Unavailable
from tenure.mapped import HighWaterMark, MappedRecord

BACKWARDS_MS_MAX = 1_000
"""How far the machine's clock may fall behind the mark before nobody is decided (SECURITY D19)."""

_ID_BYTES = 15
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letters that are mistaken for digits."""


class Clock(Protocol):
    """What the rest of Tenure may ask of time and chance."""

    def now_ms(self) -> int:
        """Return now (ms, UTC), never less than before; raises Unavailable `clock`."""

    def wall_ms(self) -> int:
        """Return what the machine's clock says (ms, UTC), for judging that clock itself."""

    def elapsed_ns(self) -> int:
        """Return nanoseconds since the machine booted, suspended time included."""

    def boot(self) -> int:
        """Return a number that differs from boot to boot."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def random_bytes(self, count: int) -> bytes:
        """Return *count* bytes nobody can guess."""


class _Machine:
    """What every real clock shares: everything but `now_ms`."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def elapsed_ns(self) -> int:
        # Not `monotonic`: it stands still while the machine is suspended (SECURITY D4).
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def boot(self) -> int:
        return _boot()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def random_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)


@final
class SystemClock(_Machine):
    """The machine's clock, held to its high-water mark in `<home>/time-mark`."""

    def __init__(self, home: Path) -> None:
        """*home* is Tenure's directory; every process of one machine names the same."""
        self._mark = HighWaterMark(home / "time-mark")

    def now_ms(self) -> int:
        """
        Return now (ms, UTC).

        Raises Unavailable `clock` where the machine's clock is over 1 s behind what was seen.
        """
        wall_ms = time.time_ns() // 1_000_000
        mark_ms = self._mark.raise_to(wall_ms)
        if mark_ms - wall_ms > BACKWARDS_MS_MAX:
            raise Unavailable(
                "clock", f"the machine's clock is {mark_ms - wall_ms} ms behind what it said before"
            )
        return mark_ms

    def raise_to(self, at_ms: int) -> None:
        """Never decide as of an instant before *at_ms* again; the journal's last one, at start."""
        self._mark.raise_to(at_ms)

    def keep(self) -> None:
        """Hand the mark to the disk."""
        self._mark.flush()

    def close(self) -> None:
        """Let go of the mark."""
        self._mark.close()


@final
class SandboxClock(_Machine):
    """A clock for rehearsals, the same for every process; it stands in `<home>/sandbox-clock`."""

    def __init__(self, home: Path) -> None:
        """*home* is the sandbox's directory."""
        self._mark = HighWaterMark(home / "sandbox-time-mark")
        # Where it stood (ms), since when (ns of elapsed time) it runs, 0 if not, and in which boot.
        self._record = MappedRecord(home / "sandbox-clock", 3)

    @staticmethod
    def stands_in(home: Path) -> bool:
        """Whether *home* is a sandbox's: its clock stands there from the first start on."""
        return (home / "sandbox-clock").exists()

    def now_ms(self) -> int:
        """Return the sandbox's now (ms, UTC)."""
        at_ms, running_since_ns, boot = self._record.read() or (0, 0, 0)
        if running_since_ns and boot == self.boot():
            at_ms += (self.elapsed_ns() - running_since_ns) // 1_000_000
        return self._mark.raise_to(at_ms)

    @property
    def is_running(self) -> bool:
        """Whether it moves by itself."""
        _, running_since_ns, boot = self._record.read() or (0, 0, 0)
        return bool(running_since_ns) and boot == self.boot()

    def move(self, at_ms: int) -> int:
        """Move forward to *at_ms* and return where it stands; raises Invalid for going back."""
        now_ms = self.now_ms()
        if at_ms < now_ms:
            raise Invalid("now_ms", f"the sandbox clock moves forward only; it stands at {now_ms}")
        self._set(at_ms, running=self.is_running)
        return self.now_ms()

    def run(self, *, running: bool) -> None:
        """Start or stop it."""
        self._set(self.now_ms(), running=running)

    def raise_to(self, at_ms: int) -> None:
        """Never stand before *at_ms*."""
        if at_ms > self.now_ms():
            self._set(at_ms, running=self.is_running)

    def keep(self) -> None:
        """Hand what it stands at to the disk."""
        self._mark.flush()
        self._record.flush()

    def close(self) -> None:
        """Let go of the mark."""
        self._mark.close()

    def _set(self, at_ms: int, *, running: bool) -> None:
        self._record.write(at_ms, self.elapsed_ns() if running else 0, self.boot())
        self.keep()


def new_id(clock: Clock, prefix: str) -> str:
    """Return a fresh random id such as `key_4x…`: 120 bits, nothing in it to derive from."""
    return f"{prefix}_{_base32(clock.random_bytes(_ID_BYTES))}"


def _base32(raw: bytes) -> str:
    number, signs = int.from_bytes(raw), []
    for _ in range(len(raw) * 8 // 5):
        number, digit = divmod(number, 32)
        signs.append(_ALPHABET[digit])
    return "".join(signs)


@cache
def _boot() -> int:
    text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    return int(text.replace("-", "")[:15], 16)
