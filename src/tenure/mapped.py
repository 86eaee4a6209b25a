"""
A few numbers shared by the processes of one machine, through a memory-mapped file.

For what changes many times a second and may be lost with the machine: how fresh the keyring is,
how far time has come, where the sandbox clock stands. Nothing is synced per write; a reader tells
a torn or foreign record by its checksum. What must survive a power cut belongs in the store.
"""

import fcntl
import mmap
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Final

from tenure.domain.errors import Unavailable

_TORN_READS_MAX: Final = 100
"""A write takes a microsecond; a record still torn after so many looks was never whole."""


class MappedRecord:
    """One fixed row of 64-bit integers in the file at *path*, which is made if need be."""

    def __init__(self, path: Path, numbers: int) -> None:
        """*numbers* is how many integers the record has."""
        self._struct = struct.Struct(f"<{numbers}q")
        self._checksum = struct.Struct("<I")
        self._map = _map(path, self._struct.size + self._checksum.size)
        self._lock = threading.Lock()

    def read(self) -> tuple[int, ...] | None:
        """Return the numbers last written, or None where no whole record is there."""
        size = self._struct.size
        for _ in range(_TORN_READS_MAX):
            raw = self._map[:]
            if zlib.crc32(raw[:size], 1) == self._checksum.unpack_from(raw, size)[0]:
                return self._struct.unpack_from(raw)
        return None

    def raw(self) -> bytes:
        """Return the record's bytes, whole or torn: enough to see that nothing was written."""
        return self._map[:]

    def write(self, *numbers: int) -> None:
        """Replace the record; one process writes at a time, the caller sees to that."""
        raw = self._struct.pack(*numbers)
        with self._lock:
            self._map[:] = raw + self._checksum.pack(zlib.crc32(raw, 1))

    def flush(self) -> None:
        """Hand the record to the disk."""
        self._map.flush()


class HighWaterMark:
    """
    The largest number any process on this machine has reported; it never falls (RULES R15).

    Each process writes a slot of its own and reads them all, so that no process can overwrite the
    report of another with a smaller one. The first number in the file says how many slots were
    ever claimed.
    """

    SLOTS: Final = 127
    """
    Clocks that may be open at once.

    Of a server at most 64: its 60 workers', two of the ticks, one of the notices, one of the start.
    The others are for commands, and for services that decide in a process of their own.
    """

    def __init__(self, path: Path) -> None:
        """Claim a free slot in the file at *path*; the kernel frees it when this is closed."""
        self._map = _map(path, 8 * (1 + self.SLOTS))
        self._slots = memoryview(self._map).cast("q")
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._slot = self._claim()

    def _claim(self) -> int:
        # The count is changed under the lock of its own eight bytes.
        self._lock_slot(0, fcntl.F_OFD_SETLKW)
        try:
            for slot in range(1, 1 + self.SLOTS):
                try:
                    self._lock_slot(slot, fcntl.F_OFD_SETLK)
                except OSError:
                    continue
                self._slots[0] = max(self._slots[0], slot)
                return slot
        finally:
            self._lock_slot(0, fcntl.F_OFD_SETLK, fcntl.F_UNLCK)
        self.close()
        message = (
            f"{self.SLOTS} clocks are open in one home already:"
            " end commands or services that use it, or run fewer workers"
        )
        raise Unavailable("clock", message)

    def _lock_slot(self, slot: int, command: int, kind: int = fcntl.F_WRLCK) -> None:
        # A lock of this open file, not of its process as `lockf` takes: two clocks in one process
        # are two, and closing the one does not unlock the other.
        flock = struct.pack("hhqqi4x", kind, os.SEEK_SET, 8 * slot, 8, 0)
        fcntl.fcntl(self._file, command, flock)

    def raise_to(self, number: int) -> int:
        """Report *number* and return the largest ever reported, which may be larger."""
        with self._lock:
            highest = max(self._slots[1 : 1 + self._slots[0]])
            if number > highest:
                self._slots[self._slot] = highest = number
        return highest

    def flush(self) -> None:
        """Hand the mark to the disk."""
        self._map.flush()

    def close(self) -> None:
        """Give the slot back; what was reported stays."""
        os.close(self._file)


def _map(path: Path, size: int) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size < size:
            os.ftruncate(descriptor, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)
