"""
The keyring: this machine's own copy of every key, in LMDB, from which requests are decided.

`Keyring` is what every worker opens, read-only and only after the fork; `follower` writes it and
leaves the evidence of how fresh it is. Whoever opens the files gets them from `open_files`, so that
nobody else names LMDB. Nothing here decides anything.
"""

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, final

import lmdb

from tenure.clock import Clock
from tenure.domain import apikeys
from tenure.domain.decide import LoadedKey
from tenure.domain.errors import Unavailable
from tenure.domain.marks import Marks
from tenure.mapped import MappedRecord
from tenure.services import records
from tenure.services.sealing import SealingKey

STALENESS_MS: Final = 5_000
"""Evidence older than this refuses everything: the published bound B (SECURITY D3)."""
_PARTED_MS: Final = 1_000
"""Wall and elapsed time parting by more since the last poll: the machine was paused (D4)."""
_BYTES_MAX: Final = 64 * 2**30
"""LMDB's limit, not its size: the file grows as it is filled. 10 million keys need about 6 GiB."""
_LOADED_MAX: Final = 10_000
"""Keys a worker keeps ready to decide on, about 4 kB each; the keyring itself is only mapped."""
_DATABASES: Final = (b"keys", b"frozen", b"marks", b"seals", b"about")
HELD: Final = -1
"""What stands for a making in the evidence while the store is held after a restore (D18)."""
Error: Final = lmdb.Error
DAMAGED: Final = (
    *(lmdb.BadTxnError, lmdb.CorruptedError, lmdb.IncompatibleError, lmdb.InvalidError),
    *(lmdb.NotFoundError, lmdb.PageNotFoundError, lmdb.PanicError, lmdb.ProblemError),
    lmdb.VersionMismatchError,
)
"""What a keyring raises that is worth nothing any more; a full disk is no reason to drop it."""
Writing: TypeAlias = lmdb.Transaction
Files: TypeAlias = tuple[lmdb.Environment, dict[bytes, Any]]
"""The environment, and the databases in it by name."""


class Evidence:
    """How fresh the keyring is: stamped when the poll was sent, never when the answer came."""

    def __init__(self, home: Path) -> None:
        """Kept in `<home>/keyring-evidence`: sent (ns), boot, wall (ms), seq, making."""
        self._record = MappedRecord(home / "keyring-evidence", 5)
        self.read = self._record.read
        self.raw = self._record.raw
        self.write = self._record.write


class Beside(Protocol):
    """A follower in the same process, which has the files open already."""

    environment: Files


@final
class Keyring:
    """What a worker decides from; open it after the fork."""

    def __init__(
        self,
        home: Path,
        clock: Clock,
        sealing_key: SealingKey | None,
        *,
        staleness_ms: int = STALENESS_MS,
        beside: Beside | None = None,
    ) -> None:
        """
        Open `<home>/keyring` read-only; *sealing_key* None leaves HMAC keys sealed.

        *beside* is the follower in the same process: LMDB may be opened but once in each.
        """
        self._beside = beside
        self._home, self._clock, self._sealing_key = home, clock, sealing_key
        self._staleness_ns = staleness_ms * 1_000_000
        self._evidence = Evidence(home)
        self._env: lmdb.Environment | None = None
        self._making = 0
        self._wrapped: dict[str, bytes] = {}
        # The marks that revoke many keys, and the note they were read by (`records.pack_standing`).
        self._marks = Marks()
        self._standing: bytes | None = None
        self.overlaps_until_ms = 0
        """Some key may have two secrets until then (ms, UTC), as of the last `find`."""
        # By API key: at which seq it was loaded, frozen and marked as it was; from what, and bare.
        self._loaded: dict[str, tuple[int, LoadedKey, bytes, LoadedKey]] = {}
        # The evidence last looked at, as bytes and taken apart.
        self._seen = b""
        self._sent_ns = self._wall_ms = self._seq = 0

    def require_fresh(self) -> int:
        """
        Return the seq this keyring is at; raises Unavailable `stale` past the published bound.

        Stale too: evidence of another boot, or a machine that was paused since (SECURITY D4), and
        evidence from the future, which a container with a boot clock of its own would give. Raises
        Unavailable `restored` while the store is held after a restore (D18).
        """
        raw = self._evidence.raw()
        if raw != self._seen:
            self._look(raw)
        age_ns = self._clock.elapsed_ns() - self._sent_ns
        if not 0 <= age_ns <= self._staleness_ns:
            raise Unavailable("stale", context=f"the keyring is {age_ns // 1_000_000} ms old")
        if abs(self._clock.wall_ms() - self._wall_ms - age_ns // 1_000_000) > _PARTED_MS:
            raise Unavailable("stale", context="wall and elapsed time have parted: a pause?")
        return self._seq

    def find(self, api_key: str) -> LoadedKey | None:
        """
        Return the key ready to decide on, None if there is none called *api_key*.

        A mistyped one is not looked up. Raises as `require_fresh` and `records.load`; Unavailable
        `sealed` for an HMAC key that cannot be unsealed, and while the sealing key is missing or
        wrong for unknown keys too, so that the answer does not tell them apart.
        """
        seq = self.require_fresh()
        # What was loaded at this very seq is what stands there: nobody waits for a newer one.
        known = self._loaded.get(api_key)
        if known is not None and known[0] == seq:
            return known[1]
        if not apikeys.is_well_formed(api_key):
            return None
        try:
            with self._env.begin() as txn:  # type: ignore[union-attr]  # opened by require_fresh
                self._read_standing(txn)
                raw = txn.get(api_key.encode(), db=self._db[b"keys"])
                if raw is None:
                    if self._is_sealed:
                        raise Unavailable("sealed")
                    return None
                is_known = known is not None and known[2] == raw
                bare = known[3] if is_known else records.load(raw, self._secret)  # type: ignore[index]  # the same
                loaded = self._as_it_stands(txn, bare)
        except lmdb.Error as error:
            raise Unavailable("keyring", context=f"the keyring cannot be read: {error}") from error
        if len(self._loaded) >= _LOADED_MAX:
            self._loaded.clear()
        self._loaded[api_key] = (seq, loaded, raw, bare)
        return loaded

    def close(self) -> None:
        """Let go of the files."""
        if self._env is not None and self._beside is None:
            self._env.close()
        self._env = None

    def _as_it_stands(self, txn: lmdb.Transaction, loaded: LoadedKey) -> LoadedKey:
        """Return the key with what is said of its account, or of many keys at once."""
        frozen = self._db[b"frozen"]
        instant = txn.get(loaded.account_id.encode(), db=frozen)
        if instant is None and loaded.master_id is not None:
            instant = txn.get(loaded.master_id.encode(), db=frozen)
        marked_at_ms = self._marks.revoked_at_ms(
            loaded.issued_at_ms, loaded.label_digest, loaded.account_id, loaded.master_id
        )
        if instant is None and marked_at_ms is None:
            return loaded
        revoked = [at_ms for at_ms in (loaded.revoked_at_ms, marked_at_ms) if at_ms is not None]
        return dataclasses.replace(
            loaded,
            frozen_at_ms=None if instant is None else int(instant),
            revoked_at_ms=min(revoked, default=None),
        )

    def _read_standing(self, txn: lmdb.Transaction) -> None:
        """Read the marks, unless they are those that were read before: none is ever withdrawn."""
        standing = bytes(txn.get(b"standing", b"", db=self._db[b"about"]))
        if standing == self._standing:
            return
        self._marks = Marks(
            records.unpack_reach(bytes(raw)) for _, raw in txn.cursor(db=self._db[b"marks"])
        )
        _, self.overlaps_until_ms = records.unpack_standing(standing)
        self._standing = standing

    def _secret(self, record: records.Record) -> bytes:
        if self._sealing_key is None or record.sealed_secret is None or self._is_sealed:
            raise Unavailable("sealed")
        data_key_id = record.sealed_secret[2 : 2 + record.sealed_secret[1]].decode("ascii")
        if data_key_id not in self._wrapped:
            self._read_seals()
        return self._sealing_key.open(
            record.sealed_secret,
            key_id=record.key_id,
            account_id=record.account_id,
            wrapped=self._wrapped,
        )

    def _look(self, raw: bytes) -> None:
        evidence = self._evidence.read()
        if evidence is None or evidence[1] != self._clock.boot():
            raise Unavailable("stale", context="no evidence since this machine started")
        self._sent_ns, _, self._wall_ms, self._seq, making = evidence
        if making == HELD:
            raise Unavailable("restored", context="the store is held after a restore")
        if making != self._making:
            self._turn_to(making)
        # Evidence written between the two readings is looked at once more, at the next request.
        self._seen = raw

    def _turn_to(self, making: int) -> None:
        # Nothing is decided by it before it is known to be the one the evidence speaks of: a file
        # just begun anew holds no key yet, and every key would be unknown.
        self._making = 0
        try:
            if self._beside is not None:
                self._env, self._db = self._beside.environment
            elif self._env is None or self._held_making() != making:
                self.close()
                self._env, self._db = open_files(self._home, readonly=True)
            if self._held_making() != making:
                raise Unavailable("stale", context="the keyring is being made anew")
            self._read_seals()
        except (lmdb.Error, OSError) as error:
            raise Unavailable("stale", context=f"the keyring cannot be opened: {error}") from error
        self._loaded.clear()
        self._standing = None
        self._making = making

    def _held_making(self) -> int:
        with self._env.begin() as txn:  # type: ignore[union-attr]  # opened just before
            return int.from_bytes(txn.get(b"making", b"", db=self._db[b"about"]))

    def _read_seals(self) -> None:
        with self._env.begin() as txn:  # type: ignore[union-attr]  # opened just before
            self._wrapped = {
                bytes(name).decode(): bytes(wrapped)
                for name, wrapped in txn.cursor(db=self._db[b"seals"])
            }
            check = txn.get(b"sealing_key_check", b"", db=self._db[b"about"])
        held = self._sealing_key.check if self._sealing_key else ""
        self._is_sealed = bytes(check).decode() not in {"", held}


def open_files(home: Path, *, readonly: bool) -> Files:
    """Open `<home>/keyring`, which a writer makes if need be; raises `Error`, `DAMAGED` or not."""
    path = home / "keyring"
    if not readonly:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    env = lmdb.open(
        os.fspath(path),
        map_size=_BYTES_MAX,
        max_dbs=len(_DATABASES),
        readonly=readonly,
        # Readers never wait for the follower; it clears the places of those that were killed.
        max_readers=512,
        max_spare_txns=8,
    )
    try:
        _require_whole(env, path)
        # A writer makes them in one transaction: a commit each would be a disk's turn each. What is
        # opened in a transaction that only reads is closed with it.
        with contextlib.nullcontext() if readonly else env.begin(write=True) as txn:
            return env, {name: env.open_db(name, txn, create=not readonly) for name in _DATABASES}
    except BaseException:
        env.close()  # Else it could not be opened again in this process.
        raise


def _require_whole(env: lmdb.Environment, path: Path) -> None:
    # LMDB does not look: reading a page that was cut off ends the process (SIGBUS).
    bytes_needed = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
    if (path / "data.mdb").stat().st_size < bytes_needed:
        raise lmdb.CorruptedError(f"{path} was cut short")
