"""
Budgets of failed attempts: five in a quarter of an hour, shared by all who try (SECURITY T21).

Wrong passwords only pause a name, known or not: whoever knows an address could lock its owner out
otherwise. Wrong codes come from somebody who has the password already: they lock the codes until a
passkey or a recovery code is shown, and so does a slow trickle of them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tenure.clock import new_id
from tenure.domain.errors import Unauthenticated, Unavailable
from tenure.domain.events import Event, Tag
from tenure.domain.people import FAILURES_MAX, FAILURES_WINDOW_MS, Person, sign_in_name
from tenure.services.people.register import Register, digest
from tenure.store import attempts, people
from tenure.store.db import Transaction

KEPT_MS: Final = 30 * 86_400_000
"""How long wrong codes are remembered."""
TRICKLE_MAX: Final = 20
"""
Wrong codes in thirty days without a sign-in between them, however slowly they come.

Four in each quarter of an hour would go unnoticed, and be 11,520 in a month: one chance in thirty.
"""
_PASSWORD, _CODE = "pwd", "try"
"""What the ids of attempts begin with: of what anybody can cause, and of what takes a password."""
ACTOR: Final = "tenure:people"
"""Who locks: whoever tried is unknown."""
_WARNED_EVERY_MS: Final = 86_400_000
"""Owners hear of wrong passwords once a day: anybody can cause them."""


class Budgets:
    """Counts what failed, by name and by person."""

    def __init__(self, register: Register) -> None:
        """Everything is counted in the store, so that all workers share it."""
        self._register = register

    def judge(self, email: str, verify: Callable[[], bool]) -> bool:
        """
        Return what *verify* says of a password for *email*, an attempt out of its budget.

        Raises Unauthenticated `locked` where nothing is left, and whatever *verify* does: then the
        attempt did not count.
        """
        attempt_id = self._take(email)
        try:
            is_right = verify()
        except Unavailable:
            self._give_back(attempt_id)
            raise
        if is_right:
            self._give_back(attempt_id)
        else:
            self._note_wrong_password(email)
        return is_right

    def _take(self, email: str) -> str:
        """Take an attempt out of a budget before it is verified: many at once share it."""
        subject, attempt_id = _of_name(email), new_id(self._register.real, _PASSWORD)
        now_ms = self._register.real.now_ms()

        def take(tx: Transaction) -> bool:
            if attempts.count(tx, subject, now_ms - FAILURES_WINDOW_MS) >= FAILURES_MAX:
                return False
            attempts.note(tx, attempt_id, subject, now_ms)
            return True

        if not self._register.store.write(take):
            raise locked()
        return attempt_id

    def _give_back(self, attempt_id: str) -> None:
        self._register.store.write(lambda tx: attempts.take_back(tx, attempt_id))

    def _note_wrong_password(self, email: str) -> None:
        """Tell whoever *email* is of, once the budget is spent."""
        now_ms = self._register.real.now_ms()
        since_ms = now_ms - FAILURES_WINDOW_MS

        def note(tx: Transaction) -> tuple[None, Event | None]:
            person = people.by_name(tx, email)
            if person is None or attempts.count(tx, _of_name(email), since_ms) < FAILURES_MAX:
                return None, None
            if not people.warn(tx, person.person_id, now_ms, now_ms - _WARNED_EVERY_MS):
                return None, None
            return None, self._register.record(
                tx, Tag.PERSON_LOCKED, person, ACTOR, factor="password"
            )

        self._register.change(note)

    def require_codes(self, tx: Transaction, person: Person) -> None:
        """Raise Unauthenticated `locked` where no code is taken from *person* any more."""
        if people.get(tx, person.person_id).locked_at_ms is not None:
            raise locked()

    def note_wrong_code(self, tx: Transaction, person: Person) -> Event | None:
        """Note a wrong code, and lock codes where the budget is spent: then with an event."""
        now_ms, subject = self._register.real.now_ms(), _of_person(person)
        attempts.note(tx, new_id(self._register.real, _CODE), subject, now_ms)
        is_spent = (
            attempts.count(tx, subject, now_ms - FAILURES_WINDOW_MS) >= FAILURES_MAX
            or attempts.count(tx, subject, now_ms - KEPT_MS) >= TRICKLE_MAX
        )
        if not is_spent:
            return None
        held = replace(people.get(tx, person.person_id), locked_at_ms=now_ms)
        people.save(tx, held)
        return self._register.record(tx, Tag.PERSON_LOCKED, held, ACTOR, factor="totp")

    def forgive(self, tx: Transaction, person: Person) -> None:
        """Give all budgets of *person* back: everything there is to prove was proved."""
        attempts.forget(tx, _of_name(person.email))
        attempts.forget(tx, _of_person(person))

    def unlock(self, tx: Transaction, person: Person) -> None:
        """Take codes again: something was shown that cannot be guessed."""
        held = people.get(tx, person.person_id)
        if held.locked_at_ms is not None:
            people.save(tx, replace(held, locked_at_ms=None))


def forget_past(tx: Transaction, now_ms: int) -> None:
    """
    Forget the attempts that count no more.

    Wrong passwords of unknown names at once when their window is over: anybody can make as many as
    this machine verifies, and each is a row.
    """
    attempts.forget_past(tx, _PASSWORD, now_ms - FAILURES_WINDOW_MS)
    attempts.forget_past(tx, _CODE, now_ms - KEPT_MS)


def locked() -> Unauthenticated:
    """Return what somebody is told whose budget is spent; of an unknown name the same."""
    return Unauthenticated(
        "too many tries failed: wait a quarter of an hour, or use a passkey or a recovery code",
        code="locked",
    )


def wrong() -> Unauthenticated:
    """Return what somebody is told who proved nothing, whatever it was that did not fit."""
    return Unauthenticated("that does not fit", code="wrong")


def _of_name(email: str) -> str:
    return digest("password", sign_in_name(email))


def _of_person(person: Person) -> str:
    return digest("code", person.person_id)
