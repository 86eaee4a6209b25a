"""Recovery: an owner who lost every factor comes in again, after a hold (SECURITY T41)."""

from tenure.domain.people import Person
from tenure.services.people.invitations import Invited


class Recovery:
    """Begins, cancels and completes recoveries."""

    def begin(self, account_id: str, actor: str) -> Person:
        """Begin: the owner is told everywhere, the keys are frozen, and 48 hours pass."""
        raise NotImplementedError

    def cancel(self, account_id: str, actor: str) -> Person:
        """End it without a trace but in the journal; by the owner, or an operator."""
        raise NotImplementedError

    def complete(self, account_id: str, actor: str) -> Invited:
        """Clear every factor and return a new invitation; raises Conflict `on_hold` before."""
        raise NotImplementedError
