"""
Activity: what happened to an account, its sub-accounts and its keys, narrowed down, and as a file.

The filters are a form that is sent to the page's own address, so they work without a script and can
be kept as a bookmark; a script only makes them quicker. Words are `services.activity`'s business.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from tenure.domain.activity import Asked, Group
from tenure.domain.model import Account, ApiKey
from tenure.domain.rights import Owner
from tenure.faces.console import entry, parameters
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.requests import AccountId, KeyId
from tenure.services.accounts import Accounts
from tenure.services.activity import PAGE, Activity, Form, Page
from tenure.services.keys import Keys
from tenure.services.languages import Language

_TYPES: Final = {Form.CSV: "text/csv", Form.LINES: "application/jsonl"}
_FILTERS: Final = ("of", "group", "key", "from", "until")
_SUBS_MAX: Final = 100
"""Sub-accounts to choose from in the filter; of the others each has its own page."""
_DAY: Final = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the filters hold, as they were sent; *errors* are beside the fields they are in."""

    of: str
    group: str
    key: str
    from_day: str
    until_day: str
    asked: Asked
    errors: dict[str, str]

    @property
    def query(self) -> str:
        """The filters as part of an address."""
        values = (self.of, self.group, self.key, self.from_day, self.until_day)
        return urlencode([pair for pair in zip(_FILTERS, values, strict=True) if pair[1]])

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose journal it is: an *account*'s with its *subs*, and of which *key*, if only of one."""

    account: Account
    subs: Sequence[Account]
    keys: Sequence[ApiKey]
    key: ApiKey | None = None

    @property
    def path(self) -> str:
        """The page's address."""
        if self.key is not None:
            return f"/console/keys/{self.key.key_id}/activity"
        return f"/console/accounts/{self.account.account_id}/activity"


class Journals:
    """Shows what happened."""

    def __init__(self, activity: Activity, accounts: Accounts, keys: Keys) -> None:
        """One per worker."""
        self._activity, self._accounts, self._keys = activity, accounts, keys

    def of_account(self, account_id: str) -> Subject:
        """Return an account's journal."""
        account = self._accounts.get(account_id)
        return Subject(
            account=account,
            subs=self._accounts.subs(account_id, most=_SUBS_MAX),
            keys=self._keys.of_account(account_id),
        )

    def of_key(self, key_id: str) -> Subject:
        """Return a key's own journal."""
        key = self._keys.get(key_id)
        account = self._accounts.get(key.account_id)
        return Subject(account=account, subs=(), keys=(), key=key)

    def page(self, desk: Desk, subject: Subject) -> Response[bytes]:
        """Show a page of it; scripts are given the entries alone."""
        filled = _filled(desk, subject)
        page = self._activity.page(
            filled.asked,
            _reader(desk),
            desk.language,
            before=parameters.number(desk, "before"),
            most=PAGE,
        )
        return desk.page(
            "activity_entries.html.j2" if desk.is_partial else "activity.html.j2",
            status=422 if filled.errors else 200,
            subject=subject,
            filled=filled,
            page=page,
            older=_older(subject, filled, page),
            groups=list(Group),
            errors=filled.errors,
        )

    def file(self, desk: Desk, subject: Subject, form: Form) -> Response[Any]:
        """Return all of it as a file."""
        filled = _filled(desk, subject)
        # A file says nowhere which zone its times are in, so each of them does.
        language = replace(desk.language, is_page=False)
        pieces = self._activity.export(filled.asked, _reader(desk), language, form)
        name = subject.key.key_id if subject.key else subject.account.account_id
        return Stream(
            pieces,
            media_type=_TYPES[form],
            headers={"content-disposition": f'attachment; filename="tenure-{name}.{form}"'},
        )


def _reader(desk: Desk) -> Owner:
    return Owner(account_id=desk.signed_in.account_id, person_id=desk.signed_in.person.person_id)


def _filled(desk: Desk, subject: Subject) -> Filled:
    """Read the filters; what makes no sense is left out, and said beside its field."""
    sent, errors = desk.asked, dict[str, str]()
    of, key, group = sent.get("of", ""), sent.get("key", ""), sent.get("group", "")
    known = {each.account_id for each in (subject.account, *subject.subs)}
    of = of if of in known else ""
    key = key if key in {each.key_id for each in subject.keys} else ""
    group = group if group in set(Group) else ""
    days: dict[str, datetime.date | None] = {}
    for name in ("from", "until"):
        days[name] = _day(sent.get(name, ""))
        if days[name] is None and sent.get(name):
            errors[name] = desk.say("activity.day_wrong")
    asked = Asked(
        account_id=of or subject.account.account_id,
        # One account alone, where it was chosen among several.
        is_tree=not of and subject.key is None,
        key_id=subject.key.key_id if subject.key else key or None,
        group=Group(group) if group else None,
        from_ms=_begin_ms(days["from"], desk.language),
        until_ms=_begin_ms(_after(days["until"]), desk.language),
    )
    return Filled(
        of=of,
        group=group,
        key=key,
        from_day=sent.get("from", "")[:10],
        until_day=sent.get("until", "")[:10],
        asked=asked,
        errors=errors,
    )


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _after(day: datetime.date | None) -> datetime.date | None:
    return None if day is None or day >= datetime.date.max - _DAY else day + _DAY


def _begin_ms(day: datetime.date | None, language: Language) -> int | None:
    return None if day is None or day.year < 1970 else language.midnight_ms(day)  # noqa: PLR2004 - when time begins


def _older(subject: Subject, filled: Filled, page: Page) -> str:
    if page.next_before is None:
        return ""
    return f"{subject.path}?{filled.query}{'&' if filled.query else ''}before={page.next_before}"


@get("/activity", opt=entry.OWNERS, sync_to_thread=True)
def list_own(desk: GivenDesk, journals: Given[Journals]) -> Response[bytes]:
    """Show what happened to the visitor's account and its sub-accounts."""
    return journals.page(desk, journals.of_account(desk.signed_in.account_id))


@get("/accounts/{account_id:str}/activity", opt=entry.OWNERS, sync_to_thread=True)
def list_of_account(
    account_id: AccountId, desk: GivenDesk, journals: Given[Journals]
) -> Response[bytes]:
    """Show what happened to an account."""
    return journals.page(desk, journals.of_account(account_id))


@get("/keys/{key_id:str}/activity", opt=entry.OWNERS, sync_to_thread=True)
def list_of_key(key_id: KeyId, desk: GivenDesk, journals: Given[Journals]) -> Response[bytes]:
    """Show what happened to a key."""
    return journals.page(desk, journals.of_key(key_id))


@get("/accounts/{account_id:str}/activity/{file:str}", opt=entry.OWNERS, sync_to_thread=True)
def export_of_account(
    account_id: AccountId, file: FromPath[Form], desk: GivenDesk, journals: Given[Journals]
) -> Response[Any]:
    """Return what happened to an account, as a file."""
    return journals.file(desk, journals.of_account(account_id), file)


@get("/keys/{key_id:str}/activity/{file:str}", opt=entry.OWNERS, sync_to_thread=True)
def export_of_key(
    key_id: KeyId, file: FromPath[Form], desk: GivenDesk, journals: Given[Journals]
) -> Response[Any]:
    """Return what happened to a key, as a file."""
    return journals.file(desk, journals.of_key(key_id), file)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that show what happened."""
    return [list_own, list_of_account, list_of_key, export_of_account, export_of_key]
