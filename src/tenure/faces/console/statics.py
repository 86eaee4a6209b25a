"""
The stylesheet, the scripts and the icon: read once, named by what is in them, kept for a year.

A new version has a new address, so a browser never mixes a page with yesterday's stylesheet.
"""

import hashlib
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from tenure.domain.errors import NotFound
from tenure.faces.console import entry
from tenure.faces.console.requests import FileName

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_KEPT: Final = "public, max-age=31536000, immutable"


class File(NamedTuple):
    """What is sent, and how its address tells it from an earlier version."""

    body: bytes
    media_type: str
    version: str


@cache
def files() -> dict[str, File]:
    """Return every file of `static/`, by name."""
    found: dict[str, File] = {}
    for part in resources.files("tenure.faces.console").joinpath("static").iterdir():
        media_type = _TYPES.get(part.name.rpartition(".")[2])
        if media_type is not None:
            body = part.read_bytes()
            found[part.name] = File(body, media_type, hashlib.sha256(body).hexdigest()[:12])
    return found


def address(name: str) -> str:
    """Return where the file called *name* is; raises KeyError, a template's mistake."""
    return f"/console/static/{name}?v={files()[name].version}"


@get("/static/{name:str}", opt=entry.OPEN, sync_to_thread=False)
def get_static(name: FileName) -> Response[bytes]:
    """Return a file."""
    file = files().get(name)
    if file is None:
        raise NotFound
    return Response(file.body, media_type=file.media_type, headers={"cache-control": _KEPT})


def routes() -> list[HTTPRouteHandler]:
    """Return what is answered under `/console/static`."""
    return [get_static]
