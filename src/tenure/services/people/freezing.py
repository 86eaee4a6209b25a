"""
The freeze that a recovery puts an account under: begun with it, ended with it, on record.

An account that was frozen before stays so, and so does one that somebody froze meanwhile; see
`recovery` and `domain.freezes`.
"""

from dataclasses import replace
from typing import Literal, TypeAlias

from tenure.domain.events import Change, Event, Tag, account_state
from tenure.domain.freezes import BY_RECOVERY, Freezer
from tenure.domain.people import Person
from tenure.services.accounts import freezer
from tenure.services.people.register import Register
from tenure.store import accounts, journal, people
from tenure.store.db import Transaction

Outcome: TypeAlias = Literal["completed", "cancelled"]


def end_hold(
    register: Register, tx: Transaction, owner: Person, actor: str, outcome: Outcome
) -> tuple[Person, Event]:
    """End the recovery of *owner*, and the freeze that it began, in the caller's transaction."""
    hold = owner.recovery
    held = replace(owner, recovery=None)
    people.save(tx, held)
    event = register.record(tx, Tag.PERSON_RECOVERY_ENDED, held, actor, outcome=outcome)
    account_id = held.account_id
    if hold is None or not hold.has_frozen or account_id is None:
        return held, event
    if freezer(tx, accounts.get(tx, account_id)) is Freezer.RECOVERY:
        accounts.set_frozen(tx, account_id, None)
        event = record(register, tx, account_id, actor)
    return held, event


def record(register: Register, tx: Transaction, account_id: str, actor: str) -> Event:
    """Record that a recovery froze an account, or that this is over."""
    account, now_ms = accounts.get(tx, account_id), register.clock.now_ms()
    is_frozen = account.frozen_at_ms is not None
    change = Change(
        tag=Tag.ACCOUNT_FROZEN if is_frozen else Tag.ACCOUNT_UNFROZEN,
        actor=actor,
        happened_at_ms=now_ms,
        body={"account": account_state(account), **({BY_RECOVERY: True} if is_frozen else {})},
        account_id=account_id,
    )
    return journal.append(tx, change, now_ms)
