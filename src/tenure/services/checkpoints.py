"""
Signing checkpoints of the journal, and proving that an event is under one.

`Checkpoints.step` grows the tree over the journal by a page and signs it when it grew and a minute
has passed. It never signs over a journal that contradicts itself or what was signed before: that
is told, and somebody has to look (`tenure audit verify --store`). Where checkpoints go is in
`pushing`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tenure import metrics
from tenure.clock import Clock
from tenure.domain import checkpoints as signing
from tenure.domain import lines, merkle
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Conflict, NotFound, Unavailable
from tenure.domain.lines import Record
from tenure.domain.merkle import Frontier, Node
from tenure.services import logkey
from tenure.store import audits, checkpoints, holds, journal
from tenure.store.checkpoints import BLOCK_LEVEL, Signed
from tenure.store.db import Store, Transaction

PAGE: Final = 1_024
"""Events taken into the tree at a time, in about 30 ms; a multiple of a block of 256."""
EVERY_MS: Final = 60_000
"""A checkpoint a minute: how much of the journal could be rewritten unseen (SECURITY D16)."""


class _Look(NamedTuple):
    """What there is to do: the tree so far, the events that follow, and up to where there are."""

    covered: int
    frontier: Frontier
    base: Record | None
    page: list[Record]
    head: int
    signed: Signed | None
    signer: logkey.Signer


class Checkpoints:
    """The transparency log over the journal of one store."""

    def __init__(self, store: Store, home: Path, clock: Clock, every_ms: int = EVERY_MS) -> None:
        """*home* holds the log key; a checkpoint is signed at most once in *every_ms*."""
        self._store, self._home, self._clock, self._every_ms = store, home, clock, every_ms

    def step(self) -> bool:
        """
        Take a page of events into the tree, sign where it is time; return whether there is more.

        Raises Unavailable: `log_key` where nothing can sign, `journal` where the journal is not
        what was signed before.
        """
        found = self._store.read(self._look)
        if found is None:
            return False
        try:
            root, nodes = _grow(found)
        except ValueError as error:
            raise _contradicted(str(error)) from error
        end = found.covered + len(found.page)
        is_whole = end == found.head

        def keep(tx: Transaction) -> bool:
            # Whoever else keeps this tree, on another machine perhaps, got there first.
            if checkpoints.covered(tx) != found.covered or checkpoints.latest(tx) != found.signed:
                return False
            now_ms = self._clock.now_ms()
            checkpoints.add_nodes(tx, nodes)
            if not is_whole or not self._is_due(found.signed, end, now_ms):
                return False
            signed = Checkpoint(found.signer.key.name, end, root)
            checkpoints.add(tx, end, root, found.signer.sign(signed), now_ms)
            return True

        if self._store.write(keep):
            metrics.count_checkpoint("signed")
        return not is_whole

    def latest(self) -> Signed:
        """Return the checkpoint signed last; raises NotFound before the first."""
        found = self._store.read(checkpoints.latest)
        if found is None:
            raise NotFound("no checkpoint was signed yet")
        return found

    def key(self) -> LogKey:
        """Return the public half of the log key; raises NotFound before there is one."""
        found = self._store.read(logkey.public)
        if found is None:
            raise NotFound("there is no log key yet")
        return found

    def proof(self, seq: int) -> str:
        """
        Return the proof (a C2SP tlog-proof) that event *seq* is under the latest checkpoint.

        Raises NotFound where there is no such event, Conflict `not_signed_yet` until a checkpoint
        is over it, and Unavailable `journal` where it is not what was signed for.
        """
        return self._store.read(lambda tx: prove(tx, seq))

    def _look(self, tx: Transaction) -> _Look | None:
        head = journal.head(tx)[0]
        covered, signed = checkpoints.covered(tx), checkpoints.latest(tx)
        if signed is not None and signed.size > head:
            raise _contradicted(f"it ends at {head}, and {signed.size} events were signed for")
        is_behind = head - covered >= 1 << BLOCK_LEVEL
        if holds.held(tx) or not (is_behind or self._is_due(signed, head, self._clock.now_ms())):
            return None
        signer = logkey.signer(tx, self._home)
        try:
            frontier = _frontier(tx, covered)
            page = list(audits.records(tx, max(covered - 1, 0), PAGE + bool(covered)))
        except (LookupError, ValueError) as error:
            raise _contradicted(f"after event {covered}: {error}") from error
        base = page.pop(0) if covered and page else None
        return _Look(covered, frontier, base, page, head, signed, signer)

    def _is_due(self, signed: Signed | None, head: int, now_ms: int) -> bool:
        if signed is None:
            return head > 0
        return head > signed.size and now_ms - signed.signed_at_ms >= self._every_ms


def prove(tx: Transaction, seq: int) -> str:
    """Prove that event *seq* is under the latest checkpoint; see `Checkpoints.proof`."""
    if not 0 < seq <= journal.head(tx)[0]:
        raise NotFound("there is no such event")
    signed = checkpoints.latest(tx)
    if signed is None or signed.size < seq:
        raise Conflict("not_signed_yet", "no checkpoint is over this event yet; ask in a minute")
    try:
        (record,) = audits.records(tx, seq - 1, 1)
        entry, path = record.line.encode(), merkle.inclusion(seq - 1, signed.size, _nodes(tx))
    except (LookupError, ValueError) as error:
        raise _altered(seq) from error
    leaf = merkle.leaf_hash(entry)
    if not merkle.includes(signed.root, signed.size, leaf, seq - 1, path):
        raise _altered(seq)
    return signing.proof(seq, entry, path, signed.note)


def _grow(found: _Look) -> tuple[bytes, list[Node]]:
    """
    Return the root with the page taken in, and the whole subtrees to be kept.

    Raises ValueError where the events do not follow on each other, or on what was signed.
    """
    frontier, nodes, before = found.frontier, list[Node](), found.base
    signed = found.signed
    _require_signed(frontier, signed)  # Where it ends on a whole block, no event comes to show it.
    for record in found.page:
        seq = frontier.size + 1
        is_next = record.seq == seq and (
            before is None or record.previous_hash == lines.digest(before)
        )
        if not is_next or lines.digest(record) != record.hash:
            raise ValueError(f"event {seq} is not as it was recorded")
        completed = frontier.append(merkle.leaf_hash(record.line.encode()))
        nodes += [node for node in completed if node.level >= BLOCK_LEVEL]
        _require_signed(frontier, signed)
        before = record
    end = found.covered + len(found.page)
    if end < found.head and len(found.page) < PAGE:
        raise ValueError(f"event {end + 1} is missing")
    return frontier.root(), nodes


def _require_signed(frontier: Frontier, signed: Signed | None) -> None:
    if signed is not None and frontier.size == signed.size and frontier.root() != signed.root:
        raise ValueError(f"the first {signed.size} events are not those that were signed for")


def _frontier(tx: Transaction, covered: int) -> Frontier:
    return Frontier(
        [
            Node(level, index, checkpoints.node(tx, level, index))
            for level, index in merkle.peaks(covered)
        ]
    )


def root_at(tx: Transaction, size: int) -> bytes:
    """Return the root over the first *size* events; raises LookupError, ValueError."""
    covered = checkpoints.covered(tx)
    if size <= covered:
        return merkle.root(size, _nodes(tx))
    frontier = _frontier(tx, covered)
    for record in audits.records(tx, covered, size - covered):
        frontier.append(merkle.leaf_hash(record.line.encode()))
    return frontier.root()


def leads_to(tx: Transaction, held: Checkpoint) -> bool:
    """Whether the journal has got to what somebody else *held*, and was then what they hold."""
    if held.size > journal.head(tx)[0]:
        return False
    try:
        return root_at(tx, held.size) == held.root
    except (LookupError, ValueError):
        return False  # What cannot even be read is not what was signed.


def _nodes(tx: Transaction) -> Callable[[int, int], bytes]:
    """Return what finds subtrees: kept ones in the store, smaller ones in the events."""
    blocks: dict[int, list[bytes]] = {}

    def leaves(block: int) -> list[bytes]:
        if block not in blocks:
            blocks[block] = list(_leaves(tx, block))
        return blocks[block]

    def node_at(level: int, index: int) -> bytes:
        if level >= BLOCK_LEVEL:
            return checkpoints.node(tx, level, index)
        first = index << level
        frontier, begin = Frontier(), first & ((1 << BLOCK_LEVEL) - 1)
        for leaf in leaves(first >> BLOCK_LEVEL)[begin : begin + (1 << level)]:
            frontier.append(leaf)
        return frontier.root()

    return node_at


def _leaves(tx: Transaction, block: int) -> Iterator[bytes]:
    for record in audits.records(tx, block << BLOCK_LEVEL, 1 << BLOCK_LEVEL):
        yield merkle.leaf_hash(record.line.encode())


def _contradicted(what: str) -> Unavailable:
    metrics.count_checkpoint("contradicted")
    return Unavailable(
        "journal",
        f"the journal contradicts what was signed: {what}; run `tenure audit verify --store`",
    )


def _altered(seq: int) -> Unavailable:
    return Unavailable(
        "journal", f"event {seq} is not what was signed for: run `tenure audit verify --store`"
    )
