"""
Use of keys, noted off the hot path and lossy on purpose.

A worker notes each allowed request in memory, without a lock and without waiting; every few seconds
a thread of it (`noting`) writes down what has gathered. A stop writes the rest; a kill loses what
was noted since the last time. Nothing is decided by it. What becomes of a use is worked out in
`domain.usage`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, final

from tenure import metrics
from tenure.clock import Clock
from tenure.domain import usage
from tenure.domain.allowlist import Address
from tenure.domain.decide import Allowed
from tenure.domain.errors import TenureError
from tenure.domain.events import Change, Tag
from tenure.domain.model import AccountId, KeyId, Permission
from tenure.domain.usage import KeyUsage, LastUsed, Suggestion, Unused, Use
from tenure.store import journal, keys, seals
from tenure.store import usage as rows
from tenure.store.db import Store, Transaction

ACTOR: Final = "tenure:usage"
NOTED_MAX: Final = 50_000
"""Pairs of key and address a worker notes between two flushes, about 20 MB; more are dropped."""
PAGE_MAX: Final = 1_000
_BATCH: Final = 500
"""Uses written in one transaction: some milliseconds of the write lock, as in a sweep."""
_PAUSE_S: Final = 0.02
"""Between two batches, so that a worker with very much to write still answers meanwhile."""
_SINCE_MARK: Final = "usage_since_ms"


@final
class Uses:
    """
    What one worker has allowed since its last flush: the last time, and what it needed.

    Per key, address, and whether it was proved with the secret from before a rotation.
    """

    def __init__(self) -> None:
        """Empty."""
        self._noted: dict[tuple[KeyId, str, bool], tuple[int, Permission]] = {}

    def note(self, allowed: Allowed, address: Address, now_ms: int) -> None:
        """Note that a request was *allowed* from *address*; cheap, and never fails."""
        # Single steps of a dictionary need no lock. A flush that swaps it at this very moment may
        # miss what is put into the old one: one use lost, as a kill would lose many.
        noted, where = self._noted, (allowed.key_id, address.text, allowed.used_old_secret)
        if len(noted) < NOTED_MAX or where in noted:
            noted[where] = (now_ms, allowed.permission)
        else:
            metrics.uses_dropped.inc()

    def take(self) -> list[Use]:
        """Return what was noted, and begin anew."""
        taken, self._noted = self._noted, {}
        # Copied in one step, for a note may still be on its way into it.
        return [
            Use(key_id, address, permission, at_ms, is_old)
            for (key_id, address, is_old), (at_ms, permission) in taken.copy().items()
        ]

    def give_back(self, uses: Iterable[Use]) -> None:
        """Note again what could not be written, where nothing later was noted and there is room."""
        noted = self._noted
        for use in uses:
            if len(noted) < NOTED_MAX:
                where = (use.key_id, use.address, use.by_old_secret)
                noted.setdefault(where, (use.used_at_ms, use.permission))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedKeys:
    """
    A page of keys not used of late, as of *now_ms*.

    Use has been noted since *noted_since_ms*, None: not yet. Unless that is long enough ago the
    page *is_conclusive* of nothing: then keys that were used before stand on it too.
    """

    keys: tuple[Unused, ...]
    noted_since_ms: int | None
    is_conclusive: bool


class Usage:
    """Writing down what was noted, and reading it."""

    def __init__(self, store: Store, clock: Clock, uses: Uses, *, addresses_per_key: int) -> None:
        """Write down *uses*; a suggestion has at most *addresses_per_key* entries."""
        self._store, self._clock, self._uses = store, clock, uses
        self._entries_max = addresses_per_key

    def begin(self) -> None:
        """Remember since when use is noted in this store, once."""
        if self._store.read(lambda tx: seals.mark(tx, _SINCE_MARK)) is None:
            self._store.write(self._mark_beginning)

    def flush(self) -> int:
        """
        Write down what was noted, and return how many uses that were.

        Raises Unavailable `store`, after which what was not written is noted still.
        """
        uses = sorted(self._uses.take())  # By key, so that a key is in as few batches as can be.
        for start in range(0, len(uses), _BATCH):
            if start:
                self._clock.sleep(_PAUSE_S)
            batch = uses[start : start + _BATCH]
            try:
                self._store.write(partial(self._write, uses=batch))
            except TenureError:
                self._uses.give_back(uses[start:])
                raise
        return len(uses)

    def of_key(self, key_id: str) -> KeyUsage | None:
        """Return what is known of one key's use, None where it was never used; raises NotFound."""
        return self._store.read(lambda tx: _of_key(tx, key_id))

    def last_used(self, key_ids: Iterable[str]) -> dict[str, LastUsed]:
        """Return the last noted use of each of *key_ids*; those never used are left out."""
        return self._store.read(lambda tx: rows.last_used(tx, key_ids))

    def suggest(self, key_id: str, days: int) -> Suggestion:
        """Suggest an allowlist from where a key was used in the last *days*; raises NotFound."""
        return usage.suggest(
            self.of_key(key_id),
            days=days,
            entries_max=self._entries_max,
            now_ms=self._clock.now_ms(),
        )

    def unused(self, days: int, after: str = "", limit: int = PAGE_MAX) -> UnusedKeys:
        """Return active keys older than *days* and not used in them, by id, after *after*."""
        since_ms = self._clock.now_ms() - days * usage.DAY_MS

        def look(tx: Transaction) -> UnusedKeys:
            mark = seals.mark(tx, _SINCE_MARK)
            noted_since_ms = None if mark is None else int(mark)
            return UnusedKeys(
                keys=tuple(rows.unused(tx, since_ms, after, limit)),
                noted_since_ms=noted_since_ms,
                is_conclusive=noted_since_ms is not None and noted_since_ms <= since_ms,
            )

        return self._store.read(look)

    def _mark_beginning(self, tx: Transaction) -> None:
        if seals.mark(tx, _SINCE_MARK) is None:
            seals.set_mark(tx, _SINCE_MARK, str(self._clock.now_ms()))

    def _write(self, tx: Transaction, uses: Sequence[Use]) -> None:
        by_key: dict[KeyId, list[Use]] = {}
        for use in uses:
            by_key.setdefault(use.key_id, []).append(use)
        # A keyring may be ahead of a store that was restored: such a key is not written about.
        owners = rows.owners(tx, by_key)
        known = rows.of_keys(tx, owners)
        folded = {key_id: usage.fold(known.get(key_id), by_key[KeyId(key_id)]) for key_id in owners}
        rows.save(tx, [(known.get(key_id), item.usage) for key_id, item in folded.items()])
        changes = [
            _change(tag, use, owners[key_id])
            for key_id, item in folded.items()
            for tag, uses_told in (
                (Tag.KEY_ADDRESS_SEEN, item.told),
                (Tag.KEY_OLD_SECRET_USED, (item.old_secret,) if item.old_secret else ()),
            )
            for use in uses_told
        ]
        # Nobody waits until the keyring has these: nothing is decided otherwise because of them.
        journal.append_all(tx, changes, self._clock.now_ms())


def _of_key(tx: Transaction, key_id: str) -> KeyUsage | None:
    keys.get(tx, key_id)
    return rows.of_keys(tx, [key_id]).get(key_id)


def _change(tag: Tag, use: Use, account_id: AccountId) -> Change:
    return Change(
        tag=tag,
        actor=ACTOR,
        happened_at_ms=use.used_at_ms,
        body={"address": use.address, "permission": use.permission},
        account_id=account_id,
        key_id=use.key_id,
    )
