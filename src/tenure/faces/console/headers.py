"""
What every answer of the console carries: no foreign script, frame or copy in a cache.

The pages need nothing from elsewhere and no script of their own in the text, so the browser is told
to refuse both (SECURITY, and OWASP ASVS 5.0 V3).
"""

from typing import Final

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from tenure.faces.http.requests import REQUEST_ID, Ids

CONTENT_SECURITY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS: Final = {
    "content-security-policy": CONTENT_SECURITY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_FOR_TLS: Final = ("strict-transport-security", "max-age=31536000; includeSubDomains")
_KEPT: Final = "cache-control"


class Headers:
    """Puts them on."""

    def __init__(self, ids: Ids, *, is_secure: bool) -> None:
        """*is_secure* where the console is reached by TLS; *ids* name requests in the log."""
        self._ids = ids
        self._more = dict([_FOR_TLS]) if is_secure else {}

    async def put_on(self, message: Message, scope: Scope) -> None:
        """Add what is missing; a page that says nothing about caches is kept by none."""
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        for name, value in {**ALWAYS, **self._more}.items():
            headers[name] = value
        headers[REQUEST_ID] = self._ids.of(scope)
        if _KEPT not in headers:
            headers[_KEPT] = "no-store"
