"""
What goes wrong, as a page: the one table from exceptions to what a person at a browser reads.

A form that was filled in wrongly is shown again by its own route, with the error beside the field;
what arrives here is what no form can mend. Nothing internal is shown.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect

from tenure.domain import errors
from tenure.domain.errors import TenureError
from tenure.faces.console import returning
from tenure.faces.console.desk import Desk, House
from tenure.faces.console.entry import Moved
from tenure.faces.console.stepping import DoneBefore
from tenure.faces.http.requests import Ids
from tenure.services.acts import Done

log = structlog.get_logger()

_STATUS: Final[Mapping[type[TenureError], int]] = {
    errors.Invalid: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Unavailable: 503,
}
_SAID: Final = frozenset({401, 403, 404, 409, 413, 422, 503})
"""The statuses that have a page of their own; every other one is told as ours to look into."""

_WHOLE: Final = {"hx-retarget": "body", "hx-reswap": "innerHTML show:window:top"}
"""Tells a script that what comes is a page of its own, wherever it meant to put the answer."""

_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
"""Where a browser may come from that sends none of our cookies."""


class Mishaps:
    """Turns whatever a route raises into a page."""

    def __init__(self, house: House, ids: Ids) -> None:
        """*ids* name a request in the log."""
        self._house, self._ids = house, ids

    def answer(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        """Answer for *error*; log what somebody should look into."""
        if isinstance(error, Moved):
            return Redirect(error.to)
        if isinstance(error, DoneBefore):
            return Desk(self._house, request).go(error.to)
        status = _status_of(error, request.path_params)
        if status == HTTPStatus.UNAUTHORIZED:
            return self._to_the_door(request)
        said = error.message if isinstance(error, TenureError) else ""
        if isinstance(error, errors.NotFound):
            said = ""  # Which id was asked for, and of what, must not show (SECURITY T25).
        if isinstance(error, errors.Invalid):
            said = str(error)
        if status not in _SAID:
            log.error(
                "unexpected",
                request_id=self._ids.of(request.scope),
                method=request.method,
                exc_info=error,
            )
            status, said = 500, ""
        if isinstance(error, errors.Unavailable):
            log.warning("unavailable", cause=error.code, context=error.context)
        request.scope.setdefault("user", None)
        try:
            return self._page(request, status, said, error)
        except Exception:
            # Even the frame needs a clock, and that may be what is wrong.
            log.exception("no page for an error")
            return Response(HTTPStatus(status).phrase, status_code=status, media_type="text/plain")

    def _page(
        self, request: Request[Any, Any, Any], status: int, said: str, error: Exception
    ) -> Response[bytes]:
        desk = Desk(self._house, request)
        plan = error.plan if isinstance(error, errors.Conflict) else None
        done = plan if isinstance(plan, Done) else None
        headers = dict(_WHOLE) if desk.is_partial else {}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["retry-after"] = "1"
        return desk.page(
            "mishap.html.j2",
            status=status,
            headers=headers,
            mishap=status,
            said="" if done else said,
            reason=_reason(desk, error),
            seen_at=_seen_at(desk, done) if done else "",
            request_id=self._ids.of(request.scope),
        )

    def _to_the_door(self, request: Request[Any, Any, Any]) -> Response[Any]:
        """Send to the sign-in page whoever has no session, and back here afterwards."""
        path = "/console/sign-in"
        if request.method == "GET":
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            if request.headers.get("sec-fetch-site") in _ELSEWHERE:
                # No strict cookie comes with a link from another site: from a page of ours it does.
                request.scope["user"] = None
                return Desk(self._house, request).page("continue.html.j2", to=asked)
            path += f"?next={quote(asked, safe='')}"
        elif page := returning.after_losing(request.app, request.url.path):
            path += f"?next={quote(page, safe='')}"
        if request.headers.get("hx-request") == "true":
            return Response(b"", status_code=200, headers={"hx-redirect": path})
        return Redirect(path, status_code=303)


def _seen_at(desk: Desk, done: Done) -> str:
    """Return the page that shows what a form did that is sent again."""
    is_owners = not desk.signed_in.person.role.is_operators
    if done.key_id is not None:
        return f"/console/{'' if is_owners else 'operate/'}keys/{done.key_id}"
    return "/console/activity" if is_owners else "/console/operate"


def _reason(desk: Desk, error: Exception) -> str:
    """Return why it cannot be done, in the reader's language, where there are words for it."""
    if not isinstance(error, errors.Conflict | errors.Forbidden):
        return ""
    texts = desk.language.texts
    known = (f"mishap.why.{error.code}", f"operate.problem.{error.code}")
    return next((texts[name] for name in known if name in texts), "")


def _status_of(error: Exception, named: Mapping[str, Any]) -> int:
    if isinstance(error, ValidationException):
        wrong = {str(each.get("key")) for each in error.extra or [] if isinstance(each, dict)}
        # Where it is a part of the address that is wrong, there is no such page.
        return 404 if wrong & named.keys() else 422
    if isinstance(error, HTTPException):
        # A method that a page does not take is no page either.
        return {400: 422, 405: 404}.get(error.status_code, error.status_code)
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
