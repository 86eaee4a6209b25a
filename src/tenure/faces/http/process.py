"""What each process of `tenure serve` does first: leave no secrets, and end with the rest."""

import atexit
import ctypes
import resource
import signal
import threading
from collections.abc import Callable
from typing import Final

_ENDS_WITHIN_S: Final = 5.0
"""What a thread has for its last round: less than the server waits before it kills a worker."""
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4


def harden() -> None:
    """No core dump, no memory readable by others (SECURITY T3)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it goes, however it goes."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def run_beside(run: Callable[[Callable[[], bool]], None], every_s: float) -> None:
    """
    Run *run* in a thread of this process until the process ends of its own accord.

    It is given what to wait by: that returns after *every_s* seconds, or at once and True when the
    process ends, for one last round. A process that is killed has none.
    """
    ending = threading.Event()
    thread = threading.Thread(target=run, args=(lambda: ending.wait(every_s),), daemon=True)

    def end() -> None:
        ending.set()
        thread.join(_ENDS_WITHIN_S)

    atexit.register(end)
    thread.start()
