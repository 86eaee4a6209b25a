"""
The people of the house in one hand: what a worker's faces are given as `worker.people`.

Looking people up, their roles and their leaving are here; all else is in the parts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tenure.clock import Clock
from tenure.domain.contacts import language_of
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.events import Event, Tag
from tenure.domain.people import Person, PersonId, Role
from tenure.domain.person_states import without_factors
from tenure.services import languages
from tenure.services.people.budgets import Budgets
from tenure.services.people.factors import Factors
from tenure.services.people.invitations import Invitations
from tenure.services.people.oidc import Oidc, Provider
from tenure.services.people.passkeys import Passkeys
from tenure.services.people.passwords import Passwords
from tenure.services.people.proving import Proving
from tenure.services.people.recovery import Recovery
from tenure.services.people.register import Register
from tenure.services.people.room import Room
from tenure.services.people.sessions import Sessions
from tenure.services.people.signin import SignIn
from tenure.services.people.stepups import StepUps
from tenure.services.sealing import SealingKey
from tenure.store import accounts, factors, invitations, people, sessions
from tenure.store.db import Store, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What everything about people stands on; *origin* is where the console is."""

    store: Store
    clock: Clock
    real: Clock
    sealing_key: SealingKey | None
    catch_up: Callable[[int], None]
    origin: str


class People:
    """Who signs in, and everything about it; *oidc* is None where no provider is configured."""

    def __init__(self, house: House, provider: Provider | None = None) -> None:
        """One per worker."""
        register = Register(
            store=house.store, clock=house.clock, real=house.real, catch_up=house.catch_up
        )
        self._register = register
        room, budgets = Room(), Budgets(register)
        passwords = Passwords(house.real, room, house.origin)
        proving = Proving(register, budgets, Passkeys(house.origin), house.sealing_key)
        self.sessions = Sessions(register)
        self.invitations = Invitations(register, passwords, self.sessions, house.origin)
        self.sign_in = SignIn(register, budgets, passwords, proving, self.sessions)
        self.step_ups = StepUps(register, proving, self.sessions)
        self.factors = Factors(register, budgets, passwords, proving, self.sessions, self.step_ups)
        self.recovery = Recovery(register, self.invitations)
        self.oidc = (
            Oidc(register, proving, self.sessions, provider, room) if provider is not None else None
        )

    def now_ms(self) -> int:
        """Return now as people live it: the machine's time, also in a sandbox (ms, UTC)."""
        return self._register.real.now_ms()

    def find(self, person_id: str) -> Person:
        """Return one person; raises NotFound."""
        return self._register.store.read(lambda tx: people.get(tx, person_id))

    def owner_of(self, account_id: str) -> Person | None:
        """Return who signs in for an account, None where nobody was invited; raises NotFound."""

        def look(tx: Transaction) -> Person | None:
            accounts.get(tx, account_id)
            return people.owner_of(tx, account_id)

        return self._register.store.read(look)

    def operators(self) -> list[Person]:
        """Return the people of the house, the oldest first."""
        return self._register.store.read(people.operators)

    def has_anybody(self) -> bool:
        """Whether anybody has joined; until then a start prints a link that lets somebody in."""
        return self._register.store.read(people.has_anybody)

    def prefer(self, person_id: PersonId, *, language: str | None, time_zone: str | None) -> Person:
        """Change how somebody is spoken to; None takes the house's own. Raises Invalid."""
        tag = language and language_of(language)
        zone = time_zone and languages.require_time_zone(time_zone)

        def prefer(tx: Transaction) -> tuple[Person, Event | None]:
            before = people.get(tx, person_id)
            after = replace(before, language=tag or None, time_zone=zone or None)
            if after == before:
                return before, None
            people.save(tx, after)
            return after, self._register.record(tx, Tag.PERSON_CHANGED, after)

        return self._register.change(prefer)

    def remove(self, person_id: str, actor: str) -> Person:
        """
        Let somebody in no more, at once; raises NotFound, Conflict `last_administrator`.

        `on_hold` while a recovery is under way: whoever began it ends it.
        """
        return self._register.change(lambda tx: self.remove_in(tx, person_id, actor))

    def operator_in(self, tx: Transaction, person_id: str) -> Person:
        """Return somebody of the house, in the caller's transaction; raises NotFound."""
        person = people.get(tx, person_id)
        if not person.role.is_operators:
            raise NotFound("there is no such person of the house")
        return person

    def role_in(
        self, tx: Transaction, person_id: str, role: Role, actor: str
    ) -> tuple[Person, Event | None]:
        """
        Give an operator another role, in the caller's transaction; his sessions end.

        Raises NotFound, Invalid, Conflict `last_administrator`.
        """
        before = people.get(tx, person_id)
        if not (before.role.is_operators and role.is_operators):
            raise Invalid("role", "an owner is no operator, and no operator an owner")
        if before.role is role:
            return before, None
        after = replace(before, role=role)
        people.save(tx, after)
        _require_administrator(tx, before)
        sessions.end_all(tx, person_id)
        return after, self._register.record(
            tx, Tag.PERSON_ROLE_CHANGED, after, actor, role_before=str(before.role)
        )

    def remove_in(self, tx: Transaction, person_id: str, actor: str) -> tuple[Person, Event]:
        """Do `remove` in the caller's transaction."""
        before = people.get(tx, person_id)
        if before.recovery is not None:
            raise Conflict("on_hold", "a recovery is under way: complete or cancel that")
        now_ms = self._register.real.now_ms()
        factors.clear(tx, person_id)
        invitations.withdraw(tx, person_id)
        sessions.end_all(tx, person_id)
        after = replace(without_factors(before), removed_at_ms=now_ms)
        people.save(tx, after)
        _require_administrator(tx, before)
        return after, self._register.record(tx, Tag.PERSON_REMOVED, after, actor)


def _require_administrator(tx: Transaction, before: Person) -> None:
    """Raise Conflict where *before* was the last administrator who could sign in."""
    was_one = before.role is Role.ADMINISTRATOR and before.has_joined
    if was_one and not people.administrators(tx):
        raise Conflict("last_administrator", "nobody could let anybody in: name another one first")
