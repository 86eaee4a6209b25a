"""
Joining by a link: a password, then a first second factor, then the recovery codes, shown once.

Every step but the making of a passkey works without scripts: an app is set up by its picture or by
typing its seed, and proved by a code.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from tenure.domain.model import Secret
from tenure.domain.people import PasskeyAnswer, Stage
from tenure.faces.console import entry, visitors
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.entering import JSON, GivenPeople, go_in, said
from tenure.faces.console.forms import Form, GivenForm
from tenure.services import languages
from tenure.services.people.facade import People
from tenure.services.people.invitations import Joining

CODES_SHOWN: Final = "/console/security?done=codes"
"""Says that the codes were shown, to whoever loads the page again that showed them."""
LinkSecret: TypeAlias = Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9_-]{43}$")]


def beside(desk: Desk, error: Invalid) -> dict[str, str]:
    """Return what is wrong with a form by field, in the reader's language where there is a text."""
    texts = desk.language.texts
    return {
        problem.field: texts.get(f"wrong.{problem.why.name}")
        or texts.get(f"entering.bad_{problem.field}")
        or problem.message
        for problem in error.problems
    }


@get("/join/{secret:str}", opt=entry.OPEN, sync_to_thread=True)
def ask(secret: LinkSecret, desk: GivenDesk, people: GivenPeople) -> Response[bytes]:
    """Welcome whoever holds a link."""
    return _welcome(desk, people, secret, Form({}))


@post("/join/{secret:str}", opt=entry.OPEN, status_code=200, sync_to_thread=True)
def join(
    secret: LinkSecret, desk: GivenDesk, people: GivenPeople, form: GivenForm
) -> Response[Any]:
    """Take a password."""
    joining = Joining(
        password=form.one("password"),
        email=form.one("email") or None,
        language=_tag(desk),
        time_zone=_zone(form.one("time_zone")),
        agent=desk.agent,
    )
    try:
        begun = people.invitations.accept(secret, joining)
    except Invalid as error:
        return _welcome(desk, people, secret, form, beside(desk, error))
    except Conflict:
        wrong = {"email": desk.say("entering.email_taken")}
        return _welcome(desk, people, secret, form, wrong)
    except NotFound:
        return _dead(desk)
    desk.take(begun)
    return go_in(desk, "")


@get("/enrol", opt=entry.ENTERING, sync_to_thread=True)
def choose(desk: GivenDesk) -> Response[Any]:
    """Offer the two kinds of second factor."""
    if desk.signed_in.stage is not Stage.ENROLLING:
        return _enrolled(desk)
    return desk.page("enrol.html.j2")


@post("/enrol/app", opt=entry.ENTERING, status_code=200, sync_to_thread=True)
def set_up_app(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Show a seed, or take the first code of it."""
    if desk.signed_in.stage is not Stage.ENROLLING:
        return _enrolled(desk)
    return app(desk, people, form, to="/console/enrol/app", back="/console/enrol")


@post("/enrol/passkey/challenge", opt=entry.ENTERING, status_code=200, sync_to_thread=True)
def ask_for_new_passkey(desk: GivenDesk, people: GivenPeople) -> Response[bytes]:
    """Return a challenge for making a passkey."""
    return new_passkey(desk, people)


@post("/enrol/passkey", opt=entry.ENTERING, status_code=200, sync_to_thread=True)
def add_passkey(desk: GivenDesk, people: GivenPeople, form: GivenForm) -> Response[Any]:
    """Add the passkey that the browser made."""
    if desk.signed_in.stage is not Stage.ENROLLING:
        return _enrolled(desk)
    try:
        enrolled = people.factors.add_passkey(
            desk.signed_in.session, PasskeyAnswer(form.one("passkey")), form.one("label")
        )
    except Invalid as error:
        return desk.page("enrol.html.j2", status=422, errors=beside(desk, error))
    except (Conflict, Unauthenticated):
        wrong = {"passkey": desk.say("entering.passkey_not_made")}
        return desk.page("enrol.html.j2", status=422, errors=wrong)
    desk.take(enrolled.begun)
    return codes(desk, enrolled.recovery_codes, to="/console")


def _enrolled(desk: Desk) -> Response[Any]:
    """Answer whoever has a factor by now: most often he loads the page with his codes again."""
    if desk.signed_in.stage is Stage.FULL and desk.signed_in.person.recovery_codes_left:
        return desk.go(CODES_SHOWN)
    return go_in(desk, "")


def new_passkey(desk: Desk, known: People) -> Response[bytes]:
    """Return a challenge for making a passkey; raises Conflict where nothing approved that."""
    try:
        options = known.factors.passkey_options(desk.signed_in.session)
    except (Forbidden, Unauthenticated) as error:
        raise Conflict("step_up", error.message) from error
    return Response(options.encode(), media_type=JSON)


def app(desk: Desk, known: People, form: Form, *, to: str, back: str) -> Response[Any]:
    """Show a new seed, or where a code was sent, set the app up by it; *to* is the form's place."""
    session, errors = desk.signed_in.session, {}
    if form.has("code"):
        try:
            enrolled = known.factors.confirm_totp(session, form.one("code"))
        except Unauthenticated as error:
            errors = {"code": said(desk, error, "second_wrong")}
            setup = known.factors.totp_setup(session)
        except Conflict:
            return desk.go(back)
        else:
            desk.take(enrolled.begun)
            if not enrolled.recovery_codes:
                return desk.go("/console/security?done=add_app")
            return codes(desk, enrolled.recovery_codes, to="/console")
    else:
        setup = known.factors.begin_totp(session)
    seed = setup.seed.reveal()
    return desk.page(
        "app.html.j2",
        status=401 if errors else 200,
        picture=setup.picture.reveal(),
        uri=setup.uri.reveal(),
        seed=" ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
        to=to,
        back=back,
        errors=errors,
    )


def codes(desk: Desk, made: Sequence[Secret], *, to: str) -> Response[bytes]:
    """Show recovery codes, once; *to* is where to go on."""
    return desk.page("codes.html.j2", codes=[code.reveal() for code in made], to=to)


def _welcome(
    desk: Desk, known: People, secret: str, form: Form, errors: dict[str, str] | None = None
) -> Response[bytes]:
    try:
        invitation = known.invitations.look(secret)
    except NotFound:
        return _dead(desk)
    return desk.page(
        "join.html.j2",
        status=422 if errors else 200,
        invitation=invitation,
        secret=secret,
        email=form.one("email"),
        errors=errors or {},
    )


def _dead(desk: Desk) -> Response[bytes]:
    return desk.page("join_dead.html.j2", status=410)


def _tag(desk: Desk) -> str:
    """Return the language of the page, as one of those that are offered."""
    spoken = desk.language.tag.split("-")[0]
    return next((tag for tag, _ in visitors.offered() if tag.split("-")[0] == spoken), "en")


def _zone(text: str) -> str | None:
    """Return the browser's time zone, None where this machine does not know it."""
    try:
        return languages.require_time_zone(text) if text else None
    except Invalid:
        return None


def routes() -> list[HTTPRouteHandler]:
    """Return the pages by which people join."""
    return [
        *(ask, join, choose, set_up_app, ask_for_new_passkey, add_passkey),
    ]
