"""
The management face: everything operators and platform back ends do, as JSON over HTTP.

Here it is put together; the routes stand one file per noun beside it, errors in `problems`, the
OpenAPI document in `document`. Everything under /v1 and /sandbox needs an operator token, which is
looked at before a body is read; only the checkpoints do not. Routes run in threads, for the store
blocks, and are handed the services they name.
"""

from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.di import Provide

from tenure.clock import Clock, SandboxClock
from tenure.domain.catalog import Catalog
from tenure.faces.http import (
    accounts,
    checkpoints,
    decisions,
    document,
    journal,
    keys,
    probes,
    problems,
    requests,
    rules,
    sandbox,
    views,
)
from tenure.services.accounts import Accounts
from tenure.services.checkpoints import Checkpoints
from tenure.services.deciding import Decider
from tenure.services.journal import Journal
from tenure.services.keyring import Keyring
from tenure.services.keys import Keys
from tenure.services.operators import Operators
from tenure.services.rules import Rules
from tenure.settings import Settings


def build(  # noqa: PLR0913 - all this face stands on, once each
    *,
    keys: Keys,
    accounts: Accounts,
    rules: Rules,
    journal: Journal,
    checkpoints: Checkpoints,
    operators: Operators,
    decider: Decider,
    keyring: Keyring,
    catalog: Catalog,
    clock: Clock,
    settings: Settings,
) -> Litestar:
    """Return the face as an ASGI application; it needs no lifespan events."""
    show, ids = views.Show(catalog, clock), requests.Ids(clock)
    services = {
        "keys": keys,
        "accounts": accounts,
        "rules": rules,
        "journal": journal,
        "log": checkpoints,
        "decisions": decisions.Decisions(decider),
        "keyring": keyring,
        "catalog": catalog,
        "clock": clock,
        "show": show,
    }
    dependencies = {name: _provide(service) for name, service in services.items()}
    dependencies["actor"] = Provide(requests.actor_of, sync_to_thread=False)
    routers = _routers(operators, is_sandbox=settings.sandbox and isinstance(clock, SandboxClock))
    described = document.Document(routers, dependencies)

    @get("/openapi.json", media_type=document.MEDIA_TYPE, sync_to_thread=True)
    def get_document() -> Response[bytes]:
        return Response(described.json, media_type=document.MEDIA_TYPE)

    return Litestar(
        [*routers, get_document],
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


def _routers(operators: Operators, *, is_sandbox: bool) -> list[Router]:
    for_operators = [
        Router(
            "/v1",
            route_handlers=[
                accounts.routes(),
                keys.routes(),
                decisions.routes(),
                journal.routes(),
                checkpoints.proofs(),
                rules.routes(),
            ],
        )
    ]
    if is_sandbox:
        for_operators.append(sandbox.routes())
    guarded = Router(
        "/",
        route_handlers=for_operators,
        guards=[requests.operator_only(operators)],
        before_request=requests.look_over,
        security=document.SECURITY,
    )
    return [guarded, checkpoints.routes(), probes.routes()]


def _provide(service: Any) -> Provide:  # noqa: ANN401 - any service
    return Provide(lambda: service, sync_to_thread=False)
