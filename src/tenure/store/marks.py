"""
Marks as rows, and which keys they cover: one statement a question, never a row a key.

That a key is covered is one condition, `_COVERS`, whatever is asked about it.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnCollection,
    ColumnElement,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
)

from tenure.domain.marks import Example, Mark, MarkId, MarkPlan, Selection
from tenure.domain.model import AccountId, AccountKind, KeyId
from tenure.store import schema
from tenure.store.db import Transaction

_mark, _key, _account = schema.revocations.c, schema.keys.c, schema.accounts.c


def _of_tree(mark: ColumnCollection[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    return or_(
        mark.account_id.is_(None),
        mark.account_id == _key.account_id,
        mark.account_id == _account.master_id,
    )


_OF_TREE = _of_tree(_mark)

# What a mark says of a key, its account beside it: compared, never walked through (SECURITY D17).
_COVERS = and_(
    _key.issued_at_ms < _mark.issued_before_ms,
    or_(_mark.label.is_(None), _mark.label == _key.label),
    _OF_TREE,
)

SINCE = (
    select(func.min(_mark.made_at_ms))
    .where(_COVERS)
    .correlate(schema.keys, schema.accounts)
    .scalar_subquery()
)
"""Since when (ms, UTC) the key of the row is revoked by a mark, null where none covers it."""


def concern(
    mark_id: ColumnElement[str | None] | str | None,
    account_id: ColumnElement[str] | str,
    key_id: str | None = None,
    *,
    is_tree: bool = True,
) -> ColumnElement[bool]:
    """
    Whether a mark, and none before it, revoked keys of an account.

    Or its sub-accounts, for a *tree*; with *key_id*, whether it revoked that one.
    """
    is_asked = true() if key_id is None else _key.key_id == key_id
    is_its = _account.account_id == account_id
    if is_tree:
        is_its = or_(is_its, _account.master_id == account_id)
    before = schema.revocations.alias("before").c
    was_revoked = (
        exists()
        .where(_key.issued_at_ms < before.issued_before_ms)
        .where(or_(before.label.is_(None), before.label == _key.label))
        .where(_of_tree(before))
        .where(tuple_(before.made_at_ms, before.mark_id) < tuple_(_mark.made_at_ms, _mark.mark_id))
    )
    return (
        exists()
        .select_from(
            schema.revocations.join(schema.keys, _key.issued_at_ms < _mark.issued_before_ms)
        )
        .where(_mark.mark_id == mark_id, _key.account_id == _account.account_id)
        .where(_COVERS, _key.revoked_at_ms.is_(None), ~was_revoked, is_asked)
        .where(is_its)
    )


_LISTED = select(schema.revocations).order_by(_mark.made_at_ms, _mark.mark_id)


def add(tx: Transaction, mark: Mark) -> None:
    """Store a new *mark*."""
    tx.execute(
        insert(schema.revocations).values(
            mark_id=mark.mark_id,
            label=mark.label,
            account_id=mark.account_id,
            issued_before_ms=mark.issued_before_ms,
            made_at_ms=mark.made_at_ms,
        )
    )


def every(tx: Transaction) -> Iterator[Mark]:
    """Yield every mark, the oldest first."""
    for row in tx.execute(_LISTED):
        yield Mark(
            mark_id=MarkId(row.mark_id),
            label=row.label,
            account_id=None if row.account_id is None else AccountId(row.account_id),
            issued_before_ms=row.issued_before_ms,
            made_at_ms=row.made_at_ms,
        )


def count(tx: Transaction) -> int:
    """Return how many marks there are."""
    return tx.execute(select(func.count()).select_from(schema.revocations)).scalar_one()


def reached_until_ms(tx: Transaction) -> int:
    """Return the instant (ms, UTC) from which on no key that is issued is covered by any mark."""
    chosen = select(func.coalesce(func.max(_mark.issued_before_ms), 0))
    return int(tx.execute(chosen).scalar_one())


def since_if_labelled(tx: Transaction, key_id: str, label: str) -> int | None:
    """Return since when (ms, UTC) the key *key_id* would be revoked if it bore *label*, or None."""
    labelled = or_(_mark.label.is_(None), _mark.label == label)
    chosen = (
        select(func.min(_mark.made_at_ms))
        .select_from(schema.revocations)
        .join(schema.keys, _key.issued_at_ms < _mark.issued_before_ms)
        .join(schema.accounts, _key.account_id == _account.account_id)
        .where(_key.key_id == key_id, labelled, _OF_TREE)
    )
    since_ms: int | None = tx.execute(chosen).scalar_one()
    return since_ms


def plan(tx: Transaction, selection: Selection, examples_max: int) -> MarkPlan:
    """Work out what a mark would revoke, with at most *examples_max* of the keys as examples."""
    asked: list[ColumnElement[bool]] = [_key.revoked_at_ms.is_(None), SINCE.is_(None)]
    if selection.label is not None:
        asked.append(_key.label == selection.label)
    if selection.account_id is not None:
        tree = selection.account_id
        asked.append(or_(_key.account_id == tree, _account.master_id == tree))
    if selection.issued_before_ms is not None:
        asked.append(_key.issued_at_ms < selection.issued_before_ms)
    joined = schema.keys.join(schema.accounts, _key.account_id == _account.account_id)
    counted = (
        select(_account.kind, func.count(), func.max(_key.issued_at_ms))
        .select_from(joined)
        .where(*asked)
        .group_by(_account.kind)
    )
    kinds = [(AccountKind(kind), keys, newest) for kind, keys, newest in tx.execute(counted)]
    shown = (
        select(_key.key_id, _key.account_id, _key.label, _key.issued_at_ms)
        .select_from(joined)
        .where(*asked)
        .order_by(_key.key_id)
        .limit(examples_max)
    )
    return MarkPlan(
        selection=selection,
        by_kind={kind: keys for kind, keys, _ in sorted(kinds)},
        newest_issued_at_ms=max((newest for *_, newest in kinds), default=0),
        examples=tuple(
            Example(KeyId(row.key_id), AccountId(row.account_id), row.label, row.issued_at_ms)
            for row in tx.execute(shown)
        ),
    )
