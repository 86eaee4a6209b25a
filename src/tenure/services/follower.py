"""
Following the journal: the one writer of this machine's keyring.

`Follower.tick` brings the keyring up to the journal's head and leaves evidence of how fresh it is.
A keyring that is damaged, of another store, another history or another format is made anew from
the store. What workers decide from it is the business of `keyring`; when to tick, of `following`.
"""

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, final

import structlog

from tenure.clock import Clock
from tenure.domain.errors import Unavailable
from tenure.services import keyring, records
from tenure.services.keyring import Evidence, Writing
from tenure.services.sealing import CHECK_MARK
from tenure.store import accounts, holds, journal, keys, marks, seals
from tenure.store.db import Store, Transaction
from tenure.store.key_rows import Stored

_PAGE: Final = 2_000
"""Events, or keys, taken over at a time."""
_MAKING_BYTES: Final = 7
"""A random number per making of the keyring, one that fits the evidence's 64 bits."""
_ABOUT: Final = (b"format", b"store", b"seq", b"hash", b"making")

log = structlog.get_logger()


@final
class Follower:
    """Follows the journal into the keyring; one per machine."""

    def __init__(self, store: Store, home: Path, clock: Clock) -> None:
        """
        Open `<home>/keyring`, or make it anew where it is damaged.

        Raises Unavailable `stale` where it can be neither.
        """
        self._store, self._clock, self._home = store, clock, home
        self._evidence = Evidence(home)
        self._making = 0
        self.is_held = False
        """Whether the store was restored and nobody has released it: then nothing is decided."""
        with _unavailable_if_not_writable():
            try:
                self._open()
            except keyring.DAMAGED:
                self._start_over()

    def _open(self) -> None:
        self.environment = keyring.open_files(self._home, readonly=False)
        self._env, self._db = self.environment

    def _start_over(self) -> None:
        # Damaged beyond opening. Everything in it can be had again from the store.
        with contextlib.suppress(AttributeError):
            self._env.close()
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._home / "keyring")
        self._open()

    def tick(self) -> int:
        """
        Bring the keyring up to the journal's head and return its seq.

        Raises Unavailable: `store` where the store cannot be read, `stale` where the keyring cannot
        be written, for want of room perhaps; the evidence then grows old.
        """
        sent_ns, wall_ms = self._clock.elapsed_ns(), self._clock.wall_ms()
        with _unavailable_if_not_writable():
            # A worker that was killed leaves its place taken, and what it read kept for it.
            self._env.reader_check()
            try:
                seq = self._store.read(self._follow)
            except keyring.DAMAGED:
                self._start_over()
                seq = self._store.read(self._follow)
        making = keyring.HELD if self.is_held else self._making
        self._evidence.write(sent_ns, self._clock.boot(), wall_ms, seq, making)
        return seq

    def catch_up(self, seq: int) -> None:
        """Return once the keyring holds the event *seq*."""
        if self.tick() < seq:
            raise Unavailable(
                "stale", context=f"event {seq} is not in the journal that is followed"
            )

    def close(self) -> None:
        """Let go of the files."""
        self._env.close()

    def _position(self, tx: Transaction) -> tuple[int, str] | None:
        """Return the seq and hash this keyring is at, None where it is not one of *tx*'s store."""
        with self._env.begin() as txn:
            about = {name: bytes(txn.get(name, b"", self._db[b"about"])) for name in _ABOUT}
        self._making = int.from_bytes(about[b"making"])
        is_ours = about[b"format"] == records.FORMAT and about[b"store"] == _store_id(tx)
        if not is_ours or not self._making or not about[b"seq"].isdigit():
            return None
        return int(about[b"seq"]), about[b"hash"].decode("ascii", "replace")

    def _follow(self, tx: Transaction) -> int:
        # Read with the journal, so that no evidence is left of a store that is held by then.
        self.is_held = holds.held(tx) is not None
        if self.is_held:
            # Nor is anything taken over: until workers see that it is held they decide by what
            # they have, and what was restored may have keys in it that were revoked since.
            return journal.head(tx)[0]
        position = self._position(tx)
        if position is None:
            return self._rebuild(tx)
        seq, held_hash = position
        head_seq, head_hash, _ = journal.head(tx)
        while seq < head_seq:
            steps = journal.steps(tx, seq, _PAGE)
            if not _go_on(steps, seq, held_hash):
                return self._rebuild(tx)
            touched = {step.key_id for step in steps if step.key_id}
            with self._env.begin(write=True) as txn:
                self._put(txn, keys.load(tx, sorted(touched)))
                self._put_rest(txn, tx)
                seq, held_hash = steps[-1].seq, steps[-1].hash
                self._put_position(txn, seq, held_hash)
        # Another history than the one this keyring followed, or an older state of it: a restore.
        return seq if (head_seq, head_hash) == (seq, held_hash) else self._rebuild(tx)

    def _rebuild(self, tx: Transaction) -> int:
        seq, head_hash, _ = journal.head(tx)
        # By this workers see that nothing they hold of an earlier making is worth anything.
        making = self._clock.random_bytes(_MAKING_BYTES)
        with self._env.begin(write=True) as txn:
            for database in self._db.values():
                txn.drop(database, delete=False)
            last = ""
            while page := keys.every(tx, last, _PAGE):
                self._put(txn, page)
                last = page[-1].key_id
            self._put_rest(txn, tx)
            txn.put(b"format", records.FORMAT, db=self._db[b"about"])
            txn.put(b"store", _store_id(tx), db=self._db[b"about"])
            txn.put(b"making", making, db=self._db[b"about"])
            self._put_position(txn, seq, head_hash)
        self._making = int.from_bytes(making)
        return seq

    def _put(self, txn: Writing, stored: Iterable[Stored]) -> None:
        for item in stored:
            try:
                record = records.pack(
                    item.key, item.sealed_secret, item.master_id, item.old_sealed_secret
                )
            except (ValueError, TypeError, LookupError) as error:
                # That key alone is refused; the others have done nothing (SECURITY D20).
                log.error("not understood", key_id=item.key_id, error=repr(error))  # noqa: TRY400 - a traceback may show rows
                record = records.UNREADABLE
            txn.put(item.api_key.encode(), record, db=self._db[b"keys"])

    def _put_rest(self, txn: Writing, tx: Transaction) -> None:
        # Few rows, so written whole: who is frozen, the marks, and the wrapped data keys.
        txn.drop(self._db[b"frozen"], delete=False)
        for account_id, frozen_at_ms in accounts.frozen(tx).items():
            txn.put(account_id.encode(), str(frozen_at_ms).encode(), db=self._db[b"frozen"])
        self._put_marks(txn, tx)
        for data_key_id, wrapped in seals.data_keys(tx).items():
            txn.put(data_key_id.encode(), wrapped, db=self._db[b"seals"])
        check = seals.mark(tx, CHECK_MARK) or ""
        txn.put(b"sealing_key_check", check.encode(), db=self._db[b"about"])

    def _put_marks(self, txn: Writing, tx: Transaction) -> None:
        standing = records.pack_standing(marks.count(tx), keys.overlaps_until_ms(tx))
        if standing == txn.get(b"standing", db=self._db[b"about"]):
            return
        for mark in marks.every(tx):
            txn.put(mark.mark_id.encode(), records.pack_reach(mark), db=self._db[b"marks"])
        txn.put(b"standing", standing, db=self._db[b"about"])

    def _put_position(self, txn: Writing, seq: int, held_hash: str) -> None:
        txn.put(b"seq", str(seq).encode(), db=self._db[b"about"])
        txn.put(b"hash", held_hash.encode(), db=self._db[b"about"])


@contextlib.contextmanager
def _unavailable_if_not_writable() -> Iterator[None]:
    try:
        yield
    except (keyring.Error, OSError) as error:
        raise Unavailable("stale", context=f"the keyring cannot be written: {error}") from error


def _go_on(steps: list[journal.Step], seq: int, held_hash: str) -> bool:
    """Whether *steps* follow on *seq* and its hash, and each on the one before."""
    for step in steps:
        if (step.seq, step.previous_hash) != (seq + 1, held_hash):
            return False
        seq, held_hash = step.seq, step.hash
    return bool(steps)


def _store_id(tx: Transaction) -> bytes:
    return (seals.mark(tx, "store_id") or "").encode()
