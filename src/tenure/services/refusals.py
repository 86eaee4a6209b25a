"""
Requests refused to known keys, noted off the hot path and lossy on purpose (decision 0017).

As uses are (`usage`): a worker notes in memory, without a lock and without waiting, and a thread of
it writes down what has gathered. What becomes of a refusal is worked out in `domain.refusals`.

Before possession is proved anybody may be asking. So what is noted then is noted apart, in a room
of its own and a few places for each key; and an unknown key is noted like a known one, in the name
of nobody, so that the time taken tells nothing (SECURITY T6).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, final

from tenure import metrics
from tenure.clock import Clock
from tenure.domain import refusals
from tenure.domain.allowlist import Address
from tenure.domain.decide import REFUSALS, LoadedKey, Refused
from tenure.domain.errors import TenureError
from tenure.domain.model import KeyId, RuleId
from tenure.domain.refusals import ELSEWHERE, PROVED_KEPT, UNPROVED_KEPT, Place, Refusal
from tenure.store import accounts, keys, usage
from tenure.store import refusals as rows
from tenure.store.db import Store, Transaction

NOTED_MAX: Final = 20_000
"""Rows a worker notes between two writings in each of two rooms, about 10 MB; more are dropped."""
_BATCH: Final = 500
"""Rows written in one transaction: some milliseconds of the write lock, as in a sweep."""
_PAUSE_S: Final = 0.02
"""Between two batches, so that a worker with very much to write still answers meanwhile."""
_NOBODY: Final = KeyId("")


@final
class _Cell:
    """What is added up in one place of a room."""

    __slots__ = ("first_at_ms", "last_at_ms", "rule_id", "since_ms", "times")

    def __init__(self, at_ms: int) -> None:
        self.times = 0
        self.first_at_ms = self.last_at_ms = at_ms
        self.since_ms: int | None = None
        self.rule_id: RuleId | None = None


@final
class Room:
    """What is noted until the next flush: a number of places for each key, and for all of them."""

    def __init__(self, places_per_key: int) -> None:
        self._places_per_key = places_per_key
        self._noted: dict[KeyId, dict[Place, _Cell]] = {}
        self._places = 0

    def cell(self, key_id: KeyId, place: Place, now_ms: int) -> _Cell | None:
        """Return where to add up what is refused in *place*, None where there is no room at all."""
        of_key = self._noted.get(key_id)
        if of_key is None:
            if self._places >= NOTED_MAX:
                return None
            of_key = self._noted[key_id] = {}
        cell = of_key.get(place)
        if cell is None:
            if len(of_key) >= self._places_per_key or self._places >= NOTED_MAX:
                # One more place for each reason, of which there are but a few.
                place = (place[0], "", ELSEWHERE)
                cell = of_key.get(place)
            if cell is None:
                cell = of_key[place] = _Cell(now_ms)
                self._places += 1
        return cell

    def take(self) -> list[Refusal]:
        """Return what was noted, and begin anew."""
        taken, self._noted, self._places = self._noted, {}, 0
        taken.pop(_NOBODY, None)
        # Copied in single steps, for a note may still be on its way into it.
        return [
            Refusal(
                key_id,
                *place,
                times=cell.times,
                first_at_ms=cell.first_at_ms,
                last_at_ms=cell.last_at_ms,
                since_ms=cell.since_ms,
                rule_id=cell.rule_id,
            )
            for key_id, cells in taken.copy().items()
            for place, cell in cells.copy().items()
        ]


@final
class TurnedAway:
    """What one worker has refused to known keys since its last flush."""

    def __init__(self) -> None:
        """Empty."""
        self._proved, self._unproved = Room(PROVED_KEPT), Room(UNPROVED_KEPT)

    def note(
        self,
        refused: Refused,
        loaded: LoadedKey | None,
        permission: str | None,
        address: Address,
        now_ms: int,
    ) -> None:
        """Note that a request from *address* was *refused*; cheap, and never fails."""
        # Single steps of dictionaries need no lock. A flush that swaps one at this very moment may
        # miss what is put into the old one: a refusal lost, as a kill would lose many.
        if REFUSALS[refused.reason].is_told:
            room, asked = self._proved, permission or ""
        else:
            room, asked = self._unproved, ""
        key_id = _NOBODY if loaded is None else loaded.key_id
        cell = room.cell(key_id, (refused.reason, asked, address.text), now_ms)
        if cell is None:
            metrics.refusals_dropped.inc()
            return
        cell.times += 1
        cell.last_at_ms = now_ms
        cell.since_ms, cell.rule_id = refused.at_ms, refused.rule_id

    def take(self) -> list[Refusal]:
        """Return what was noted, and begin anew."""
        return self._proved.take() + self._unproved.take()

    def give_back(self, noted: Iterable[Refusal]) -> None:
        """Note again what could not be written, as far as there is room."""
        for row in noted:
            room = self._proved if row.is_proved else self._unproved
            cell = room.cell(row.key_id, row.place, row.first_at_ms)
            if cell is None:
                metrics.refusals_dropped.inc(row.times)
                continue
            if row.last_at_ms >= cell.last_at_ms:
                cell.last_at_ms = row.last_at_ms
                cell.since_ms, cell.rule_id = row.since_ms, row.rule_id
            cell.first_at_ms = min(cell.first_at_ms, row.first_at_ms)
            cell.times += row.times


class Refusals:
    """Writing down what was noted, and reading it."""

    def __init__(self, store: Store, clock: Clock, turned_away: TurnedAway) -> None:
        """Write down what was *turned_away*."""
        self._store, self._clock, self._turned_away = store, clock, turned_away

    def flush(self) -> int:
        """
        Write down what was noted, and return how many rows that were.

        Raises Unavailable `store`, after which what was not written is noted still.
        """
        # By key, so that a key is in as few batches as can be.
        noted = sorted(self._turned_away.take(), key=lambda row: row.key_id)
        for start in range(0, len(noted), _BATCH):
            if start:
                self._clock.sleep(_PAUSE_S)
            batch = noted[start : start + _BATCH]
            try:
                self._store.write(partial(_write, noted=batch))
            except TenureError:
                self._turned_away.give_back(noted[start:])
                raise
        return len(noted)

    def of_key(self, key_id: str) -> list[Refusal]:
        """Return what was refused to a key of late, the last refused first; raises NotFound."""
        since_ms = self._clock.now_ms() - refusals.KEPT_MS

        def read(tx: Transaction) -> list[Refusal]:
            keys.get(tx, key_id)
            return rows.of_keys(tx, [key_id]).get(key_id, [])

        return [row for row in self._store.read(read) if row.last_at_ms > since_ms]

    def of_account(self, account_id: str) -> dict[KeyId, list[Refusal]]:
        """
        Return what was refused to the keys of an account of late, key by key; raises NotFound.

        The key that was refused last comes first; one that was refused nothing is left out.
        """
        since_ms = self._clock.now_ms() - refusals.KEPT_MS

        def read(tx: Transaction) -> dict[str, list[Refusal]]:
            accounts.get(tx, account_id)
            return rows.of_keys(tx, [key.key_id for key in keys.of_account(tx, account_id)])

        found = {
            KeyId(key_id): [row for row in of_key if row.last_at_ms > since_ms]
            for key_id, of_key in self._store.read(read).items()
        }
        alive = [(key_id, of_key) for key_id, of_key in found.items() if of_key]
        return dict(sorted(alive, key=lambda item: -item[1][0].last_at_ms))


def _write(tx: Transaction, noted: Sequence[Refusal]) -> None:
    by_key: dict[KeyId, list[Refusal]] = {}
    for refusal in noted:
        by_key.setdefault(refusal.key_id, []).append(refusal)
    # A keyring may be ahead of a store that was restored: such a key is not written about.
    of_store = usage.owners(tx, by_key)
    known, used = rows.of_keys(tx, of_store), usage.of_keys(tx, of_store)
    changed = []
    for key_id in of_store:
        before = known.get(key_id, [])
        addresses = {seen.address for seen in used[key_id].addresses} if key_id in used else set()
        changed.append((before, refusals.fold(before, by_key[KeyId(key_id)], addresses)))
    rows.save(tx, changed)
