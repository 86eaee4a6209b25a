"""
Restoring a store from a backup, and what releases it: a restore never brings a revoked key back.

A backup knows nothing of what came after it, so a restored store is held: everything is 503 until
its journal has reached the last checkpoint that left the box, by replaying an export, or until an
operator says on record why not (SECURITY D18, I19). Taking backups is in `backups`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import structlog

from tenure.clock import Clock
from tenure.domain import lines
from tenure.domain.auditing import Audit, Flaw
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.events import Change, Tag
from tenure.services import backups as archive
from tenure.services import checkpoints as signing
from tenure.services import comparing, logkey, pushing, redoing
from tenure.services.backups import Manifest, Progress
from tenure.services.comparing import Verdict
from tenure.services.redoing import Lost
from tenure.settings import Settings
from tenure.store import (
    audits,
    backups,
    checkpoints,
    holds,
    journal,
    sessions,
)
from tenure.store.db import Store, Transaction
from tenure.store.holds import Hold

log = structlog.get_logger()

ACTOR: Final = "operator"
_PAGE: Final = 1_000
_REASON_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What brought a restored store up to date."""

    seq: int
    """The last event replayed."""
    replayed: int
    checkpoint: int
    """The size of the checkpoint it was released by."""
    without_secret: tuple[str, ...]
    """HMAC keys issued or rotated after the backup: no journal holds secrets, so rotate them."""
    without_factors: tuple[str, ...]
    """People who joined or changed how they sign in after it: they have to be invited anew."""
    removed_webhooks: tuple[str, ...]
    """Webhooks added or changed after it: no journal holds their URLs, so their owners add them."""


def restore(store: Store, path: Path, clock: Clock, progress: Progress) -> Manifest:
    """
    Fill a blank *store* from the backup at *path*, and hold it; all or nothing.

    Raises Conflict `not_empty`, Invalid `backup`, Unavailable `store` for a newer Tenure's backup.
    """
    store.read(_require_blank)
    manifest = archive.check(path, lambda _: None)

    def load(tx: Transaction, file: IO[bytes]) -> None:
        _require_blank(tx)
        try:
            backups.load(tx, manifest.revision, _counted(archive.Reader(file), progress))
        except (LookupError, ValueError) as error:
            raise Invalid("backup", f"does not fit the tables of its version: {error}") from error
        if holds.held(tx) is None:  # Else it was backed up while it was held.
            holds.place(tx, Hold(restored_at_ms=clock.wall_ms(), seq=manifest.seq))

    with path.open("rb") as file:
        store.write(partial(load, file=file))
    return manifest


def catch_up(
    store: Store,
    clock: Clock,
    file: IO[bytes] | None,
    signed: Sequence[Checkpoint],
    pushed: Checkpoint | None,
) -> Replayed:
    """
    Replay the events in *file* that follow on the restored journal, and release the store.

    *signed* are checkpoints that somebody names, *pushed* the last one where Tenure pushed them to,
    signatures checked; the journal has to reach each of them. All or nothing: raises Conflict
    `not_held`, `not_reached`, `not_explained`, `unknown_event`, and Invalid where the events are
    not those that were recorded, or the checkpoints say nothing of what came after the backup.
    """
    believed = [*signed, pushed] if pushed is not None else list(signed)

    def replay(tx: Transaction) -> Replayed:
        hold = _require_held(tx)
        _require_newer(hold, signed, pushed, checkpoints.pushed_size(tx))
        audit = Audit(believed)
        _take_own(tx, audit)
        begun = audit.seq
        lost = _take_tail(tx, audit, file) if file is not None else Lost()
        if flaw := audit.end():
            raise Conflict("not_reached", f"event {flaw.seq} {flaw.what}")
        holds.release(tx)
        redoing.record(tx, lost, ACTOR, clock.now_ms())
        sessions.forget_everything(tx)
        _require_explained(tx)
        done = Replayed(
            seq=audit.seq,
            replayed=audit.seq - begun,
            checkpoint=audit.vouched,
            without_secret=tuple(sorted(lost.secrets)),
            without_factors=tuple(sorted(lost.people)),
            removed_webhooks=tuple(sorted(contact_id for _, contact_id in lost.webhooks)),
        )
        body = {"backup_seq": hold.seq, "replayed": done.replayed, "checkpoint": done.checkpoint}
        _record(tx, Tag.STORE_RESTORED, body, clock)
        return done

    return store.write(replay)


def begin(store: Store, settings: Settings, clock: Clock) -> None:
    """
    Give a store its log key at its first start; hold it where it has gone back.

    A journal that is shorter than what was pushed to `checkpoint_file`, or another one by then, was
    put back by somebody, from a copy of the file or of the machine: that too is a restore. Raises
    as `logkey.prepare`.
    """
    logkey.prepare(store, settings.home, clock)

    def hold(tx: Transaction) -> int | None:
        key, seq = logkey.public(tx), journal.head(tx)[0]
        furthest = pushing.furthest(settings.checkpoint_file, key) if key else None
        if furthest is None or holds.held(tx) is not None or signing.leads_to(tx, furthest):
            return None
        holds.place(tx, Hold(restored_at_ms=clock.wall_ms(), seq=seq))
        sessions.forget_everything(tx)
        return furthest.size

    size = store.write(hold)
    if size is not None:
        log.error("the journal has gone back: everything is refused", pushed=size)


def accept(store: Store, clock: Clock, reason: str) -> LogKey | None:
    """
    Release a restored store as it is, on record; return the log's new key, if it has one.

    What was recorded after the backup is lost, and whatever was revoked then is not revoked. The
    history is another one from here, so the log goes on under another name. Raises Conflict
    `not_held`, Invalid for a reason that says nothing.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= _REASON_MAX or not reason.isprintable():
        raise Invalid("reason", f"say why, in one line of at most {_REASON_MAX} characters")

    def release(tx: Transaction) -> LogKey | None:
        hold = _require_held(tx)
        sessions.forget_everything(tx)
        renamed = logkey.rename(tx, journal.head(tx)[0], clock)
        holds.release(tx)
        body = {
            "reason": reason,
            "backup_seq": hold.seq,
            "log_key": renamed.text if renamed else None,
        }
        _record(tx, Tag.STORE_RESTORED_ACCEPTED, body, clock)
        return renamed

    return store.write(release)


def _record(tx: Transaction, tag: Tag, body: Mapping[str, object], clock: Clock) -> None:
    now_ms = clock.now_ms()
    journal.append(tx, Change(tag=tag, actor=ACTOR, happened_at_ms=now_ms, body=body), now_ms)


def _require_blank(tx: Transaction) -> None:
    if not backups.is_blank(tx):
        raise Conflict(
            "not_empty", "there is a store already: name an empty --database, or move that away"
        )


def _require_held(tx: Transaction) -> Hold:
    hold = holds.held(tx)
    if hold is None:
        raise Conflict("not_held", "this store is not held: it was not restored, or is released")
    return hold


def _require_newer(
    hold: Hold, signed: Sequence[Checkpoint], pushed: Checkpoint | None, pushed_size: int
) -> None:
    """
    Refuse to release by checkpoints that the backup reaches by itself, where somebody named them.

    They say nothing of what came after it: a newer one may lie elsewhere. What Tenure finds in the
    place it pushes to is the last one, unless the backup itself knows of one that was pushed later:
    then that is another place, or an older copy of it.
    """
    if pushed is not None and pushed.size < pushed_size:
        raise Invalid(
            "checkpoint",
            f"checkpoint_file holds one of {pushed.size} events, and one of {pushed_size} was "
            "pushed before the backup: is it the right place, and mounted?",
        )
    if pushed is None and not any(item.size > hold.seq for item in signed):
        raise Invalid(
            "checkpoint",
            f"name the last one that was pushed, of more than the backup's {hold.seq} events; "
            "where there is none, set checkpoint_file to where they were pushed, or say --accept",
        )


def _counted(reader: archive.Reader, progress: Progress) -> Any:  # noqa: ANN401 - an iterator of tables
    for table in reader.tables():

        def rows(table: backups.Table = table) -> Any:  # noqa: ANN401 - an iterator of rows
            for row in table.rows:
                progress(1)
                yield row

        yield table._replace(rows=rows())


def _take_own(tx: Transaction, audit: Audit) -> None:
    """Check the journal that was restored, up to its head."""
    head = journal.head(tx)[0]
    while audit.seq < head:
        begun = audit.seq
        for members in audits.raw(tx, begun, _PAGE):
            _require(audit.take(lines.of(members)))
        if audit.seq == begun:
            _require(Flaw(begun + 1, "is missing"))


def _take_tail(tx: Transaction, audit: Audit, file: IO[bytes]) -> Lost:
    """Check and apply what follows; return what no journal holds of it."""
    lost = Lost()
    batch: list[lines.Record] = []
    begun = audit.seq
    while raw := file.readline(lines.LINE_BYTES_MAX):
        try:
            record = lines.read(raw.removesuffix(b"\n"))
        except ValueError as error:
            raise Invalid("events", f"the line after event {audit.seq} {error}") from error
        if record.seq <= begun:
            continue  # The backup has it: the chain tells if it were another one.
        _require(audit.take(record))
        redoing.redo(tx, record, lost)
        batch.append(record)
        if len(batch) == _PAGE:
            audits.add(tx, batch)
            batch = []
    if batch:
        audits.add(tx, batch)
    return lost


def _require(flaw: Flaw | None) -> None:
    if flaw is not None:
        raise Invalid("events", f"event {flaw.seq} {flaw.what}")


def _require_explained(tx: Transaction) -> None:
    found = Verdict()
    comparing.compare(lambda fn: fn(tx), found, lambda _: None)
    if found.differences:
        first = found.differences[0]
        raise Conflict(
            "not_explained",
            f"{found.differing} rows are not what the journal says, "
            f"{first.kind} {first.subject} for one: {first.what}",
        )
