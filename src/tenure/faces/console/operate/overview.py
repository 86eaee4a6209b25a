"""The overview: how well the house is, what waits for somebody, and what ends in the next days."""

from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.faces.console import entry
from tenure.faces.console.desk import GivenDesk
from tenure.faces.console.operate import charts, told
from tenure.faces.console.operate.given import GivenOperating
from tenure.faces.console.words import Words
from tenure.services.accounts import Accounts

PATH: Final = "/console/operate"
_DAYS: Final = 30
_WAITING_SHOWN: Final = 5


@get("/", opt=entry.VIEWERS, sync_to_thread=True)
def show(
    desk: GivenDesk, operating: GivenOperating, accounts: Given[Accounts], words: Given[Words]
) -> Response[bytes]:
    """Show it."""
    language = desk.language
    health, coming = operating.checkup.look(), operating.ends.coming(_DAYS)
    waiting = operating.approvals.waiting()
    by_permission: dict[str, int] = {}
    for day in coming.days:
        for permission, ends in day.by_permission.items():
            name = words.permission(permission, language)
            by_permission[name] = by_permission.get(name, 0) + ends
    return desk.page(
        "operate/overview.html.j2",
        health=health,
        has_accounts=bool(accounts.every(most=1)),
        tiles=[told.tile(finding, language) for finding in health.findings],
        waiting=[(each, told.effects(each.effects, language)) for each in waiting[:_WAITING_SHOWN]],
        waiting_count=len(waiting),
        coming=coming,
        chart=charts.of_coming(coming, language),
        by_permission=sorted(by_permission.items(), key=lambda item: -item[1]),
        days=_DAYS,
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the page operators begin with."""
    return [show]
