"""
Rereading the journal, bit by bit from the first event to the last, and then again every day.

An errand: a page at a time, so that a journal of any length is checked and nobody waits for it.
What is a flaw is judged in `domain.auditing`, as in a whole audit: the chain, the stored tree, and
the checkpoints that the store holds. How far it came stands in the store; whoever could write past
Tenure could write there too, so what proves something is an audit against a checkpoint elsewhere.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import msgspec
import structlog

from tenure.clock import Clock
from tenure.domain.auditing import Audit, Flaw, Taken
from tenure.domain.merkle import Node, peaks
from tenure.services import auditing, logkey
from tenure.services.comparing import Verdict
from tenure.store import holds, journal, seals
from tenure.store.db import Store, Transaction

PAGE: Final = 1_024
"""Events read at a time: some 30 ms."""
AGAIN_AFTER_MS: Final = 86_400_000
"""How long a journal that was read to its end is left alone, but for what is new in it."""
NEW_EVERY_MS: Final = 60_000
"""How often what is new is read: as often as a checkpoint is signed."""
_MARK: Final = "reread"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """
    How far the journal was read again, in a round that began at *begun_at_ms*.

    Up to *seq* events are as they were recorded, when last looked at by *read_at_ms*; checkpoints
    confirm those up to *vouched*. The last whole round went to *whole_seq* and ended at
    *whole_at_ms*, 0 before there was one. Instants are ms, UTC, on the machine's clock. *flaw_seq*
    is of the first event that is not as it was recorded, 0 where none is known; *flaw* says what.
    """

    seq: int
    vouched: int
    begun_at_ms: int
    read_at_ms: int
    whole_seq: int = 0
    whole_at_ms: int = 0
    flaw_seq: int = 0
    flaw: str = ""

    @property
    def is_flawed(self) -> bool:
        """Whether something is wrong."""
        return self.flaw_seq > 0


class _Kept(msgspec.Struct, frozen=True):
    """What stands in the store: how far it came, and what goes on from there."""

    reread: Reread
    head: str
    recorded_at_ms: int
    hashes: list[bytes]

    @property
    def taken(self) -> Taken:
        """Return what an audit goes on from."""
        places = zip(peaks(self.reread.seq), self.hashes, strict=True)
        return Taken(
            head=self.head,
            recorded_at_ms=self.recorded_at_ms,
            nodes=tuple(Node(level, index, value) for (level, index), value in places),
            vouched=self.reread.vouched,
        )


class Rereading:
    """Reads the journal again."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """One step is one page; *clock* says when to read again."""
        self._store, self._clock = store, clock

    def state(self) -> Reread | None:
        """Return how far it came, None before the first step."""
        kept = self._store.read(_kept)
        return kept.reread if kept else None

    def step(self) -> None:
        """Read a page, if it is time to; whoever runs errands comes again in a second."""
        now_ms = self._clock.wall_ms()
        found = self._store.read(partial(_read, now_ms=now_ms))
        if found is None:
            return
        before, after = found

        def keep(tx: Transaction) -> bool:
            if seals.mark(tx, _MARK) != before:
                return False  # Whoever else reads, on another machine perhaps, got there first.
            seals.replace_mark(tx, _MARK, msgspec.json.encode(after).decode())
            return True

        if self._store.write(keep) and after.reread.is_flawed:
            log.error(
                "the journal is not as it was recorded: run `tenure audit verify --store`",
                seq=after.reread.flaw_seq,
                flaw=after.reread.flaw,
            )


def _kept(tx: Transaction) -> _Kept | None:
    mark = seals.mark(tx, _MARK)
    if mark is None:
        return None
    try:
        kept = msgspec.json.decode(mark, type=_Kept)
    except msgspec.MsgspecError:
        return None  # Whatever stands there: begin anew.
    return kept if kept.reread.seq.bit_count() == len(kept.hashes) else None


def _read(tx: Transaction, now_ms: int) -> tuple[str | None, _Kept] | None:
    """Return what stood there and what is to stand there now, None where there is nothing to do."""
    mark = seals.mark(tx, _MARK)
    head, head_hash, _ = journal.head(tx)
    if holds.held(tx) is not None or not head:
        return None
    begun = _next(_kept(tx), head, now_ms)
    if begun is None:
        return None
    found, key = Verdict(), logkey.public(tx)
    upto = min(begun.reread.seq + PAGE, head)
    signed = auditing.stored(tx, key, found, begun.reread.seq, upto) if key else []
    audit = Audit(signed, begun.taken)
    if audit.seq < upto:
        auditing.take(tx, audit, upto - audit.seq, found)
    if found.flaw is None and audit.seq == head and audit.head != head_hash:
        found.flaw = Flaw(head, "is not what the journal's head says is the last")
    return mark, _noted(begun.reread, audit, found, now_ms, is_whole=audit.seq == head)


def _next(kept: _Kept | None, head: int, now_ms: int) -> _Kept | None:
    """Return what to go on from: *kept*, or the beginning of a new round; None where it is soon."""
    if kept is None:
        return _beginning(None, now_ms)
    said = kept.reread
    waited_ms = now_ms - said.read_at_ms
    is_soon = 0 <= waited_ms < NEW_EVERY_MS  # A clock that was set back is no reason to wait.
    is_whole = said.whole_at_ms >= said.begun_at_ms
    if said.is_flawed or said.seq > head:
        # It may have been mended, or the store went back: only a new round can tell.
        return None if is_soon else _beginning(said, now_ms)
    if is_whole and not 0 <= now_ms - said.begun_at_ms < AGAIN_AFTER_MS:
        return _beginning(said, now_ms)
    return None if is_whole and is_soon else kept


def _beginning(before: Reread | None, now_ms: int) -> _Kept:
    whole = (before.whole_seq, before.whole_at_ms) if before else (0, 0)
    reread = Reread(
        seq=0,
        vouched=0,
        begun_at_ms=now_ms,
        read_at_ms=now_ms,
        whole_seq=whole[0],
        whole_at_ms=whole[1],
    )
    return _Kept(reread, Taken().head, 0, [])


def _noted(before: Reread, audit: Audit, found: Verdict, now_ms: int, *, is_whole: bool) -> _Kept:
    """Return what is kept after a page; a subtree or checkpoint that differs is a flaw as well."""
    flaw = found.flaw
    if flaw is None and found.differences:
        first = found.differences[0]
        flaw = Flaw(
            max(audit.seq, 1), f"does not go with {first.kind} {first.subject}: {first.what}"
        )
    taken = audit.taken
    reread = replace(
        before,
        seq=taken.seq,
        vouched=taken.vouched,
        read_at_ms=now_ms,
        flaw_seq=flaw.seq if flaw else 0,
        flaw=flaw.what if flaw else "",
    )
    if is_whole and flaw is None:
        reread = replace(reread, whole_seq=taken.seq, whole_at_ms=now_ms)
    hashes = [node.hash for node in taken.nodes]
    return _Kept(reread, taken.head, taken.recorded_at_ms, hashes)
