"""
What every guard of `middleware` shares: the decider it asks, and the shape of its refusals.

Nothing here knows ASGI or WSGI; both hand in what they found in a request, and get back whether it
may reach the service.
"""

import os
import threading
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias, TypedDict, final

import structlog

from tenure import metrics
from tenure.domain import signing
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import TenureError, Unavailable
from tenure.domain.model import Permission
from tenure.domain.signing import Fault, Malformed, SignedRequest
from tenure.faces.http import callers, refusals, targets
from tenure.faces.http.callers import Caller
from tenure.faces.http.refusals import Answer
from tenure.faces.http.targets import PermissionFor
from tenure.services.deciding import Decider

log = structlog.get_logger()

BODY_BYTES_MAX: Final = 1_048_576
"""A megabyte: a body is kept whole, since the signature covers it."""

FACE: Final = "guard"
"""Its name in metrics and logs."""
NO_PATH: Final = Malformed(Fault.ILLEGAL, "path")
NO_CALLER: Final = Malformed(Fault.ILLEGAL, "header")
NO_BODY: Final = Malformed(Fault.ILLEGAL, "body")
_LATE: Final = Refused(Reason.OUTSIDE_RECEIVE_WINDOW)

Outcome: TypeAlias = Refused | Malformed | Unavailable
Refuse: TypeAlias = Callable[[Outcome, str], Answer]
"""Takes what stands in the way, and the path; returns status, headers and body."""


class Options(TypedDict, total=False):
    """
    How a service is guarded, where the defaults will not do.

    *permission_for* replaces the catalog's route table, and with it what a key in quarantine may
    still do: then that is reading alone. *refuse* and *too_large* give refusals the
    service's own shape; a longer body than *body_bytes_max* is not read.
    """

    permission_for: PermissionFor
    refuse: Refuse
    too_large: Callable[[], Answer]
    body_bytes_max: int


class Admitted(NamedTuple):
    """A request that may reach the service: who is *allowed* (None: public) and what it carried."""

    allowed: Allowed | None
    body: bytes | None = None


@final
class Gate:
    """The decider, opened where it is used, and the shape of refusals."""

    def __init__(self, open_decider: Callable[[], Decider], options: Options) -> None:
        self._open_decider = open_decider
        self._permission_for = options.get("permission_for")
        self._refuse = options.get("refuse", refusals.refuse)
        self.too_large = options.get("too_large", refusals.too_large)
        self.body_bytes_max = options.get("body_bytes_max", BODY_BYTES_MAX)
        self._count = metrics.decision_counter(FACE)
        self._lock = threading.Lock()
        self._opened: tuple[int, Decider] | None = None

    def open(self) -> Decider:
        """
        Return this process's decider: a keyring must not be carried over a fork (D20).

        Raises Unavailable where it cannot be opened; the next call tries again.
        """
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = os.getpid(), self._open()
            return self._opened[1]

    def _open(self) -> Decider:
        try:
            return self._open_decider()
        except Unavailable:
            raise
        except TenureError as error:  # Half a configuration: whoever mends it reads the log.
            raise Unavailable("not_opened", context=str(error)) from error

    def needed(self, method: str, path: str | None) -> Permission | Malformed | None:
        """Return what the route needs, PUBLIC, None where nobody knows; *path* is undecoded."""
        if path is None or not targets.is_plain(path):
            return NO_PATH
        permission_for = self._permission_for or self.open().catalog.permission_for
        permission = targets.needed(permission_for, method, path)
        return NO_PATH if permission == targets.AMBIGUOUS else permission

    def decide(
        self,
        caller: Caller,
        query: bytes,
        body: bytes,
        permission: Permission | None,
        route: tuple[str, str] | None = None,
    ) -> Allowed | Refused | Malformed:
        """Decide as forward-auth does, the body included; raises Unavailable."""
        try:
            body.decode()  # The profile knows forms only, and those are text (WIRE, section 4).
        except UnicodeDecodeError:
            return NO_BODY
        api_key = caller.headers.get(callers.API_KEY, "")
        request = signing.parse(api_key, query, body, caller.address)
        if isinstance(request, Malformed):
            return request
        decider = self.open()
        with self._lock:  # A keyring is made for one thread; a decision takes microseconds.
            # The catalog's table says nothing of routes that a service has in one of its own.
            outcome = decider.decide(request, permission, None if self._permission_for else route)
            # Once more, just before the service acts: deciding took time (WIRE, section 4, Time).
            is_late = isinstance(outcome, Allowed) and _is_late(decider, request)
        if isinstance(outcome, Allowed) and not is_late:
            self._count(metrics.ALLOWED)
        return _LATE if is_late else outcome

    def answer(self, outcome: Outcome, path: str) -> Answer:
        """Count what stands in the way and give it its shape."""
        match outcome:
            case Unavailable():
                metrics.count_unavailable(FACE, outcome.code)
                log.warning("unavailable", face=FACE, cause=outcome.code, context=outcome.context)
            case Malformed():
                self._count(Reason.REQUEST_MALFORMED)
            case Refused():
                self._count(outcome.reason)
        return self._refuse(outcome, path)

    def fail(self, path: str) -> Answer:
        """Refuse for what nobody foresaw; whoever caught it has written it down."""
        metrics.count_unavailable(FACE, "unexpected")
        return self._refuse(Unavailable("unexpected"), path)


def _is_late(decider: Decider, request: SignedRequest) -> bool:
    if not signing.is_too_old(request, decider.now_ms()):
        return False
    window_now_ms = decider.window_now_ms()
    return window_now_ms is None or signing.is_too_old(request, window_now_ms)
