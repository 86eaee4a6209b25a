"""
Who may call which route: declared at the route, checked at the start, asked before a body is read.

A route says `opt=rights.OPERATORS`, or another of the five. One that says nothing stops the start.
Operators show their token, owners sign by RFC 9421 with one of their keys; the `binance` profile,
which covers neither method nor path, proves nothing here (decision 0010). What a caller may then
reach is in `services.rights`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import structlog
from litestar import Litestar, Request
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from tenure import metrics
from tenure.domain import apikeys, messages
from tenure.domain.decide import REFUSALS, Allowed, Reason, Refused
from tenure.domain.errors import Unauthenticated
from tenure.domain.messages import SignedMessage
from tenure.domain.rights import Caller, Owner, Right
from tenure.domain.signing import Malformed
from tenure.faces.http import asgi, callers, problems
from tenure.services.deciding import Decider
from tenure.services.operators import Operators
from tenure.services.rights import Rights
from tenure.settings import Settings

log = structlog.get_logger()

_DECLARED: Final = "right"
OPEN: Final = {_DECLARED: Right.OPEN}
OPERATORS: Final = {_DECLARED: Right.OPERATORS}
OWNER_READS: Final = {_DECLARED: Right.OWNER_READS}
OWNER_ACTS: Final = {_DECLARED: Right.OWNER_ACTS}
MASTER_ACTS: Final = {_DECLARED: Right.MASTER_ACTS}
"""What a route hands to `opt`; which is which says `domain.rights.Right`."""

_FACE: Final = "owners"
_NAMED: Final = frozenset({"account_id", "key_id"})
"""What a path may name that an owner is judged by."""
_OF_ACCOUNT: Final = frozenset({"notice_id"})
"""What is looked up within the account that the path names, and nowhere else."""


class Door:
    """Finds out who calls, and lets them no further than their rights; use `guard`."""

    def __init__(
        self, operators: Operators, decider: Decider, rights: Rights, settings: Settings
    ) -> None:
        """One per worker."""
        self._operators, self._decider, self._rights = operators, decider, rights
        self._read = callers.reader(
            settings.trusted_proxies, own=(*messages.HEADERS, messages.HOST)
        )
        self._count = metrics.decision_counter(_FACE)

    async def admit(
        self, connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler
    ) -> None:
        """
        Let the caller of *route* pass, and leave who it is as the request's `user`.

        Raises Unauthenticated, Forbidden, NotFound, Unavailable, and problems.Refusal for a key
        that is known and may not.
        """
        # The framework's own answers to OPTIONS are declared as nothing.
        right = of(route) or Right.OPERATORS
        if right is Right.OPEN:
            return
        caller = await self._caller(connection, right)
        connection.scope["user"] = caller
        if isinstance(caller, Owner):
            named = {name: connection.path_params.get(name) for name in _NAMED}
            # Looked up in a thread, for the store blocks.
            await sync_to_thread(self._rights.require, caller, right, **named)

    async def _caller(self, connection: ASGIConnection[Any, Any, Any, Any], right: Right) -> Caller:
        shown = connection.headers.getall("authorization", [])
        if messages.INPUT not in connection.headers:
            # Two of them, and somebody on the way may have read the other one.
            if len(shown) > 1:
                raise Unauthenticated
            return self._operators.authenticate(shown[0] if shown else None)
        if shown:
            raise Unauthenticated  # A request is one caller's.
        return await self._owner(connection, right)

    async def _owner(self, connection: ASGIConnection[Any, Any, Any, Any], right: Right) -> Owner:
        """
        Return the owner whose key signed this request.

        1. Headers alone are read, and decided on as any signed request is: who proves nothing is
           told nothing, and his body is not waited for.
        2. The body is what was signed.
        3. What acts has not been seen before: asked last, so that what is refused spends nothing.
        """
        request = self._signed(connection)
        outcome = self._decider.decide(request, right.permission)
        if isinstance(outcome, Allowed):
            body = await cast("Request[Any, Any, Any]", connection).body()
            if request.content_digest != (messages.content_digest(body) if body else ""):
                raise self._unproved(Reason.REQUEST_MALFORMED)
            if right.is_act:
                outcome = self._decider.once(request, outcome)
        if isinstance(outcome, Refused):
            raise self._refused(outcome, request)
        self._count(metrics.ALLOWED)
        return Owner(account_id=outcome.account_id, key_id=outcome.key_id)

    def _signed(self, connection: ASGIConnection[Any, Any, Any, Any]) -> SignedMessage:
        scope = cast("dict[str, Any]", connection.scope)
        caller = self._read(scope)
        if isinstance(caller, callers.Suspect):
            raise self._unproved(Reason.REQUEST_MALFORMED)
        path, query = asgi.raw_path(scope), scope["query_string"].decode("latin-1")
        target = f"{path}?{query}" if query else path
        request = messages.parse(scope["method"], target, caller.headers, None, caller.address)
        if isinstance(request, Malformed):
            raise self._unproved(Reason.REQUEST_MALFORMED)
        return request

    def _refused(self, refused: Refused, request: SignedMessage) -> Exception:
        if not REFUSALS[refused.reason].is_told:
            return self._unproved(refused.reason, request.api_key)
        self._count(refused.reason)
        log.info(
            "refused",
            face=_FACE,
            reason=refused.reason,
            api_key=apikeys.mask(request.api_key),
            address=refused.address,
        )
        return problems.Refusal(refused)

    def _unproved(self, reason: Reason, api_key: str = "") -> Exception:
        self._count(reason)
        log.debug("refused", face=_FACE, reason=reason, api_key=apikeys.mask(api_key))
        return Unauthenticated()


def guard(
    operators: Operators, decider: Decider, rights: Rights, settings: Settings
) -> Callable[[Any, Any], Awaitable[None]]:
    """Return the guard of every route that is not open to all; raises as `Door.admit`."""
    door = Door(operators, decider, rights, settings)

    # A function, for the framework copies whatever else it is handed, all it stands on included.
    async def admit(
        connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler
    ) -> None:
        await door.admit(connection, route)

    return admit


def of(route: BaseRouteHandler) -> Right | None:
    """Return what a *route* is declared as, None where it does not say."""
    right: Right | None = route.opt.get(_DECLARED)
    return right


def declared(app: Litestar) -> dict[str, Right]:
    """
    Return what each route of *app* is declared as, by `GET /path`.

    Raises LookupError for one that is declared as nothing, or is for owners and names in its path
    nothing they could be judged by, or more than that: such a face is not to be started.
    """
    found: dict[str, Right] = {}
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                name = f"{method} {route.path_format}"
                right = of(handler)
                if right is None:
                    raise LookupError(f"{name} does not say who may call it: give it an `opt`")
                named = frozenset(route.path_parameters)
                if right.is_for_owners and not (named & _NAMED and named <= _NAMED | _OF_ACCOUNT):
                    raise LookupError(f"{name} is for owners, and its path names {sorted(named)}")
                found[name] = right
    return found
