"""
The sample exchange as one ASGI application: its own routes behind the Guard, all others to Tenure.

This is all that guarding a service takes: `Guard.open(service, settings)`. The rest of this module
gives refusals the venue's shape and puts the two halves behind one address.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from examples.exchange import proxy, routes
from tenure.faces import logs
from tenure.faces.http import asgi, binance_errors
from tenure.faces.middleware import Guard
from tenure.settings import Settings

Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Asgi: TypeAlias = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

SETTINGS_ENVIRONMENT: Final = "EXCHANGE_SETTINGS"
TENURE_ENVIRONMENT: Final = "EXCHANGE_TENURE"
"""How `__main__` tells the workers what Tenure is run with, as JSON, and its base URL."""


def create() -> Asgi:
    """Build one worker's application, from the environment."""
    logs.configure()
    tenure = Settings.model_validate_json(os.environ[SETTINGS_ENVIRONMENT])
    guarded = Guard.open(
        serve,
        # Clients stand before this process directly. Tenure trusts it; it trusts nobody.
        tenure.model_copy(update={"trusted_proxies": ()}),
        refuse=binance_errors.Errors(tenure.binance_lapsed_code).refuse,
        too_large=lambda: binance_errors.not_supported(413),
    )
    return build(guarded, proxy.build(os.environ[TENURE_ENVIRONMENT]))


def build(guarded: Asgi, others: Asgi) -> Asgi:
    """Return the exchange: *guarded* answers its own routes, *others* all the rest."""

    async def answer(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        # By the path as sent: a spelling of it that has to be decoded first is no route of ours.
        is_own = (scope["method"], asgi.raw_path(scope)) in routes.ROUTES
        await (guarded if is_own else others)(scope, receive, send)

    return answer


async def serve(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request to a route of the exchange's own, which the Guard has let through."""
    caller: routes.Caller = scope["tenure"]
    body = await asgi.read_body(receive, proxy.BODY_BYTES_MAX) or b""
    sent = parse_qsl(body.decode()) + parse_qsl(scope["query_string"].decode("latin-1"))
    headers = [*binance_errors.JSON]
    if caller is not None:
        # So that a bot can see the end coming on any call that it makes anyway.
        headers += binance_errors.term_headers(caller)
    try:
        status, said = 200, routes.ROUTES[scope["method"], scope["path"]](caller, dict(sent))
    except routes.Unacceptable as error:
        status, said = 400, {"code": error.code, "msg": error.message}
    await asgi.respond(send, status, headers, msgspec.json.encode(said))
