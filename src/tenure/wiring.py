"""
The composition root: settings in, a running set of parts out, in plain calls.

`prepare` is run once per start, by one process; `open_ticks` and `open_errands` by the background
process; `open_notifying` by the one that tells; `open_worker` by each worker. `open_decider` is for
a service in another process; `open_alone` builds all of it in one, for tests and tools.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

import structlog

from tenure import wiring_notices, wiring_operating, wiring_people, wiring_secrets
from tenure.clock import Clock, SandboxClock, SystemClock
from tenure.domain import catalog as catalogs
from tenure.domain import rulebooks
from tenure.domain.catalog import Catalog
from tenure.domain.errors import Invalid, Unavailable
from tenure.domain.rules import Rulebook
from tenure.services import kinds, pushing, restoring
from tenure.services.accounts import Accounts
from tenure.services.acts import Acts
from tenure.services.checkpoints import Checkpoints, leads_to
from tenure.services.deciding import Decider, one_time
from tenure.services.errands import Errands
from tenure.services.follower import Follower
from tenure.services.following import Ticks, Waiter
from tenure.services.github import GitHub
from tenure.services.journal import Journal
from tenure.services.keyring import Keyring
from tenure.services.keys import Keys, Limits
from tenure.services.leaks import Leaks
from tenure.services.notifying import Notifying
from tenure.services.operating import Operating
from tenure.services.operators import Operators
from tenure.services.people.facade import People
from tenure.services.quarantine import Quarantine
from tenure.services.refusals import Refusals, TurnedAway
from tenure.services.replay import Replays
from tenure.services.rereading import Rereading
from tenure.services.revocations import Revocations
from tenure.services.rules import Rules
from tenure.services.sweep import Sweep
from tenure.services.telling import Telling
from tenure.services.usage import Usage, Uses
from tenure.settings import Settings
from tenure.store import db, holds, journal
from tenure.store.db import Store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a start found or made: shown to whoever started it."""

    settings: Settings
    rulebook: Rulebook
    catalog: Catalog
    operator_token_path: Path | None
    is_new: bool
    ready_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """All a worker's faces stand on."""

    settings: Settings
    catalog: Catalog
    clock: SystemClock | SandboxClock
    store: Store
    keyring: Keyring
    decider: Decider
    keys: Keys
    revocations: Revocations
    quarantine: Quarantine
    accounts: Accounts
    rules: Rules
    journal: Journal
    leaks: Leaks
    checkpoints: Checkpoints
    operators: Operators
    replays: Replays
    usage: Usage
    refusals: Refusals
    telling: Telling
    people: People
    operating: Operating
    follower: Follower | None = None

    def close(self) -> None:
        """Let go of every file; for tests and tools, a worker ends with its process."""
        self.keyring.close()
        self.replays.close()
        if self.follower is not None:
            self.follower.close()
        self.store.close()
        self.clock.close()


def prepare(settings: Settings) -> Prepared:
    """
    Make the home and its secrets, migrate the store, adopt the rulebook; safe to repeat.

    Raises TenureError saying what to do where this store cannot be opened so.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    catalog = read_catalog(settings)
    rulebook = read_rulebook(settings, catalog)
    with contextlib.closing(db.open_store(settings.database_url)) as store:
        db.migrate(store)
        # Before there is a clock: one of the wrong kind would leave its file in this home.
        store.read(lambda tx: kinds.require_same(tx, sandbox=settings.sandbox))
        with contextlib.closing(_clock(settings)) as clock:
            # Made here for its sake alone: a wrong address stops the start, not each worker.
            GitHub.of(settings, clock)
            is_new = store.write(lambda tx: kinds.claim(tx, clock, sandbox=settings.sandbox))
            restoring.begin(store, settings, clock)
            _start_clock(settings, clock, store)
            store.write(lambda tx: wiring_secrets.prepare_sealing_key(tx, settings, clock))
            if wiring_secrets.matching_sealing_key(settings, store) is None:
                log.warning("sealing key missing or wrong: hmac keys and unknown ones get 503")
            token_path = Operators.prepare(
                settings.operator_token, settings.operator_token_path, clock
            )
            rules = Rules(store, clock)
            if store.read(holds.held) is None:
                rules.adopt(rulebook)
            return Prepared(
                settings=settings,
                rulebook=rules.rulebook(),
                catalog=catalog,
                operator_token_path=token_path,
                is_new=is_new,
                ready_ns=clock.elapsed_ns(),
            )


def open_ticks(settings: Settings) -> Ticks:
    """Build the background process: follower, sweeper, leak reports, and the clock's keeper."""
    clock = _clock(settings)
    store = db.open_store(settings.database_url)
    follower = Follower(store, settings.home, clock)
    leaks = Leaks.of(settings, store, clock, follower.catch_up)
    sweep, acts = Sweep(store, clock), Acts(store, clock)
    steps = {"sweep": sweep.step, "leaks": leaks.step, "acts": acts.step}
    steps["people"] = wiring_people.tidying(settings, store, clock)
    return Ticks(follower, steps, clock, clock, settings.home)


def open_notifying(settings: Settings) -> Notifying:
    """Build the process that tells owners, beside the ticks."""
    store, catalog = db.open_store(settings.database_url), read_catalog(settings)
    sealing_key = wiring_secrets.matching_sealing_key(settings, store)
    return wiring_notices.notifying(settings, store, _clock(settings), catalog, sealing_key)


def open_errands(settings: Settings) -> Errands:
    """Build what the background process does beside the ticks: checkpoints, signed and pushed."""
    clock, store = _clock(settings), db.open_store(settings.database_url)
    signing = Checkpoints(store, settings.home, clock, settings.checkpoint_every_ms)
    places = pushing.places(settings, lambda held: store.read(partial(leads_to, held=held)))
    pusher = pushing.Pusher(store, clock, places)
    reading = Rereading(store, clock)
    errands = {"checkpoint": signing.step, "push": pusher.step, "reread": reading.step}
    return Errands(errands, store.close)


def has_ticked(settings: Settings, since_ns: int) -> bool:
    """Whether ticks ran since *since_ns*, or what ran before is too old; it leaves nothing open."""
    with contextlib.closing(_clock(settings)) as clock:
        return Waiter(settings.home, clock, settings.staleness_ms).has_ticked(since_ns)


def open_worker(settings: Settings) -> Worker:
    """Build one worker; call it after the fork."""
    clock = _clock(settings)
    waiter = Waiter(settings.home, clock, settings.staleness_ms)
    return _worker(settings, clock, db.open_store(settings.database_url), waiter.catch_up)


def open_alone(settings: Settings) -> Worker:
    """Prepare and build everything in this one process; ticks run only when called."""
    prepare(settings)
    clock = _clock(settings)
    store = db.open_store(settings.database_url)
    follower = Follower(store, settings.home, clock)
    follower.tick()
    return _worker(settings, clock, store, follower.catch_up, follower)


def open_decider(settings: Settings) -> Decider:
    """
    Build what a service in another process on this machine decides with; it has no store.

    Raises Unavailable `stale` where no Tenure was ever started in this home, and Invalid where
    *settings* take a sandbox for a real home, or the other way round: a sandbox clock made there
    would stand at the beginning of time, when nothing has ended yet.
    """
    if not (settings.home / "keyring").is_dir():
        raise Unavailable("stale", context=f"no Tenure was ever started in {settings.home}")
    if settings.sandbox is not SandboxClock.stands_in(settings.home):
        known = "no sandbox" if settings.sandbox else "a sandbox"
        raise Invalid("sandbox", f"{settings.home} is {known}: give this service its settings")
    clock = _clock(settings)
    keyring = Keyring(
        settings.home,
        clock,
        wiring_secrets.read_sealing_key(settings),
        staleness_ms=settings.staleness_ms,
    )
    catalog = read_catalog(settings)
    # For venue requests alone: only where anything is sold that needs it (SECURITY D13).
    replays = Replays(settings.home, clock) if one_time(catalog) else None
    return _decider(settings, keyring, clock, catalog, replays)


def read_catalog(settings: Settings) -> Catalog:
    """Read the catalog; raises Invalid naming every problem by its line."""
    return catalogs.read(_text(settings.catalog, "catalogs/exchange.toml"))


def read_rulebook(settings: Settings, catalog: Catalog) -> Rulebook:
    """Read the rulebook file; raises Invalid naming every problem by its line."""
    return rulebooks.read(
        _text(settings.rulebook, "rulebooks/2021-07-09.toml"), frozenset(catalog.offers)
    )


def _worker(
    settings: Settings,
    clock: SystemClock | SandboxClock,
    store: Store,
    catch_up: Callable[[int], None],
    follower: Follower | None = None,
) -> Worker:
    catalog = read_catalog(settings)
    replays = Replays(settings.home, clock)  # Whatever is sold: owners' acts are one-time (0010).
    sealing_key = wiring_secrets.matching_sealing_key(settings, store)
    keyring = Keyring(
        settings.home, clock, sealing_key, staleness_ms=settings.staleness_ms, beside=follower
    )
    uses, turned_away = Uses(), TurnedAway()
    people = wiring_people.people(settings, store, clock, sealing_key, catch_up)
    limits = Limits(
        keys_per_account=settings.keys_per_account, addresses_per_key=settings.addresses_per_key
    )
    return Worker(
        settings=settings,
        catalog=catalog,
        clock=clock,
        store=store,
        keyring=keyring,
        decider=_decider(settings, keyring, clock, catalog, replays, uses, turned_away),
        keys=Keys(store, clock, catalog, sealing_key, limits, catch_up),
        revocations=Revocations(store, clock, catch_up),
        quarantine=Quarantine(store, clock, catch_up),
        accounts=Accounts(store, clock, catch_up),
        rules=Rules(store, clock, catch_up),
        journal=Journal(store),
        leaks=Leaks.of(settings, store, clock, catch_up),
        checkpoints=Checkpoints(store, settings.home, clock, settings.checkpoint_every_ms),
        operators=Operators(settings.operator_token, settings.operator_token_path),
        usage=Usage(store, clock, uses, addresses_per_key=limits.addresses_per_key),
        refusals=Refusals(store, clock, turned_away),
        telling=wiring_notices.telling(settings, store, clock, catalog, sealing_key, catch_up),
        people=people,
        operating=wiring_operating.operating(
            settings, store, clock, catalog, people, catch_up, is_sealed=sealing_key is None
        ),
        follower=follower,
        replays=replays,
    )


def _decider(  # noqa: PLR0913, PLR0917 - what it stands on, once each
    settings: Settings,
    keyring: Keyring,
    clock: Clock,
    catalog: Catalog,
    replays: Replays | None,
    uses: Uses | None = None,
    turned_away: TurnedAway | None = None,
) -> Decider:
    return Decider(
        keyring,
        clock,
        catalog,
        decoded_retry=settings.binance_decoded_retry,
        sandbox=settings.sandbox,
        replays=replays,
        uses=uses,
        turned_away=turned_away,
    )


def _clock(settings: Settings) -> SystemClock | SandboxClock:
    return SandboxClock(settings.home) if settings.sandbox else SystemClock(settings.home)


def _start_clock(settings: Settings, clock: SystemClock | SandboxClock, store: Store) -> None:
    """Set *clock* to no earlier than the journal's last event (RULES R15)."""
    _, _, recorded_at_ms = store.read(journal.head)
    # Not "where the store is new": a first start may have been cut off before it came to this.
    if recorded_at_ms == 0 and isinstance(clock, SandboxClock):
        start_ms = settings.sandbox_start_ms
        clock.raise_to(clock.wall_ms() if start_ms is None else start_ms)
    clock.raise_to(recorded_at_ms)


def _text(path: Path | None, shipped: str) -> str:
    if path is not None:
        return path.read_text(encoding="utf-8")
    return resources.files("tenure").joinpath(shipped).read_text(encoding="utf-8")
