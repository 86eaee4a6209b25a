"""
The console, put together: pages for owners and operators, one file per noun beside this one.

An application of its own beside the management face: it is asked by browsers, so what proves who
is there is a cookie, what is sent is a form, and what goes wrong is a page. Every route declares
who may open it (`entry`); each is handed the services it names and a `Desk` to make pages with.
"""

import contextlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from litestar import Litestar, Request, Router
from litestar.config.csrf import CSRFConfig
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from tenure.clock import SandboxClock
from tenure.domain.model import AccountKind
from tenure.faces.console import (
    activity,
    announcements,
    contact_turns,
    contacts,
    creating,
    editing,
    ending,
    entering,
    entry,
    factors,
    home,
    inbox,
    joining,
    keys,
    oidc,
    owners,
    people,
    preferences,
    refusals,
    sandbox,
    security,
    statics,
    subaccounts,
)
from tenure.faces.console.desk import Desk, House
from tenure.faces.console.forms import form_of
from tenure.faces.console.headers import Headers
from tenure.faces.console.mishaps import Mishaps
from tenure.faces.console.operate import pages as operating
from tenure.faces.console.origins import Origin
from tenure.faces.console.stepping import Stepping
from tenure.faces.console.visitors import Visitor, Visitors
from tenure.faces.console.words import Words
from tenure.faces.http import callers, requests
from tenure.services import keyfiles
from tenure.services.activity import Activity
from tenure.services.acts import Acts
from tenure.services.announcements import Announcements
from tenure.services.families import Families
from tenure.services.rights import Rights
from tenure.wiring import Worker

PREFIX: Final = "/console"
FORM_BYTES_MAX: Final = 262_144
"""256 kB: a rulebook pasted into a form, with room."""
_KINDS_KEPT: Final = 10_000


def build(worker: Worker) -> Litestar:
    """Return the console on *worker*; raises LookupError for a route that says not who may come."""
    settings, clock = worker.settings, worker.clock
    origin = Origin.of(settings)
    ids = requests.Ids(clock)
    visitors = Visitors(worker.people, origin, worker.telling.rendering.house)
    reader = callers.reader(settings.trusted_proxies)
    house = House(
        clock=clock,
        origin=origin,
        visitors=visitors,
        counts=lambda visitor: _waiting(worker, visitor),
        is_master=_masters(worker),
        steps=Stepping(worker.people, Acts(worker.store, clock), clock),
        address=lambda scope: _address(reader(scope)),
    )
    is_sandbox = settings.sandbox and isinstance(clock, SandboxClock)
    app = Litestar(
        [Router(PREFIX, route_handlers=_routes(worker, is_sandbox=is_sandbox))],
        guards=[entry.guard(visitors, Rights(worker.accounts, worker.keys), origin)],
        dependencies=_provided(worker, house),
        before_send=[Headers(ids, is_secure=origin.is_secure).put_on],
        exception_handlers={Exception: Mishaps(house, ids).answer},
        csrf_config=CSRFConfig(
            secret=_form_key(settings.home, worker).hex(),
            cookie_name=origin.form_cookie,
            cookie_path="/",
            cookie_secure=origin.is_secure,
            cookie_httponly=True,
            cookie_samesite="strict",
        ),
        request_max_body_size=FORM_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        # Named, or the environment could turn them on: both show internals to callers.
        debug=False,
        pdb_on_exception=False,
    )
    entry.declared(app)
    return app


def _routes(worker: Worker, *, is_sandbox: bool) -> list[HTTPRouteHandler | Router]:
    """Return them one by one: each router around them would copy them all, and starts are slow."""
    pages: list[HTTPRouteHandler | Router] = [
        *home.routes(),
        *statics.routes(),
        *entering.routes(),
        *joining.routes(),
        *security.routes(),
        *factors.routes(),
        *people.routes(),
        *owners.routes(),
        *keys.routes(),
        *creating.routes(),
        *editing.routes(),
        *ending.routes(),
        *activity.routes(),
        *refusals.routes(),
        *subaccounts.routes(),
        *inbox.routes(),
        *preferences.routes(),
        *contacts.routes(),
        *contact_turns.routes(),
        *announcements.routes(),
        operating.routes(),
    ]
    if worker.people.oidc is not None:
        pages += oidc.routes()
    if is_sandbox:
        pages += sandbox.routes()
    return pages


def _provided(worker: Worker, house: House) -> dict[str, Provide]:
    """Return what a route may name as a parameter."""
    words = Words(worker.catalog)
    listing = keys.Listing(
        worker.keys,
        worker.accounts,
        worker.rules,
        worker.usage,
        words,
        worker.settings.keys_per_account,
    )
    services = {
        "keys": worker.keys,
        "accounts": worker.accounts,
        "rules": worker.rules,
        "quarantine": worker.quarantine,
        "usage": worker.usage,
        "refusals": worker.refusals,
        "revocations": worker.revocations,
        "leaks": worker.leaks,
        "log": worker.checkpoints,
        "operating": worker.operating,
        "telling": worker.telling,
        "people": worker.people,
        "catalog": worker.catalog,
        "clock": worker.clock,
        "words": words,
        "listing": listing,
        "editing": editing.Editing(worker.keys, worker.usage, listing, words),
        "creating": creating.Creating(worker.keys, listing, words),
        "ending": ending.Ending(worker.keys, worker.quarantine, listing),
        "refused": refusals.Refused(worker.refusals, worker.accounts, worker.keys, words),
        "freezing": subaccounts.Freezing(
            Families(worker.store, worker.clock), worker.accounts, words
        ),
        "inbox": inbox.Inbox(worker.telling.notices, worker.telling.rendering, worker.rules),
        "contacts": worker.telling.contacts,
        "addresses": contacts.Addresses(
            worker.telling.contacts, worker.telling.rendering.house.time_zone
        ),
        "turning": contact_turns.Turning(worker.telling.contacts),
        "preferences": preferences.Preferences(worker.people, worker.telling, house.origin),
        "announcing": announcements.Announcing(
            Announcements(worker.store, worker.clock), worker.rules, words
        ),
        "journals": activity.Journals(
            Activity(worker.store, worker.telling.rendering), worker.accounts, worker.keys
        ),
    }
    provided = {name: _provide(service) for name, service in services.items()}

    # In a thread, for it asks the store what is waiting for the visitor.
    def desk(request: Request[Any, Any, Any]) -> Desk:
        return Desk(house, request)

    provided["desk"] = Provide(desk, sync_to_thread=True)
    provided["form"] = Provide(form_of)
    return provided


def _provide(service: object) -> Provide:
    return Provide(lambda: service, sync_to_thread=False)


def _waiting(worker: Worker, visitor: Visitor) -> Mapping[str, int]:
    """Return what waits for a visitor: notices for an owner, approvals for the house."""
    if visitor.person.role.is_operators:
        return operating.waiting(visitor, worker.operating)
    return inbox.waiting(worker.telling.notices, visitor)


def _masters(worker: Worker) -> Callable[[Visitor], bool]:
    """Return what says whether a visitor is a master; asked once, for that never changes."""

    @lru_cache(maxsize=_KINDS_KEPT)
    def is_master(account_id: str) -> bool:
        return worker.accounts.get(account_id).kind is AccountKind.MASTER

    return lambda visitor: (
        visitor.person.account_id is not None and is_master(visitor.person.account_id)
    )


def _address(caller: callers.Caller | callers.Suspect) -> str:
    return caller.address.text if isinstance(caller, callers.Caller) else ""


def _form_key(home: Path, worker: Worker) -> bytes:
    """Return the key that signs forms' secrets, one for all workers; made when first needed."""
    path = home / "form-key"
    held = keyfiles.read(path)
    while held is None:
        with contextlib.suppress(FileExistsError):  # Another worker was a moment faster.
            keyfiles.make(path, worker.clock)
        held = keyfiles.read(path)
    return held
