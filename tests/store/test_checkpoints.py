"""Checkpoints and the nodes of the tree, as rows on both databases."""

from functools import partial

import pytest
from sqlalchemy import exc

from tenure.domain.merkle import Node
from tenure.store import checkpoints
from tenure.store.checkpoints import Signed
from tenure.store.db import Store


def test_a_tree_covers_what_its_blocks_do(store: Store) -> None:
    assert store.read(checkpoints.covered) == 0
    nodes = [Node(8, 0, b"a" * 32), Node(8, 1, b"b" * 32), Node(9, 0, b"c" * 32)]
    store.write(lambda tx: checkpoints.add_nodes(tx, nodes))
    store.write(lambda tx: checkpoints.add_nodes(tx, []))
    assert store.read(checkpoints.covered) == 512
    assert store.read(lambda tx: checkpoints.node(tx, 8, 1)) == b"b" * 32
    with pytest.raises(LookupError):
        store.read(lambda tx: checkpoints.node(tx, 9, 1))
    with pytest.raises(exc.IntegrityError):
        store.write(lambda tx: checkpoints.add_nodes(tx, [Node(8, 0, b"other")]))


def test_checkpoints_are_read_in_order_and_pushed_up_to_one(store: Store) -> None:
    assert store.read(checkpoints.latest) is None
    for size in (3, 5, 9):
        note = f"of {size}"
        store.write(partial(checkpoints.add, size=size, root=b"r", note=note, now_ms=size * 10))
    assert store.read(checkpoints.latest) == Signed(9, b"r", "of 9", 90, None)
    assert [item.size for item in store.read(lambda tx: checkpoints.every(tx, 3, 9))] == [5, 9]
    assert [item.size for item in store.read(lambda tx: checkpoints.every(tx, 0, 1))] == [3]

    store.write(lambda tx: checkpoints.mark_pushed(tx, 5, 100))
    store.write(lambda tx: checkpoints.mark_pushed(tx, 9, 200))
    every = store.read(lambda tx: checkpoints.every(tx, 0, 9))
    assert [item.pushed_at_ms for item in every] == [100, 100, 200]
