"""
Leak reports: taking them in at once, and acting on the keys they name a moment later.

Whoever reports gets an answer while the work still waits in a table, since one message may name
fifty thousand keys. Only API keys of ours are kept: what else somebody found may be a secret of
somebody else's. Who may report, and in what form, is the faces' business.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, final

import structlog

from tenure import metrics
from tenure.clock import Clock
from tenure.domain import apikeys, leaks, verifying
from tenure.domain.events import Change, Event, Tag
from tenure.domain.leaks import Actions, LeakAction, Report
from tenure.domain.model import ApiKey, KeyId
from tenure.domain.rights import actor_for
from tenure.services import quarantine, revoking, sweep
from tenure.services.keyring import Keyring
from tenure.settings import Settings
from tenure.store import journal, keys
from tenure.store import leaks as queue
from tenure.store.db import Store, Transaction
from tenure.store.leaks import Listed

BATCH: Final = 50
"""Keys acted on in one transaction: some 50 ms of the journal's lock."""
QUEUED_AT_ONCE: Final = 1_000
"""Reports queued in one transaction, so that others can write in between."""
ACTOR: Final = "tenure:leaks"
HOLDER: Final = "holder"
"""Whom the journal names where possession of the key was proof enough."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What somebody says they found: an API key, or whatever they took for one, and where."""

    api_key: str
    url: str | None = None
    source: str | None = None
    found_at_ms: int | None = None


class Quarantine(Protocol):
    """Takes from a key what can do harm, until somebody has looked."""

    def place(self, key_id: str, actor: str, *, cause: str) -> ApiKey:
        """Put *key_id* there; a second time changes nothing."""


@final
class Possession:
    """Tells whether somebody holds a key's secret, by the keyring alone: no database is asked."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        """*keyring* has one reader, so this is asked where requests are decided."""
        self._keyring, self._clock = keyring, clock

    def proved(
        self, api_key: str, *, secret_key: str | None = None, signature: str | None = None
    ) -> KeyId | None:
        """
        Return the id of the key called *api_key* if its holder sent this, else None.

        Either the *secret_key* of an HMAC key, or a *signature* over `leaks.challenge` in the
        encoding of the key's type; while a rotation's overlap runs, what it had before proves it
        too. A key that is not ours costs what a wrong signature costs.
        Raises Unavailable as the keyring does.
        """
        if not apikeys.is_well_formed(api_key):
            return None  # The checksum first: nothing else is as cheap.
        challenge = leaks.challenge(api_key)
        if secret_key is not None:
            secret = secret_key.encode() or b"\0"
            signature = hmac.digest(secret, challenge, "sha256").hex()
        said = signature or ""
        loaded = self._keyring.find(api_key)
        now_ms = self._clock.now_ms()
        old = loaded.old_verifier if loaded and now_ms < loaded.old_until_ms else None
        verifiers = (loaded.verifier if loaded else None, old)
        # Both are tried in any case: the time taken is not to tell which keys are being rotated.
        proofs = [
            (verifier or verifying.stand_in(said)).verify(challenge, said) for verifier in verifiers
        ]
        return loaded.key_id if loaded is not None and any(proofs) else None


@final
class Leaks:
    """The queue of leak reports, and what is done about them."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        actions: Actions,
        catch_up: Callable[[int], None],
        cells: Quarantine,
    ) -> None:
        """*catch_up* returns once the keyring holds the event it is given the seq of."""
        self._store, self._clock, self._actions = store, clock, actions
        self._catch_up, self._quarantine = catch_up, cells

    @classmethod
    def of(
        cls, settings: Settings, store: Store, clock: Clock, catch_up: Callable[[int], None]
    ) -> "Leaks":
        """Return what acts as *settings* say."""
        actions = Actions(hmac=settings.leak_action, asymmetric=settings.leak_action_asymmetric)
        cells = quarantine.Quarantine(store, clock, catch_up)
        return cls(store, clock, actions, catch_up, cells)

    def receive(self, found: Sequence[Found], reporter: str) -> list[bool]:
        """
        Queue what *reporter* found; return for each, in order, whether it is a key of ours.

        The same report again changes nothing, whoever signed it however (SECURITY T19, BI-47).
        """
        asked = {item.api_key for item in found if apikeys.is_well_formed(item.api_key)}
        ours = self._store.read(partial(queue.ours, api_keys=asked)) if asked else {}
        reports = [
            Report(
                key_id=ours[item.api_key],
                reporter=reporter,
                url=leaks.shown(item.url),
                source=leaks.shown(item.source),
                found_at_ms=item.found_at_ms,
            )
            for item in found
            if item.api_key in ours
        ]
        now_ms = self._clock.now_ms()
        for start in range(0, len(reports), QUEUED_AT_ONCE):
            piece = reports[start : start + QUEUED_AT_ONCE]
            self._store.write(partial(queue.add, reports=piece, received_at_ms=now_ms))
        # Anybody may read the counters: not who of the house it was, and no label a person.
        by = actor_for(reporter, ())
        metrics.leak_reports.labels(by, "yes").inc(len(reports))
        metrics.leak_reports.labels(by, "no").inc(len(found) - len(reports))
        return [item.api_key in ours for item in found]

    def latest(self, most: int) -> list[Listed]:
        """Return at *most* so many reports, the last received first, and what was done."""
        return self._store.read(partial(queue.latest, most=most))

    def action_for(self, *, is_hmac: bool) -> LeakAction:
        """Return what is done about a key that is reported, by how it signs."""
        return self._actions.hmac if is_hmac else self._actions.asymmetric

    def revoke_held(self, key_id: KeyId) -> None:
        """Revoke *key_id*, whose holder reported it; in force on this machine on return."""

        def revoke(tx: Transaction) -> Event | None:
            now_ms = self._clock.now_ms()
            event = sweep.record_lapses(tx, key_id, now_ms)
            key, change = revoking.revoke(tx, keys.get(tx, key_id), HOLDER, now_ms)
            if change is None:
                return event
            report = Report(key_id=key_id, reporter=HOLDER, source="possession")
            told = _reported(key, [report], LeakAction.REVOKE, HOLDER, now_ms)
            return journal.append_all(tx, [change, told], now_ms)[-1]

        event = self._store.write(revoke)
        metrics.leak_reports.labels(HOLDER, "yes").inc()
        if event is not None:
            self._catch_up(event.seq)

    def tick(self) -> None:
        """Act on every key that was reported."""
        while self.step():
            pass

    def step(self) -> bool:
        """
        Act on one batch of the keys that were reported; return whether there may be more.

        A tick: idempotent, without arguments, safe to run anywhere (see `following`).
        """
        looked_at = self._store.read(partial(queue.due, most=BATCH))
        if not looked_at:
            return False  # Nothing is written, so nobody is kept waiting.
        waiting = self._store.write(partial(self._work, key_ids=looked_at, placed=()))
        if waiting:
            for key_id in waiting:
                self._quarantine.place(key_id, ACTOR, cause="reported as leaked")
            self._store.write(partial(self._work, key_ids=waiting, placed=waiting))
        return len(looked_at) == BATCH

    def _work(
        self, tx: Transaction, key_ids: Sequence[KeyId], placed: Sequence[KeyId]
    ) -> list[KeyId]:
        """Act on *key_ids* but for those, returned, that are to be quarantined first."""
        now_ms = self._clock.now_ms()
        changes: list[Change] = []
        waiting: list[KeyId] = []
        reports = queue.of_keys(tx, key_ids)
        for stored in keys.load(tx, key_ids):
            try:
                key = stored.key
            except (ValueError, TypeError):
                # Whoever presents it is refused by every keyring; the others must not wait for it.
                log.exception("a leaked key whose rows nobody understands", key_id=stored.key_id)
                continue
            action = self._actions.upon(key)
            if key.revoked_at_ms is not None or key.key_id not in reports:
                continue  # Ended already, or worked off by somebody else meanwhile.
            if action is LeakAction.QUARANTINE and key.key_id not in placed:
                waiting.append(key.key_id)
                continue
            changes += self._act(tx, key, reports[key.key_id], action, now_ms)
        journal.append_all(tx, changes, now_ms)
        queue.mark_worked(tx, [key_id for key_id in key_ids if key_id not in waiting], now_ms)
        return waiting

    @staticmethod
    def _act(
        tx: Transaction,
        key: ApiKey,
        reports: Sequence[Report],
        action: LeakAction,
        now_ms: int,
    ) -> list[Change]:
        changes = [_reported(key, reports, action, ACTOR, now_ms)]
        if action is LeakAction.REVOKE:
            sweep.record_lapses(tx, key.key_id, now_ms)
            _, change = revoking.revoke(tx, key, ACTOR, now_ms)
            changes = [change, *changes] if change else changes
        return changes


def _reported(
    key: ApiKey, reports: Sequence[Report], action: LeakAction, actor: str, now_ms: int
) -> Change:
    return Change(
        tag=Tag.KEY_REPORTED,
        actor=actor,
        happened_at_ms=now_ms,
        body=leaks.reported(reports, action),
        account_id=key.account_id,
        key_id=key.key_id,
    )
