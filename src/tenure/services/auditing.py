"""
Audits: exporting the journal, and checking it against its chain and its checkpoints.

Everything is read page by page, so that a journal of any length needs the same memory. What is a
flaw is judged in `domain.auditing`; the rows are compared with the journal in `comparing`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, Final, TypeAlias

from tenure.domain import checkpoints as reading
from tenure.domain import lines
from tenure.domain.auditing import Audit, Flaw
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Invalid, NotFound
from tenure.services import comparing
from tenure.services.comparing import Verdict
from tenure.store import audits, checkpoints, journal
from tenure.store.checkpoints import BLOCK_LEVEL
from tenure.store.db import Store, Transaction

PAGE: Final = 2_000
_STORED_CHECKPOINTS_MAX: Final = 1_000

Progress: TypeAlias = Callable[[int], None]
"""Is told how many events, or rows, were done since the last time."""


def export(store: Store, file: IO[bytes], after: int, progress: Progress) -> int:
    """
    Write every event after a seq to *file*, a line each; return the last seq.

    Raises Invalid where one is spoiled: what was written before it is whole.
    """
    head, last = store.read(journal.head)[0], after
    while last < head:
        page = store.read(partial(_page, after=last, most=min(PAGE, head - last)))
        for members in page:
            file.write(_record(members, last).line.encode() + b"\n")
            last += 1
        progress(len(page))
        if not page:
            raise NotFound(f"event {last + 1} is missing")
    return last


def verify_lines(
    file: IO[bytes], signed: Sequence[Checkpoint], progress: Progress = lambda _: None
) -> Verdict:
    """Check an export from its first event on against itself and the checkpoints *signed*."""
    audit, found = Audit(signed), Verdict()
    found.flaw = take_lines(audit, file, progress)
    return _concluded(audit, found)


def take_lines(audit: Audit, file: IO[bytes], progress: Progress = lambda _: None) -> Flaw | None:
    """Let *audit* go on with the lines of *file*, up to the first flaw."""
    flaw = None
    while flaw is None and (raw := file.readline(lines.LINE_BYTES_MAX)):
        try:
            if not raw.endswith(b"\n"):
                raise ValueError("is cut short")  # noqa: TRY301 - one of several things wrong with a line
            flaw = audit.take(lines.read(raw[:-1]))
        except ValueError as error:
            flaw = Flaw(audit.seq + 1, str(error))
        progress(1)
    return flaw


def verify_store(
    store: Store, signed: Sequence[Checkpoint], key: LogKey | None, progress: Progress
) -> Verdict:
    """
    Check a store: its journal, its stored tree and checkpoints, and every row the journal explains.

    *key* is what its stored checkpoints must be signed with; *signed* are held by somebody else.
    """
    found = Verdict()
    audit = Audit([*signed, *store.read(partial(_latest, key=key, found=found))])
    head, head_hash, _ = store.read(journal.head)
    while found.flaw is None and audit.seq < head:
        most = min(PAGE, head - audit.seq)
        progress(store.read(partial(take, audit=audit, most=most, found=found)))
    if found.flaw is None and audit.head != head_hash:
        found.flaw = Flaw(head, "is not what the journal's head says is the last")
    _concluded(audit, found)
    if found.flaw is None:
        comparing.compare(store.read, found, progress)
    return found


def _page(tx: Transaction, after: int, most: int) -> list[audits.Members]:
    return list(audits.raw(tx, after, most))


def _record(members: audits.Members, after: int) -> lines.Record:
    try:
        return lines.of(members)
    except ValueError as error:
        raise Invalid("journal", f"event {after + 1} {error}") from error


def take(tx: Transaction, audit: Audit, most: int, found: Verdict) -> int:
    """
    Let *audit* go on with at *most* so many events of a store, up to the first flaw.

    Returns how many they were; the flaw, and stored subtrees that are others, are in *found*.
    """
    begun, kept = audit.seq, checkpoints.covered(tx)
    for members in audits.raw(tx, begun, most):
        try:
            found.flaw = audit.take(lines.of(members))
        except ValueError as error:
            found.flaw = Flaw(audit.seq + 1, f"is spoiled: {error}")
        if found.flaw is not None:
            break
        for node in audit.completed:
            if node.level >= BLOCK_LEVEL and audit.seq <= kept:
                _compare_node(tx, node.level, node.position, node.hash, found)
    if found.flaw is None and audit.seq == begun:
        found.flaw = Flaw(begun + 1, "is missing: the journal's head is further on")
    return audit.seq - begun


def _compare_node(
    tx: Transaction, level: int, position: int, worked_out: bytes, found: Verdict
) -> None:
    try:
        is_same = checkpoints.node(tx, level, position) == worked_out
    except LookupError:
        is_same = False
    if not is_same:
        found.differ("tree", f"{level}/{position}", "is not the hash of the events under it")


def _latest(tx: Transaction, key: LogKey | None, found: Verdict) -> list[Checkpoint]:
    latest = checkpoints.latest(tx)
    if latest is None or key is None:
        return []
    return stored(tx, key, found, latest.size - _STORED_CHECKPOINTS_MAX, latest.size)


def stored(tx: Transaction, key: LogKey, found: Verdict, after: int, upto: int) -> list[Checkpoint]:
    """
    Return the checkpoints that the store itself holds of *after* to *upto* events, if signed.

    A thousand at most; what is wrong with others is in *found*.
    """
    signed: list[Checkpoint] = []
    for item in checkpoints.every(tx, after, _STORED_CHECKPOINTS_MAX):
        if item.size > upto:
            break
        try:
            raw = item.note.encode()
            # Its name may be a former one: see `logkey`.
            named = LogKey(reading.claims(raw).origin, key.public_key)
            one = reading.read(raw, [named])
        except Invalid as error:
            found.differ("checkpoint", str(item.size), error.message)
            continue
        signed.append(one)
        if (one.size, one.root) != (item.size, item.root):
            found.differ("checkpoint", str(item.size), "says something else than its row")
    return signed


def _concluded(audit: Audit, found: Verdict) -> Verdict:
    if found.flaw is None:
        found.flaw = audit.end()
    found.seq, found.vouched, found.root = audit.seq, audit.vouched, audit.root
    return found
