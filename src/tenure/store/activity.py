"""
The journal as owners read it: the events of an account tree or a key, the last first.

Beside those that name the account stand the marks that revoked keys of it, which may name nobody:
they are looked up by themselves, so that each look goes by an index.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, or_, select

from tenure.domain.activity import TAGS, Asked
from tenure.domain.events import Event, Tag
from tenure.domain.notices import Audience
from tenure.store import marks, schema
from tenure.store import schema_notices as tables
from tenure.store.db import Transaction
from tenure.store.journal import event_of

_EVENTS: Final = schema.events


def latest(tx: Transaction, asked: Asked, *, before: int | None, most: int) -> list[Event]:
    """Return the last events *asked* about, the latest first: at *most* so many, before a seq."""
    found: list[Event] = []
    for chosen in (_of_itself(asked), _of_marks(asked)):
        wanted = chosen.where(*_filters(asked, before))
        rows = tx.execute(wanted.order_by(_EVENTS.c.seq.desc()).limit(most))
        found += [event_of(row) for row in rows]
    return sorted(found, key=lambda event: -event.seq)[:most]


def labels(tx: Transaction, key_ids: Iterable[str]) -> dict[str, str]:
    """Return what those of *key_ids* are called that are keys here."""
    key = schema.keys.c
    chosen = select(key.key_id, key.label).where(key.key_id.in_(sorted(key_ids)))
    return {row.key_id: row.label for row in tx.execute(chosen)}


def _of_itself(asked: Asked) -> Select[Any]:
    # A mark of the account's own is found as a mark, and not twice.
    chosen = select(_EVENTS).where(_EVENTS.c.tag != Tag.KEYS_REVOKED)
    account = schema.accounts.c
    tree = select(account.account_id).where(
        or_(account.account_id == asked.account_id, account.master_id == asked.account_id)
    )
    is_its = (
        _EVENTS.c.account_id.in_(tree)
        if asked.is_tree
        else _EVENTS.c.account_id == asked.account_id
    )
    chosen = chosen.where(is_its)
    return chosen if asked.key_id is None else chosen.where(_EVENTS.c.key_id == asked.key_id)


def _of_marks(asked: Asked) -> Select[Any]:
    notice = tables.notices.c
    seqs = select(notice.seq).where(
        notice.audience == Audience.MARKED,
        marks.concern(notice.mark_id, asked.account_id, asked.key_id, is_tree=asked.is_tree),
    )
    return select(_EVENTS).where(_EVENTS.c.seq.in_(seqs))


def _filters(asked: Asked, before: int | None) -> Iterator[ColumnElement[bool]]:
    if before is not None:
        yield _EVENTS.c.seq < before
    if asked.group is not None:
        yield _EVENTS.c.tag.in_(sorted(TAGS[asked.group]))
    if asked.from_ms is not None:
        yield _EVENTS.c.happened_at_ms >= asked.from_ms
    if asked.until_ms is not None:
        yield _EVENTS.c.happened_at_ms < asked.until_ms
