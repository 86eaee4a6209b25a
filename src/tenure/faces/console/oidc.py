"""
Signing in through the platform's own provider: sent away, and taken back.

The way back begins at a foreign page, so browsers send none of our strict cookies with it: a lax
one, good for minutes, says that it is the browser that left, and where it wanted to go. It is bound
to this host by its name, or a page of a neighbouring one could plant its own and sign its visitors
in as somebody else.
"""

from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from tenure.domain.errors import Unauthenticated, Unavailable
from tenure.domain.people import CHALLENGE_MS
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import HOME, NEXT, GivenPeople, said, wanted
from tenure.services.people.facade import People
from tenure.services.people.oidc import Oidc

_NEXT_CHARACTERS_MAX: Final = 1_000
"""Of an address, as a cookie holds it: browsers keep cookies of 4 kB."""


def _cookie(desk: Desk, value: str, *, kept_s: int) -> Cookie:
    return Cookie(
        key=desk.provider_cookie,
        value=value,
        path="/",
        max_age=kept_s,
        secure=desk.is_secure,
        httponly=True,
        samesite="lax",
    )


def _provider(known: People) -> Oidc:
    if known.oidc is None:
        raise LookupError("no provider is configured: these routes are not there then")
    return known.oidc


@get("/oidc/go", opt=entry.OPEN, sync_to_thread=True)
def go(desk: GivenDesk, people: GivenPeople) -> Response[Any]:
    """Send the browser to the provider."""
    try:
        left = _provider(people).begin()
    except Unavailable as error:
        return desk.page("provider.html.j2", status=503, said=said(desk, error, "provider"))
    kept_s = CHALLENGE_MS // 1_000
    asked = quote(wanted(desk.asked.get(NEXT, "")), safe="")
    kept = asked if len(asked) <= _NEXT_CHARACTERS_MAX else ""
    cookie = _cookie(desk, f"{left.browser.reveal()}.{kept}", kept_s=kept_s)
    return Redirect(left.url, status_code=303, cookies=[cookie])


@get("/oidc/back", opt=entry.OPEN, sync_to_thread=True)
def back(request: Request[Any, Any, Any], desk: GivenDesk, people: GivenPeople) -> Response[Any]:
    """Take the browser back, and let it go on from a page of ours: then its cookies count."""
    forgotten = _cookie(desk, "", kept_s=0)
    browser, _, kept = request.cookies.get(desk.provider_cookie, "").partition(".")
    try:
        begun = _provider(people).finish(browser, str(request.url), agent=desk.agent)
    except (Unauthenticated, Unavailable) as error:
        status = 503 if isinstance(error, Unavailable) else 401
        return desk.page(
            "provider.html.j2",
            status=status,
            cookies=(forgotten,),
            said=said(desk, error, "provider"),
        )
    desk.take(begun)
    asked = wanted(kept)  # Litestar has unquoted it, as it does all cookies.
    to = "/console/sign-in" if asked == HOME else f"/console/sign-in?{NEXT}={quote(asked, safe='')}"
    return desk.page("continue.html.j2", cookies=(forgotten,), to=to)


def routes() -> list[HTTPRouteHandler]:
    """Return the ways to the provider and back."""
    return [go, back]
