"""The few lines of ASGI that the raw faces share: the target as sent, the body, the answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any


def raw_path(scope: Mapping[str, Any]) -> str:
    """Return the path as it stood on the wire, undecoded, without the query."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        return str(scope["path"])
    return raw.partition(b"?")[0].decode("latin-1")


async def read_body(receive: Callable[[], Awaitable[Any]], most: int) -> bytes | None:
    """Return the whole body, None where it is longer than *most* bytes or the caller left."""
    parts, total = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        total += len(part)
        if total > most:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def respond(
    send: Callable[[Any], Awaitable[None]],
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    """Send one whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
