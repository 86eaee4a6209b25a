"""
Who may open which page: declared at the route, checked at the start, asked before a form is read.

A route says `opt=entry.OWNERS`, or another of these. One that says nothing stops the start. Whom an
owner reaches is decided by `services.rights`, as for signed requests; a page of what is not his is
answered as one that does not exist (SECURITY T25, RULES R16).
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Final, cast

from litestar import Litestar
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from tenure.domain.errors import Forbidden, NotFound, Unauthenticated
from tenure.domain.people import Role, Stage
from tenure.domain.rights import Owner, Right
from tenure.faces.console.origins import SAFE_METHODS, Origin
from tenure.faces.console.visitors import Visitor, Visitors
from tenure.services.rights import Rights

_DECLARED: Final = "entry"


class Entry(StrEnum):
    """Who may open a page."""

    OPEN = "open"
    """Anybody; whoever is signed in is known all the same."""
    ENTERING = "entering"
    """Whoever has a session at any stage: on the way in, or in."""
    SIGNED_IN = "signed in"
    """Whoever is signed in, owners and operators alike."""
    OWNERS = "owners"
    """Owners, for their own account and, for a master, its sub-accounts."""
    MASTERS = "masters"
    """A master, for one of its sub-accounts; not for itself."""
    VIEWERS = "viewers"
    """Operators, whatever they may do."""
    OPERATORS = "operators"
    """Operators who may act on accounts and keys."""
    ADMINISTRATORS = "administrators"
    """Operators who may act on the whole house."""


_ROLES: Final = {
    Entry.VIEWERS: Role.VIEWER,
    Entry.OPERATORS: Role.OPERATOR,
    Entry.ADMINISTRATORS: Role.ADMINISTRATOR,
}
_NAMED: Final = frozenset({"account_id", "key_id"})


def of(entry: Entry) -> dict[str, Any]:
    """Return what a route hands to `opt`."""
    return {_DECLARED: entry}


OPEN: Final = of(Entry.OPEN)
ENTERING: Final = of(Entry.ENTERING)
SIGNED_IN: Final = of(Entry.SIGNED_IN)
OWNERS: Final = of(Entry.OWNERS)
MASTERS: Final = of(Entry.MASTERS)
VIEWERS: Final = of(Entry.VIEWERS)
OPERATORS: Final = of(Entry.OPERATORS)
ADMINISTRATORS: Final = of(Entry.ADMINISTRATORS)


class Moved(Exception):  # noqa: N818 - it says where to go, and nothing is wrong
    """The page is at another address; see `to`."""

    def __init__(self, to: str) -> None:
        """*to* is the whole address."""
        self.to = to
        super().__init__(to)


class Door:
    """Finds out who is at it, and lets him no further than his rights; use `guard`."""

    def __init__(self, visitors: Visitors, rights: Rights, origin: Origin) -> None:
        """One per worker."""
        self._visitors, self._rights, self._origin = visitors, rights, origin

    async def admit(
        self, connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler
    ) -> None:
        """
        Let the visitor of *route* pass, and leave him as the request's `user`, None for nobody.

        Raises Unauthenticated, Forbidden and NotFound, and Moved for a browser that calls this
        machine by its number.
        """
        method = cast("Any", connection).method
        if not self._origin.is_from_here(method, connection.headers):
            raise Forbidden("This was not sent by a page of the console.", code="elsewhere")
        if method in SAFE_METHODS and self._origin.elsewhere(connection.headers.get("host", "")):
            raise Moved(f"{self._origin.text}{connection.url.path}")
        entry = declared_as(route) or Entry.ADMINISTRATORS
        # In a thread, for the store blocks.
        visitor = await sync_to_thread(self._visitors.find, connection)
        connection.scope["user"] = visitor
        if entry is Entry.OPEN:
            return
        if visitor is None or (entry is not Entry.ENTERING and visitor.stage is not Stage.FULL):
            raise Unauthenticated("Sign in first.")
        if entry in _ROLES:
            _require_role(visitor, _ROLES[entry])
        elif entry in {Entry.OWNERS, Entry.MASTERS}:
            named = {name: connection.path_params.get(name) for name in _NAMED}
            await sync_to_thread(self._require_owner, visitor, entry, **named)

    def _require_owner(
        self, visitor: Visitor, entry: Entry, *, account_id: str | None, key_id: str | None
    ) -> None:
        if not isinstance(visitor.caller, Owner):
            raise Forbidden("This page is for account owners.", code="owners")
        if account_id is None and key_id is None:
            return  # What the page shows is looked up by the visitor's own account.
        right = Right.MASTER_ACTS if entry is Entry.MASTERS else Right.OWNER_READS
        try:
            self._rights.require(visitor.caller, right, account_id=account_id, key_id=key_id)
        except Forbidden as error:
            raise NotFound from error


def _require_role(visitor: Visitor, role: Role) -> None:
    if not visitor.person.role.is_operators:
        raise NotFound  # To an owner there is no such page.
    if not visitor.person.role.allows(role):
        raise Forbidden("Your role does not allow this.", code="role")


def guard(
    visitors: Visitors, rights: Rights, origin: Origin
) -> Callable[[Any, Any], Awaitable[None]]:
    """Return the guard of every route; raises as `Door.admit`."""
    door = Door(visitors, rights, origin)

    # A function, for the framework copies whatever else it is handed, all it stands on included.
    async def admit(
        connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler
    ) -> None:
        await door.admit(connection, route)

    return admit


def declared_as(route: BaseRouteHandler) -> Entry | None:
    """Return what a *route* is declared as, None where it does not say."""
    entry: Entry | None = route.opt.get(_DECLARED)
    return entry


def declared(app: Litestar) -> dict[str, Entry]:
    """
    Return what each route of *app* is declared as, by `GET /path`.

    Raises LookupError for one that is declared as nothing: such a console is not to be started.
    """
    found: dict[str, Entry] = {}
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                name = f"{method} {route.path_format}"
                entry = declared_as(handler)
                if entry is None:
                    raise LookupError(f"{name} does not say who may open it: give it an `opt`")
                found[name] = entry
    return found
