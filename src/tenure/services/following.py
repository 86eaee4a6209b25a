"""
The ticks, in one background process; and how other processes wait for them.

A worker that has committed a change wakes the follower through a pipe and watches the evidence
until the keyring is at its event. If nothing comes within the staleness bound it may go on: by
then every worker refuses, so none decides by the old state.
"""

import contextlib
import os
import select
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol, final

import structlog

from tenure.clock import Clock
from tenure.domain.errors import TenureError
from tenure.services.follower import Follower
from tenure.services.keyring import Evidence

TICK_MS: Final = 50
"""The keyring is never older than this while all is well (SECURITY D3)."""
WORK_EVERY_MS: Final = 1_000
_WATCH_S: Final = 0.0005

log = structlog.get_logger()


class Keeper(Protocol):
    """A clock that can hand its high-water mark to the disk."""

    def keep(self) -> None:
        """Do so."""


@final
class Ticks:
    """Runs the follower, and beside it work in small steps, until told to stop."""

    def __init__(
        self,
        follower: Follower,
        steps: Mapping[str, Callable[[], bool]],
        clock: Clock,
        keeper: Keeper,
        home: Path,
    ) -> None:
        """
        Make `<home>/keyring-knock`, the pipe others knock at.

        Each of *steps*, by its name in the log, does one batch and says whether there may be more.
        """
        self._follower, self._steps, self._clock, self._keeper = follower, steps, clock, keeper
        path = home / "keyring-knock"
        if not path.is_fifo():
            path.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkfifo(path, 0o600)
        # Both ends, so that it never reads as closed when the last worker goes.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self, until: Callable[[], bool]) -> None:
        """Tick until *until* says so; an error is logged and the next tick tries again."""
        next_work_ns, working = 0, dict.fromkeys(self._steps, False)
        while not until():
            self._attempt("keyring", self._follower.tick)
            if self._clock.elapsed_ns() >= next_work_ns:
                # Nothing is written down while a restored store is held.
                working = dict.fromkeys(self._steps, not self._follower.is_held)
                self._attempt("clock", self._keeper.keep)
                next_work_ns = self._clock.elapsed_ns() + WORK_EVERY_MS * 1_000_000
            for name, step in self._steps.items():
                if working[name]:
                    # A batch between two ticks: the keyring stays fresh while a million terms end.
                    working[name] = self._attempt(name, step) is True
            wait_s = 0 if any(working.values()) else TICK_MS / 1000
            ready, _, _ = select.select([self._pipe], [], [], wait_s)
            if ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._pipe, 65_536)

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._pipe)

    def _attempt(self, name: str, tick: Callable[[], object]) -> object:
        try:
            return tick()
        except TenureError as error:
            log.warning("tick failed", tick=name, error=str(error), context=error.context)
        except Exception:
            log.exception("tick failed", tick=name)
        return None


@final
class Waiter:
    """How a worker waits until the keyring holds its change."""

    def __init__(self, home: Path, clock: Clock, staleness_ms: int) -> None:
        """*staleness_ms* is the bound past which no worker decides any more."""
        self._knock = home / "keyring-knock"
        self._evidence = Evidence(home)
        self._clock, self._staleness_ns = clock, staleness_ms * 1_000_000

    def catch_up(self, seq: int) -> None:
        """Return once the keyring holds the event *seq*, or is too old to decide from."""
        self._wake()
        if not self._watch(seq):
            log.error("the keyring does not follow; everything is refused until it does", seq=seq)

    def has_ticked(self, since_ns: int) -> bool:
        """
        Whether the follower has ticked since *since_ns* (elapsed), or what it left is too old.

        Else a server that starts would be ready by what an earlier one left, and not a moment on.
        """
        if self._clock.elapsed_ns() > since_ns + self._staleness_ns:
            return True
        held = self._held()
        return held is not None and held[0] > since_ns

    def _watch(self, seq: int) -> bool:
        """Whether the keyring held the event *seq* before all evidence is stale."""
        give_up_ns = self._clock.elapsed_ns() + self._staleness_ns
        while self._clock.elapsed_ns() <= give_up_ns:  # At the bound itself they still decide.
            held = self._held()
            if held is not None and held[1] >= seq:
                return True
            self._clock.sleep(_WATCH_S)
        return False

    def _held(self) -> tuple[int, int] | None:
        """Return the instant and the seq of this boot's evidence."""
        evidence = self._evidence.read()
        if evidence is None or evidence[1] != self._clock.boot():
            return None
        sent_ns, _, _, seq, _ = evidence
        return sent_ns, seq

    def _wake(self) -> None:
        # Nobody listening, or a full pipe: the next tick comes by itself.
        with contextlib.suppress(OSError):
            descriptor = os.open(self._knock, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(descriptor, b"!")
            finally:
                os.close(descriptor)
