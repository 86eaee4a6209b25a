"""
What a request is for: its path and raw query, read in the one way that leaves no second reading.

A gateway, Tenure and the service behind them each read the path for themselves. If two of them
can read it differently, a caller asks for one route and gets another, so whatever has two readings
is refused: dot segments, empty segments, `;`, `#`, backslashes, an encoded slash, dot or percent
sign, control characters and bytes outside ASCII (SECURITY T9, BI-22, BI-32).
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from tenure.domain.model import Permission

PermissionFor: TypeAlias = Callable[[str, str], Permission | None]
"""Takes method and path; returns what they need, `catalog.PUBLIC`, or None where nobody knows."""

AMBIGUOUS: Final = Permission("(ambiguous)")
"""Stands for a path that names one route as sent and another when decoded; no key can hold it."""

# RFC 3986 pchar without the semicolon. Of the escapes: none for a control character or for one of
# # % . / ; ? \, since each of those changes what the path is once somebody decodes it.
_PLAIN = r"[A-Za-z0-9._~!$&'()*+,=:@-]++"
_ESCAPE = r"(?i:%(?!2[35EF]|3[BF]|5C|7F)[2-9A-F][0-9A-F])"
_PATH = re.compile(rf"(?:/(?!\.\.?(?:/|\Z))(?:{_PLAIN}|{_ESCAPE})++)++/?|/")
_QUERY = re.compile(r"[!-\"$-~\x80-\xff]*")


class Target(NamedTuple):
    """What a request is for: the *path* as sent, and the raw *query* after the first `?`."""

    path: str
    query: bytes


def read(uri: str) -> Target | None:
    """
    Take a request target in origin form apart, or return None where it has two readings.

    *uri* is the target's bytes as Latin-1 text, such as `/api/v3/order?symbol=A`; the absolute
    form (`http://…`), no path, and a fragment give None. The query is not judged further: it is
    signed as it stands, and nobody finds a route by it.
    """
    path, _, query = uri.partition("?")
    if not is_plain(path) or not _QUERY.fullmatch(query):
        return None
    return Target(path, query.encode("latin-1"))


def is_plain(path: str) -> bool:
    """Whether *path*, as sent and undecoded, can be read in one way only."""
    return _PATH.fullmatch(path) is not None


def needed(permission_for: PermissionFor, method: str, path: str) -> Permission | None:
    """
    Return what *method* on the plain *path* needs, AMBIGUOUS where that depends on decoding it.

    Some services find their routes by the path as sent, some by the decoded one. Where a route is
    listed beside one with a `{placeholder}`, an escaped letter would otherwise choose between them.
    """
    permission = permission_for(method, path)
    if "%" in path:
        try:
            decoded = unquote(path, errors="strict")
        except UnicodeDecodeError:
            return AMBIGUOUS
        if permission_for(method, decoded) != permission:
            return AMBIGUOUS
    return permission
