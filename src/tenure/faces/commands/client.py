"""
Speaking HTTP to a running Tenure: where it is, the operator token, and errors as ours again.

`connected` gives a command its Client and the options that say where the server is. What is asked
for is in the commands; what an error leads to, in `exits`.
"""

import contextlib
import functools
import inspect
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote

import httpx
import typer

from tenure.domain import errors
from tenure.domain.errors import Invalid, Problem, TenureError
from tenure.settings import Settings

SERVER: Final = "http://127.0.0.1:8080"
TIMEOUT_S: Final = 30.0
"""Longer than the server itself waits for a busy store or for its keyring to follow."""

_START: Final = "start one with `tenure serve`, or name another with --server or TENURE_SERVER"

Json: TypeAlias = dict[str, Any]


class Client:
    """The management API, as an operator."""

    def __init__(self, http: httpx.Client, proof: str) -> None:
        """*http* carries base URL and operator token; *proof* says which that is, or why none."""
        self._http, self._proof = http, proof

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def get(self, path: str, **query: str | int) -> Json:
        """Return the answer to a GET; raises TenureError."""
        return self._send("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Json:
        """Return the answer to a POST of *body* as JSON; raises TenureError."""
        return self._send("POST", path, json=dict(body or {}))

    def put(self, path: str, body: Mapping[str, object]) -> Json:
        """Return the answer to a PUT of *body* as JSON; raises TenureError."""
        return self._send("PUT", path, json=dict(body))

    def delete(self, path: str) -> Json:
        """Return the answer to a DELETE; raises TenureError."""
        return self._send("DELETE", path)

    def _send(self, method: str, path: str, **parts: Any) -> Json:  # noqa: ANN401 - httpx has many kinds
        try:
            response = self._http.request(method, path, **parts)
        except httpx.TimeoutException as error:
            raise errors.Unavailable(
                "server", f"no answer from {self._http.base_url} within {TIMEOUT_S:.0f} s"
            ) from error
        except httpx.TransportError as error:
            raise errors.Unavailable(
                "server",
                f"no Tenure answers at {self._http.base_url}: {_START}",
                context=str(error),
            ) from error
        answer = self._read(response)
        if response.is_success:
            return answer
        raise _error_of(response, answer, self._proof)

    def _read(self, response: httpx.Response) -> Json:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return answer
        raise errors.Unavailable(
            "server",
            f"{self._http.base_url} answers, but not as Tenure does: {_START}",
            context=f"{response.status_code} {response.headers.get('content-type', 'no type')}",
        )


def _error_of(response: httpx.Response, answer: Json, proof: str) -> TenureError:
    """Return the exception below that a problem document stands for."""
    status, asked = response.status_code, f"{response.request.method} {response.request.url.path}"
    code, detail = str(answer.get("code", "")), str(answer.get("detail") or answer.get("title"))
    known: Mapping[int, TenureError] = {
        401: errors.Unauthenticated("the server does not know you", context=proof),
        403: errors.Forbidden(detail),
        404: errors.NotFound(detail, context=asked),
        409: errors.Conflict(code, detail, plan=answer.get("plan")),
        503: errors.Unavailable(code, detail),
    }
    if status in known:
        return known[status]
    if status < httpx.codes.INTERNAL_SERVER_ERROR:
        named = answer.get("problems") or [{"field": code or str(status), "message": detail}]
        return Invalid.of([Problem(item["field"], item["message"]) for item in named])
    request_id = answer.get("request_id", "unknown")
    return TenureError(f"the server failed ({status}): its log tells, request {request_id}")


def of_path(text: str) -> str:
    """Return *text* as one segment of a path, whatever somebody typed."""
    # A segment of dots alone would lead elsewhere, and none at all to a listing.
    return "-" if text in {"", ".", ".."} else quote(text, safe="")


def connect(server: str, operator_token_file: Path | None, home: Path) -> Client:
    """
    Return a Client for *server*, without asking it anything.

    The operator token is the one in *operator_token_file*, else in TENURE_OPERATOR_TOKEN, else in
    *home*. Raises Invalid for an address or a token that cannot be one.
    """
    operator_token, proof = _operator_token(operator_token_file, home)
    url = server if "://" in server else f"http://{server}"
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Invalid("--server", f"{server!r} is no URL such as {SERVER}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise Invalid("--server", f"{server!r} is no URL such as {SERVER}")
    http = httpx.Client(
        base_url=parsed,
        headers={"authorization": f"Bearer {operator_token}"} if operator_token else {},
        timeout=TIMEOUT_S,
        # A proxy for the web is not on the way to this machine; the system's certificates count.
        trust_env=False,
        verify=ssl.create_default_context() if parsed.scheme == "https" else False,
    )
    return Client(http, proof)


def _operator_token(file: Path | None, home: Path) -> tuple[str, str]:
    """Return the operator token and where it is from; empty, and why, where there is none."""
    named = os.environ.get("TENURE_OPERATOR_TOKEN", "")
    if file is None and named:
        where = "TENURE_OPERATOR_TOKEN"
        return _sendable(named, where), f"the operator token sent is that of {where}"
    path = file or home / "operator-token"
    try:
        text = _sendable(path.read_text(encoding="utf-8").strip(), str(path))
    except FileNotFoundError:
        if file is not None:
            raise Invalid("--operator-token-file", f"{file} is not there") from None
        # Whether a server is there at all is the better thing to tell first.
        return "", f"no operator token was sent: {path} is not there; see --operator-token-file"
    except (OSError, UnicodeError) as error:
        raise Invalid("--operator-token-file", f"{path} cannot be read: {error}") from error
    return text, f"the operator token sent is that in {path}"


def _sendable(text: str, where: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid("operator token", f"what {where} holds is no operator token")
    return text


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Turn *command*, whose first argument is a Client, into one told where the server is."""

    @functools.wraps(command)
    def run(server: str, operator_token_file: Path | None, home: Path, **given: object) -> None:
        with contextlib.closing(connect(server, operator_token_file, home)) as client:
            command(client, **given)

    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    signature = inspect.Signature([*own, *_OPTIONS])
    run.__signature__ = signature  # type: ignore[attr-defined]  # what inspect, and so Typer, reads
    return run


def _option(name: str, kind: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


_OPTIONS: Final = (
    _option(
        "server",
        Annotated[
            str,
            typer.Option(metavar="URL", envvar="TENURE_SERVER", help="Where Tenure serves."),
        ],
        SERVER,
    ),
    _option(
        "operator_token_file",
        Annotated[
            Path | None,
            typer.Option(
                metavar="PATH",
                help="File with the operator token; else TENURE_OPERATOR_TOKEN holds it, else "
                "<home>/operator-token.",
            ),
        ],
        None,
    ),
    _option(
        "home",
        Annotated[
            Path,
            typer.Option(metavar="PATH", envvar="TENURE_HOME", help="The server's directory."),
        ],
        Settings.model_fields["home"].default,
    ),
)
