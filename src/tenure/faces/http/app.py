"""
One worker's ASGI application: which face answers which path.

The raw faces stand in front, the framework answers the rest. `create` is what the HTTP server
calls in every worker, after the fork.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tenure import wiring
from tenure.faces import logs
from tenure.faces.console import face
from tenure.faces.http import (
    asgi,
    authorize,
    binance,
    binance_subaccounts,
    management,
    process,
    targets,
)
from tenure.services.noting import FLUSH_EVERY_S, Noting
from tenure.services.subaccounts import SubAccounts
from tenure.settings import Settings
from tenure.wiring import Worker

RUN_ENVIRONMENT: Final = "TENURE_RUN"
"""Hands the worked-out settings, as JSON, from the process that serves to its workers."""
_COMPATIBLE: Final = ("/api/", "/sapi/", "/fapi/", "/dapi/")
_NOWHERE: Final = "/(ambiguous)"
"""Stands for every path with two readings: no route is called so."""

Asgi = Callable[
    [Mapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]],
    Awaitable[None],
]


def create() -> Asgi:
    """Build this worker from the settings in the environment."""
    process.call("tenure-worker")
    process.end_with_parent()
    logs.configure()
    worker = wiring.open_worker(Settings.model_validate_json(os.environ[RUN_ENVIRONMENT]))
    process.run_beside(Noting(worker.usage, worker.refusals).run, FLUSH_EVERY_S)
    return build(worker)


def compatible_of(worker: Worker) -> binance.Binance:
    """Return the Binance-compatible surface, whole, as it stands on *worker*."""
    calls = binance_subaccounts.calls(
        SubAccounts(worker.store, worker.keys, worker.settings.addresses_per_key), worker.decider
    )
    return binance.build(worker.decider, worker.settings, calls)


def build(worker: Worker) -> Asgi:
    """Return the application that stands on *worker*."""
    gate = authorize.build(worker.decider, worker.settings)
    compatible = compatible_of(worker)
    manage, console = management.build(worker), face.build(worker)

    async def answer(
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            await manage(scope, receive, send)  # type: ignore[arg-type]  # its own names for these
            return
        path = asgi.raw_path(scope)
        if path.startswith("/authorize") and path[10:11] in {"", "/"}:
            await gate(scope, receive, send)
        elif path.startswith(_COMPATIBLE):
            await compatible(scope, receive, send)
        else:
            # The console has a session and the management face has none: each takes its own paths.
            app = console if path == face.PREFIX or path.startswith(f"{face.PREFIX}/") else manage
            # As sent, for the framework would take the decoded path and fold its slashes: then a
            # gateway that bars /v1 would bar less than is answered here (SECURITY T9).
            path = path if targets.is_plain(path) else _NOWHERE
            await app({**scope, "path": path}, receive, send)  # type: ignore[arg-type]  # as above

    return answer
