"""
The thread of a worker that writes down what was noted off the hot path: uses, and refusals.

What is noted, and how it is written, is the business of `usage` and `refusals`; here is only when.
"""

from collections.abc import Callable
from typing import Final, final

import structlog

from tenure.domain.errors import TenureError
from tenure.services.refusals import Refusals
from tenure.services.usage import Usage

FLUSH_EVERY_S: Final = 5.0
"""What a kill may lose, and how late a use shows: seconds, where people ask about days."""

log = structlog.get_logger()


@final
class Noting:
    """Flushes both, again and again."""

    def __init__(self, usage: Usage, refusals: Refusals) -> None:
        """One per worker."""
        self._begin = usage.begin
        # Uses first: whether a refusal came from an address of the holder's is known by them.
        self._flushes = (usage.flush, refusals.flush)

    def run(self, wait: Callable[[], bool]) -> None:
        """Flush whenever *wait* returns, the last time when it returns True; errors are logged."""
        _attempt(self._begin)
        is_over = False
        while not is_over:
            is_over = wait()
            for flush in self._flushes:
                _attempt(flush)


def _attempt(act: Callable[[], object]) -> None:
    try:
        act()
    except TenureError as error:
        log.warning("notes not written", error=str(error), context=error.context)
    except Exception:
        log.exception("notes not written")
