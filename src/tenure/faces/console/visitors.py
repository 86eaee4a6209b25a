"""
Who looks at a page: the session his browser's cookie names, his language and his time zone.

The cookie holds a secret that is looked up by its digest; nothing else the browser says about who
is there counts. How a session comes to be is in `services.people`.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from babel import Locale
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from tenure.domain import rights
from tenure.domain.errors import Unauthenticated
from tenure.domain.model import AccountId
from tenure.domain.people import Person, Session, Stage
from tenure.domain.rights import Caller
from tenure.faces.console.origins import Origin
from tenure.services import languages
from tenure.services.languages import Language
from tenure.services.people.facade import People
from tenure.services.rendering import House

LANGUAGE_COOKIE: Final = "tenure-language"
LANGUAGE_PARAMETER: Final = "lang"
_LANGUAGE_KEPT_S: Final = 365 * 86_400
_INTERNATIONAL: Final = "en-150"
_TAGS: Final = {"en": "en", "es": "es", "ja": "ja", "zh_Hans": "zh-CN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody with a session, and the *language* he is spoken to in."""

    session: Session
    language: Language

    @property
    def person(self) -> Person:
        """Who it is."""
        return self.session.person

    @property
    def stage(self) -> Stage:
        """How far in he is."""
        return self.session.stage

    @property
    def caller(self) -> Caller:
        """Who it is to whatever judges callers by their rights."""
        return rights.caller_of(self.session.person)

    @property
    def actor(self) -> str:
        """Whom the journal names."""
        return self.session.person.actor

    @property
    def account_id(self) -> AccountId:
        """The owner's account; an owner's route is let nobody else through to."""
        account_id = self.session.person.account_id
        if account_id is None:
            raise LookupError("an operator has no account: this route is an owner's")
        return account_id


class Visitors:
    """Finds visitors by what their browsers send."""

    def __init__(self, known: People, origin: Origin, house: House) -> None:
        """*house* has the language and time zone of those who name none."""
        self._known, self._origin, self._house = known, origin, house

    def find(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Visitor | None:
        """Return who looks, None where the cookie names no session that is alive."""
        cookie = connection.cookies.get(self._origin.session_cookie)
        if not cookie:
            return None
        try:
            session = self._known.sessions.find(cookie)
        except Unauthenticated:
            return None
        return Visitor(session=session, language=self.language(connection, session.person))

    def language(
        self, connection: ASGIConnection[Any, Any, Any, Any], person: Person | None = None
    ) -> Language:
        """Return how to speak to whoever looks: as he chose, as he set, as his browser asks."""
        chosen = connection.query_params.get(LANGUAGE_PARAMETER)
        chosen = chosen or connection.cookies.get(LANGUAGE_COOKIE) or ""
        tag = chosen if chosen in _TAGS.values() else None
        own_zone = person.time_zone if person else None
        own = tag or (person.language if person else None) or self._asked(connection)
        # Who names no country is shown days before months, and hours up to 24.
        spoken = _INTERNATIONAL if own == languages.ENGLISH else own
        language = languages.language(spoken, own_zone or self._house.time_zone)
        return replace(language, is_page=True)

    def _asked(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str:
        """Return the language that the browser likes best, of those there are texts in."""
        accepted = connection.headers.get("accept-language", "")[:200]
        liked = [item.partition(";")[0].strip() for item in accepted.split(",")]
        for tag in liked:
            found = languages.language(tag, "UTC")
            if tag and tag != "*" and found.missing is None:
                return tag
        return self._house.language


def language_cookie(tag: str, *, secure: bool) -> Cookie:
    """Return what keeps a chosen language in this browser."""
    return Cookie(
        key=LANGUAGE_COOKIE,
        value=tag,
        path="/console",
        max_age=_LANGUAGE_KEPT_S,
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def offered() -> list[tuple[str, str]]:
    """Return the languages there are texts in: tag, and own name."""
    return [
        (tag, (Locale.parse(name).get_display_name(Locale.parse(name)) or tag).capitalize())
        for name, tag in _TAGS.items()
    ]
