"""
The real Tenure that is simulated: one machine's store, keyring, services, follower and sweeper.

Wired as it ships, on a real SQLite file and a real LMDB keyring. Only the processes are simulated:
who runs, who has stopped, and who dies between a commit and the keyring's hearing of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, final

import pytest

from tenure import settings, wiring
from tenure.domain import events
from tenure.services import sealing
from tenure.services.accounts import Accounts
from tenure.services.following import Waiter
from tenure.services.keys import Keys, Limits
from tenure.services.revocations import Revocations
from tenure.services.sweep import Sweep
from tenure.store import keys
from tests import migrated
from tests.simulation.machine import MS, Machine

STALENESS_MS = 5_000
"""The published bound B (SECURITY D3)."""
PARTED_MS = 1_000
"""Wall and elapsed time further apart mean that the machine was paused (SECURITY D4)."""
ASLEEP_MS = 500
"""How long a sleep takes, whatever was asked for: nobody need be woken 2,000 times to wait 1 s."""


class Killed(BaseException):
    """The process that was acting is gone; nobody catches this on the way."""


class Evidence(NamedTuple):
    """The machine's clocks when the follower last asked the journal for news."""

    wall_ms: int
    elapsed_ns: int
    boot: int


@final
class World:
    """One home; what stands on it is opened, closed, killed and opened again."""

    def __init__(self, machine: Machine, home: Path) -> None:
        """Open a new store in *home*, an empty directory."""
        self.machine, self.home = machine, home
        migrated.lay(self.home / "tenure.db")
        self.settings = settings.load(home=self.home)
        self.follows = True
        self.dies: str | None = None
        """`before` or `after` the commit of the next change, or not."""
        self.evidence, self._followed = Evidence(0, 0, 0), -1
        machine.while_asleep = self._others_run
        self.watch: Callable[[], None] = lambda: None
        self.open()

    def open(self) -> None:
        """Start every process."""
        self.worker = wiring.open_alone(self.settings)
        self._note_tick()
        worker = self.worker
        self.waiter = Waiter(self.home, worker.clock, self.settings.staleness_ms)
        limits = Limits(keys_per_account=30, addresses_per_key=30)
        sealing_key = sealing.read_key(self.settings.sealing_key_path)
        self.keys = Keys(
            worker.store, worker.clock, worker.catalog, sealing_key, limits, self._catch_up
        )
        self.accounts = Accounts(worker.store, worker.clock, self._catch_up)
        self.revocations = Revocations(worker.store, worker.clock, self._catch_up)
        self.sweep = Sweep(worker.store, worker.clock)

    def restart(self) -> None:
        """Stop every process and start it again."""
        self.worker.close()
        self.open()

    def close(self) -> None:
        """Stop for good."""
        self.worker.close()

    def tick(self) -> None:
        """Follow the journal, unless the follower is stopped or has just done so."""
        follower, head = self.worker.follower, self.worker.journal.head()
        assert follower is not None
        if self.follows and (self.evidence, self._followed) != (self._now(), head):
            self._note_tick()
            self._followed = follower.tick()

    def is_stale(self) -> bool:
        """Whether the keyring's evidence is past the bound, or of another boot or pace."""
        age_ns = self.machine.elapsed_ns - self.evidence.elapsed_ns
        parted_ms = self.machine.wall_ms - self.evidence.wall_ms - age_ns // MS
        return (
            self.evidence.boot != self.machine.boot
            or age_ns > STALENESS_MS * MS
            or abs(parted_ms) > PARTED_MS
        )

    @contextmanager
    def dying(self) -> Iterator[None]:
        """Kill whoever acts in the block, before or after its commit, if `dies` says so."""
        with pytest.MonkeyPatch.context() as patch:
            if self.dies == "before":
                patch.setattr("tenure.store.journal.append_all", _die)
            yield

    def sweep_late(self, meanwhile: Callable[[], None]) -> None:
        """Sweep with a list of what is due that was read before *meanwhile*."""
        now_ms = self.worker.clock.now_ms()
        due = self.worker.store.read(lambda tx: keys.due(tx, now_ms, 500))
        meanwhile()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tenure.store.keys.due", lambda *_: due)
            self.sweep.tick()

    def journal(self) -> list[events.Event]:
        """Return every event."""
        return list(self.worker.journal.after(0, 1_000_000))

    def _catch_up(self, seq: int) -> None:
        if self.dies == "after":
            raise Killed
        self.waiter.catch_up(seq)

    def _others_run(self) -> None:
        # Time stands while somebody works, or nothing would ever happen in one millisecond.
        self.machine.pass_time(0 if self.follows else ASLEEP_MS)
        self.watch()
        self.tick()

    def _note_tick(self) -> None:
        self.evidence = self._now()

    def _now(self) -> Evidence:
        return Evidence(self.machine.wall_ms, self.machine.elapsed_ns, self.machine.boot)


def _die(_tx: object, changes: Sequence[object], _now_ms: int) -> list[events.Event]:
    if changes:
        raise Killed
    return []
