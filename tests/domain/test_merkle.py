"""The Merkle tree: known answers of RFC 6962, a naive tree written from its text, and proofs."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import merkle
from tenure.domain.merkle import Frontier, Node

# The inputs and answers every implementation of Certificate Transparency is tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
KNOWN_CONSISTENCY = {
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
KNOWN_INCLUSION = {
    (0, 8): KNOWN_CONSISTENCY[1, 8],
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}

sizes = st.integers(min_value=0, max_value=70)


class Tree:
    """A tree written down from RFC 6962, section 2.1, with no thought of speed."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves

    def root(self, begin: int, end: int) -> bytes:
        """Return MTH(D[begin:end])."""
        if begin == end:
            return hashlib.sha256().digest()
        if end - begin == 1:
            return hashlib.sha256(b"\x00" + self.leaves[begin]).digest()
        middle = begin + self.split(end - begin)
        return hashlib.sha256(b"\x01" + self.root(begin, middle) + self.root(middle, end)).digest()

    def path(self, index: int, begin: int, end: int) -> list[bytes]:
        """Return PATH(index, D[begin:end])."""
        if end - begin == 1:
            return []
        middle = begin + self.split(end - begin)
        if index < middle - begin:
            return [*self.path(index, begin, middle), self.root(middle, end)]
        return [*self.path(index - (middle - begin), middle, end), self.root(begin, middle)]

    def subproof(self, old: int, begin: int, end: int, *, is_whole: bool) -> list[bytes]:
        """Return SUBPROOF(old, D[begin:end], is_whole)."""
        if old == end - begin:
            return [] if is_whole else [self.root(begin, end)]
        middle = begin + self.split(end - begin)
        if old <= middle - begin:
            nearer = self.subproof(old, begin, middle, is_whole=is_whole)
            return [*nearer, self.root(middle, end)]
        nearer = self.subproof(old - (middle - begin), middle, end, is_whole=False)
        return [*nearer, self.root(begin, middle)]

    @staticmethod
    def split(count: int) -> int:
        """Return the largest power of two that is smaller than *count*."""
        power = 1
        while power * 2 < count:
            power *= 2
        return power

    def node_at(self, level: int, index: int) -> bytes:
        """Return the hash of a whole subtree."""
        return self.root(index << level, (index + 1) << level)


def entries(count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(count)]


def grown(leaves: Sequence[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(merkle.leaf_hash(leaf))
    return frontier


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_rfc_6962(size: int) -> None:
    assert grown(LEAVES[:size]).root() == ROOTS[size]
    assert Tree(LEAVES).root(0, size) == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), KNOWN_INCLUSION)
def test_known_inclusion_proofs(index: int, size: int) -> None:
    found = merkle.inclusion(index, size, Tree(LEAVES).node_at)
    assert [item.hex() for item in found] == list(KNOWN_INCLUSION[index, size])


@given(sizes)
def test_the_root_is_worked_out_from_subtrees_that_are_kept(size: int) -> None:
    tree = Tree(entries(size))
    assert merkle.root(size, tree.node_at) == tree.root(0, size)


@given(sizes)
def test_a_tree_that_grows_has_the_root_of_one_that_is_built(size: int) -> None:
    assert grown(entries(size)).root() == Tree(entries(size)).root(0, size)


@given(sizes, sizes)
def test_a_tree_is_taken_up_again_from_its_largest_subtrees(size: int, more: int) -> None:
    tree = Tree(entries(size + more))
    nodes = [Node(level, at, tree.node_at(level, at)) for level, at in merkle.peaks(size)]

    frontier = Frontier(nodes)
    assert frontier.size == size
    for entry in entries(size + more)[size:]:
        frontier.append(merkle.leaf_hash(entry))

    assert frontier.root() == tree.root(0, size + more)


@given(sizes)
def test_every_subtree_is_told_when_it_is_whole_and_once(size: int) -> None:
    frontier, tree = Frontier(), Tree(entries(size))
    told = [node for e in entries(size) for node in frontier.append(merkle.leaf_hash(e))]

    assert [(node.level, node.position) for node in told] == [
        (level, at)
        for end in range(1, size + 1)
        for level in range(1, 8)
        for at in [(end >> level) - 1]
        if end % (1 << level) == 0
    ]
    assert all(node.hash == tree.node_at(node.level, node.position) for node in told)


@given(st.integers(0, 20), st.integers(0, 3))
def test_a_tree_grows_by_whole_subtrees_as_by_their_leaves(blocks: int, rest: int) -> None:
    tree = Tree(entries(blocks * 4 + rest))
    frontier = Frontier()
    for index in range(blocks):
        frontier.append(tree.node_at(2, index), 2)
    for entry in entries(blocks * 4 + rest)[blocks * 4 :]:
        frontier.append(merkle.leaf_hash(entry))

    assert frontier.root() == tree.root(0, blocks * 4 + rest)


@given(st.integers(1, 70), st.randoms(use_true_random=False))
def test_an_inclusion_proof_is_the_rfcs_and_proves_that_leaf_alone(
    size: int, random: object
) -> None:
    tree, root = Tree(entries(size)), Tree(entries(size)).root(0, size)
    index = random.randrange(size)  # type: ignore[attr-defined]  # Hypothesis' own Random
    leaf = merkle.leaf_hash(entries(size)[index])

    path = merkle.inclusion(index, size, tree.node_at)

    assert path == tree.path(index, 0, size)
    assert merkle.includes(root, size, leaf, index, path)
    assert not merkle.includes(root, size, merkle.leaf_hash(b"another"), index, path)
    for other in range(-1, size + 1):
        assert merkle.includes(root, size, leaf, other, path) is (other == index)
    assert not merkle.includes(root, size, leaf, index, [*path, root])
    if path:
        assert not merkle.includes(root, size, leaf, index, path[:-1])
        flipped = [bytes([path[0][0] ^ 1]) + path[0][1:], *path[1:]]
        assert not merkle.includes(root, size, leaf, index, flipped)
