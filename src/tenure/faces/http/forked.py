"""
Processes forked from one that has imported everything: started, watched, restarted, ended.

Forked and not spawned, for a process takes with it what is imported: that is most of a start, and
most of its memory. It is safe because the one that forks stays bare: one thread, no store open, no
clock. Keep it so; what these processes do is in `serving`.
"""

import contextlib
import gc
import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from types import TracebackType
from typing import Final, Self

from tenure.domain.errors import Unavailable
from tenure.faces import logs
from tenure.faces.http import process

_RESTART_PAUSE_S: Final = 0.5
_ENDS_WITHIN_S: Final = 15.0
"""More than the HTTP server gives its workers."""
_TOLD: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_WATCHED: Final = _TOLD | {signal.SIGCHLD}


@dataclass(slots=True)
class _Part:
    name: str
    run: Callable[[], None]
    is_vital: bool
    running: ForkProcess


class Processes:
    """
    What is started here runs until the block ends, and is ended in reverse order.

    While the block runs, signals wait until they are looked for: none comes between two lines.
    """

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def __enter__(self) -> Self:
        """Hold signals back; have what is in memory shared, and not copied by the collector."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        gc.collect()
        gc.freeze()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what runs, last one first."""
        for part in reversed(self._parts):
            part.running.terminate()
            part.running.join(_ENDS_WITHIN_S)
            if part.running.is_alive():
                part.running.kill()
                part.running.join()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)

    def start(self, name: str, run: Callable[[], None], *, is_vital: bool = False) -> None:
        """Run *run* in a process of its own; where a vital one ends, all are to end."""
        self._parts.append(_Part(name, run, is_vital, _forked(name, run)))

    def watch(self) -> None:
        """
        Restart what ends, until told to end; nothing else wakes it.

        Raises Unavailable `ended` where a vital one has ended.
        """
        while self._goes_on(None):
            pass

    def watch_until(self, is_enough: Callable[[], bool], every_s: float) -> bool:
        """
        Watch, and ask every *every_s* seconds whether it *is_enough*; False where told to end.

        Raises as `watch`.
        """
        while not is_enough():
            if not self._goes_on(every_s):
                return False
        return True

    def _goes_on(self, within_s: float | None) -> bool:
        """Wait for one signal, restart what has ended; False where told to end."""
        if _wait(within_s, _WATCHED) in _TOLD:
            return False
        for part in self._parts:
            code = part.running.exitcode
            if code is None:
                continue
            if part.is_vital:
                message = f"{part.name} ended, and all with it: start Tenure again"
                raise Unavailable("ended", message, context=f"its exit code: {code}")
            logs.log.error("a process ended; starting it again", name=part.name, exitcode=code)
            if _wait(_RESTART_PAUSE_S, _TOLD) is not None:
                return False
            part.running = _forked(part.name, part.run)
        return True


def _forked(name: str, run: Callable[[], None]) -> ForkProcess:
    forking = multiprocessing.get_context("fork")
    child = forking.Process(target=_begin, args=(name, run), name=name)
    child.start()
    return child


def _begin(name: str, run: Callable[[], None]) -> None:
    """Begin a forked process: signals are its own again, and what it is shows in `ps -o comm`."""
    process.call(name)
    # SIGINT stays held back, here and in what is forked from here: the terminal's Ctrl-C is for
    # the first process to handle, whatever handlers the HTTP server sets.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED - {signal.SIGINT})
    run()


def _wait(within_s: float | None, signals: frozenset[signal.Signals]) -> int | None:
    """Return which of *signals* came, None where none did in time."""
    if within_s is None:
        return signal.sigwaitinfo(signals).si_signo
    with contextlib.suppress(InterruptedError):
        found = signal.sigtimedwait(signals, within_s)
        return None if found is None else found.si_signo
    return None
