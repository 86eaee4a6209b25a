"""
Backups: one file with every row of a store, taken while it serves, and checked once written.

The first line is the manifest (journal head, checkpoint, version), then each table with its rows,
the last line says how many there were and the digest of all before it. Neither the sealing key nor
the log key is in the store, so neither is here; what HMAC keys sign with is in it sealed only.
Restoring is in `restoring`.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from tenure.clock import Clock
from tenure.domain import checkpoints as reading
from tenure.domain import lines
from tenure.domain.auditing import Audit, Flaw
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Conflict, Invalid, Unavailable
from tenure.domain.lines import canonical
from tenure.services import keyfiles, logkey
from tenure.store import backups, checkpoints, journal, seals
from tenure.store.backups import Table
from tenure.store.db import Store, Transaction

FORMAT: Final = 1
_MODE: Final = 0o600

Progress = Callable[[int], None]
"""Is told how many rows, or events, were done since the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is of: the journal's last event, its last checkpoint, the tables' version."""

    format: int
    revision: str
    store_id: str
    made_at_ms: int
    seq: int
    hash: str
    log_key: str | None
    checkpoint: str | None

    def signed(self) -> list[Checkpoint]:
        """Return the checkpoint in it, if any; raises Invalid `backup` for a wrong signature."""
        if self.checkpoint is None or self.log_key is None:
            return []
        raw = self.checkpoint.encode()
        try:
            key = LogKey.parse(self.log_key)
            # After an accepted restore the last checkpoint may still bear the log's former name.
            named = LogKey(reading.claims(raw).origin, key.public_key)
            return [reading.read(raw, [key, named])]
        except Invalid as error:
            raise Invalid("backup", f"its checkpoint cannot be read: {error.message}") from error


def backup(store: Store, path: Path, clock: Clock, progress: Progress) -> Manifest:
    """
    Write all of *store* to a new file at *path*, mode 0600, check it, and return its manifest.

    It is there whole or not at all. Raises Conflict `exists`, and whatever `check` raises.
    """
    if path.exists():
        raise Conflict("exists", f"{path} is there already: name another file")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            manifest = store.read(lambda tx: _write(tx, file, clock.wall_ms(), progress))
            file.flush()
            os.fsync(file.fileno())
        if check(unfinished, lambda _: None) != manifest:
            raise Unavailable("backup", "what was written is not what was read: try another disk")
        path.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
    keyfiles.keep_directory(path.parent)
    return manifest


def check(path: Path, progress: Progress) -> Manifest:
    """
    Read the whole backup at *path*, believing nothing, and return its manifest.

    Raises Invalid `backup`: cut short, altered, or with a journal that contradicts itself.
    """
    with path.open("rb") as file:
        reader = Reader(file)
        audit = Audit(reader.manifest.signed())
        try:
            for table in reader.tables():
                for row in table.rows:
                    progress(1)
                    members = dict(zip(table.columns, row, strict=True))
                    if table.name == "events":
                        _follow(audit, members)
        except (ValueError, LookupError, TypeError) as error:
            raise Invalid("backup", f"was altered: {error!r}") from error
    _require(audit.end())
    manifest = reader.manifest
    if (audit.seq, audit.head) != (manifest.seq, manifest.hash):
        raise Invalid("backup", f"its journal ends at {audit.seq}, not at {manifest.seq}")
    return manifest


class Reader:
    """A backup that is read line by line: the manifest, then table after table, then the digest."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read the first line; raises Invalid `backup`."""
        self._file, self._digest = file, hashlib.sha256()
        self._counted: dict[str, int] = {}
        self._after: Any = None
        said = self._line()
        try:
            self.manifest = Manifest(**said["tenure_backup"])
        except (TypeError, KeyError) as error:
            raise Invalid("backup", "is no backup of Tenure's") from error
        if self.manifest.format != FORMAT:
            raise Invalid("backup", f"is of a format that a newer Tenure reads: {FORMAT} is known")

    def tables(self) -> Iterator[Table]:
        """
        Yield each table; its rows have to be read before the next.

        Raises Invalid `backup` at the end where it is not that of what was written.
        """
        self._after = self._line()
        while isinstance(self._after, dict) and "table" in self._after:
            name, columns = str(self._after["table"]), list(self._after["columns"])
            self._counted[name] = 0
            yield Table(name, columns, self._rows(name))
        told = {"rows": self._counted, "sha256": self._digest.hexdigest()}
        if self._after != told or self._file.read(1):
            raise Invalid("backup", "was altered: it does not end as it was written")

    def _rows(self, name: str) -> Iterator[list[Any]]:
        while isinstance(said := self._line(), list):
            self._counted[name] += 1
            yield [_value(item) for item in said]
        self._after = said

    def _line(self) -> Any:  # noqa: ANN401 - JSON
        raw = self._file.readline(lines.LINE_BYTES_MAX)
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Invalid("backup", "was cut short or altered, or is none of Tenure's") from error
        if not (isinstance(said, dict) and "sha256" in said):
            self._digest.update(raw)
        return said


def _write(tx: Transaction, file: IO[bytes], now_ms: int, progress: Progress) -> Manifest:
    manifest = _manifest(tx, now_ms)
    digest, counted = hashlib.sha256(), dict[str, int]()

    def put(value: object) -> None:
        raw = canonical(value).encode() + b"\n"
        digest.update(raw)
        file.write(raw)

    put({"tenure_backup": asdict(manifest)})
    for table in backups.tables(tx):
        put({"table": table.name, "columns": table.columns})
        counted[table.name] = 0
        for row in table.rows:
            put([_shown(item) for item in row])
            counted[table.name] += 1
            progress(1)
    file.write(canonical({"rows": counted, "sha256": digest.hexdigest()}).encode() + b"\n")
    return manifest


def _manifest(tx: Transaction, now_ms: int) -> Manifest:
    seq, head, _ = journal.head(tx)
    signed, key = checkpoints.latest(tx), logkey.public(tx)
    return Manifest(
        format=FORMAT,
        revision=backups.revision(tx) or "",
        store_id=seals.mark(tx, "store_id") or "",
        made_at_ms=now_ms,
        seq=seq,
        hash=head,
        log_key=key.text if key else None,
        checkpoint=signed.note if signed else None,
    )


def _follow(audit: Audit, members: dict[str, Any]) -> None:
    try:
        record = lines.of(members)
    except ValueError as error:
        raise Invalid("backup", f"event {audit.seq + 1} {error}") from error
    _require(audit.take(record))


def _require(flaw: Flaw | None) -> None:
    if flaw is not None:
        raise Invalid("backup", f"event {flaw.seq} {flaw.what}")


def _shown(item: object) -> object:
    return {"base64": base64.b64encode(item).decode()} if isinstance(item, bytes) else item


def _value(item: object) -> object:
    return base64.b64decode(item["base64"]) if isinstance(item, dict) else item
