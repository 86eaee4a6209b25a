"""
The replay cache: which one-time requests this machine has let act already (SECURITY D13, I10).

For permissions that a catalog marks `one_time`, and asked last, so that refused requests cannot
fill it. All processes of a machine share one LMDB file per boot, `<home>/replays/<boot>`: putting
an entry in where there is none is one transaction, so of two workers with the same request one is
too late. Nothing is synced to the disk: what does not outlive the boot is never read again.

Nothing here decides anything else, and nothing is ever forgotten early: a full cache refuses.
"""

import hashlib
import os
import shutil
import struct
import threading
from pathlib import Path
from typing import Final, final

import lmdb

from tenure.clock import BACKWARDS_MS_MAX, Clock
from tenure.domain.errors import Unavailable
from tenure.domain.signing import AHEAD_US_MAX

ENTRIES_MAX: Final = 1_000_000
"""Over 16,000 one-time requests a second for the longest receive window; about 130 MB of disk."""
_BYTES_PER_ENTRY: Final = 1_024
"""Room in the map, many times what an entry takes in both tables; only what is used is stored."""
_BYTES_MIN: Final = 2**20
_FORGOTTEN_AT_ONCE: Final = 64
"""Many more than come in by one request, and few enough that no request waits for a clearing."""
_MARKS: Final = struct.Struct(">QQ")
"""Birth and horizon, both in microseconds."""
_END: Final = struct.Struct(">Q")
"""Big-endian, so that LMDB's order of keys is the order of ends."""


@final
class Replays:
    """What one-time requests were seen; open it after the fork, once in each process."""

    def __init__(self, home: Path, clock: Clock, *, entries_max: int = ENTRIES_MAX) -> None:
        """
        Open this boot's cache under `<home>/replays`, or make it.

        *entries_max* requests are remembered at once. A cache of another boot is lost: requests
        stamped before the birth of the new one are refused, since they may have been seen.
        While the clock cannot be believed the birth waits for the first request that is decided.
        """
        self._clock, self._entries_max = clock, entries_max
        self._root = home / "replays"
        self._env: lmdb.Environment | None = None
        self._opening = threading.Lock()
        try:
            self._open()
        except Unavailable as error:
            if error.code != "clock":
                raise

    def _open_late(self) -> lmdb.Environment:
        with self._opening:  # LMDB may be opened but once in each process.
            return self._env or self._open()

    def _open(self) -> lmdb.Environment:
        root, path = self._root, self._root / f"{self._clock.boot():016x}"
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Looked for before this cache has a birth, and removed after: whoever gives it one has
            # seen whether there was another before.
            lost = [other for other in root.iterdir() if other != path]
            self._env = env = self._open_at(path, self._birth_us(lost))
        except (lmdb.Error, OSError) as error:
            message = f"the replay cache in {root} cannot be opened: {error}"
            raise Unavailable("replay", message) from error
        for other in lost:
            shutil.rmtree(other, ignore_errors=True)
        return env

    def _open_at(self, path: Path, birth_us: int) -> lmdb.Environment:
        env = lmdb.open(
            os.fspath(path),
            map_size=max(_BYTES_MIN, self._entries_max * _BYTES_PER_ENTRY),
            max_dbs=3,
            sync=False,
            metasync=False,
        )
        self._about = env.open_db(b"about")
        self._spent = env.open_db(b"spent")
        self._ends = env.open_db(b"ends")
        with env.begin(write=True) as txn:
            txn.put(b"marks", _MARKS.pack(birth_us, 0), overwrite=False, db=self._about)
        return env

    def spend(self, key_id: str, signature: bytes, timestamp_us: int, recv_window_us: int) -> bool:
        """
        Let a request act if it is the first: True, and False ever after while it could be admitted.

        *signature* is what makes it this request among the key's: decoded, so that no other
        spelling is another request. It was stamped *timestamp_us*, and is admitted for
        *recv_window_us* from then. False too where it may have been seen by a cache since lost.
        Raises Unavailable `replay` where it cannot be remembered, `clock` as the clock does.
        """
        entry = hashlib.sha256(key_id.encode() + b"\0" + signature).digest()
        end_us = timestamp_us + recv_window_us
        env = self._env or self._open_late()
        try:
            with env.begin(write=True) as txn:
                birth_us, horizon_us = _MARKS.unpack(txn.get(b"marks", b"", db=self._about))
                forgotten_us = self._forget(txn, horizon_us)
                if forgotten_us != horizon_us:
                    txn.put(b"marks", _MARKS.pack(birth_us, forgotten_us), db=self._about)
                # What ends by the horizon may have been forgotten. Only a process that was held up
                # since it looked at its clock can still come with it.
                if timestamp_us < birth_us or end_us <= forgotten_us:
                    return False
                end = _END.pack(end_us)
                if not txn.put(entry, end, overwrite=False, db=self._spent):
                    return False
                if txn.stat(self._spent)["entries"] > self._entries_max:
                    # Raised inside, so that the transaction is undone.
                    raise Unavailable("replay", context=f"{self._entries_max} entries: full")
                txn.put(end + entry, b"", db=self._ends)
                return True
        except lmdb.Error as error:
            raise Unavailable("replay", context=f"the replay cache: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._env is not None:
            self._env.close()

    def _forget(self, txn: lmdb.Transaction, horizon_us: int) -> int:
        """Forget some that no receive window admits any more; return the latest end forgotten."""
        now_us = self._now_us()
        cursor = txn.cursor(db=self._ends)
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not cursor.first():
                break
            found = bytes(cursor.key())
            (end_us,) = _END.unpack_from(found)
            if end_us >= now_us:
                break
            txn.delete(found[_END.size :], db=self._spent)
            cursor.delete()
            horizon_us = end_us
        return horizon_us

    def _birth_us(self, lost: list[Path]) -> int:
        if not lost:
            return self._now_us()
        # What the lost cache had seen may have been stamped ahead, and by a clock that was ahead.
        return self._now_us() + AHEAD_US_MAX + BACKWARDS_MS_MAX * 1000

    def _now_us(self) -> int:
        # The earlier of the two, because a sandbox judges the receive window by either.
        return min(self._clock.now_ms(), self._clock.wall_ms()) * 1000
