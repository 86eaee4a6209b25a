"""
Refused requests: why, from where, how often and when, with what its owner can do about each.

What was refused before possession was proved may be anybody's, and is marked so. Nothing is decided
by what stands here, and it may lack some: see `services.refusals`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.decide import Reason
from tenure.domain.model import ApiKey, KeyStatus
from tenure.domain.refusals import Refusal
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.requests import AccountId, KeyId
from tenure.faces.console.words import Words
from tenure.services.accounts import Accounts
from tenure.services.keys import Keys
from tenure.services.refusals import Refusals

SHOWN_PER_KEY: Final = 5
"""Rows of each key on the page of an account; the key's own page has all of them."""
_MENDED_BY_EDIT: Final = frozenset({Reason.PERMISSION_MISSING, Reason.PERMISSION_EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    One row: in words, and the page that mends it, if one does.

    *link* leads there, under the text called *link_id*.
    """

    refusal: Refusal
    permission: str
    link: str = ""
    link_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKey:
    """What was refused to a *key*: the *lines* shown, and how many there are."""

    key: ApiKey
    lines: Sequence[Line]
    total: int


class Refused:
    """Shows refused requests."""

    def __init__(self, refusals: Refusals, accounts: Accounts, keys: Keys, words: Words) -> None:
        """One per worker."""
        self._refusals, self._accounts, self._keys = refusals, accounts, keys
        self._words = words

    def of_account(self, desk: Desk, account_id: str) -> Response[bytes]:
        """Show what was refused to an account's keys, the last rows of each."""
        found = self._refusals.of_account(account_id)
        known = {key.key_id: key for key in self._keys.of_account(account_id)}
        return desk.page(
            "refusals.html.j2",
            account=self._accounts.get(account_id),
            of_keys=[
                OfKey(
                    key=known[key_id],
                    lines=self._lines(desk, known[key_id], rows[:SHOWN_PER_KEY]),
                    total=len(rows),
                )
                for key_id, rows in found.items()
                if key_id in known
            ],
        )

    def of_key(self, desk: Desk, key_id: str) -> Response[bytes]:
        """Show all that was refused to a key."""
        key, rows = self._keys.get(key_id), self._refusals.of_key(key_id)
        return desk.page(
            "refusals_of_key.html.j2",
            of_key=OfKey(key=key, lines=self._lines(desk, key, rows), total=len(rows)),
        )

    def _lines(self, desk: Desk, key: ApiKey, rows: Sequence[Refusal]) -> list[Line]:
        return [self._line(desk, key, row) for row in rows]

    def _line(self, desk: Desk, key: ApiKey, row: Refusal) -> Line:
        permission = self._words.permission(row.permission, desk.language) if row.permission else ""
        path = f"/console/keys/{key.key_id}"
        link, link_id = "", ""
        if key.status is KeyStatus.REVOKED:
            pass  # Nothing mends a key that is revoked.
        elif row.reason is Reason.IP_NOT_ALLOWED and row.address:
            link, link_id = f"{path}/edit?add={row.address}", "refusals.add_address"
        elif row.reason in _MENDED_BY_EDIT:
            link, link_id = f"{path}/edit", "refusals.tick"
        elif row.reason is Reason.KEY_QUARANTINED and key.quarantine is not None:
            link, link_id = f"{path}/release", "refusals.release"
        return Line(refusal=row, permission=permission, link=link, link_id=link_id)


@get("/refusals", opt=entry.OWNERS, sync_to_thread=True)
def list_own(desk: GivenDesk, refused: Given[Refused]) -> Response[bytes]:
    """Show what was refused to the visitor's own keys."""
    return refused.of_account(desk, desk.signed_in.account_id)


@get("/accounts/{account_id:str}/refusals", opt=entry.OWNERS, sync_to_thread=True)
def list_of_account(
    account_id: AccountId, desk: GivenDesk, refused: Given[Refused]
) -> Response[bytes]:
    """Show what was refused to an account's keys."""
    return refused.of_account(desk, account_id)


@get("/keys/{key_id:str}/refusals", opt=entry.OWNERS, sync_to_thread=True)
def list_of_key(key_id: KeyId, desk: GivenDesk, refused: Given[Refused]) -> Response[bytes]:
    """Show what was refused to a key."""
    return refused.of_key(desk, key_id)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that show refused requests."""
    return [list_own, list_of_account, list_of_key]
