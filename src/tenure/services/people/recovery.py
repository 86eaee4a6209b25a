"""
Recovery: an owner who lost every factor comes in again, after a hold (SECURITY T41).

An operator begins it. The owner is told on every channel, the account's keys are frozen, and for 48
hours nothing else happens: factors that were not lost still let their owner in, and he can cancel.
Then every factor is cleared, and a new invitation lets somebody join, which ends the freeze.
"""

from dataclasses import replace
from typing import Final

from tenure.domain.errors import Conflict, NotFound
from tenure.domain.events import Event, Tag
from tenure.domain.people import RECOVERY_HOLD_MS, Hold, Person
from tenure.services.people import freezing
from tenure.services.people.invitations import Invitations, Invited
from tenure.services.people.register import Register
from tenure.store import accounts, factors, invitations, people, sessions
from tenure.store.db import Transaction

_NONE_UNDER_WAY: Final = "no recovery is under way"


class Recovery:
    """Begins, cancels and completes recoveries."""

    def __init__(self, register: Register, invitations: Invitations) -> None:
        """One per worker."""
        self._register, self._invitations = register, invitations

    def begin(self, account_id: str, actor: str) -> Person:
        """
        Begin: the owner is told everywhere, the keys are frozen, and 48 hours pass.

        Raises NotFound, Conflict `under_way` where one is, `not_joined` where nothing is
        lost: then an invitation does.
        """

        def begin(tx: Transaction) -> tuple[Person, Event]:
            owner = _owner(tx, account_id)
            if owner.recovery is not None:
                raise Conflict("under_way", "a recovery is under way already")
            if not owner.has_joined:
                raise Conflict("not_joined", "nobody has joined yet: invite the owner again")
            now_ms = self._register.real.now_ms()
            has_frozen = accounts.set_frozen(tx, account_id, self._register.clock.now_ms())
            hold = Hold(
                begun_at_ms=now_ms, until_ms=now_ms + RECOVERY_HOLD_MS, has_frozen=has_frozen
            )
            held = replace(owner, recovery=hold)
            people.save(tx, held)
            if has_frozen:
                freezing.record(self._register, tx, account_id, actor)
            event = self._register.record(
                tx, Tag.PERSON_RECOVERY_BEGUN, held, actor, hold_until_ms=hold.until_ms
            )
            return held, event

        return self._register.change(begin)

    def cancel(self, account_id: str, actor: str) -> Person:
        """End a recovery; by the owner, who is there after all, or an operator. Raises Conflict."""

        def cancel(tx: Transaction) -> tuple[Person, Event]:
            owner = _recovering(tx, account_id)
            invitations.withdraw(tx, owner.person_id)
            return freezing.end_hold(self._register, tx, owner, actor, "cancelled")

        return self._register.change(cancel)

    def complete(self, account_id: str, actor: str) -> Invited:
        """
        Clear every factor once the hold is over, and return a new invitation.

        Done again it makes another link. Raises Conflict `on_hold` before, and where none is
        under way.
        """

        def complete(tx: Transaction) -> tuple[Invited, Event]:
            owner = _recovering(tx, account_id)
            hold = owner.recovery
            if hold is None or self._register.real.now_ms() < hold.until_ms:
                raise Conflict("on_hold", "the hold of 48 hours is not over yet")
            factors.clear(tx, owner.person_id)
            sessions.end_all(tx, owner.person_id)
            cleared = people.get(tx, owner.person_id)
            event = self._register.record(tx, Tag.PERSON_CLEARED, cleared, actor)
            return self._invitations.invite_again(tx, cleared), event

        return self._register.change(complete)


def _owner(tx: Transaction, account_id: str) -> Person:
    accounts.get(tx, account_id)
    owner = people.owner_of(tx, account_id)
    if owner is None:
        raise NotFound("nobody signs in for this account")
    return owner


def _recovering(tx: Transaction, account_id: str) -> Person:
    owner = _owner(tx, account_id)
    if owner.recovery is None:
        raise Conflict("not_begun", _NONE_UNDER_WAY)
    return owner
