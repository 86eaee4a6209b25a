"""
How long before an end an account is warned: what it chose, or what the rules say.

Every change is one transaction and one event. Which warnings follow is worked out in
`domain.warnings`, and written by `notify`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tenure.clock import Clock
from tenure.domain import replaying
from tenure.domain.events import Change, Event, Tag
from tenure.domain.warnings import CHOICES_MS, LeadTimes
from tenure.store import accounts, journal, lead_times, rules, warnings
from tenure.store.db import Store, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """
    Lead times (ms), the longest first: those *chosen*, None where that is left to the rules.

    *of_rules* are those that hold then; *offered* are all that can be chosen.
    """

    chosen: tuple[int, ...] | None
    of_rules: tuple[int, ...]
    offered: tuple[int, ...]

    @property
    def in_force(self) -> tuple[int, ...]:
        """What the account is warned by."""
        return self.of_rules if self.chosen is None else self.chosen


class Leads:
    """The lead times of accounts."""

    def __init__(self, store: Store, clock: Clock, catch_up: Callable[[int], None]) -> None:
        """*catch_up* returns once the keyring holds the event it is given the seq of."""
        self._store, self._clock, self._catch_up = store, clock, catch_up

    def of_account(self, account_id: str) -> Choice:
        """Return what an account is warned by, and could be; raises NotFound."""
        return self._store.read(lambda tx: _choice(tx, account_id))

    def choose(self, account_id: str, leads_ms: Collection[int] | None, actor: str) -> Choice:
        """
        Warn an account *leads_ms* before each end, or as the rules say where that is None.

        A lead time that is no shorter than a term gives no warning of it. Nothing is recorded where
        nothing changes. Raises NotFound, Invalid `lead_times`.
        """

        def choose(tx: Transaction) -> tuple[Choice, Event | None]:
            before = _choice(tx, account_id)
            leads = LeadTimes.of_rulebook(rules.rulebook(tx))
            chosen = None if leads_ms is None else leads.chosen(leads_ms)
            if chosen == before.chosen:
                return before, None
            now_ms = self._clock.now_ms()
            if chosen is not None:
                _begin(tx, leads, chosen, now_ms)
            lead_times.put(tx, account_id, chosen)
            change = Change(
                tag=Tag.LEAD_TIMES_CHANGED,
                actor=actor,
                happened_at_ms=now_ms,
                body={"lead_times": replaying.lead_times_row(chosen)},
                account_id=account_id,
            )
            return _choice(tx, account_id), journal.append(tx, change, now_ms)

        choice, event = self._store.write(choose)
        if event is not None:
            self._catch_up(event.seq)
        return choice


def _begin(tx: Transaction, leads: LeadTimes, chosen: Sequence[int], now_ms: int) -> None:
    """Have what falls due from now on looked for, by lead times that nobody has in use."""
    unused = set(chosen).difference(leads.every(), lead_times.in_use(tx, chosen))
    for lead_ms in unused:
        # Whatever fell due before was not asked for; told now, it would be told late.
        warnings.begin_at(tx, lead_ms, now_ms)


def _choice(tx: Transaction, account_id: str) -> Choice:
    accounts.get(tx, account_id)
    leads = LeadTimes.of_rulebook(rules.rulebook(tx))
    return Choice(
        chosen=lead_times.of_accounts(tx, [account_id]).get(account_id),
        of_rules=leads.every(),
        offered=leads.every(CHOICES_MS),
    )
