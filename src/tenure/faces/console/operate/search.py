"""Search: one box for a key, an account, a label, an e-mail or an address."""

from typing import Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from tenure.domain import apikeys
from tenure.domain import search as asking
from tenure.domain.errors import Invalid
from tenure.faces.console import entry
from tenure.faces.console.desk import GivenDesk
from tenure.faces.console.operate.given import GivenOperating

PATH: Final = "/console/operate/search"


@get("/search", opt=entry.VIEWERS, sync_to_thread=True)
def show(desk: GivenDesk, operating: GivenOperating) -> Response[bytes]:
    """Show the box, and what was found."""
    typed, after = desk.asked.get("q", ""), desk.asked.get("after", "")
    found, errors = None, {}
    if typed.strip():
        try:
            found = operating.search.find(typed, after)
        except Invalid as error:
            is_secret = error.field == asking.SECRET
            errors = {"q": desk.say(f"operate.search.wrong.{'secret' if is_secret else 'text'}")}
            # What may be a secret is not sent back, however it came here.
            typed = "" if is_secret else typed
    return desk.page(
        "operate/search.html.j2",
        status=422 if errors else 200,
        typed=typed,
        found=found,
        mask=apikeys.mask,
        errors=errors,
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the page that searches."""
    return [show]
