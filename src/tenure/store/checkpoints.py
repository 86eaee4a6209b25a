"""
The checkpoints that were signed, and the tree over the journal that they are signed of, as rows.

What a tree and a checkpoint are is in the domain; who signs and pushes, in the services.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Row, bindparam, func, insert, select, update

from tenure.domain.merkle import Node
from tenure.store import schema
from tenure.store.db import Transaction

BLOCK_LEVEL = 8
"""The smallest subtrees that are kept: of 256 events, which are read and hashed in 2 ms."""


class Signed(NamedTuple):
    """A checkpoint as stored: *note* is the signed text; *pushed_at_ms* None until it is out."""

    size: int
    root: bytes
    note: str
    signed_at_ms: int
    pushed_at_ms: int | None


_NODE = (
    select(schema.tree_nodes.c.hash)
    .where(schema.tree_nodes.c.level == bindparam("level"))
    .where(schema.tree_nodes.c.position == bindparam("position"))
)


def covered(tx: Transaction) -> int:
    """Return how many events stand under whole blocks of the tree that is kept."""
    last = select(func.max(schema.tree_nodes.c.position)).where(
        schema.tree_nodes.c.level == BLOCK_LEVEL
    )
    position = tx.execute(last).scalar_one()
    return 0 if position is None else (position + 1) << BLOCK_LEVEL


def node(tx: Transaction, level: int, position: int) -> bytes:
    """Return the hash of a subtree that is kept; raises LookupError."""
    found = tx.execute(_NODE, {"level": level, "position": position}).scalar_one_or_none()
    if found is None:
        raise LookupError(f"the tree has no node {position} at level {level}")
    return bytes(found)


def add_nodes(tx: Transaction, nodes: Sequence[Node]) -> None:
    """Keep whole subtrees; they must not be there yet."""
    if nodes:
        tx.execute(
            insert(schema.tree_nodes),
            [{"level": item.level, "position": item.position, "hash": item.hash} for item in nodes],
        )


def add(tx: Transaction, size: int, root: bytes, note: str, now_ms: int) -> None:
    """Store a checkpoint that was just signed, to be pushed."""
    tx.execute(
        insert(schema.checkpoints).values(
            size=size, root=root, note=note, signed_at_ms=now_ms, pushed_at_ms=None
        )
    )


def latest(tx: Transaction) -> Signed | None:
    """Return the checkpoint signed last, or None before the first."""
    row = tx.execute(
        select(schema.checkpoints).order_by(schema.checkpoints.c.size.desc()).limit(1)
    ).one_or_none()
    return _signed(row) if row else None


def pushed_size(tx: Transaction) -> int:
    """Return how many events the last checkpoint that was pushed is of, 0 before the first."""
    chosen = select(func.max(schema.checkpoints.c.size)).where(
        schema.checkpoints.c.pushed_at_ms.is_not(None)
    )
    return tx.execute(chosen).scalar_one() or 0


def last_pushed(tx: Transaction) -> Signed | None:
    """Return the last checkpoint that is held elsewhere, None before the first."""
    chosen = select(schema.checkpoints).where(schema.checkpoints.c.pushed_at_ms.is_not(None))
    row = tx.execute(chosen.order_by(schema.checkpoints.c.size.desc()).limit(1)).one_or_none()
    return _signed(row) if row else None


def every(tx: Transaction, after: int, most: int) -> list[Signed]:
    """Return at *most* so many checkpoints of more than *after* events, the smallest first."""
    chosen = select(schema.checkpoints).where(schema.checkpoints.c.size > after)
    rows = tx.execute(chosen.order_by(schema.checkpoints.c.size).limit(most))
    return [_signed(row) for row in rows]


def mark_pushed(tx: Transaction, size: int, now_ms: int) -> None:
    """Record that a checkpoint is out, and with it what every earlier one says."""
    tx.execute(
        update(schema.checkpoints)
        .where(schema.checkpoints.c.size <= size)
        .where(schema.checkpoints.c.pushed_at_ms.is_(None))
        .values(pushed_at_ms=now_ms)
    )


def _signed(row: Row[tuple[object, ...]]) -> Signed:
    return Signed(row.size, bytes(row.root), row.note, row.signed_at_ms, row.pushed_at_ms)
