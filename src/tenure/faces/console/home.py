"""Where the console begins, and the way out."""

from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from tenure.faces.console import entry
from tenure.faces.console.desk import GivenDesk


@get("/", opt=entry.SIGNED_IN, sync_to_thread=True)
def begin(desk: GivenDesk) -> Response[Any]:
    """Go to the first page that the visitor has."""
    return desk.go(desk.navigation()[0].path)


def routes() -> list[HTTPRouteHandler]:
    """Return what is answered at the console's own address."""
    return [begin]
