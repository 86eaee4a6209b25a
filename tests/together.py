"""Several acts at once: threads that start together, and whose errors are not lost."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Answer = TypeVar("_Answer")


def together(acts: Sequence[Callable[[], _Answer]]) -> list[_Answer]:
    """Run *acts* at once, each in a thread of its own; return the answers, or raise an error."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], _Answer]) -> _Answer:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))
