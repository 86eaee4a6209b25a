"""
Sending what is due, trying again, and giving up on record.

No store transaction is open while something is sent: a few deliveries are claimed, sent, and then
marked. Whoever dies between sending and marking leaves a claim that runs out, and the message is
sent again under the same id. Receivers live in the real time, so all instants here are the
machine's, also in a sandbox.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, NamedTuple

import structlog

from tenure import metrics
from tenure.clock import Clock
from tenure.domain.contacts import Channel
from tenure.domain.model import Secret
from tenure.domain.notices import message_id
from tenure.domain.rules import Rulebook
from tenure.services.channels import Outgoing, Sender
from tenure.services.outbound.outcome import Failed, Outcome, Sent
from tenure.services.rendering import Rendering
from tenure.store import deliveries, holds, rules, warnings
from tenure.store.db import Store, Transaction
from tenure.store.deliveries import Due

RETRY_AFTER_S: Final = (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400)
"""How long to wait after the first, second, … failure; after the one past the last, give up."""
GIVE_UP_AFTER_MS: Final = 4 * 86_400_000
"""Nothing is tried again after this, also where a contact had much waiting for it."""
CLAIMED_FOR_MS: Final = 600_000
"""More than any channel takes for what one claim holds; then somebody else sends it again."""
BATCH: Final = 16
THREADS: Final = 8
CLEAN_EVERY_MS: Final = 3_600_000

log = structlog.get_logger()


class _Claimed(NamedTuple):
    """What one claim came to: how many, what of it to send, each contact's secrets, the rules."""

    total: int
    dues: list[Due]
    secrets: Mapping[str, tuple[Secret, ...]]
    rulebook: Rulebook


class Sending:
    """Sends deliveries that are due."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it stands on, once each
        self,
        store: Store,
        clock: Clock,
        rendering: Rendering,
        senders: Mapping[Channel, Sender],
        secrets_of: Callable[[Transaction, str, int], tuple[Secret, ...]],
        threads: int = THREADS,
    ) -> None:
        """
        Send by *senders*; on a channel without one, deliveries wait until they are given up.

        *secrets_of* opens the signing secrets of a contact as of an instant (ms, UTC).
        """
        self._store, self._clock, self._rendering = store, clock, rendering
        self._senders, self._secrets_of = senders, secrets_of
        self._threads = threads
        self._cleaned_at_ms = 0

    def tick(self) -> int:
        """Send all that is due now; return how many attempts were made."""
        return sum(iter(self.step, 0))

    def step(self) -> int:
        """Make one claim on each channel and send it; return how many attempts were made."""
        if self._store.read(holds.held) is not None:
            return 0  # What a restored store has to say may have been taken back since.
        self._give_up_old()
        return sum(self._send_some(channel) for channel in self._senders)

    def _send_some(self, channel: Channel) -> int:
        now_ms = self._clock.wall_ms()
        if not self._store.read(lambda tx: deliveries.is_any_due(tx, channel, now_ms)):
            return 0
        claimed = self._store.write(lambda tx: self._claim(tx, channel, now_ms))
        by_contact = itertools.groupby(
            sorted(claimed.dues, key=lambda due: due.contact.contact_id),
            key=lambda due: due.contact.contact_id,
        )
        # One after the other to each contact, in order; several contacts at once.
        queues = [list(dues) for _, dues in by_contact]
        for attempts in self._run(queues, claimed):
            # From the back: what was not attempted is due again, and then a failure puts it off.
            for due, outcome in reversed(attempts):
                self._mark(due, outcome)
        return claimed.total

    def _claim(self, tx: Transaction, channel: Channel, now_ms: int) -> _Claimed:
        until_ms = now_ms + CLAIMED_FOR_MS
        dues = deliveries.claim(tx, channel, now_ms=now_ms, until_ms=until_ms, most=BATCH)
        warned = [due.notice for due in dues if due.notice.lead_ms is not None]
        holding = warnings.holding(tx, warned, self._clock.now_ms())
        left: list[Due] = []
        for due in dues:
            if due.contact.removed_at_ms is not None:
                deliveries.set_dropped(tx, due, now_ms, "the contact was removed")
            elif due.notice.lead_ms is not None and due.notice.notice_id not in holding:
                deliveries.set_dropped(tx, due, now_ms, "the warning no longer holds")
            else:
                left.append(due)
        known = {due.contact.contact_id for due in left}
        secrets = {name: self._secrets_of(tx, name, now_ms) for name in known}
        return _Claimed(len(dues), left, secrets, rules.rulebook(tx))

    def _run(
        self, queues: Sequence[list[Due]], claimed: _Claimed
    ) -> Iterable[list[tuple[Due, Outcome | None]]]:
        if self._threads == 1 or len(queues) <= 1:
            return (self._send_queue(queue, claimed) for queue in queues)
        with ThreadPoolExecutor(self._threads, "tenure-sending") as threads:
            running = [threads.submit(self._send_queue, queue, claimed) for queue in queues]
            return [done.result() for done in as_completed(running)]

    def _send_queue(self, queue: list[Due], claimed: _Claimed) -> list[tuple[Due, Outcome | None]]:
        """Send to one contact until it fails; None for what was then not attempted."""
        attempts: list[tuple[Due, Outcome | None]] = []
        is_failing = False
        for due in queue:
            outcome = None if is_failing else self._send(due, claimed)
            is_failing = is_failing or (isinstance(outcome, Failed) and not outcome.is_permanent)
            attempts.append((due, outcome))
        return attempts

    def _send(self, due: Due, claimed: _Claimed) -> Outcome:
        secrets = claimed.secrets[due.contact.contact_id]
        if due.contact.channel is Channel.WEBHOOK and not secrets:
            return Failed(reason="its signing secret is sealed: the sealing key is missing")
        try:
            outgoing = Outgoing(
                message_id=message_id(due.notice.notice_id, due.contact.contact_id),
                contact=due.contact,
                message=self._rendering.message(due.notice, due.contact, claimed.rulebook),
                secrets=secrets,
                sent_at_s=self._clock.wall_ms() // 1000,
            )
            return self._senders[due.contact.channel].send(outgoing)
        except Exception as error:
            # A bug of ours, or of a library: on record, and the others are sent all the same.
            log.exception("sending failed", notice_id=due.notice.notice_id)
            return Failed(reason=f"something went wrong here: {type(error).__name__}")

    def _mark(self, due: Due, outcome: Outcome | None) -> None:
        now_ms = self._clock.wall_ms()
        channel = str(due.contact.channel)
        match outcome:
            case None:
                self._store.write(lambda tx: deliveries.put_off(tx, due, now_ms))
            case Sent():
                self._store.write(lambda tx: deliveries.set_delivered(tx, due, now_ms))
                metrics.delivered.labels(channel, "sent").inc()
            case Failed():
                self._store.write(lambda tx: _mark_failed(tx, due, outcome, now_ms))
                metrics.delivered.labels(channel, "failed").inc()

    def _give_up_old(self) -> None:
        now_ms = self._clock.wall_ms()
        if now_ms - self._cleaned_at_ms < CLEAN_EVERY_MS:
            return
        self._cleaned_at_ms = now_ms
        before_ms = now_ms - GIVE_UP_AFTER_MS
        channels, reason = set(map(str, self._senders)), "it could not be sent in time"
        self._store.write(
            lambda tx: deliveries.give_up_old(tx, before_ms, now_ms, reason, channels=channels)
        )


def wait_after_ms(attempt: int, retry_after_s: int | None) -> int | None:
    """
    Return how long to wait after the failure of *attempt* (from 1), None for no more attempts.

    At least what the receiver asked for, and a day at most.
    """
    if attempt > len(RETRY_AFTER_S):
        return None
    wait_s = max(RETRY_AFTER_S[attempt - 1], retry_after_s or 0)
    return min(wait_s, RETRY_AFTER_S[-1]) * 1000


def _mark_failed(tx: Transaction, due: Due, failed: Failed, now_ms: int) -> None:
    wait_ms = wait_after_ms(due.attempt, failed.retry_after_s)
    is_too_old = now_ms - due.made_at_ms > GIVE_UP_AFTER_MS
    if failed.is_permanent or wait_ms is None or is_too_old:
        deliveries.set_given_up(tx, due, now_ms, failed.reason)
        return
    deliveries.set_failed(tx, due, now_ms + wait_ms, failed.reason)
    # What else waits for this contact would fail as well, and keep others waiting meanwhile.
    deliveries.put_off_contact(tx, due.contact.contact_id, now_ms + wait_ms)
