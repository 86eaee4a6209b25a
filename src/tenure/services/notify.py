"""
Telling in time: warnings become notices, unread ones climb, notices become deliveries.

A tick: idempotent, without arguments, safe to run twice, in parallel, or not at all for a week.
What events yield is written with them (see `store.notices`); sending is the business of `sending`.
"""

from dataclasses import replace

from tenure.clock import Clock
from tenure.domain import warnings as domain
from tenure.domain.warnings import CHOICES_MS, LeadTimes
from tenure.store import deliveries, holds, lead_times, notices, rules, warnings
from tenure.store.db import Store, Transaction

BATCH = 1_000
"""Rows looked at in one transaction, of each kind of work: some tens of milliseconds."""
_FAN_OUT = "deliveries"


class Notify:
    """Writes the warnings that are due, and makes deliveries of what was not delivered yet."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """*clock* says what is due; deliveries are dated by the machine's own."""
        self._store, self._clock = store, clock

    def tick(self) -> None:
        """Do all there is to do, batch by batch."""
        while self.step():
            pass

    def step(self) -> bool:
        """Do one batch and return whether there may be more."""
        return self._store.write(self._batch)

    def _batch(self, tx: Transaction) -> bool:
        if holds.held(tx) is not None:
            return False  # A term of a restored store may have been renewed, or its key revoked.
        now_ms = self._clock.now_ms()
        leads = LeadTimes.of_rulebook(rules.rulebook(tx))
        every = leads.every(lead_times.in_use(tx, CHOICES_MS))
        is_more = [_warn(tx, leads, lead_ms, now_ms) for lead_ms in every]
        is_more += [_climb(tx, lead_ms, now_ms) for lead_ms in every]
        is_more.append(_fan_out(tx, self._clock.wall_ms()))
        return any(is_more)


def _warn(tx: Transaction, leads: LeadTimes, lead_ms: int, now_ms: int) -> bool:
    """
    Write the warnings of one lead time that fell due, from where the last call ended.

    A term that appears before that place later was shorter than the lead time from its start, and
    is not warned of (see `domain.warnings`): looking forward only misses none. Nor is one whose
    owner chose this lead time only after it had fallen due.
    """
    name = warnings.position_name(lead_ms)
    end_ms, key_id, permission = notices.position(tx, name) or warnings.START
    after = (int(end_ms), str(key_id), str(permission))
    seen = warnings.ending(tx, after, now_ms + lead_ms, BATCH)
    if not seen:
        return False
    running = [item.running for item in seen if item.is_alive]
    chosen = lead_times.of_accounts(tx, {term.account_id for term in running})
    found = (
        domain.warning(replace(term, chosen_ms=chosen.get(term.account_id)), lead_ms, leads, now_ms)
        for term in running
    )
    notices.write_missing(tx, [item for item in found if item is not None], now_ms)
    notices.set_position(tx, name, seen[-1].place)
    return len(seen) == BATCH


def _climb(tx: Transaction, lead_ms: int, now_ms: int) -> bool:
    """Tell masters of their sub-accounts' warnings that lay unread for long and still hold."""
    name = f"climb:{lead_ms}"
    (after,) = notices.position(tx, name) or [0]
    page = warnings.written_by(
        tx,
        lead_ms,
        after=int(after),
        written_by_ms=now_ms - domain.climbs_after(lead_ms),
        most=BATCH,
    )
    if not page:
        return False
    unread = [item for item in page if item.master_id is not None and not item.is_read]
    holding = warnings.holding(tx, [item.notice for item in unread], now_ms)
    climbing = [
        domain.climbed(item.notice, item.master_id)
        for item in unread
        if item.master_id is not None and item.notice.notice_id in holding
    ]
    notices.write_missing(tx, climbing, now_ms)
    notices.set_position(tx, name, [page[-1].number])
    return len(page) == BATCH


def _fan_out(tx: Transaction, made_at_ms: int) -> bool:
    """
    Make the deliveries of the notices that have none yet, in the order of their numbers.

    Those to one account are made by one statement for all. One to many accounts is made contact by
    contact, a batch at a time, before anything that comes after it.
    """
    number, contact_id = notices.position(tx, _FAN_OUT) or (0, "")
    after, head = int(number), notices.head(tx)
    if after >= head:
        return False
    broadcast = deliveries.next_broadcast(tx, after)
    upto = min(head, after + BATCH, broadcast[0] - 1 if broadcast else head)
    if upto > after and not contact_id:
        deliveries.make_of_accounts(tx, after=after, upto=upto, now_ms=made_at_ms)
        notices.set_position(tx, _FAN_OUT, [upto, ""])
        return upto < head
    if broadcast is None:
        return False
    its_number, notice = broadcast
    contact_ids = deliveries.audience(tx, notice, str(contact_id), BATCH)
    deliveries.make_of_many(tx, its_number, contact_ids, made_at_ms)
    is_done = len(contact_ids) < BATCH
    notices.set_position(tx, _FAN_OUT, [its_number, ""] if is_done else [after, contact_ids[-1]])
    return not is_done or its_number < head
