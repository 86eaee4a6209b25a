"""
Signing in and out: the password, then the second factor, or a passkey that is both.

What fits is judged in `services.people`; a page says no more than that something did not fit. Whom
it was about, and where he wanted to go, is kept in the forms: there is no state but the session.
"""

from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation

from tenure.domain.errors import Unauthenticated, Unavailable
from tenure.domain.people import PasskeyAnswer, Stage
from tenure.faces.console import entry, returning
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.stepping import proof_of
from tenure.services.people.facade import People

HOME: Final = "/console"
SECOND: Final = "/console/sign-in/second"
ENROL: Final = "/console/enrol"
NEXT: Final = "next"
"""The parameter, and field, that says where somebody wanted to go."""
JSON: Final = "application/json"

GivenPeople = Given[SkipValidation[People]]


def wanted(text: str) -> str:
    """Return *text* if it is a page of the console, else where that begins."""
    parts = urlsplit(text)
    is_ours = not parts.scheme and not parts.netloc and text.isprintable() and "\\" not in text
    is_page = text == HOME or text.startswith((f"{HOME}/", f"{HOME}?"))
    return text if is_ours and is_page and "//" not in parts.path else HOME


def go_in(desk: Desk, next_page: str) -> Response[Any]:
    """Send somebody with a session to what its stage asks for."""
    stage = desk.signed_in.stage
    if stage is Stage.FULL:
        return desk.go(wanted(next_page))
    page = SECOND if stage is Stage.PASSWORD else ENROL
    asked = wanted(next_page)
    return desk.go(page if asked == HOME else f"{page}?{NEXT}={quote(asked, safe='')}")


def said(desk: Desk, error: Unauthenticated | Unavailable, otherwise: str = "wrong") -> str:
    """Return what to tell somebody who did not get in, and nothing that helps to guess."""
    known = "" if error.code == "wrong" else f"entering.{error.code}"
    return desk.language.texts.get(known) or desk.say(f"entering.{otherwise}")


def _door(desk: Desk, known: People, form: Form, error: str = "") -> Response[bytes]:
    next_page = form.one(NEXT) or desk.asked.get(NEXT, "")
    return desk.page(
        "sign_in.html.j2",
        status=401 if error else 200,
        email=form.one("email"),
        next_page=wanted(next_page),
        has_lost=returning.has_lost(next_page),
        has_provider=known.oidc is not None,
        has_anybody=known.has_anybody(),
        errors={"form": error} if error else {},
    )


@get("/sign-in", opt=entry.OPEN, sync_to_thread=True)
def ask(desk: GivenDesk, people: GivenPeople) -> Response[Any]:
    """Ask for a password, or a passkey."""
    if desk.visitor is not None:
        asked = desk.asked.get(NEXT, "")
        # In all the same: a twin of the form was quicker, and its session goes on.
        return go_in(desk, returning.unmarked(asked) if desk.visitor.stage is Stage.FULL else asked)
    return _door(desk, people, Form({}))


@post("/sign-in", opt=entry.OPEN, status_code=200, sync_to_thread=True)
def enter(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Take a password."""
    try:
        begun = people.sign_in.password(form.one("email"), form.one("password"), agent=desk.agent)
    except Unauthenticated as error:
        return _door(desk, people, form, said(desk, error))
    desk.take(begun)
    return go_in(desk, form.one(NEXT))


@post("/sign-in/passkey/challenge", opt=entry.OPEN, status_code=200, sync_to_thread=True)
def ask_for_passkey(people: GivenPeople) -> Response[bytes]:
    """Return a challenge for any passkey."""
    asked = people.sign_in.ask_for_passkey()
    # The options are JSON already: its id is put beside them for the script to send back.
    return Response(
        asked.options.encode(), media_type=JSON, headers={"x-challenge": asked.challenge_id}
    )


@post("/sign-in/passkey", opt=entry.OPEN, status_code=200, sync_to_thread=True)
def enter_by_passkey(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Take a passkey, which is both factors."""
    try:
        begun = people.sign_in.by_passkey(
            form.one("challenge"), PasskeyAnswer(form.one("passkey")), agent=desk.agent
        )
    except Unauthenticated as error:
        return _door(desk, people, form, said(desk, error, "passkey_wrong"))
    desk.take(begun)
    return go_in(desk, form.one(NEXT))


@get("/sign-in/second", opt=entry.ENTERING, sync_to_thread=True)
def ask_second(desk: GivenDesk) -> Response[Any]:
    """Ask for the second factor."""
    if desk.signed_in.stage is not Stage.PASSWORD:
        return go_in(desk, desk.asked.get(NEXT, ""))
    return _second(desk, Form({}))


@post("/sign-in/second", opt=entry.ENTERING, status_code=200, sync_to_thread=True)
def enter_second(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Take a second factor."""
    if desk.signed_in.stage is not Stage.PASSWORD:
        return go_in(desk, form.one(NEXT))
    proof = proof_of(form)
    if proof is None:
        return _second(desk, form, desk.say("factor.missing"))
    try:
        begun = people.sign_in.prove(desk.signed_in.session, proof)
    except Unauthenticated as error:
        if error.code == "expired":
            raise
        return _second(desk, form, said(desk, error, "second_wrong"))
    desk.take(begun)
    return go_in(desk, form.one(NEXT))


@post("/sign-in/second/challenge", opt=entry.ENTERING, status_code=200, sync_to_thread=True)
def ask_second_passkey(desk: GivenDesk, people: GivenPeople) -> Response[bytes]:
    """Return a challenge for one of the visitor's passkeys."""
    options = people.sign_in.passkey_options(desk.signed_in.session)
    return Response(options.encode(), media_type=JSON)


@post("/step-up/challenge", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def ask_for_approval(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[bytes]:
    """Return a challenge for one of the visitor's passkeys, which approves an act."""
    options = people.step_ups.passkey_options(desk.signed_in.session, form.one("act"))
    return Response(options.encode(), media_type=JSON)


@post("/sign-out", opt=entry.ENTERING, status_code=200, sync_to_thread=True)
def leave(desk: GivenDesk, people: GivenPeople) -> Response[Any]:
    """Sign out."""
    people.sessions.end(desk.signed_in.session)
    desk.leave()
    return desk.go("/console/sign-in?out=1")


def _second(desk: Desk, form: Form, error: str = "") -> Response[bytes]:
    next_page = form.one(NEXT) or desk.asked.get(NEXT, "")
    return desk.page(
        "second.html.j2",
        status=401 if error else 200,
        next_page=wanted(next_page),
        has_tried_recovery=form.has("recovery_code") and bool(form.one("recovery_code")),
        errors={"code": error} if error else {},
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the pages by which people come in, and go."""
    return [
        *(ask, enter, ask_for_passkey, enter_by_passkey),
        *(ask_second, enter_second, ask_second_passkey, ask_for_approval, leave),
    ]
