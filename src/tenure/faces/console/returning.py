"""
Where somebody comes back to after signing in, and that a form was lost meanwhile.

A form that arrives without a session does nothing, and nothing of it is kept: it may hold a
password, and what it would do has to be asked for by whoever is signed in then. Its page is led
back to, by an address of the console's own routes and never by one that was sent along.
"""

from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from litestar import Litestar

from tenure.faces.console import entry

UNSAVED: Final = "unsaved"
"""The parameter of an address that says that a form was lost on the way there."""
_ENTERING: Final = "/console/sign-"
"""Of the pages by which people come in and go: none of them is what somebody was at."""


def after_losing(app: Litestar, path: str) -> str:
    """
    Return the page that has the form sent to *path*, marked as lost; empty where none has.

    That is the page at the same address, or else at the nearest above it.
    """
    if path.startswith(_ENTERING):
        return ""
    names = [name.split() for name in entry.declared(app)]
    pages = [page.split("/") for method, page in names if method == "GET"]
    parts = path.split("/")
    while len(parts) > 1:
        if any(_is_at(page, parts) for page in pages):
            return f"{'/'.join(parts)}?{urlencode({UNSAVED: 1})}"
        parts.pop()
    return ""


def has_lost(address: str) -> bool:
    """Whether *address* says that a form was lost."""
    return UNSAVED in parse_qs(urlsplit(address).query)


def unmarked(address: str) -> str:
    """Return *address* without that: nothing is said to whoever was not signed out after all."""
    return address.partition("?")[0] if has_lost(address) else address


def _is_at(page: list[str], parts: list[str]) -> bool:
    return len(page) == len(parts) and all(
        name.startswith("{") or name == part for name, part in zip(page, parts, strict=True)
    )
