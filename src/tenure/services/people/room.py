"""
Room for whoever is coming in: how many of a worker's threads may be at it, and who is sent away.

Anybody may try to sign in, and each try waits in a thread: for a hash, or for the provider. A
machine with two processors has six of them, which are also those that answer whoever manages keys.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tenure.domain.errors import Unavailable

TOGETHER_MAX: Final = 4
"""Threads that all ways in may hold together: two go on, whatever hangs (SECURITY F23)."""


class Room:
    """Lets in so many at a time, and whoever comes then is told to try again; waits for nobody."""

    def __init__(self, most: int = TOGETHER_MAX, within: "Room | None" = None) -> None:
        """Where it is a part of another room, that has to have a place too."""
        self._places, self._within = threading.BoundedSemaphore(most), within

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a place, raising Unavailable `busy` where there is none."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("busy", "too many are signing in just now; try again in a moment")
        try:
            if self._within is None:
                yield
            else:
                with self._within.turn():
                    yield
        finally:
            self._places.release()
