"""
Reading a request of the management face: its id, who sends it, and a JSON body taken literally.

Bytes that are no JSON are told apart from JSON that makes no sense here (400 and 422), nothing is
coerced, and what was sent is never repeated: somebody may have pasted a secret into the wrong
field. What an error looks like on the wire is in `problems`.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeAlias, cast

import msgspec
from litestar import Request, Response
from litestar.concurrency import sync_to_thread
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import NamedDependency as Given
from litestar.exceptions import ClientException
from litestar.params import PathParameter, QueryParameter, SkipValidation
from litestar.types import Message, Scope
from typing_extensions import override

from tenure.clock import Clock, new_id
from tenure.domain.errors import Invalid
from tenure.domain.rights import Caller
from tenure.faces.http import asgi
from tenure.services import acts
from tenure.services.acts import FIELD, Acts

BODY_BYTES_MAX: Final = 262_144
"""256 kB: a signed request handed over whole, with room; everything else needs a few kB."""
INTEGER_MAX: Final = 2**53 - 1
"""What every JSON reader can hold exactly; 2^63 and more would not fit the store either."""
ACCOUNT_ID: Final = "^acct_[0-9a-z]{24}$"
KEY_ID: Final = "^key_[0-9a-z]{24}$"
NOTICE_ID: Final = "^ntc_[0-9a-z]{24}$"
CONTACT_ID: Final = "^ctc_[0-9a-z]{24}$"
CALENDAR_NAME: Final = r"^[0-9A-Za-z_-]{43}\.ics$"
REQUEST_ID: Final = "x-request-id"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_UNRECORDED: Final = ("/preview", "/authorize", "/read", "/leaks", "/clock")
"""How the paths end of what changes nothing, or nothing that stands in the journal."""
_REQUEST_ID_KEY: Final = "tenure.request_id"

# A value that does not look like an id is answered as an unknown one, and never looked up.
AccountId: TypeAlias = Annotated[str, PathParameter(pattern=ACCOUNT_ID)]
KeyId: TypeAlias = Annotated[str, PathParameter(pattern=KEY_ID)]
NoticeId: TypeAlias = Annotated[str, PathParameter(pattern=NOTICE_ID)]
ContactId: TypeAlias = Annotated[str, PathParameter(pattern=CONTACT_ID)]
CalendarName: TypeAlias = Annotated[str, PathParameter(pattern=CALENDAR_NAME)]
Integer: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
GivenClock: TypeAlias = Given[SkipValidation[Clock]]
"""A Clock is a protocol, which the framework cannot check; `management.build` hands in one."""
GivenCaller: TypeAlias = Given[SkipValidation[Caller]]
"""Who the guard found to be calling: an operator, or an owner."""

_SHOWN: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,100}")
"""What may be repeated as a field's name; anything else might be a secret in the wrong place."""
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_PLACE: Final = re.compile(r" - at `(.*)`\Z", re.DOTALL)


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller sends; its `repr` shows none of it."""

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class StrictRequest(Request[Caller, None, State]):
    """A request whose body is JSON whatever its content type says, since there is one parser."""

    @override
    async def json(self) -> Any:
        field = self.route_handler.parsed_data_field
        return read(await self.body(), Any if field is None else field.annotation)


def read(body: bytes, shape: Any) -> Any:  # noqa: ANN401 - whatever *shape* says
    """
    Read *body*, one JSON text, as a value of the type *shape*.

    Raises ClientException (400) for what is no JSON: bad UTF-8, NaN, a lone surrogate, a byte order
    mark, numbers past a double, nesting deeper than the parser's stack (SECURITY BI-40); Invalid
    for JSON of another shape. Of two equal names the last wins.
    """
    try:
        parsed = msgspec.json.decode(body)
    except RecursionError as error:
        raise ClientException("The body is nested too deeply.") from error
    except UnicodeError as error:
        raise ClientException("The body is not UTF-8.") from error
    except msgspec.DecodeError as error:
        # Two steps on purpose: reading straight into *shape* would answer 422 at the first
        # surprise, and never see that the rest is no JSON.
        place = re.search(r"\(byte \d+\)\Z", str(error))
        raise ClientException(
            f"The body is not JSON{f' {place.group()}' if place else ''}."
        ) from error
    try:
        return msgspec.convert(parsed, shape)
    except msgspec.ValidationError as error:
        raise Invalid(*explain(str(error))) from error


def explain(said: str) -> tuple[str, str]:
    """Turn what msgspec *said* into a field and a message that repeat nothing that was sent."""
    found = _PLACE.search(said)
    message = said[: found.start()] if found else said
    place = found.group(1).removeprefix("$").removeprefix(".") if found else ""
    if named := _UNKNOWN.fullmatch(message):
        return _join(place, named.group(1)), "is not known here"
    if named := _MISSING.fullmatch(message):
        return _join(place, named.group(1)), "is missing"
    if message.startswith("Invalid enum value"):
        message = "Not one of the values allowed"
    return _join(place), message.replace("`", "")


def _join(*parts: str, otherwise: str = "body") -> str:
    field = ".".join(part for part in parts if part)
    return field if _SHOWN.fullmatch(field) else otherwise


def look_over(request: Request[Caller, None, State]) -> Response[None] | None:
    """
    Refuse a parameter the route does not know, or that comes twice: `?afer=5` is a mistake.

    Answers OPTIONS itself: where a path takes two methods the framework names only the first.
    """
    if request.method == "OPTIONS":
        path = request.scope["path_template"]
        routes = (route for route in request.app.routes if route.path == path)
        methods = {method for route in routes for method in getattr(route, "methods", ())}
        return Response(None, status_code=204, headers={"allow": ", ".join(sorted(methods))})
    fields = request.route_handler.parsed_fn_signature.parameters
    for name in request.query_params:
        field = fields.get(name)
        if field is None or not isinstance(field.kwarg_definition, QueryParameter):
            raise Invalid(_join(name, otherwise="query"), "is not known here")
        if len(request.query_params.getall(name)) > 1:
            raise Invalid(name, "comes twice")
    return None


def is_recorded(method: str, path: str) -> bool:
    """Whether what the route of that *method* and *path* does is recorded as an event."""
    return method not in _SAFE and not path.endswith(_UNRECORDED)


def once(known: Acts) -> Callable[[Request[Caller, None, State]], Awaitable[Any]]:
    """Return what looks a request over and refuses what was done before (SECURITY I6)."""

    # No method: the framework copies what it is handed, with all that hangs from it.
    async def look(request: Request[Caller, None, State]) -> Response[None] | None:
        acts.enter(None)  # Whatever a request before this one left.
        answer = look_over(request)
        keys = request.headers.getall(FIELD, [])
        if answer is None and keys and request.method not in _SAFE:
            if not is_recorded(request.method, request.scope["path_template"]):
                raise Invalid(FIELD, "is of no use here: nothing that this does is recorded")
            path, query = asgi.raw_path(request.scope).encode(), request.scope["query_string"]
            asked = (request.method.encode(), path, query, await request.body())
            # In a thread, for the store blocks.
            actor = request.user.actor
            acts.enter(await sync_to_thread(known.begin, actor, keys, asked))
        return answer

    return look


def caller_of(request: Request[Caller, None, State]) -> Caller:
    """Return who sent *request*: what the guard found out."""
    return request.user


def actor_of(request: Request[Caller, None, State]) -> str:
    """Return whom the journal names for *request*."""
    return request.user.actor


class Ids:
    """Gives each request its id, made here: one that came from outside could name another's."""

    def __init__(self, clock: Clock) -> None:
        """*clock* draws the random ones."""
        self._clock = clock

    def of(self, scope: Scope) -> str:
        """Return the id of the request with this *scope*, always the same."""
        # Not in the scope's `state`, which a server may share between requests.
        kept = cast("dict[str, Any]", scope)
        if _REQUEST_ID_KEY not in kept:
            kept[_REQUEST_ID_KEY] = new_id(self._clock, "req")
        return str(kept[_REQUEST_ID_KEY])

    async def add_headers(self, message: Message, scope: Scope) -> None:
        """Put on every answer the request's id, and that nobody may keep it: it may be secret."""
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            headers[REQUEST_ID] = self.of(scope)
            headers["cache-control"] = "no-store"
            headers["x-content-type-options"] = "nosniff"
