"""
The routes of calendar feeds: for operators by account, for calendar programs by a secret address.

The secret address needs no operator token, for a calendar program has none; whoever knows it sees
which of the account's permissions end when, and nothing else.
"""

from typing import Final

from litestar import Response, Router, get, post
from litestar.di import NamedDependency as Given
from typing_extensions import override

from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.calendars import Calendars

MEDIA_TYPE: Final = "text/calendar"
"""The framework adds the character set."""


class CalendarView(View):
    """Where the feed is from now on, below the address of this API; the former place is gone."""

    path: str

    @override
    def __repr__(self) -> str:
        """Show nothing: the path is the secret."""
        return "CalendarView(***)"


@get(
    "/{account_id:str}/calendar.ics",
    opt=rights.OWNER_READS,
    media_type=MEDIA_TYPE,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def get_calendar(account_id: requests.AccountId, calendars: Given[Calendars]) -> Response[bytes]:
    """Return the ends of all running terms of an account and its sub-accounts, as iCalendar."""
    return Response(calendars.of_account(account_id), media_type=MEDIA_TYPE)


@post(
    "/{account_id:str}/calendar",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def renew_calendar(
    account_id: requests.AccountId, calendars: Given[Calendars], actor: Given[str]
) -> CalendarView:
    """Give the feed a new address that nobody can guess; shown here alone."""
    return CalendarView(path=f"/calendar/{calendars.renew(account_id, actor).reveal()}.ics")


@get(
    "/calendar/{name:str}",
    opt=rights.OPEN,
    media_type=MEDIA_TYPE,
    responses=problems.documented(404, 422, 503),
    sync_to_thread=True,
)
def read_calendar(name: requests.CalendarName, calendars: Given[Calendars]) -> Response[bytes]:
    """Return the feed at its secret address, to whoever knows it."""
    return Response(calendars.of_secret(name.removesuffix(".ics")), media_type=MEDIA_TYPE)


def routes() -> Router:
    """Return what is answered under `/accounts/{id}/calendar`, for operators."""
    return Router("/accounts", route_handlers=[get_calendar, renew_calendar], tags=["notices"])


def open_routes() -> Router:
    """Return what is answered under `/calendar`, without an operator token."""
    return Router(
        "/", route_handlers=[read_calendar], tags=["notices"], before_request=requests.look_over
    )
