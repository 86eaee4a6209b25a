"""
The Merkle tree over the journal: its root, and proofs that an event or an older tree is in it.

Hashes and shapes are those of RFC 6962, the checks of proofs those of RFC 9162. What a leaf holds
is in `lines`, how a root is signed in `checkpoints`. A tree is never kept here: a `Frontier` grows
leaf by leaf and remembers a few dozen hashes, and a proof asks for the subtrees it needs.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""

NodeAt: TypeAlias = Callable[[int, int], bytes]
"""Returns the hash of the whole subtree of 2**level leaves that is the index-th of that level."""


class Node(NamedTuple):
    """A whole subtree of 2**level leaves, the *position*-th of its *level*."""

    level: int
    position: int
    hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf that holds *entry* (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """
    A growing tree, seen from its right edge: what is needed for its root and for the next leaf.

    The hashes of the largest whole subtrees from left to right, one for each bit of the size.
    """

    def __init__(self, nodes: Sequence[Node] = ()) -> None:
        """Start with whole subtrees from left to right, as `peaks` gave them; or with nothing."""
        self.size = sum(1 << node.level for node in nodes)
        self._hashes = [node.hash for node in nodes]

    def append(self, value: bytes, level: int = 0) -> list[Node]:
        """
        Add the hash of a leaf, or of a whole subtree of 2**level leaves where one is due.

        Returns the larger subtrees that are whole because of it, the smallest first.
        """
        completed: list[Node] = []
        index, hashes = self.size >> level, self._hashes
        self.size += 1 << level
        while index & 1:
            value = node_hash(hashes.pop(), value)
            index, level = index >> 1, level + 1
            completed.append(Node(level, index, value))
        hashes.append(value)
        return completed

    @property
    def nodes(self) -> list[Node]:
        """The whole subtrees it stands on, left to right: what it can start with again."""
        return [
            Node(level, index, value)
            for (level, index), value in zip(peaks(self.size), self._hashes, strict=True)
        ]

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        if not self._hashes:
            return EMPTY_ROOT
        *rest, root = self._hashes
        for value in reversed(rest):
            root = node_hash(value, root)
        return root


def peaks(size: int) -> Iterator[tuple[int, int]]:
    """Yield (level, index) of the largest whole subtrees of *size* leaves, left to right."""
    begin = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, begin >> level
            begin += 1 << level


def inclusion(index: int, size: int, node_at: NodeAt) -> list[bytes]:
    """Return the proof that the leaf *index* is in the tree of *size* leaves, the nearest first."""
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range(middle, end, node_at))
            end = middle
        else:
            path.append(_range(begin, middle, node_at))
            begin = middle
    return path[::-1]


def includes(root: bytes, size: int, leaf: bytes, index: int, path: Sequence[bytes]) -> bool:
    """Whether *path* proves *leaf* (a hash) the *index*-th of the tree under *root* (RFC 9162)."""
    if not 0 <= index < size:
        return False
    at, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            value = node_hash(sibling, value)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and value == root


def root(size: int, node_at: NodeAt) -> bytes:
    """Return the root of the first *size* leaves, out of subtrees that are kept."""
    return _range(0, size, node_at) if size else EMPTY_ROOT


def _split(count: int) -> int:
    """Return the largest power of two below *count*: how many leaves stand on the left."""
    return 1 << (count - 1).bit_length() - 1


def _range(begin: int, end: int, node_at: NodeAt) -> bytes:
    count = end - begin
    if not count & (count - 1):
        level = count.bit_length() - 1
        return node_at(level, begin >> level)
    middle = begin + _split(count)
    return node_hash(_range(begin, middle, node_at), _range(middle, end, node_at))
