"""
The management face: everything operators and platform back ends do, as JSON over HTTP.

Here it is put together; the routes stand one file per noun beside it, errors in `problems`, the
OpenAPI document in `document`. Each route declares who may call it (`rights`), which is looked at
before a body is read; what is open proves itself otherwise, or shows nothing of anybody's. Routes
run in threads, for the store blocks, and are handed the services they name.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from tenure.clock import SandboxClock
from tenure.faces.http import (
    accounts,
    calendars,
    checkpoints,
    contacts,
    decisions,
    document,
    journal,
    keys,
    leaks,
    notices,
    people,
    probes,
    problems,
    refused,
    requests,
    revocations,
    rights,
    rules,
    sandbox,
    usages,
    views,
)
from tenure.services.acts import Acts
from tenure.services.github import GitHub
from tenure.services.leaks import Possession
from tenure.services.rights import Rights
from tenure.wiring import Worker


def build(worker: Worker) -> Litestar:
    """Return the face on *worker*; raises LookupError where a route does not say who may call."""
    settings, clock = worker.settings, worker.clock
    show, ids = views.Show(worker.catalog, clock), requests.Ids(clock)
    services = {
        "keys": worker.keys,
        "revocations": worker.revocations,
        "quarantine": worker.quarantine,
        "accounts": worker.accounts,
        "rules": worker.rules,
        "journal": worker.journal,
        "log": worker.checkpoints,
        "leaks": worker.leaks,
        "github": GitHub.of(settings, clock),
        "possession": Possession(worker.keyring, clock),
        "notices": worker.telling.notices,
        "contacts": worker.telling.contacts,
        "calendars": worker.telling.calendars,
        "rendering": worker.telling.rendering,
        "decisions": decisions.Decisions(worker.decider),
        "keyring": worker.keyring,
        "has_relay": bool(settings.smtp_url),
        "people": worker.people,
        "approvals": worker.operating.approvals,
        "catalog": worker.catalog,
        "clock": clock,
        "show": show,
        "usage": worker.usage,
        "refusals": worker.refusals,
    }
    dependencies = _provided(services)
    reach = Rights(worker.accounts, worker.keys)
    guard = rights.guard(worker.operators, worker.decider, reach, settings)
    look = requests.once(Acts(worker.store, clock))
    is_sandbox = settings.sandbox and isinstance(clock, SandboxClock)
    routers = _routers(guard, look, is_sandbox=is_sandbox)
    app = Litestar(
        [*routers, _document_of(routers, dependencies), to_console],
        dependencies=dependencies,
        request_class=requests.StrictRequest,
        request_max_body_size=requests.BODY_BYTES_MAX,
        exception_handlers={Exception: problems.Problems(ids, show).answer},
        before_send=[ids.add_headers],
        openapi_config=None,
        logging_config=None,
        # Named, or the environment could turn them on: both show internals to callers.
        debug=False,
        pdb_on_exception=False,
    )
    rights.declared(app)
    return app


@get("/", opt=rights.OPEN, sync_to_thread=False)
def to_console() -> Redirect:
    """Lead whoever opens the address that a start prints to where there is something to see."""
    return Redirect("/console", status_code=303)


def _document_of(routers: list[Router], dependencies: Mapping[str, Provide]) -> HTTPRouteHandler:
    described = document.Document(routers, dependencies)

    @get("/openapi.json", opt=rights.OPEN, media_type=document.MEDIA_TYPE, sync_to_thread=True)
    def get_document() -> Response[bytes]:
        return Response(described.json, media_type=document.MEDIA_TYPE)

    return get_document


def _routers(
    guard: Callable[[Any, Any], Awaitable[None]],
    look: Callable[[Any], Awaitable[Any]],
    *,
    is_sandbox: bool,
) -> list[Router]:
    behind: dict[str, Any] = {"guards": [guard], "before_request": look}
    routers = [
        Router(
            "/v1",
            route_handlers=[
                accounts.routes(),
                keys.routes(),
                revocations.routes(),
                decisions.routes(),
                journal.routes(),
                leaks.routes(),
                checkpoints.proofs(),
                rules.routes(),
                usages.routes(),
                refused.routes(),
                notices.routes(),
                contacts.routes(),
                calendars.routes(),
                people.routes(),
            ],
            **behind,
        )
    ]
    if is_sandbox:
        routers.append(Router("/", route_handlers=[sandbox.routes()], **behind))
    is_open = [leaks.open_routes(), checkpoints.routes(), calendars.open_routes(), probes.routes()]
    return [*routers, *is_open]


def _provided(services: Mapping[str, object]) -> dict[str, Provide]:
    """Return what a route may name as a parameter: a service, or whom the request comes from."""
    dependencies = {name: _provide(service) for name, service in services.items()}
    dependencies["actor"] = Provide(requests.actor_of, sync_to_thread=False)
    dependencies["caller"] = Provide(requests.caller_of, sync_to_thread=False)
    return dependencies


def _provide(service: object) -> Provide:
    return Provide(lambda: service, sync_to_thread=False)
