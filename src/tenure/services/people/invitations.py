"""
Invitations: one-time links, good for 72 hours, by which people join.

The link's secret is kept as its digest. Whoever opens it sets a password and, at Stage.ENROLLING, a
second factor; there is no other way in, and the first administrator comes by it too.
"""

import base64
from dataclasses import dataclass, field, replace
from typing import Final

from tenure.clock import new_id
from tenure.domain.contacts import Channel, address_of, language_of
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.events import Event, Tag
from tenure.domain.model import AccountId, Secret
from tenure.domain.people import (
    INVITATION_MS,
    RECOVERY_HOLD_MS,
    Person,
    PersonId,
    Role,
    Stage,
)
from tenure.services import languages
from tenure.services.people import freezing
from tenure.services.people.passwords import Passwords
from tenure.services.people.register import Register, digest
from tenure.services.people.sessions import ID_BYTES, Begun, Sessions
from tenure.store import accounts, factors, holds, invitations, people, sessions
from tenure.store.db import Transaction
from tenure.store.invitations import StoredInvitation

JOIN_PATH: Final = "/console/join"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What somebody says who joins; *email* only where the invitation does not."""

    password: str = field(repr=False)
    email: str | None = None
    language: str | None = None
    time_zone: str | None = None
    agent: str = ""


class Invitations:
    """Invites people, and lets them join."""

    def __init__(
        self, register: Register, passwords: Passwords, sessions: Sessions, origin: str
    ) -> None:
        """*origin* is where the console is, for the links."""
        self._register, self._passwords, self._sessions = register, passwords, sessions
        self._origin = origin

    def of_account(self, account_id: str, actor: str) -> Invited:
        """
        Invite the owner of an account, by the account's e-mail; a link before is void.

        Raises NotFound; Conflict `exists` where one has joined, or has the e-mail elsewhere;
        `on_hold` where the last one was removed less than 48 hours ago: or a removal would be the
        quick way around the hold of a recovery (SECURITY T41).
        """

        def invite(tx: Transaction) -> tuple[Invited, Event]:
            account = accounts.get(tx, account_id)
            person = people.owner_of(tx, account_id)
            if person is None:
                self._require_gone_long(tx, account_id)
                person = self._new(account.email, Role.OWNER, account.account_id)
                people.add(tx, person)
            return self._invite(tx, person, actor)

        return self._register.change(invite)

    def require_unknown(self, email: str) -> None:
        """Raise Conflict `exists` where somebody signs in by *email*, or is invited to."""

        def look(tx: Transaction) -> None:
            if people.by_name(tx, email) is not None:
                raise Conflict("exists", "somebody with this e-mail signs in already")

        self._register.store.read(look)

    def of_operator(self, email: str, role: Role, actor: str) -> Invited:
        """Invite somebody of the house; raises Invalid, Conflict `exists` for who has joined."""
        return self._register.change(lambda tx: self.operator_in(tx, email, role, actor))

    def require_operator(self, tx: Transaction, email: str, role: Role) -> tuple[str, Role]:
        """Return whom and as what to invite, if that may be done; raises as `of_operator`."""
        email = require_email(email)
        if not role.is_operators:
            raise Invalid("role", "owners are invited to their account")
        person = people.by_name(tx, email)
        if person is not None and (
            person.account_id is not None or person.role is not role or person.has_joined
        ):
            raise Conflict("exists", "somebody with this e-mail signs in already")
        return email, role

    def operator_in(
        self, tx: Transaction, email: str, role: Role, actor: str
    ) -> tuple[Invited, Event]:
        """Do `of_operator` in the caller's transaction."""
        email, role = self.require_operator(tx, email, role)
        person = people.by_name(tx, email)
        if person is None:
            person = self._new(email, role, None)
            people.add(tx, person)
        return self._invite(tx, person, actor)

    def first_administrator(self) -> Invited | None:
        """
        Invite whoever opens the link, while the house has no administrator who can sign in.

        Each call makes the link before void. None where there is one, or the store is held.
        """

        def invite(tx: Transaction) -> Invited | None:
            if people.administrators(tx) or holds.held(tx) is not None:
                invitations.withdraw(tx, None)
                return None
            return self._link(tx, Invitation(role=Role.ADMINISTRATOR, ends_at_ms=self._end_ms()))

        return self._register.store.write(invite)

    def look(self, secret: str) -> Invitation:
        """Return the invitation that the link's *secret* is of; raises NotFound."""
        return self._register.store.read(lambda tx: self._look(tx, secret))

    def accept(self, secret: str, joining: Joining) -> Begun:
        """
        Join: set the password; the session has a second factor to set up (Stage.ENROLLING).

        Raises NotFound for a link that is spent, old or none; Invalid; Conflict `exists`.
        """
        invitation = self.look(secret)  # First: a hash is work, and not for everybody.
        email = invitation.email or require_email(joining.email or "")
        hashed = self._passwords.hash(self._passwords.require(joining.password, email))
        language = joining.language and language_of(joining.language)
        time_zone = joining.time_zone and languages.require_time_zone(joining.time_zone)

        def join(tx: Transaction) -> tuple[Begun, Event]:
            invitation = self._look(tx, secret)
            invitations.spend(tx, _digest(secret))
            if invitation.person_id is None:
                person = self._new(email, invitation.role, None)
                people.add(tx, person)
            else:
                person = people.get(tx, invitation.person_id)
            factors.set_password(tx, person.person_id, hashed, self._register.real.now_ms())
            held = people.get(tx, person.person_id)
            people.save(
                tx,
                replace(
                    held,
                    language=language or held.language,
                    time_zone=time_zone or held.time_zone,
                ),
            )
            held = people.get(tx, person.person_id)
            event = self._register.record(tx, Tag.PERSON_JOINED, held)
            if held.recovery is not None:
                held, event = freezing.end_hold(self._register, tx, held, held.actor, "completed")
            sessions.end_all(tx, held.person_id)
            return self._sessions.begin_in(tx, held, Stage.ENROLLING, joining.agent), event

        return self._register.change(join)

    def invite_again(self, tx: Transaction, person: Person) -> Invited:
        """Make a new link for *person* in the caller's transaction; whoever asks is on record."""
        return self._link(tx, _invitation(person, self._end_ms()))

    def _invite(self, tx: Transaction, person: Person, actor: str) -> tuple[Invited, Event]:
        if person.has_joined:
            raise Conflict("exists", "somebody with this e-mail signs in already")
        if person.recovery is not None:
            raise Conflict("on_hold", "a recovery is under way: complete or cancel that")
        event = self._register.record(tx, Tag.PERSON_INVITED, person, actor)
        return self.invite_again(tx, person), event

    def _new(self, email: str, role: Role, account_id: AccountId | None) -> Person:
        return Person(
            person_id=PersonId(new_id(self._register.real, "psn")),
            email=email,
            role=role,
            created_at_ms=self._register.real.now_ms(),
            account_id=account_id,
        )

    def _link(self, tx: Transaction, invitation: Invitation) -> Invited:
        raw = self._register.real.random_bytes(ID_BYTES)
        secret = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        stored = StoredInvitation(
            digest=_digest(secret),
            role=invitation.role,
            ends_at_ms=invitation.ends_at_ms,
            person_id=invitation.person_id,
        )
        invitations.add(tx, stored)
        return Invited(invitation=invitation, link=Secret(f"{self._origin}{JOIN_PATH}/{secret}"))

    def _look(self, tx: Transaction, secret: str) -> Invitation:
        stored = invitations.get(tx, _digest(secret), self._register.real.now_ms())
        if stored is None:
            raise NotFound("this link was used, or is too old: ask for another one")
        if stored.person_id is not None:
            return _invitation(people.get(tx, stored.person_id), stored.ends_at_ms)
        if people.administrators(tx):
            raise NotFound("this link was used, or is too old: ask for another one")
        return Invitation(role=stored.role, ends_at_ms=stored.ends_at_ms)

    def _end_ms(self) -> int:
        return self._register.real.now_ms() + INVITATION_MS

    def _require_gone_long(self, tx: Transaction, account_id: str) -> None:
        removed = [
            former.removed_at_ms
            for former in people.ever(tx, [account_id])
            if former.removed_at_ms is not None
        ]
        if (
            self._register.real.now_ms()
            < max(removed, default=-RECOVERY_HOLD_MS) + RECOVERY_HOLD_MS
        ):
            raise Conflict("on_hold", "its owner was removed less than 48 hours ago: wait")


def _invitation(person: Person, ends_at_ms: int) -> Invitation:
    return Invitation(
        role=person.role,
        ends_at_ms=ends_at_ms,
        email=person.email,
        account_id=person.account_id,
        person_id=person.person_id,
    )


def _digest(secret: str) -> str:
    return digest("invitation", secret)


def require_email(text: str) -> str:
    """Return *text* if somebody may sign in by it; raises Invalid `email`."""
    text = text.strip()
    try:
        address_of(Channel.EMAIL, text)
    except Invalid as error:
        raise Invalid("email", error.message) from error
    return text
