"""The sandbox's clock as a slider on every page: rehearsing day 31 without waiting for it."""

from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.errors import Invalid
from tenure.domain.people import Role
from tenure.faces.console import entry, parameters
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import wanted
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.shown import DAY_MS
from tenure.faces.http.sandbox import NOW_MS_MAX, GivenSandboxClock
from tenure.services.accounts import Accounts
from tenure.services.keys import Keys

_NEXT_END: Final = "next"


@post("/sandbox/clock", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def move_clock(
    desk: GivenDesk,
    form: GivenForm,
    clock: GivenSandboxClock,
    keys: Given[Keys],
    accounts: Given[Accounts],
) -> Response[Any]:
    """Move the clock forward by days, by a button's length, or to the next end of a term."""
    target_ms = _target_ms(desk, form, keys, accounts)
    if target_ms > NOW_MS_MAX:
        raise Invalid("days", f"the sandbox ends at {NOW_MS_MAX}")
    clock.move(max(target_ms, clock.now_ms()))
    return desk.go(wanted(form.one("back")))


def _target_ms(desk: Desk, form: Form, keys: Keys, accounts: Accounts) -> int:
    asked = form.one("advance")
    if asked == _NEXT_END:
        return _next_end_ms(desk, keys, accounts)
    number = parameters.number_in(asked or form.one("days", "0"))
    if number is None:
        raise Invalid("days", "must be a whole number of days")
    return desk.now_ms + (number if asked else number * DAY_MS)


def _next_end_ms(desk: Desk, keys: Keys, accounts: Accounts) -> int:
    """Return the next end of the visitor's own account tree; an operator goes a day on."""
    person = desk.signed_in.person
    if person.role is not Role.OWNER or person.account_id is None:
        return desk.now_ms + DAY_MS
    ids = [person.account_id, *(sub.account_id for sub in accounts.subs(person.account_id))]
    ends = [
        grant.term.ends_at_ms
        for account_id in ids
        for key in keys.of_account(account_id)
        if key.revoked_at_ms is None
        for grant in key.grants.values()
        if grant.term is not None and grant.term.ends_at_ms > desk.now_ms
    ]
    return min(ends, default=desk.now_ms + DAY_MS)


def routes() -> list[HTTPRouteHandler]:
    """Return what moves the clock; for a sandbox alone."""
    return [move_clock]
