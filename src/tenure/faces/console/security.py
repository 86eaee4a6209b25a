"""
Security: how one signs in, and the browsers one is signed in in; the password and recovery codes.

Ending a session asks for no factor, for it only takes away; cancelling a recovery does, for it
gives frozen keys their power back. Second factors are added and removed in `factors`.
"""

from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.errors import Invalid, NotFound, Unauthenticated
from tenure.domain.people import Session
from tenure.faces.console import entry, joining, visitors
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import GivenPeople, said
from tenure.faces.console.factors import PAGE
from tenure.faces.console.forms import GivenForm
from tenure.faces.console.stepping import act_of
from tenure.services.people.facade import People
from tenure.services.people.stepups import Change

_DONE: Final = frozenset(
    {
        *("add_passkey", "add_app", "remove_app", "remove_passkey"),
        *("password", "codes", "preferences", "session", "sessions", "recovery"),
    }
)
_BROWSERS: Final = ("Edg/", "OPR/", "Firefox/", "Chrome/", "Safari/")
_NAMES: Final = {"Edg/": "Edge", "OPR/": "Opera"}
_SYSTEMS: Final = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
SessionId: TypeAlias = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{64}$")]


def browser_of(session: Session) -> str:
    """Return what a browser calls itself, in two words; empty where it says nothing known."""
    named = next((name for name in _BROWSERS if name in session.agent), "")
    system = next((name for name in _SYSTEMS if name in session.agent), "")
    shown = (_NAMES.get(named, named.rstrip("/")), system.replace("Mac OS X", "macOS"))
    return " · ".join(part for part in shown if part)


@get("/security", opt=entry.SIGNED_IN, sync_to_thread=True)
def show(desk: GivenDesk, people: GivenPeople) -> Response[bytes]:
    """Show how the visitor signs in, and where he is signed in."""
    return _show(desk, people)


@post("/security/preferences", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def prefer(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Change the language and the time zone that the visitor is spoken to in."""
    try:
        people.prefer(
            desk.signed_in.person.person_id,
            language=form.one("language") or None,
            time_zone=form.one("time_zone").strip() or None,
        )
    except Invalid as error:
        return _show(desk, people, joining.beside(desk, error), form.one("time_zone"))
    return desk.go(f"{PAGE}?done=preferences")


@get("/security/password", opt=entry.SIGNED_IN, sync_to_thread=True)
def ask_password(desk: GivenDesk) -> Response[bytes]:
    """Ask for the old password, the new one, and a factor."""
    return _password(desk)


@post("/security/password", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def change_password(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Change the password; every other browser is signed out."""
    try:
        with desk.approving(Change.PASSWORD, form):
            begun = people.factors.change_password(
                desk.signed_in.session, form.one("current"), form.one("password")
            )
    except Invalid as error:
        return _password(desk, joining.beside(desk, error))
    except Unauthenticated as error:
        if error.code == "expired":
            raise
        return _password(desk, {"current": said(desk, error, "password_wrong")})
    desk.take(begun)
    return desk.go(f"{PAGE}?done=password")


@get("/security/codes", opt=entry.SIGNED_IN, sync_to_thread=True)
def ask_codes(desk: GivenDesk) -> Response[bytes]:
    """Say that the old codes will be void."""
    return _codes(desk)


@post("/security/codes", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def renew_codes(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Show new codes, once; sent again, say that they were shown."""
    try:
        with desk.approving(Change.RENEW_CODES, form, joining.CODES_SHOWN):
            made = people.factors.renew_recovery_codes(desk.signed_in.session)
    except Invalid as error:
        return _codes(desk, joining.beside(desk, error))
    return joining.codes(desk, made, to=PAGE)


@post("/security/sessions/end", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def end_sessions(desk: GivenDesk, people: GivenPeople) -> Response[Any]:
    """Sign out everywhere else."""
    session = desk.signed_in.session
    people.sessions.end_all(session.person.person_id, but=session.session_id)
    return desk.go(f"{PAGE}?done=sessions")


@post(
    "/security/sessions/{session_id:str}/end",
    opt=entry.SIGNED_IN,
    status_code=200,
    sync_to_thread=True,
)
def end_session(session_id: SessionId, desk: GivenDesk, people: GivenPeople) -> Response[Any]:
    """Sign out in one other browser; one that is over by now is as good."""
    try:
        people.sessions.end_one(desk.signed_in.person.person_id, session_id)
    except NotFound:
        return desk.go(PAGE)
    return desk.go(f"{PAGE}?done=session")


@get("/security/recovery/cancel", opt=entry.OWNERS, sync_to_thread=True)
def ask_cancel_recovery(desk: GivenDesk) -> Response[Any]:
    """Ask for a factor: whoever lost nothing has one, and a thief of a cookie has none."""
    return desk.go(PAGE) if desk.signed_in.person.recovery is None else _recovery(desk)


@post("/security/recovery/cancel", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def cancel_recovery(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Object: nothing is lost, so nobody has to be let in again."""
    account_id, done = desk.signed_in.account_id, f"{PAGE}?done=recovery"
    try:
        with desk.acting(_cancelling(desk), form, done):
            people.recovery.cancel(account_id, desk.signed_in.actor)
    except Invalid as error:
        if desk.signed_in.person.recovery is None:
            raise
        return _recovery(desk, joining.beside(desk, error))
    return desk.go(done)


def _cancelling(desk: Desk) -> str:
    return act_of("recovery.cancel", desk.signed_in.account_id)


def _recovery(desk: Desk, errors: dict[str, str] | None = None) -> Response[bytes]:
    return desk.page(
        "recovery_cancel.html.j2",
        status=422 if errors else 200,
        person=desk.signed_in.person,
        act=_cancelling(desk),
        errors=errors or {},
    )


def _show(
    desk: Desk, known: People, errors: dict[str, str] | None = None, zone: str | None = None
) -> Response[bytes]:
    visitor = desk.signed_in
    done = desk.asked.get("done", "")
    return desk.page(
        "security.html.j2",
        status=422 if errors else 200,
        person=visitor.person,
        sessions=known.sessions.of_person(visitor.person.person_id),
        browser_of=browser_of,
        offered=visitors.offered(),
        zone=visitor.person.time_zone or "" if zone is None else zone,
        done=done if done in _DONE else "",
        errors=errors or {},
    )


def _password(desk: Desk, errors: dict[str, str] | None = None) -> Response[bytes]:
    return desk.page(
        "password.html.j2", status=422 if errors else 200, act=Change.PASSWORD, errors=errors or {}
    )


def _codes(desk: Desk, errors: dict[str, str] | None = None) -> Response[bytes]:
    return desk.page(
        "codes_renew.html.j2",
        status=422 if errors else 200,
        act=Change.RENEW_CODES,
        errors=errors or {},
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the pages about how one signs in."""
    return [
        *(show, prefer, ask_password, change_password, ask_codes, renew_codes),
        *(end_sessions, end_session, ask_cancel_recovery, cancel_recovery),
    ]
