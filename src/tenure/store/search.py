"""
What an operator searches by, as statements: exact forms by an index, the others page by page.

API keys and e-mails sort by their bytes on either database, so what begins alike stands together
in their indexes. A label somewhere in which a text stands, and an allowlist that admits an address,
can only be looked for key by key: a page says where it ended, so that nobody waits for a million.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from tenure.domain import apikeys
from tenure.domain.model import Account, AccountId, ApiKey, KeyId
from tenure.store import accounts, keys, schema
from tenure.store.db import Transaction

_KEY, _ACCOUNT = schema.keys.c, schema.accounts.c
_LAST: Final = "\U0010ffff"
"""Sorts behind every character that an API key or an e-mail may go on with."""


class Page(NamedTuple):
    """Keys found on a page, by id; how many were looked at, and the last of those, if any."""

    key_ids: list[KeyId]
    looked_at: int
    last: str | None


class Owned(NamedTuple):
    """A key with the e-mail of its account."""

    key: ApiKey
    email: str


def by_api_key(tx: Transaction, api_key: str) -> list[KeyId]:
    """Return the id of the key called *api_key*, if there is one."""
    return _ids(tx, _KEY.api_key == api_key, 1)


def begun(tx: Transaction, start: str, end: str, most: int) -> list[KeyId]:
    """Return at *most* so many ids of keys whose API key has this *start* and *end*."""
    begins = (_KEY.api_key >= start) & (_KEY.api_key < start + _LAST)
    tail = func.substr(_KEY.api_key, apikeys.LENGTH + 1 - len(end))
    return _ids(tx, begins & (tail == end) if end else begins, most)


def labelled(tx: Transaction, label: str, most: int) -> list[KeyId]:
    """Return at *most* so many ids of keys that are called exactly *label*."""
    return _ids(tx, _KEY.label == label, most)


def used_from(tx: Transaction, address: str, most: int) -> dict[KeyId, int]:
    """Return at *most* so many keys that were used from *address*, by when (ms), the last first."""
    column = schema.key_addresses.c
    chosen = (
        select(column.key_id, column.last_used_at_ms)
        .where(column.address == address)
        .order_by(column.last_used_at_ms.desc(), column.key_id)
        .limit(most)
    )
    return {KeyId(row.key_id): row.last_used_at_ms for row in tx.execute(chosen)}


def emails(tx: Transaction, start: str, most: int) -> list[Account]:
    """Return at *most* so many accounts whose e-mail has this *start*, by e-mail."""
    begins = (_ACCOUNT.email >= start) & (_ACCOUNT.email < start + _LAST)
    chosen = select(_ACCOUNT.account_id).where(begins).order_by(_ACCOUNT.email).limit(most)
    return [accounts.get(tx, account_id) for account_id in tx.execute(chosen).scalars()]


def labels_with(tx: Transaction, texts: Sequence[str], after_id: str, most: int) -> Page:
    """
    Look through the next *most* keys after *after_id* for one of *texts* within the label.

    A label that is the first of them, no more and no less, is passed over: see `labelled`.
    """
    found = [_KEY.label.icontains(text, autoescape=True) for text in texts]
    return _page(tx, or_(*found) & (_KEY.label != texts[0]), after_id, most)


def allowlists_with(tx: Transaction, start: str, after_id: str, most: int) -> Page:
    """Look through the next *most* keys after *after_id* for an entry that begins with *start*."""
    return _page(tx, _KEY.ip_allowlist.contains(f'"{start}', autoescape=True), after_id, most)


def count(tx: Transaction, after_id: str, upto_id: str) -> int:
    """Return how many keys there are after *after_id* up to *upto_id*."""
    chosen = select(func.count()).where(_KEY.key_id > after_id, _KEY.key_id <= upto_id)
    return tx.execute(chosen).scalar_one()


def load(tx: Transaction, key_ids: Sequence[str]) -> dict[str, Owned]:
    """Return the keys called *key_ids* with their owners' e-mails; unknown ids are passed over."""
    found = {stored.key_id: stored.key for stored in keys.load(tx, key_ids)}
    chosen = select(_ACCOUNT.account_id, _ACCOUNT.email).where(
        _ACCOUNT.account_id.in_({key.account_id for key in found.values()})
    )
    mails = {AccountId(row.account_id): row.email for row in tx.execute(chosen)}
    return {key_id: Owned(key, mails[key.account_id]) for key_id, key in found.items()}


def _ids(tx: Transaction, condition: ColumnElement[bool], most: int) -> list[KeyId]:
    # In no order: one that an index has would be worth more to a planner than what is asked for.
    chosen = select(_KEY.key_id).where(condition).limit(most)
    return [KeyId(key_id) for key_id in tx.execute(chosen).scalars()]


def _page(tx: Transaction, condition: ColumnElement[bool], after_id: str, most: int) -> Page:
    page = (
        select(_KEY.key_id, condition.label("is_it"))
        .where(_KEY.key_id > after_id)
        .order_by(_KEY.key_id)
        .limit(most)
        .subquery()
    )
    looked_at, last = tx.execute(select(func.count(), func.max(page.c.key_id))).one()
    found = select(page.c.key_id).where(page.c.is_it).order_by(page.c.key_id)
    return Page([KeyId(key_id) for key_id in tx.execute(found).scalars()], looked_at, last)
