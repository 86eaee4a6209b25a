"""
The log key: what checkpoints are signed with, in `<home>/log-key`; its public half is in the store.

It is made at the first start, like the sealing key, and is in no backup: whoever has it can vouch
for a journal that never was. The name it signs under is the log's origin, made from the store's id.
After a restore that was accepted without what came after the backup, the history is another one,
and so the origin is: a log never signs two histories under one name (C2SP tlog-checkpoint).
"""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenure.clock import Clock
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Unavailable
from tenure.services import keyfiles
from tenure.store import seals
from tenure.store.db import Store, Transaction

MARK: Final = "log_key"


class Signer:
    """The private half, and the name it signs under."""

    def __init__(self, raw: bytes, name: str) -> None:
        """*raw* is 32 bytes."""
        self._private = Ed25519PrivateKey.from_private_bytes(raw)
        self.key = LogKey(name, self._private.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return *checkpoint* as a signed note."""
        return self.key.signed(checkpoint, self._private.sign(checkpoint.text.encode()))


def path_in(home: Path) -> Path:
    """Return where the log key lies."""
    return home / "log-key"


def prepare(store: Store, home: Path, clock: Clock) -> None:
    """
    Bind a store to its log key, made if need be; safe to repeat.

    A store that has one already is left alone: missing or another by now, nothing is signed until
    it is back. Raises Unavailable `log_key` where none can be read or made.
    """

    def bind(tx: Transaction) -> None:
        if seals.mark(tx, MARK) is not None:
            return
        path = path_in(home)
        try:
            raw = keyfiles.read(path) or keyfiles.make(path, clock)
        except (OSError, ValueError) as error:
            raise Unavailable("log_key", f"no log key can be made at {path}: {error}") from error
        origin = f"tenure/{seals.mark(tx, 'store_id') or 'store'}"
        seals.set_mark(tx, MARK, Signer(raw, origin).key.text)

    store.write(bind)


def public(tx: Transaction) -> LogKey | None:
    """Return the public half of the store's log key, None before the first start has made one."""
    mark = seals.mark(tx, MARK)
    return None if mark is None else LogKey.parse(mark)


def signer(tx: Transaction, home: Path) -> Signer:
    """
    Return what signs for this store.

    Raises Unavailable `log_key` where the log key is missing, or not the one of this store.
    """
    key, path = public(tx), path_in(home)
    try:
        raw = keyfiles.read(path)
    except ValueError as error:
        raise Unavailable("log_key", f"{path} holds no log key: {error}") from error
    if key is None or raw is None:
        raise Unavailable("log_key", f"{path} is not there: no checkpoint is signed until it is")
    found = Signer(raw, key.name)
    if found.key != key:
        raise Unavailable("log_key", f"{path} is not the log key of this store")
    return found


def rename(tx: Transaction, seq: int, clock: Clock) -> LogKey | None:
    """
    Give the log a name nobody had, after event *seq* a history of its own; None without a key.

    With a random part: one backup may be accepted twice, in two places, to two histories.
    """
    key = public(tx)
    if key is None:
        return None
    branch = clock.random_bytes(4).hex()
    renamed = LogKey(f"{key.name}/{seq + 1}-{branch}", key.public_key)
    seals.replace_mark(tx, MARK, renamed.text)
    return renamed
