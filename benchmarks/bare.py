"""The least an ASGI application can do, to measure a server by itself: 204, always."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any


async def app(
    scope: Mapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """Answer 204 to anything."""
    del scope, receive
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
