"""
Signing in: a password and then a second factor; or a passkey, which is both.

Whether it was the name or the password that did not fit shows neither in the answer nor in the work
done for it. What is proved, and how, is in `passwords` and `proving`.
"""

from dataclasses import dataclass
from typing import Final

from tenure.domain.people import PasskeyAnswer, Person, Proof, Session, Stage
from tenure.services.people.budgets import Budgets, wrong
from tenure.services.people.passwords import Passwords
from tenure.services.people.proving import Proving
from tenure.services.people.register import Register
from tenure.services.people.sessions import Begun, Sessions, expired
from tenure.store import factors, people
from tenure.store.db import Transaction

_SECOND: Final = "sign-in"
_ALONE: Final = "passkey alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A challenge for whoever is nobody yet: its id, and the options for the browser as JSON."""

    challenge_id: str
    options: str


class SignIn:
    """Lets people in."""

    def __init__(
        self,
        register: Register,
        budgets: Budgets,
        passwords: Passwords,
        proving: Proving,
        sessions: Sessions,
    ) -> None:
        """One per worker."""
        self._register, self._budgets, self._passwords = register, budgets, passwords
        self._proving, self._sessions = proving, sessions

    def password(self, email: str, password: str, *, agent: str = "") -> Begun:
        """
        Begin a session at Stage.PASSWORD, or at ENROLLING where there is no second factor yet.

        Raises Unauthenticated `wrong` or `locked`, Unavailable `busy`.
        """
        attempt_id = self._budgets.take(email)

        def look(tx: Transaction) -> tuple[Person | None, str | None]:
            person = people.by_name(tx, email)
            return person, factors.password_of(tx, person.person_id if person else "")

        person, hashed = self._register.store.read(look)
        is_right = self._passwords.verify(hashed, password)
        if person is None or hashed is None or not is_right:
            self._budgets.note_wrong_password(email)
            raise wrong()
        self._budgets.give_back(attempt_id)
        if self._passwords.is_dated(hashed):
            fresh = self._passwords.hash(password)
            self._register.store.write(
                lambda tx: factors.rehash(tx, person.person_id, hashed, fresh)
            )

        def begin(tx: Transaction) -> Begun:
            held = people.get(tx, person.person_id)
            return self._sessions.begin_in(tx, held, held.stage_after_first_factor, agent)

        return self._register.store.write(begin)

    def passkey_options(self, session: Session) -> str:
        """Return the options (JSON) for a passkey as the second factor of *session*."""
        return self._proving.ask(session, _SECOND)

    def prove(self, session: Session, proof: Proof) -> Begun:
        """
        Turn *session*, at Stage.PASSWORD, into a full one under a new id.

        Raises Unauthenticated `wrong`, `locked`, or `expired` for a session at another stage.
        """
        if session.stage is not Stage.PASSWORD:
            raise expired()
        self._proving.prove(session, _SECOND, proof)

        def begin(tx: Transaction) -> Begun:
            self._budgets.forgive(tx, session.person)
            return self._sessions.renew_in(tx, session, Stage.FULL)

        return self._register.store.write(begin)

    def ask_for_passkey(self) -> Asked:
        """Ask for a passkey without a name and a password: it is both factors."""
        challenge = self._proving.verifier.challenge(self._register.real)
        challenge_id = self._register.store.write(
            lambda tx: self._proving.keep(tx, _ALONE, "", challenge)
        )
        options = self._proving.verifier.request((), challenge)
        return Asked(challenge_id=challenge_id, options=options)

    def by_passkey(self, challenge_id: str, answer: PasskeyAnswer, *, agent: str = "") -> Begun:
        """Begin a full session for the holder of the passkey that answered; raises as `prove`."""
        person = self._proving.by_any_passkey(challenge_id, _ALONE, answer.text)

        def begin(tx: Transaction) -> Begun:
            held = people.get(tx, person.person_id)
            self._budgets.forgive(tx, held)
            return self._sessions.begin_in(tx, held, Stage.FULL, agent)

        return self._register.store.write(begin)
