"""
The management face: everything operators and platform back ends do, as JSON over HTTP.

Here it is put together; the routes stand one file per noun beside it, errors in `problems`, the
OpenAPI document in `document`. Each route declares who may call it (`rights`), which is looked at
before a body is read; two reports of leaks are open, and prove themselves otherwise. Routes run in
threads, for the store blocks, and are handed the services they name.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from tenure.clock import Clock, SandboxClock
from tenure.domain.catalog import Catalog
from tenure.faces.http import (
    accounts,
    calendars,
    contacts,
    decisions,
    document,
    journal,
    keys,
    leaks,
    notices,
    probes,
    problems,
    requests,
    revocations,
    rights,
    rules,
    sandbox,
    usages,
    views,
)
from tenure.services.accounts import Accounts
from tenure.services.deciding import Decider
from tenure.services.github import GitHub
from tenure.services.journal import Journal
from tenure.services.keyring import Keyring
from tenure.services.keys import Keys
from tenure.services.leaks import Leaks, Possession
from tenure.services.operators import Operators
from tenure.services.quarantine import Quarantine
from tenure.services.revocations import Revocations
from tenure.services.rights import Rights
from tenure.services.rules import Rules
from tenure.services.telling import Telling
from tenure.services.usage import Usage
from tenure.settings import Settings


def build(  # noqa: PLR0913 - all this face stands on, once each
    *,
    keys: Keys,
    revocations: Revocations,
    quarantine: Quarantine,
    accounts: Accounts,
    rules: Rules,
    journal: Journal,
    leaks: Leaks,
    operators: Operators,
    telling: Telling,
    decider: Decider,
    keyring: Keyring,
    catalog: Catalog,
    clock: Clock,
    settings: Settings,
    usage: Usage,
) -> Litestar:
    """Return the face; raises LookupError where a route does not declare who may call it."""
    show, ids = views.Show(catalog, clock), requests.Ids(clock)
    services = {
        "keys": keys,
        "revocations": revocations,
        "quarantine": quarantine,
        "accounts": accounts,
        "rules": rules,
        "journal": journal,
        "leaks": leaks,
        "github": GitHub.of(settings, clock),
        "possession": Possession(keyring),
        "notices": telling.notices,
        "contacts": telling.contacts,
        "calendars": telling.calendars,
        "rendering": telling.rendering,
        "decisions": decisions.Decisions(decider),
        "keyring": keyring,
        "catalog": catalog,
        "clock": clock,
        "show": show,
        "usage": usage,
    }
    dependencies = _provided(services)
    guard = rights.guard(operators, decider, Rights(accounts, keys), settings)
    routers = _routers(guard, is_sandbox=settings.sandbox and isinstance(clock, SandboxClock))
    app = Litestar(
        [*routers, _document_of(routers, dependencies)],
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


def _document_of(routers: list[Router], dependencies: Mapping[str, Provide]) -> HTTPRouteHandler:
    described = document.Document(routers, dependencies)

    @get("/openapi.json", opt=rights.OPEN, media_type=document.MEDIA_TYPE, sync_to_thread=True)
    def get_document() -> Response[bytes]:
        return Response(described.json, media_type=document.MEDIA_TYPE)

    return get_document


def _routers(guard: Callable[[Any, Any], Awaitable[None]], *, is_sandbox: bool) -> list[Router]:
    guarded = [
        Router(
            "/v1",
            route_handlers=[
                accounts.routes(),
                keys.routes(),
                revocations.routes(),
                decisions.routes(),
                journal.routes(),
                leaks.routes(),
                rules.routes(),
                usages.routes(),
                notices.routes(),
                contacts.routes(),
                calendars.routes(),
            ],
        )
    ]
    if is_sandbox:
        guarded.append(sandbox.routes())
    behind = Router("/", route_handlers=guarded, guards=[guard], before_request=requests.look_over)
    return [behind, leaks.open_routes(), probes.routes(), calendars.open_routes()]


def _provided(services: Mapping[str, object]) -> dict[str, Provide]:
    """Return what a route may name as a parameter: a service, or whom the request comes from."""
    dependencies = {name: _provide(service) for name, service in services.items()}
    dependencies["actor"] = Provide(requests.actor_of, sync_to_thread=False)
    dependencies["caller"] = Provide(requests.caller_of, sync_to_thread=False)
    return dependencies


def _provide(service: object) -> Provide:
    return Provide(lambda: service, sync_to_thread=False)
