"""
One's own second factors: adding and removing them, each approved by one that is there already.

A recovery code stands in where that is lost (`stepups.Change`). What is signed in elsewhere, and
all else about signing in, is in `security`.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.errors import Conflict, Invalid, Unauthenticated
from tenure.domain.people import Passkey, PasskeyAnswer
from tenure.faces.console import entry, joining
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import GivenPeople
from tenure.faces.console.forms import Form, GivenForm
from tenure.services.people.sessions import Begun
from tenure.services.people.stepups import Change

PAGE: Final = "/console/security"
PasskeyId: TypeAlias = Annotated[str, PathParameter(pattern=r"^psk_[0-9a-z]{24}$")]


def ask(
    desk: Desk,
    what: str,
    errors: dict[str, str] | None = None,
    passkey: Passkey | None = None,
) -> Response[bytes]:
    """Show the page that does *what*, once a factor that is there already approves it."""
    return desk.page(
        "factor_change.html.j2",
        status=422 if errors else 200,
        what=what,
        act=_act(what, passkey),
        errors=errors or {},
        passkey=passkey,
    )


def change(
    desk: Desk, what: str, form: Form, act: Callable[[], Begun], passkey: Passkey | None = None
) -> Response[Any]:
    """Do *act* once it is approved, and go on in the session it leaves."""
    try:
        with desk.approving(_act(what, passkey), form):
            desk.take(act())
    except Invalid as error:
        return ask(desk, what, joining.beside(desk, error), passkey)
    except Conflict as conflict:
        known = f"security.{conflict.code}"
        said = desk.language.texts.get(known) or conflict.message
        return ask(desk, what, {"form": said}, passkey)
    return desk.go(f"{PAGE}?done={what}")


def _act(what: str, passkey: Passkey | None) -> str:
    change = Change(f"factors.{what}")
    return change if passkey is None else change.of(passkey.passkey_id)


@get("/security/passkeys/new", opt=entry.SIGNED_IN, sync_to_thread=True)
def ask_passkey(desk: GivenDesk) -> Response[bytes]:
    """Ask for the factor that lets another one in, then for the new one."""
    return ask(desk, "add_passkey")


@post("/security/passkeys/new", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def approve_passkey(desk: GivenDesk, form: GivenForm) -> Response[Any]:
    """Take that factor."""
    try:
        desk.approve(Change.ADD_PASSKEY, form)
    except Invalid as error:
        return ask(desk, "add_passkey", joining.beside(desk, error))
    return desk.go(f"{PAGE}/passkeys/new")


@post("/security/passkeys/challenge", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def ask_for_new_passkey(desk: GivenDesk, people: GivenPeople) -> Response[bytes]:
    """Return a challenge for making a passkey."""
    return joining.new_passkey(desk, people)


@post("/security/passkeys", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def add_passkey(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Add the passkey that the browser made."""
    try:
        enrolled = people.factors.add_passkey(
            desk.signed_in.session, PasskeyAnswer(form.one("passkey")), form.one("label")
        )
    except Invalid as error:
        return ask(desk, "add_passkey", joining.beside(desk, error))
    except (Conflict, Unauthenticated):
        return ask(desk, "add_passkey", {"passkey": desk.say("entering.passkey_not_made")})
    desk.take(enrolled.begun)
    return desk.go(f"{PAGE}?done=add_passkey")


@get("/security/app/new", opt=entry.SIGNED_IN, sync_to_thread=True)
def ask_app(desk: GivenDesk) -> Response[Any]:
    """Ask for the factor that lets another one in."""
    return desk.go(PAGE) if desk.signed_in.person.has_totp else ask(desk, "add_app")


@post("/security/app/new", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def begin_app(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Take that factor, and show the seed."""
    try:
        with desk.approving(Change.ADD_APP, form):
            return joining.app(desk, people, Form({}), to=f"{PAGE}/app", back=f"{PAGE}/app/new")
    except Invalid as error:
        return ask(desk, "add_app", joining.beside(desk, error))


@post("/security/app", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def add_app(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Take the first code."""
    if not form.has("code"):
        return desk.go(f"{PAGE}/app/new")
    return joining.app(desk, people, form, to=f"{PAGE}/app", back=f"{PAGE}/app/new")


@get("/security/app/remove", opt=entry.SIGNED_IN, sync_to_thread=True)
def ask_remove_app(desk: GivenDesk) -> Response[Any]:
    """Say what follows where the app is removed."""
    return ask(desk, "remove_app") if desk.signed_in.person.has_totp else desk.go(PAGE)


@post("/security/app/remove", opt=entry.SIGNED_IN, status_code=200, sync_to_thread=True)
def remove_app(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Remove the app."""
    return change(
        desk, "remove_app", form, lambda: people.factors.remove_totp(desk.signed_in.session)
    )


@get("/security/passkeys/{passkey_id:str}/remove", opt=entry.SIGNED_IN, sync_to_thread=True)
def ask_remove_passkey(passkey_id: PasskeyId, desk: GivenDesk) -> Response[Any]:
    """Say what follows where a passkey is removed."""
    held = {passkey.passkey_id: passkey for passkey in desk.signed_in.person.passkeys}
    if passkey_id not in held:
        return desk.go(PAGE)
    return ask(desk, "remove_passkey", passkey=held[passkey_id])


@post(
    "/security/passkeys/{passkey_id:str}/remove",
    opt=entry.SIGNED_IN,
    status_code=200,
    sync_to_thread=True,
)
def remove_passkey(
    passkey_id: PasskeyId, desk: GivenDesk, people: GivenPeople, form: GivenForm
) -> Response[Any]:
    """Remove a passkey."""
    held = {passkey.passkey_id: passkey for passkey in desk.signed_in.person.passkeys}
    if passkey_id not in held:
        return desk.go(PAGE)
    return change(
        desk,
        "remove_passkey",
        form,
        lambda: people.factors.remove_passkey(desk.signed_in.session, passkey_id),
        held[passkey_id],
    )


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that add and remove second factors."""
    return [
        *(ask_passkey, approve_passkey, ask_for_new_passkey, add_passkey),
        *(ask_app, begin_app, add_app, ask_remove_app, remove_app),
        *(ask_remove_passkey, remove_passkey),
    ]
