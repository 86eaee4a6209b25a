"""
What a page is made with: templates, the words of the reader's language, the frame around it.

A route is handed a `Desk` for the request at hand and answers with `desk.page(...)`. What is on a
page is worked out by its route; here nothing is looked up but what every page shows.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import jinja2
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency as Given
from litestar.params import SkipValidation
from litestar.response import Redirect
from litestar.utils.scope.state import ScopeState

from tenure.clock import Clock, SandboxClock
from tenure.domain.errors import Conflict, Forbidden, Invalid
from tenure.faces.console import navigation, returning, statics, visitors
from tenure.faces.console.forms import Form
from tenure.faces.console.origins import Origin
from tenure.faces.console.stepping import ONCE, Again, DoneBefore, Stepping
from tenure.faces.console.visitors import Visitor, Visitors
from tenure.services.acts import Done
from tenure.services.people.sessions import Begun

MEDIA_TYPE: Final = "text/html"
_COOKIES: Final = "tenure_cookies"

Counts: TypeAlias = Callable[[Visitor], Mapping[str, int]]
"""What is waiting for a visitor, by the part of the console it waits in; shown beside its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the pages of one worker share."""

    clock: Clock
    origin: Origin
    visitors: Visitors
    counts: Counts
    is_master: Callable[[Visitor], bool]
    """Whether a visitor's account may have sub-accounts."""
    steps: Stepping
    address: Callable[[Mapping[str, Any]], str]
    """Says where a request came from, given its ASGI scope; empty where nobody can say."""


class Desk:
    """Makes the pages of one request."""

    def __init__(self, house: House, request: Request[Any, Any, Any]) -> None:
        """*request* was let in already: its `user` is the visitor, None where nobody is."""
        self._house, self._request = house, request
        self.visitor: Visitor | None = request.scope.get("user")
        self.language = self.visitor.language if self.visitor else house.visitors.language(request)
        self.now_ms = house.clock.now_ms()
        # The request's, and not this desk's: a page that says what went wrong hands them over too,
        # or whoever is told of a failure would be signed out by it.
        self._cookies: list[Cookie] = request.scope["state"].setdefault(_COOKIES, [])
        self._once = ""

    @property
    def signed_in(self) -> Visitor:
        """Who is signed in; a route for anybody else asks `visitor`."""
        if self.visitor is None:
            raise LookupError("nobody is signed in: this route lets anybody in")
        return self.visitor

    @property
    def address(self) -> str:
        """Where the visitor is, as Tenure sees it; empty where it cannot say."""
        return self._house.address(self._request.scope)

    @property
    def is_secure(self) -> bool:
        """Whether cookies are for TLS only."""
        return self._house.origin.is_secure

    @property
    def provider_cookie(self) -> str:
        """The name of the cookie of a browser that was sent to the provider of sign-ins."""
        return self._house.origin.provider_cookie

    @property
    def agent(self) -> str:
        """What the browser calls itself."""
        return self._request.headers.get("user-agent", "")

    @property
    def asked(self) -> Mapping[str, str]:
        """The parameters of the page's address."""
        return self._request.query_params

    @property
    def is_partial(self) -> bool:
        """Whether a script asked, which puts the answer into the page that is there."""
        return self._request.headers.get("hx-request") == "true"

    def say(self, text_id: str, **parts: object) -> str:
        """Return a text in the reader's language."""
        return self.language.say(text_id, **parts)

    def navigation(self) -> list[navigation.Item]:
        """Return the parts of the console that the visitor has."""
        is_master = self._house.is_master(self.signed_in)
        return navigation.of(self.signed_in, is_master=is_master)

    def once(self) -> str:
        """Return what a form is known by when it is sent."""
        return self._once or self._house.steps.once()

    def is_proved(self, act: str) -> bool:
        """Whether *act* was approved by a second factor a moment ago."""
        return self._house.steps.is_proved(self.signed_in, act)

    def approve(self, act: str, form: Form) -> None:
        """
        Return once *act* is approved by the second factor in *form*, or was a moment ago.

        Raises Invalid `code`. The session goes on under a new id, which the answer hands over.
        """
        begun = self._house.steps.prove(self.signed_in, act, form)
        if begun is not None:
            self.take(begun)

    @contextlib.contextmanager
    def approving(self, act: str, form: Form, again: str = "") -> Iterator[None]:
        """
        Do inside what spends the approval of *act* in its own transaction, given as in `approve`.

        Every other act is done in `acting`. Raises Invalid `code`, also where the approval was
        spent by another form a moment ago; DoneBefore, which leads to *again*, for a form that says
        by `once` which it is and was sent before, or has a twin that was quicker.
        """
        if again:
            self.require_new(act, form, again)
        self._once = form.one(ONCE)
        self.approve(act, form)
        try:
            if again and form.has(ONCE):
                self._house.steps.begin(self.signed_in, act, form)
            yield
        except Conflict as conflict:
            if not again or conflict.code != "repeated":
                raise
            self.done_before(act, form)  # Which spends what approved the act in vain.
            raise DoneBefore(again) from None
        except Forbidden as error:
            if error.code != "step_up":
                raise
            raise Invalid("code", self.say("factor.missing")) from error

    def take(self, begun: Begun) -> None:
        """Let the browser go on in the session that was just *begun*, or goes on under a new id."""
        language = self.language
        self.visitor = Visitor(session=begun.session, language=language)
        self._request.scope["user"] = self.visitor
        self._cookies.append(self._house.origin.cookie(begun))

    def leave(self) -> None:
        """Let the browser forget its session."""
        self.visitor = None
        self._request.scope["user"] = None
        self._cookies.append(self._house.origin.no_cookie())

    def done_before(self, act: str, form: Form) -> Done | None:
        """Return what this very form did when it was sent before; see `Stepping.done_before`."""
        return self._house.steps.done_before(self.signed_in, act, form)

    def require_new(self, act: str, form: Form, again: Again) -> None:
        """
        Raise DoneBefore for a form that was sent before, which leads its sender to *again*.

        `acting` asks first of all; whoever looks at more than the form before it asks here too, for
        what was done may be what he would take for wrong.
        """
        if done := self.done_before(act, form):
            raise DoneBefore(again if isinstance(again, str) else again(done))

    @contextlib.contextmanager
    def acting(self, act: str, form: Form, again: Again) -> Iterator[None]:
        """
        Do inside what *act* names: once, by the second factor in *form* or one of a moment ago.

        Raises DoneBefore for a form that was sent before, Invalid `code`, and Conflict `repeated`
        for the twin of one that is being done; what is raised inside goes on to the caller, see
        `Stepping.acting`. The session goes on under a new id, which the answer hands over.
        """
        self.require_new(act, form, again)
        # Shown again it is the same form still: what a twin of it did, it does not do again.
        self._once = form.one(ONCE)
        with self._house.steps.acting(self.signed_in, act, form, self.take):
            yield

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        cookies: tuple[Cookie, ...] = (),
        **shown: object,
    ) -> Response[bytes]:
        """Return the page that *template* makes of what is *shown*."""
        errors = shown.get("errors")
        shown["errors"] = _Errors(errors if isinstance(errors, Mapping) else {})
        text = _templates().get_template(template).render({**self._frame(), **shown})
        answer = Response(
            text.encode(),
            media_type=MEDIA_TYPE,
            status_code=status,
            headers=dict(headers or {}),
            cookies=[*self._cookies, *cookies],
        )
        chosen = self._request.query_params.get(visitors.LANGUAGE_PARAMETER)
        if chosen in dict(visitors.offered()):
            kept = visitors.language_cookie(chosen, secure=self._house.origin.is_secure)
            answer.set_cookie(kept)
        return answer

    def go(self, path: str) -> Response[Any]:
        """Send the browser to another page, after something was done."""
        if self.is_partial:
            headers = {"hx-redirect": path}
            return Response(b"", status_code=200, headers=headers, cookies=self._cookies)
        return Redirect(path, status_code=303, cookies=self._cookies)

    def _frame(self) -> dict[str, Any]:
        clock = self._house.clock
        request = self._request
        return {
            "desk": self,
            "say": self.say,
            "language": self.language,
            "now_ms": self.now_ms,
            "visitor": self.visitor,
            "path": request.url.path,
            "static": statics.address,
            "languages": visitors.offered(),
            "form_secret": ScopeState.from_scope(request.scope).csrf_token or "",
            "sandbox": clock if isinstance(clock, SandboxClock) else None,
            "counts": self._house.counts(self.visitor) if self.visitor else {},
            "is_partial": self.is_partial,
            "has_lost": returning.UNSAVED in self.asked,
        }


class _Errors(dict[str, Any]):
    """What is wrong by field: nothing where nothing is said, so that a template may just ask."""

    def __missing__(self, field: str) -> str:
        return ""


GivenDesk: TypeAlias = Given[SkipValidation[Desk]]


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tenure.faces.console", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
