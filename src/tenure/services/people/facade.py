"""The people of the house in one hand: what a worker's faces are given as `worker.people`."""

from tenure.domain.people import Person, PersonId, Role
from tenure.services.people.factors import Factors
from tenure.services.people.invitations import Invitations
from tenure.services.people.oidc import Oidc
from tenure.services.people.recovery import Recovery
from tenure.services.people.sessions import Sessions
from tenure.services.people.signin import SignIn
from tenure.services.people.stepups import StepUps


class People:
    """Who signs in, and everything about it."""

    sessions: Sessions
    invitations: Invitations
    sign_in: SignIn
    factors: Factors
    step_ups: StepUps
    recovery: Recovery
    oidc: Oidc | None
    """None where no provider is configured."""

    def find(self, person_id: str) -> Person:
        """Return one person; raises NotFound."""
        raise NotImplementedError

    def owner_of(self, account_id: str) -> Person | None:
        """Return who signs in for an account, None where nobody was invited."""
        raise NotImplementedError

    def operators(self) -> list[Person]:
        """Return the people of the house, the oldest first."""
        raise NotImplementedError

    def prefer(self, person_id: PersonId, *, language: str | None, time_zone: str | None) -> Person:
        """Change how somebody is spoken to; None takes the house's own."""
        raise NotImplementedError

    def change_role(self, person_id: str, role: Role, actor: str) -> Person:
        """Give an operator another role; raises Conflict `last_administrator`."""
        raise NotImplementedError

    def remove(self, person_id: str, actor: str) -> Person:
        """Let somebody in no more; raises Conflict `last_administrator`."""
        raise NotImplementedError
