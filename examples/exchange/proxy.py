"""
What is not the exchange's own goes on to Tenure, so that clients need to know one address only.

Bytes are passed on as they came, since a signature covers them: the target undecoded, the body
whole. Of the headers only those that the compatible surface reads; and X-Forwarded-For names the
peer that this process sees, whatever the peer itself says. Tenure believes it if it trusts this
process: `tenure serve --trusted-proxies 127.0.0.1/32`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import httpx
import structlog

from tenure.faces.http import asgi, binance_errors
from tenure.faces.http.refusals import Answer

log = structlog.get_logger()

BODY_BYTES_MAX: Final = 65_536
TIMEOUT_S: Final = 5.0
SURFACE: Final = ("/api/", "/sapi/", "/fapi/", "/dapi/")
"""Tenure has more to offer, but not to the public: its management API, its metrics."""
_PASSED_ON: Final = frozenset({b"x-mbx-apikey", b"x-mbx-time-unit", b"content-type"})
_KEPT_BACK: Final = frozenset(
    {b"connection", b"content-length", b"date", b"keep-alive", b"server", b"transfer-encoding"}
)
"""What is said of the connection to Tenure, and holds for no other (RFC 9110, section 7.6.1)."""


class Proxy:
    """Tenure at *base_url*, asked through *client*, as an ASGI application."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        self._client, self._base_url = client, base_url

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Pass one request on, and its answer back; 503 `-1008` while Tenure is away."""
        await asgi.respond(send, *await self._answer(scope, receive))

    async def _answer(
        self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]]
    ) -> Answer:
        path = asgi.raw_path(scope)
        if not path.startswith(SURFACE):
            return binance_errors.not_supported(404)
        body = await asgi.read_body(receive, BODY_BYTES_MAX)
        if body is None:
            return binance_errors.not_supported(413)
        headers = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON]
        headers.append((b"x-forwarded-for", scope["client"][0].encode()))
        target = path.encode("latin-1")
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        request = self._client.build_request(
            scope["method"],
            self._base_url,
            headers=headers,
            content=body,
            # Said apart from the URL, which would be put in order on its way.
            extensions={"target": target},
        )
        try:
            response = await self._client.send(request)
        except httpx.TransportError as error:
            log.warning("Tenure does not answer", error=repr(error))
            return binance_errors.unavailable()
        kept = [
            (name, value)
            for name, value in ((name.lower(), value) for name, value in response.headers.raw)
            if name not in _KEPT_BACK
        ]
        return response.status_code, kept, response.content


def build(base_url: str) -> Proxy:
    """Return what asks Tenure at *base_url*, such as `http://127.0.0.1:8080`."""
    # Compressed, an answer of a hundred bytes gains nothing, and would have to be opened here.
    headers = {"accept-encoding": "identity"}
    client = httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S, trust_env=False)
    return Proxy(client, base_url)
