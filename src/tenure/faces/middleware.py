"""
The same decision inside a Python service: wrap it in Guard (ASGI) or WsgiGuard (WSGI).

For services on a machine that runs Tenure: they decide from that machine's keyring, in their own
process, with no request to anybody. What is neither allowed nor public never reaches the service,
and nothing that goes wrong here lets a request through (SECURITY I15). An ASGI service finds who
is calling in `scope["tenure"]`, a WSGI service in `environ["tenure.allowed"]`: an `Allowed`, or
None on a public route. What a caller sends under `Tenure-…` names is taken away. There is no store
here, so the use of a key is not noted (docs/howto/find-unused-keys.md).

Run an ASGI service without its server's own `--proxy-headers`: they would replace the peer that is
judged here. Name the gateways in `trusted_proxies` instead.
"""

import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self, TypeAlias, final
from urllib.parse import quote_from_bytes, unquote

import structlog
from typing_extensions import Unpack

from tenure import settings, wiring
from tenure.domain import allowlist
from tenure.domain.catalog import PUBLIC
from tenure.domain.decide import Allowed
from tenure.domain.errors import Unavailable
from tenure.domain.signing import Malformed
from tenure.faces import gate
from tenure.faces.gate import Admitted, Gate, Options
from tenure.faces.http import asgi, callers
from tenure.faces.http.callers import Caller, Suspect
from tenure.faces.http.refusals import Answer
from tenure.services.deciding import Decider
from tenure.settings import Settings

log = structlog.get_logger()

_NOT_TO_BE_ACCEPTED: Final = 1008  # RFC 6455 7.4.1
_IDENTITY: Final = frozenset({b"tenure-", b"tenure_", b"tenure."})
_DIGITS_MAX: Final = 19  # More, and `int` would be given a whole header to read.

Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Asgi: TypeAlias = Callable[[Any, Receive, Send], Awaitable[None]]
Wsgi: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@final
class Guard:
    """
    Wraps an ASGI service, which then sees nothing but allowed and public requests.

    A WebSocket carries no signed request, so it passes on public routes alone.
    """

    def __init__(
        self,
        app: Asgi,
        open_decider: Callable[[], Decider],
        *,
        trusted_proxies: tuple[str, ...] = (),
        **options: Unpack[Options],
    ) -> None:
        """*open_decider* is called in the process that serves; see `open` for the usual one."""
        self._app, self._gate = app, Gate(open_decider, options)
        self._caller_of = callers.reader(trusted_proxies)

    @classmethod
    def open(cls, app: Asgi, tenure: Path | Settings, **options: Unpack[Options]) -> Self:
        """Guard *app* with the Tenure whose home, or whose settings, are given."""
        chosen = _settings(tenure)
        proxies = chosen.trusted_proxies
        return cls(app, lambda: wiring.open_decider(chosen), trusted_proxies=proxies, **options)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Let an allowed or public request through, answer any other one; see ASGI 3."""
        match scope["type"]:
            case "lifespan":
                self._open_early()
                await self._app(scope, receive, send)
            case "websocket":
                await self._websocket(scope, receive, send)
            case "http":
                await self._http(scope, receive, send)
            case other:
                raise ValueError(f"nothing is known about {other!r}, so it is not let through")

    def _open_early(self) -> None:
        # In the serving process already. What fails now is said now, and tried again per request.
        try:
            self._gate.open()
        except Unavailable as error:
            log.warning("Tenure cannot be opened yet", cause=error.code, context=error.context)
        except Exception:
            log.exception("Tenure cannot be opened yet")

    async def _http(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        path = asgi.raw_path(scope)
        try:
            result = await self._admit(scope, path, receive)
        except Unavailable as error:
            result = self._gate.answer(error, path)
        except Exception:
            log.exception("unexpected", face=gate.FACE, path=path)
            result = self._gate.fail(path)
        if not isinstance(result, Admitted):
            await asgi.respond(send, *result)
            return
        # The service's own failures are the service's own: nothing is caught from here on.
        replayed = receive if result.body is None else _replaying(result.body, receive)
        await self._app(_cleaned(scope, result.allowed), replayed, send)

    async def _admit(
        self, scope: Mapping[str, Any], path: str, receive: Receive
    ) -> Admitted | Answer:
        permission = self._gate.needed(scope["method"], _raw_path(scope))
        if isinstance(permission, Malformed):
            return self._gate.answer(permission, path)
        if permission == PUBLIC:
            return Admitted(None)
        caller = self._caller_of(scope)
        if isinstance(caller, Suspect):
            return self._gate.answer(gate.NO_CALLER, path)
        body = await asgi.read_body(receive, self._gate.body_bytes_max)
        if body is None:
            return self._gate.too_large()
        route = scope["method"], path
        outcome = self._gate.decide(caller, scope["query_string"], body, permission, route)
        if isinstance(outcome, Allowed):
            return Admitted(outcome, body)
        return self._gate.answer(outcome, path)

    async def _websocket(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            is_public = self._gate.needed("GET", _raw_path(scope)) == PUBLIC
        except Exception:
            log.exception("unexpected", face=gate.FACE)
            is_public = False
        if is_public:
            await self._app(_cleaned(scope, None), receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": _NOT_TO_BE_ACCEPTED})


@final
class WsgiGuard:
    """
    Wraps a WSGI service, which then sees nothing but allowed and public requests.

    WSGI merges `X-Forwarded-For` with `X_Forwarded_For` before anybody can look, so no forwarded
    header is read here at all (SECURITY D14): the caller is the server's peer. Behind a gateway
    that is the gateway, and keys with an IP allowlist are refused; such a service needs ASGI.
    """

    def __init__(
        self, app: Wsgi, open_decider: Callable[[], Decider], **options: Unpack[Options]
    ) -> None:
        """*open_decider* is called in the process that serves; see `open` for the usual one."""
        self._app, self._gate = app, Gate(open_decider, options)

    @classmethod
    def open(cls, app: Wsgi, tenure: Path | Settings, **options: Unpack[Options]) -> Self:
        """Guard *app* with the Tenure whose home, or whose settings, are given."""
        chosen = _settings(tenure)
        return cls(app, lambda: wiring.open_decider(chosen), **options)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Let an allowed or public request through, answer any other one; see PEP 3333."""
        path = ""
        try:
            path = _wsgi_path(environ)
            result = self._admit(environ, path)
        except Unavailable as error:
            result = self._gate.answer(error, path)
        except Exception:
            log.exception("unexpected", face=gate.FACE, path=path)
            result = self._gate.fail(path)
        if not isinstance(result, Admitted):
            return _respond(start_response, result)
        kept = {key: environ[key] for key in environ if not key.startswith("HTTP_TENURE")}
        kept["tenure.allowed"] = result.allowed
        if result.body is not None:
            kept |= {"wsgi.input": io.BytesIO(result.body), "CONTENT_LENGTH": str(len(result.body))}
        return self._app(kept, start_response)

    def _admit(  # noqa: PLR0911 - one exit per outcome
        self, environ: Mapping[str, Any], path: str
    ) -> Admitted | Answer:
        permission = self._gate.needed(environ["REQUEST_METHOD"], path)
        if isinstance(permission, Malformed):
            return self._gate.answer(permission, path)
        if permission == PUBLIC:
            return Admitted(None)
        address = allowlist.parse_address(environ.get("REMOTE_ADDR", ""))
        if address is None:
            return self._gate.answer(gate.NO_CALLER, path)
        body = _wsgi_body(environ, self._gate.body_bytes_max)
        if body is None:
            return self._gate.too_large()
        if isinstance(body, Malformed):
            return self._gate.answer(body, path)
        headers = {callers.API_KEY: environ.get("HTTP_X_MBX_APIKEY", "")}
        query = environ.get("QUERY_STRING", "").encode("latin-1")
        caller = Caller(address, headers, is_trusted=False)
        route = environ["REQUEST_METHOD"], path
        outcome = self._gate.decide(caller, query, body, permission, route)
        if isinstance(outcome, Allowed):
            return Admitted(outcome, body)
        return self._gate.answer(outcome, path)


def _settings(tenure: Path | Settings) -> Settings:
    return tenure if isinstance(tenure, Settings) else settings.load(home=tenure)


def _raw_path(scope: Mapping[str, Any]) -> str | None:
    """Return the path as sent; None where it is not told, or not the one the service is told."""
    if scope.get("raw_path") is None:
        return None
    path = asgi.raw_path(scope)
    return path if unquote(path) == scope["path"] else None


def _cleaned(scope: Mapping[str, Any], allowed: Allowed | None) -> dict[str, Any]:
    headers = [pair for pair in scope["headers"] if pair[0][:7].lower() not in _IDENTITY]
    return {**scope, "headers": headers, "tenure": allowed}


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body that was judged, and then whatever comes."""
    ahead = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:  # noqa: ANN401 - an ASGI message
        return ahead.pop() if ahead else await receive()

    return replay


def _wsgi_path(environ: Mapping[str, Any]) -> str:
    # WSGI tells the decoded path only, to the service too: encode it, so that one rule serves both.
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    return quote_from_bytes(path, safe="/~!$&'()*+,=:@")


def _wsgi_body(environ: Mapping[str, Any], most: int) -> bytes | Malformed | None:
    """Return the body, None where it is longer than *most* bytes, Malformed where it is cut."""
    length = environ.get("CONTENT_LENGTH") or ""
    source = environ["wsgi.input"]
    if not length:
        # Without a length nothing may be read, unless the server promises an end.
        body: bytes = source.read(most + 1) if environ.get("wsgi.input_terminated") else b""
        return body if len(body) <= most else None
    if not (length.isascii() and length.isdigit() and len(length) <= _DIGITS_MAX):
        return gate.NO_BODY
    if int(length) > most:
        return None
    body = source.read(int(length))
    return body if len(body) == int(length) else gate.NO_BODY


def _respond(start_response: Callable[..., Any], answer: Answer) -> Iterable[bytes]:
    status, headers, body = answer
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    line = f"{status} {HTTPStatus(status).phrase}"
    start_response(line, [*pairs, ("content-length", str(len(body)))])
    return [body]
