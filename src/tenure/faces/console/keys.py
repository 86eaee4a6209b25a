"""
API Management: the keys of an account with their boxes, and one key on a page of its own.

Looking only; what changes a key is in `editing`, `creating` and `ending`.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.errors import Invalid
from tenure.domain.model import Account
from tenure.faces.console import edits, entry, timeline
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.requests import AccountId, KeyId
from tenure.faces.console.shown import Shown, lapses
from tenure.faces.console.words import Words
from tenure.services.accounts import Accounts
from tenure.services.keys import Keys
from tenure.services.rules import Rules
from tenure.services.usage import Usage


class Listing:
    """Shows accounts' keys."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it looks at, once each
        self, keys: Keys, accounts: Accounts, rules: Rules, usage: Usage, words: Words, most: int
    ) -> None:
        """*most* keys an account may have."""
        self._keys, self._accounts, self._rules = keys, accounts, rules
        self._usage, self._words, self.keys_max = usage, words, most

    def page(self, desk: Desk, account_id: str, *, is_own: bool) -> Response[bytes]:
        """Show the keys of an account."""
        account = self._accounts.get(account_id)
        keys = self._keys.of_account(account_id)
        cards = self.shown(desk).cards(keys, self._usage.last_used(key.key_id for key in keys))
        return desk.page(
            "keys.html.j2",
            account=account,
            is_own=is_own,
            cards=[card for card in cards if card.is_alive],
            revoked=[card for card in cards if not card.is_alive],
            timeline=timeline.draw(cards, desk.language, desk.now_ms),
            lapses=lapses([card for card in cards if card.is_alive], desk.now_ms),
            keys_max=self.keys_max,
        )

    def key(self, desk: Desk, key_id: str) -> Response[bytes]:
        """Show one key."""
        key = self._keys.get(key_id)
        used = self._usage.last_used([key_id]).get(key_id)
        return desk.page(
            "key.html.j2",
            card=self.shown(desk).card(key, used),
            account=self._accounts.get(key.account_id),
            is_own=self.is_own(desk, key.account_id),
        )

    def shown(self, desk: Desk) -> Shown:
        """Return what shows keys to whoever is at *desk*."""
        return Shown(self._words, desk.language, self._rules.rulebook(), desk.now_ms)

    def wrong(self, desk: Desk, error: Invalid, typed: str = "") -> Mapping[str, Any]:
        """Return what is wrong with a form about a key; *typed* are its addresses as they came."""
        return edits.beside(error, typed, self._words, desk.language)

    def is_own(self, desk: Desk, account_id: str) -> bool:
        """Whether *account_id* is the visitor's own, and not its sub-account's."""
        visitor = desk.visitor
        return visitor is not None and visitor.person.account_id == account_id

    def account(self, account_id: str) -> Account:
        """Return an account."""
        return self._accounts.get(account_id)


@get("/keys", opt=entry.OWNERS, sync_to_thread=True)
def list_own_keys(desk: GivenDesk, listing: Given[Listing]) -> Response[bytes]:
    """Show the visitor's own keys."""
    return listing.page(desk, desk.signed_in.account_id, is_own=True)


@get("/accounts/{account_id:str}/keys", opt=entry.OWNERS, sync_to_thread=True)
def list_keys(account_id: AccountId, desk: GivenDesk, listing: Given[Listing]) -> Response[bytes]:
    """Show the keys of an account: the visitor's own, or a sub-account's."""
    return listing.page(desk, account_id, is_own=listing.is_own(desk, account_id))


@get("/keys/{key_id:str}", opt=entry.OWNERS, sync_to_thread=True)
def show_key(key_id: KeyId, desk: GivenDesk, listing: Given[Listing]) -> Response[bytes]:
    """Show one key."""
    return listing.key(desk, key_id)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that show keys."""
    return [list_own_keys, list_keys, show_key]
