"""Invitations: one-time links by which people join."""

from dataclasses import dataclass, field

from tenure.domain.model import AccountId, Secret
from tenure.domain.people import PersonId, Role
from tenure.services.people.sessions import Begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation that can be taken; *email* is None where whoever joins says it himself."""

    role: Role
    ends_at_ms: int
    email: str | None = None
    account_id: AccountId | None = None
    person_id: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """An invitation just made, and its *link*, shown once."""

    invitation: Invitation
    link: Secret = field(repr=False)


class Invitations:
    """Invites people, and lets them join."""

    def of_account(self, account_id: str, actor: str) -> Invited:
        """Invite the owner of an account, by the account's e-mail."""
        raise NotImplementedError

    def of_operator(self, email: str, role: Role, actor: str) -> Invited:
        """Invite somebody of the house."""
        raise NotImplementedError

    def first_administrator(self) -> Invited | None:
        """Invite whoever opens the link, while the house has no administrator."""
        raise NotImplementedError

    def look(self, secret: str) -> Invitation:
        """Return the invitation that the link's *secret* is of; raises NotFound."""
        raise NotImplementedError

    def accept(  # noqa: PLR0913 - what somebody says who joins
        self,
        secret: str,
        password: str,
        *,
        email: str | None = None,
        language: str | None = None,
        time_zone: str | None = None,
        agent: str = "",
    ) -> Begun:
        """Join: set the password; the session has a second factor to set up (Stage.ENROLLING)."""
        raise NotImplementedError
