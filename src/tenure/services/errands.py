"""
Errands: slow work beside the ticks, in a thread of its own, so that the keyring never waits for it.

Signing may have a million events before it, pushing a receiver that does not answer. Each errand is
a step without arguments, safe to repeat; one that fails is tried again a little later.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final, final

import structlog

from tenure.domain.errors import TenureError

EVERY_S: Final = 1.0
AFTER_FAILURE_S: Final = 10.0
_JOIN_S: Final = 5.0
"""A receiver that does not answer may keep a step longer: it ends with the process."""

log = structlog.get_logger()


@final
class Errands:
    """Runs its errands, in order, again and again until it is stopped."""

    def __init__(
        self, errands: Mapping[str, Callable[[], object]], close: Callable[[], None]
    ) -> None:
        """Take *errands* by name, True meaning more at once; *close* lets go of what they use."""
        self._errands, self._close = errands, close
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenure-errands", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is on, and let go of everything."""
        self._stopping.set()
        self._thread.join(_JOIN_S)
        self._close()

    def once(self) -> float:
        """Run each errand; return after how long (s) to come again."""
        wait_s, has_failed = EVERY_S, False
        for name, step in self._errands.items():
            try:
                if step() is True:
                    wait_s = 0.0
            except TenureError as error:
                log.warning("errand failed", errand=name, error=str(error), context=error.context)
                has_failed = True
            except Exception:
                log.exception("errand failed", errand=name)
                has_failed = True
        return AFTER_FAILURE_S if has_failed else wait_s

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self.once())
