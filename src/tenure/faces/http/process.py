"""
What a process of `tenure serve` does about itself, whatever it is for.

First it leaves no secrets (`harden`), ends with the one that started it (`end_with_parent`), is
called something (`call`), and counts where the others count (`share_counts`); later it may have a
thread beside its work, with a last round at the end (`run_beside`).
"""

import ctypes
import multiprocessing
import multiprocessing.util
import os
import resource
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

_ENDS_WITHIN_S: Final = 5.0
"""What a thread has for its last round: less than the server waits before it kills a worker."""
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15


def share_counts(home: Path) -> None:
    """
    Have this process and those forked from it keep their counters in one directory of *home*.

    Before the counters are made, that is before `tenure.metrics` is imported: they look once. One
    file a process; what an earlier start counted is not this one's.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    counts = home / "metrics"
    counts.mkdir(mode=0o700, exist_ok=True)
    for stale in counts.glob("*.db"):
        stale.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts)


def call(name: str) -> None:
    """Name this process, in at most 15 bytes, as `ps -o comm` and `top` show it."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def harden() -> None:
    """No core dump, no memory readable by others (SECURITY T3)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it goes, however it goes."""
    # A forked one has its parent's handlers until it has its own: told early, it would not hear.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        raise SystemExit(1)  # It went before the kernel knew.


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

    # Not `atexit`, which a forked process does not come to.
    multiprocessing.util.Finalize(None, end, exitpriority=0)
    thread.start()
