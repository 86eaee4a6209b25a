"""
The process that tells: notices are made in one thread, sent in another, until told to stop.

Beside the ticks and not among them: whatever a mail server does, the keyring stays fresh.
"""

import threading
from collections.abc import Callable
from typing import Final, final

import structlog

from tenure.domain.errors import TenureError
from tenure.services.notify import Notify
from tenure.services.sending import Sending

EVERY_S: Final = 1.0
_WAKE_S: Final = 0.2
"""How long it may take until a stop is noticed."""

log = structlog.get_logger()


@final
class Notifying:
    """Runs what makes notices and what sends them."""

    def __init__(self, notify: Notify, sending: Sending, close: Callable[[], None]) -> None:
        """*close* lets go of what both stand on."""
        self._notify, self._sending, self._close = notify, sending, close
        self._stopped = threading.Event()

    def run(self, until: Callable[[], bool]) -> None:
        """Run until *until* says so; an error is logged and the next round tries again."""
        sender = threading.Thread(target=self._send, name="tenure-sender", daemon=True)
        sender.start()
        while not until():
            # A batch between two looks: a stop is not kept waiting by a million notices.
            if not _attempt("notify", self._notify.step):
                self._pause(until)
        self._stopped.set()
        # What is being sent is given a moment; cut off, it is sent again under the same id.
        sender.join(timeout=5)

    def close(self) -> None:
        """Let go of everything."""
        self._close()

    def _send(self) -> None:
        while not self._stopped.is_set():
            if not _attempt("sending", self._sending.step):
                self._stopped.wait(EVERY_S)

    def _pause(self, until: Callable[[], bool]) -> None:
        for _ in range(round(EVERY_S / _WAKE_S)):
            if until():
                return
            self._stopped.wait(_WAKE_S)


def _attempt(name: str, step: Callable[[], object]) -> bool:
    """Whether *step* was done and says that there is more to do at once."""
    try:
        return bool(step())
    except TenureError as error:
        log.warning("notices late", step=name, error=str(error), context=error.context)
    except Exception:
        log.exception("notices late", step=name)
    return False
