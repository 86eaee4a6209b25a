"""
Checking a journal from its first event on: what was edited, dropped, swapped, cut off or redone.

Its hash chain shows a change that did not redo every hash after it; a checkpoint that somebody else
holds shows one that did. The journal is taken event by event and nothing of it is kept, so that
its length does not matter. Where the events come from is the caller's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tenure.domain import lines, merkle
from tenure.domain.checkpoints import Checkpoint
from tenure.domain.events import GENESIS_HASH
from tenure.domain.lines import Record
from tenure.domain.merkle import Frontier, Node


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first event that is not as it was recorded, by its *seq*, and *what* is wrong with it."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """
    Where an audit stands, so that another can go on from there: a few dozen hashes.

    The *head* of the chain and when it was recorded (ms, UTC), the subtrees so far, and up to where
    a checkpoint has confirmed them.
    """

    head: str = GENESIS_HASH
    recorded_at_ms: int = 0
    nodes: tuple[Node, ...] = ()
    vouched: int = 0

    @property
    def seq(self) -> int:
        """The last event taken, 0 before the first."""
        return sum(1 << node.level for node in self.nodes)


class Audit:
    """Checks events in order; the first flaw is the answer, for nothing after it means anything."""

    def __init__(self, checkpoints: Sequence[Checkpoint] = (), taken: Taken | None = None) -> None:
        """*checkpoints* are believed: their signatures were checked; *taken* was taken before."""
        taken = taken or Taken()
        self._ahead = sorted(checkpoints, key=lambda item: item.size, reverse=True)
        self._tree = Frontier(taken.nodes)
        self._vouched = taken.vouched
        self.head, self.recorded_at_ms = taken.head, taken.recorded_at_ms
        self.completed: list[Node] = []
        """The subtrees that the last event made whole, the smallest first."""

    @property
    def seq(self) -> int:
        """The last event taken, 0 before the first."""
        return self._tree.size

    @property
    def taken(self) -> Taken:
        """Where it stands, for an audit that goes on."""
        return Taken(
            head=self.head,
            recorded_at_ms=self.recorded_at_ms,
            nodes=tuple(self._tree.nodes),
            vouched=self._vouched,
        )

    @property
    def root(self) -> bytes:
        """The root of the tree over the events taken."""
        return self._tree.root()

    @property
    def vouched(self) -> int:
        """Up to where a checkpoint has confirmed what was taken, 0 without any."""
        return self._vouched

    def take(self, record: Record) -> Flaw | None:
        """Check that *record* comes next, and is what its hash says; return what is wrong."""
        seq = self.seq + 1
        if flaw := self._compare():
            return flaw
        if record.seq != seq:
            return Flaw(seq, f"is missing: event {record.seq} stands in its place")
        if lines.digest(record) != record.hash:
            return Flaw(seq, "was edited: its hash is not that of what it says")
        if record.previous_hash != self.head:
            return Flaw(
                max(seq - 1, 1),
                f"or the one after it was edited: event {seq} follows on another hash"
                if seq > 1
                else "does not begin a journal: it follows on another event",
            )
        if record.recorded_at_ms < self.recorded_at_ms:
            return Flaw(seq, "was recorded before the event ahead of it")
        self.head, self.recorded_at_ms = record.hash, record.recorded_at_ms
        self.completed = self._tree.append(merkle.leaf_hash(record.line.encode()))
        return self._compare()

    def end(self) -> Flaw | None:
        """Say what is wrong now that no event follows: one may be missing."""
        if flaw := self._compare():
            return flaw
        if self._ahead:
            size = self._ahead[-1].size
            what = f"is missing: the journal ends at {self.seq}, and {size} events were signed for"
            return Flaw(self.seq + 1, what)
        return None

    def _compare(self) -> Flaw | None:
        while self._ahead and self._ahead[-1].size <= self.seq:
            signed = self._ahead.pop()
            if signed.root != self.root:
                where = f"up to {signed.size}, or one of them," if signed.size > self._first else ""
                what = f"{where} is not what was signed for: the chain was redone after an edit"
                return Flaw(self._first, what.strip())
            self._vouched = signed.size
        return None

    @property
    def _first(self) -> int:
        return self._vouched + 1
