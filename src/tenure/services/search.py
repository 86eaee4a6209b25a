"""
Finding a key or an account from whatever an operator has in hand; nothing is changed by it.

What a text may mean is read in `domain.search`. Exact forms are answered by an index. A text within
labels, and an address that allowlists admit, are looked for among so many keys at a time, in short
transactions: the answer then says how far it looked, and goes on from there when it is asked to.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from tenure.domain import allowlist
from tenure.domain import search as asking
from tenure.domain.errors import NotFound
from tenure.domain.model import Account, ApiKey, KeyId
from tenure.domain.search import Asked, By
from tenure.store import accounts, rules, search
from tenure.store.db import Store, Transaction

SHOWN_MAX: Final = 50
"""Keys, and accounts, in one answer: as many as somebody looks through."""
LOOKED_AT_MAX: Final = 200_000
"""Keys looked through for one answer: about a second."""
_PAGE: Final = 10_000
"""Keys looked through in one transaction."""


class FoundKey(NamedTuple):
    """A key, its owner's e-mail, what it was found *by*, and when it was used from the address."""

    key: ApiKey
    email: str
    by: frozenset[By]
    used_at_ms: int | None = None


class FoundAccount(NamedTuple):
    """An account, and what it was found by."""

    account: Account
    by: By


class Looked(NamedTuple):
    """How far keys were looked through: so many of *keys_total*; *next_after* None at the end."""

    keys: int
    keys_total: int
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    What was found for *asked*.

    *has_more*: of what an index finds there is more than is shown. *looked* tells how far keys were
    looked through for the rest, None where the index had the whole answer.
    """

    asked: Asked
    keys: tuple[FoundKey, ...] = ()
    accounts: tuple[FoundAccount, ...] = ()
    has_more: bool = False
    looked: Looked | None = None


@dataclass(slots=True)
class _Hits:
    """Ids of keys in the order they were found, with what they were found by."""

    by: dict[KeyId, set[By]] = field(default_factory=dict)
    used_at_ms: Mapping[KeyId, int] = field(default_factory=dict)
    has_more: bool = False

    def add(self, key_ids: Iterable[KeyId], by: By) -> None:
        for key_id in key_ids:
            if key_id in self.by or len(self.by) < SHOWN_MAX:
                self.by.setdefault(key_id, set()).add(by)
            else:
                self.has_more = True


class Search:
    """One box for all that an operator looks for."""

    def __init__(
        self, store: Store, *, looked_at_max: int = LOOKED_AT_MAX, page: int = _PAGE
    ) -> None:
        """*store* is only read; at most *looked_at_max* keys are looked through for one answer."""
        self._store, self._looked_at_max, self._page = store, looked_at_max, page

    def find(self, text: str, after: str = "") -> Found:
        """
        Return what *text* names; *after* goes on from the `next_after` of an earlier answer.

        Raises Invalid as `domain.search.read`.
        """
        asked, hits = asking.read(text), _Hits()
        found = [] if after else self._store.read(partial(_indexed, asked=asked, hits=hits))
        looked = self._look(asked, hits, after)
        loaded = self._store.read(partial(search.load, key_ids=list(hits.by)))
        return Found(
            asked=asked,
            keys=tuple(
                FoundKey(
                    loaded[key_id].key,
                    loaded[key_id].email,
                    frozenset(hits.by[key_id]),
                    hits.used_at_ms.get(key_id),
                )
                for key_id in hits.by
                if key_id in loaded
            ),
            accounts=tuple(found[:SHOWN_MAX]),
            has_more=hits.has_more or len(found) > SHOWN_MAX,
            looked=looked,
        )

    def _look(self, asked: Asked, hits: _Hits, after: str) -> Looked | None:
        """Look through keys until there are enough, or it took long enough."""
        look = _way(asked)
        if look is None:
            return None
        total, keys, last = self._store.read(rules.count_keys), 0, after
        while keys < self._looked_at_max:
            page = self._store.read(partial(look, after_id=last, most=self._page))
            begun, last = last, page.last or last
            for key_id in page.key_ids:
                if key_id not in hits.by and len(hits.by) == SHOWN_MAX:
                    # Somebody who goes on is shown this one first.
                    upto = max((shown for shown in page.key_ids if shown < key_id), default=begun)
                    keys += self._store.read(partial(search.count, after_id=begun, upto_id=upto))
                    return Looked(keys, total, upto)
                hits.add([key_id], By.LABEL if asked.address is None else By.ALLOWLIST)
            keys += page.looked_at
            if page.looked_at < self._page:
                return Looked(keys, total, None)
        return Looked(keys, total, last)


def _indexed(tx: Transaction, asked: Asked, hits: _Hits) -> list[FoundAccount]:
    """Add to *hits* what an index finds; return the accounts."""
    most = SHOWN_MAX + 1
    if asked.key_id is not None:
        hits.add([KeyId(asked.key_id)], By.KEY_ID)
    if asked.api_key is not None:
        hits.add(search.by_api_key(tx, asked.api_key), By.API_KEY)
    if asked.api_key_start is not None:
        hits.add(search.begun(tx, asked.api_key_start, asked.api_key_end, most), By.API_KEY)
    if asked.address is not None:
        hits.used_at_ms = search.used_from(tx, asked.address.text, most)
        hits.add(hits.used_at_ms, By.USED_FROM)
    if asked.label is not None:
        hits.add(search.labelled(tx, asked.label, most), By.LABEL)
    return _accounts(tx, asked, most)


def _accounts(tx: Transaction, asked: Asked, most: int) -> list[FoundAccount]:
    if asked.account_id is not None:
        try:
            return [FoundAccount(accounts.get(tx, asked.account_id), By.ACCOUNT_ID)]
        except NotFound:
            return []
    if asked.email_start is None:
        return []
    # As it was typed, and as most people write one.
    found = {
        account.account_id: account
        for start in dict.fromkeys((asked.email_start, asked.email_start.lower()))
        for account in search.emails(tx, start, most)
    }
    return [FoundAccount(account, By.EMAIL) for account in list(found.values())[:most]]


def _way(asked: Asked) -> Callable[..., search.Page] | None:
    """Return how keys are looked through for *asked*, None where there is no need to."""
    if asked.address is not None:
        return partial(_admitting, address=asked.address)
    if asked.label is not None:
        return partial(search.labels_with, texts=asking.spellings(asked.label))
    return None


def _admitting(
    tx: Transaction, address: allowlist.Address, after_id: str, most: int
) -> search.Page:
    """Return those keys of a page that name addresses, and admit *address*."""
    page = search.allowlists_with(tx, asking.allowlist_start(address), after_id, most)
    owned = search.load(tx, page.key_ids)
    admitting = [
        key_id
        for key_id in page.key_ids
        if allowlist.compile_allowlist(owned[key_id].key.allowlist)(address)
    ]
    return page._replace(key_ids=admitting)
