"""
Keys that never enter the store: 32 random bytes in a file of their own, mode 0400, as hex.

What the sealing key and the log key share. What each is for is in `sealing` and `logkey`.
"""

import os
import stat
from pathlib import Path
from typing import Final

from tenure.clock import Clock

KEY_BYTES: Final = 32


def read(path: Path) -> bytes | None:
    """
    Return the key in the file at *path*, None if there is none.

    Raises ValueError, saying what is wrong, where it holds something else or others may read it.
    """
    try:
        raw = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ValueError("64 hex digits") from error
    if len(raw) != KEY_BYTES:
        raise ValueError("64 hex digits")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"others may read it; run: chmod 0400 {path}")
    return raw


def make(path: Path, clock: Clock) -> bytes:
    """
    Write a new key to *path*, mode 0400, durable when this returns, and return it.

    It is there whole or not at all, and never in place of another: raises FileExistsError.
    """
    raw = clock.random_bytes(KEY_BYTES)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(raw.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(unfinished)
    finally:
        unfinished.unlink()
    keep_directory(path.parent)
    return raw


def keep_directory(path: Path) -> None:
    """Hand the names in a directory to the disk: a file that was renamed in it, say."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
