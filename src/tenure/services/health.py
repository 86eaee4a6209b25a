"""
Looking over the house: is it decided from a fresh keyring, recorded, told, signed and read again.

Measured here, judged in `domain.health`. For operators who look at a page; probes and counters are
for machines, and `tenure doctor` for somebody at the machine itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tenure.clock import Clock
from tenure.domain import health
from tenure.domain.contacts import Channel
from tenure.domain.errors import Unavailable
from tenure.domain.health import Finding, Level, Topic
from tenure.services import keyring
from tenure.services.keyring import Evidence
from tenure.services.outbound import mail
from tenure.services.rereading import Reread
from tenure.settings import Settings
from tenure.store import checkpoints, holds, journal
from tenure.store import health as waiting
from tenure.store.db import Store, Transaction
from tenure.store.holds import Hold

_CHANNELS: Final = tuple(str(channel) for channel in Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What was found at *looked_at_ms* (ms, UTC); *hold* while a restored store waits."""

    looked_at_ms: int
    findings: tuple[Finding, ...]
    hold: Hold | None

    def of(self, topic: Topic) -> Finding:
        """Return what was found of one topic."""
        return next(finding for finding in self.findings if finding.topic is topic)

    @property
    def worst(self) -> Level:
        """How bad the worst of it is."""
        return max((finding.level for finding in self.findings), key=list(Level).index)


class Checkup:
    """Looks the house over; changes nothing."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        reread: Callable[[], Reread | None],
        *,
        is_sealed: bool,
    ) -> None:
        """*reread* says how far the journal was read again; *is_sealed*: no sealing key fits."""
        self._store, self._clock, self._reread = store, clock, reread
        self._evidence, self._is_sealed = Evidence(Path(settings.home)), is_sealed
        self._bound_ms = settings.staleness_ms
        self._has_relay = bool(settings.smtp_url)
        self._has_place = bool(settings.checkpoint_file or settings.checkpoint_url)

    def look(self) -> Health:
        """Look at everything; raises Unavailable `store` alone."""
        now_ms, is_clock_behind = self._now()
        # Deliveries live on the machine's clock, as their receivers do.
        wall_ms = self._clock.wall_ms()
        found = self._store.read(
            lambda tx: (
                holds.held(tx),
                journal.head(tx)[0],
                waiting.unswept(tx, now_ms),
                self._outbox(tx, wall_ms),
                waiting.unworked(tx),
                self._signed(tx, now_ms),
            )
        )
        hold, head_seq, unswept, outbox, unworked, signed = found
        ages = partial(_age_ms, now_ms=now_ms)
        findings = (
            health.deciding(self._keyring(head_seq, hold), is_clock_behind=is_clock_behind),
            health.secrets(is_sealed=self._is_sealed),
            health.sweeping(ages(unswept.since_ms), unswept.number),
            health.sending(outbox),
            health.leaks(unworked.number, ages(unworked.since_ms)),
            health.signing(signed),
            health.pushing(signed),
            health.reading(self._read(head_seq), wall_ms),
        )
        return Health(looked_at_ms=now_ms, findings=findings, hold=hold)

    def _now(self) -> tuple[int, bool]:
        try:
            return self._clock.now_ms(), False
        except Unavailable:
            # The clock stands still until the machine's has come up to it; a page must say so.
            return self._clock.wall_ms(), True

    def _keyring(self, head_seq: int, hold: Hold | None) -> health.Keyring:
        evidence = self._evidence.read()
        age_ms, seq, making = None, 0, 0
        if evidence is not None and evidence[1] == self._clock.boot():
            sent_ns, _, _, seq, making = evidence
            age_ms = (self._clock.elapsed_ns() - sent_ns) // 1_000_000
        return health.Keyring(
            age_ms=age_ms,
            bound_ms=self._bound_ms,
            seq=seq,
            head_seq=head_seq,
            is_held=hold is not None or making == keyring.HELD,
        )

    def _outbox(self, tx: Transaction, wall_ms: int) -> health.Outbox:
        unsent = late = waiting.unsent(tx, _CHANNELS)
        failed: list[str] = []
        if self._has_relay:
            failed = waiting.failures(tx, Channel.EMAIL, wall_ms)
        else:
            # Without a relay every e-mail is late, and would hide what else is.
            late = waiting.unsent(tx, tuple(each for each in _CHANNELS if each != Channel.EMAIL))
        return health.Outbox(
            waiting=unsent.number,
            overdue_ms=_age_ms(late.since_ms, wall_ms),
            channel=late.channel,
            has_relay=self._has_relay,
            trouble=next(filter(mail.is_of_relay, failed), ""),
        )

    def _signed(self, tx: Transaction, now_ms: int) -> health.Signed:
        head_seq, latest = journal.head(tx)[0], checkpoints.latest(tx)
        size = latest.size if latest else 0
        pushed = checkpoints.last_pushed(tx)
        unpushed = checkpoints.every(tx, pushed.size if pushed else 0, 1)
        unsigned_since_ms = waiting.recorded_at_ms(tx, size + 1) if head_seq > size else 0
        return health.Signed(
            head_seq=head_seq,
            size=size,
            signed_at_ms=latest.signed_at_ms if latest else 0,
            pushed_size=pushed.size if pushed else 0,
            pushed_at_ms=pushed.pushed_at_ms or 0 if pushed else 0,
            has_place=self._has_place,
            unsigned_ms=_age_ms(unsigned_since_ms, now_ms),
            unpushed_ms=_age_ms(unpushed[0].signed_at_ms if unpushed else 0, now_ms),
        )

    def _read(self, head_seq: int) -> health.Read | None:
        said = self._reread()
        if said is None:
            return None
        return health.Read(
            head_seq=head_seq,
            seq=said.seq,
            whole_seq=said.whole_seq,
            whole_at_ms=said.whole_at_ms,
            flaw_seq=said.flaw_seq,
            flaw=said.flaw,
        )


def _age_ms(since_ms: int, now_ms: int) -> int:
    """Return how long ago *since_ms* was, 0 where there is none, or it is to come."""
    return max(0, now_ms - since_ms) if since_ms else 0
