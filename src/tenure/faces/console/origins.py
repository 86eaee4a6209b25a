"""
Where the console lives in a browser's eyes, and what that means for cookies and foreign pages.

Cookies, passkeys and the test of where a form was sent from are all bound to one origin, from the
settings. Beside Litestar's test of a form's own secret, a request that changes something must come
from a page of this origin by the browser's own word (SECURITY T23).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from litestar.datastructures import Cookie

from tenure.services.people.sessions import Begun
from tenure.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HERE: Final = frozenset({"127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Origin:
    """An origin such as `https://keys.example.com`, without a slash at its end."""

    text: str

    @classmethod
    def of(cls, settings: Settings) -> "Origin":
        """Return the origin that *settings* name, by default this machine as `localhost`."""
        return cls(settings.console_at)

    @property
    def is_secure(self) -> bool:
        """Whether browsers keep a cookie of it that is for TLS only."""
        return self.text.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """The name of the session's cookie; `__Host-` binds it to this host alone."""
        # Browsers take that prefix over TLS only, and a rehearsal on this machine has none.
        return "__Host-tenure" if self.is_secure else "tenure-session"

    @property
    def form_cookie(self) -> str:
        """The name of the cookie that a form's own secret is compared with."""
        return "__Host-tenure-form" if self.is_secure else "tenure-form"

    @property
    def provider_cookie(self) -> str:
        """The name of the cookie of a browser that was sent to the provider of sign-ins."""
        return "__Host-tenure-provider" if self.is_secure else "tenure-provider"

    def cookie(self, begun: Begun) -> Cookie:
        """Return the cookie of a session that was just begun, or goes on under a new id."""
        return Cookie(
            key=self.session_cookie,
            value=begun.secret.reveal(),
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="strict",
        )

    def no_cookie(self) -> Cookie:
        """Return what makes a browser forget its session."""
        return Cookie(
            key=self.session_cookie,
            value="",
            path="/",
            max_age=0,
            secure=self.is_secure,
            httponly=True,
            samesite="strict",
        )

    def is_from_here(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether a request may change something: its browser says that a page of ours sent it."""
        if method in SAFE_METHODS:
            return True
        sent_from, site = headers.get("origin"), headers.get("sec-fetch-site")
        if site not in {None, "same-origin"}:
            return False
        # Without either nobody vouches for it; `null` is a page that hides where it is from.
        return sent_from == self.text or (sent_from is None and site is not None)

    def elsewhere(self, host: str) -> bool:
        """Whether *host* names this machine by a number, where passkeys do not work."""
        mine = urlsplit(self.text)
        name, _, port = host.rpartition(":")
        return mine.hostname == "localhost" and name in _HERE and port == str(mine.port or 80)
