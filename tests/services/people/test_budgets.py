"""Budgets of failures: five in a quarter of an hour, however many try (T21, BI-42)."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from tenure.domain.errors import Unauthenticated, Unavailable
from tenure.domain.notices import Kind
from tenure.domain.people import (
    FAILURES_WINDOW_MS,
    PasskeyAnswer,
    RecoveryCode,
    Session,
    Stage,
    TotpCode,
)
from tenure.services.people.budgets import TRICKLE_MAX
from tenure.services.people.passwords import Passwords
from tenure.services.people.totp import STEP_MS
from tests.builders import DAY_MS
from tests.services.people.doors import PASSWORD, Door, Somebody
from tests.services.telling import Teller
from tests.together import together

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

WRONG = "another password entirely"
LOCKED = "person:locked"


def why(act: Callable[[], object]) -> str:
    """Return what the act was refused for."""
    with pytest.raises(Unauthenticated) as raised:
        act()
    return raised.value.code


def say(door: Door, email: str, password: str) -> str:
    return why(lambda: door.people.sign_in.password(email, password))


def try_code(door: Door, session: Session, text: str) -> str:
    return why(lambda: door.people.sign_in.prove(session, TotpCode(text)))


def wrong_code(door: Door, one: Somebody) -> str:
    """Return a code that no step around now has."""
    near = {door.code(one, steps) for steps in range(-2, 3)}
    return next(text for text in (f"{number:06}" for number in range(10)) if text not in near)


def test_after_five_wrong_passwords_the_right_one_waits_too(door: Door) -> None:
    one = door.owner()
    known = door.parts.journal.head()

    assert [say(door, one.person.email, WRONG) for _ in range(5)] == ["wrong"] * 5
    assert say(door, one.person.email, PASSWORD) == "locked"
    door.real.advance(FAILURES_WINDOW_MS - 1)
    assert say(door, one.person.email, PASSWORD) == "locked"
    door.real.advance(1)
    assert door.say_password(one).stage is Stage.PASSWORD
    assert door.parts.tags(known) == [LOCKED]


def test_an_unknown_name_is_answered_as_a_known_one_is(door: Door) -> None:
    one = door.owner()

    def answers(email: str) -> list[tuple[str, str]]:
        found = []
        for _ in range(7):
            with pytest.raises(Unauthenticated) as raised:
                door.people.sign_in.password(email, WRONG)
            found.append((raised.value.code, raised.value.message))
        return found

    assert answers(one.person.email) == answers("nobody@example.com")


def test_a_name_in_capitals_has_the_same_budget(door: Door) -> None:
    one = door.owner()
    spelled = [one.person.email.upper(), one.person.email.title(), f" {one.person.email} "]

    assert [say(door, email, WRONG) for email in [*spelled, *spelled]][-1] == "locked"


def test_owners_hear_of_wrong_passwords_once_a_day(door: Door) -> None:
    """Anybody can cause them; they must not become a way to flood somebody's mail."""
    one = door.owner()
    known = door.parts.journal.head()
    for _ in range(8):
        for _ in range(5):
            say(door, one.person.email, WRONG)
        door.real.advance(FAILURES_WINDOW_MS)
    assert door.parts.tags(known) == [LOCKED]

    door.real.advance(DAY_MS)
    for _ in range(5):
        say(door, one.person.email, WRONG)
    assert door.parts.tags(known) == [LOCKED] * 2


def test_a_right_password_costs_nothing(door: Door) -> None:
    one = door.owner()

    for _ in range(20):
        door.say_password(one)


def test_bad_codes_are_401_and_the_sixth_failure_finds_them_locked(door: Door) -> None:
    """BI-42: the same code, full-width digits, seven of them, one two steps old, any other."""
    one = door.owner()
    spent = door.code(one)
    session = door.say_password(one)
    wide = door.code(one, 1).translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    known = door.parts.journal.head()

    tried = [spent, wide, "1234567", door.code(one, -2), wrong_code(door, one)]
    assert [try_code(door, session, text) for text in tried] == ["wrong"] * 5

    assert try_code(door, session, door.next_code(one).text) == "locked"
    assert door.parts.tags(known) == [LOCKED]
    assert door.again(one).locked_at_ms is not None
    assert Teller(door.parts).kinds(str(one.person.account_id))[-1] is Kind.SIGN_IN_LOCKED


def test_a_code_acts_once_in_whatever_spelling_and_session(door: Door) -> None:
    """SECURITY P19: it is spent by its step, not by its text."""
    one = door.owner()
    first, second = door.say_password(one), door.say_password(one)
    code = door.next_code(one).text
    door.people.sign_in.prove(first, TotpCode(code))

    for text in (code, f"{code[:3]} {code[3:]}"):
        assert try_code(door, second, text) == "wrong"


def test_a_code_from_before_the_one_that_was_used_is_spent_too(door: Door) -> None:
    one = door.owner()
    door.real.advance(3 * STEP_MS)
    first, second = door.say_password(one), door.say_password(one)
    earlier, later = door.code(one), door.code(one, 1)
    door.people.sign_in.prove(first, TotpCode(later))

    assert try_code(door, second, earlier) == "wrong"


def test_locked_codes_stay_locked_however_long_one_waits(door: Door) -> None:
    one = door.owner()
    lock(door, one)

    door.real.advance(400 * DAY_MS)

    assert try_code(door, door.say_password(one), door.code(one)) == "locked"


def test_a_recovery_code_lets_in_where_codes_are_locked_and_opens_them(door: Door) -> None:
    one = door.owner()
    lock(door, one)

    proof = RecoveryCode(one.codes[0].upper())
    assert door.people.sign_in.prove(door.say_password(one), proof).session.is_full
    assert door.again(one).locked_at_ms is None
    assert door.sign_in(one).is_full


def test_a_passkey_lets_in_where_codes_are_locked_and_opens_them(door: Door) -> None:
    one = door.owner()
    door.approve(one)
    door.add_passkey(one)
    lock(door, one)

    session = door.say_password(one)
    assert one.passkey is not None
    answer = one.passkey.answer(door.people.sign_in.passkey_options(session))
    assert door.people.sign_in.prove(session, PasskeyAnswer(answer)).session.is_full
    assert door.again(one).locked_at_ms is None


def lock(door: Door, one: Somebody) -> None:
    session = door.say_password(one)
    for _ in range(5):
        assert try_code(door, session, wrong_code(door, one)) == "wrong"


def test_a_trickle_of_wrong_codes_locks_them_too(door: Door) -> None:
    """Four in each quarter of an hour never reach five, and would get there in the end."""
    one = door.owner()
    for _ in range(TRICKLE_MAX // 4):
        session = door.say_password(one)
        for _ in range(4):
            assert try_code(door, session, wrong_code(door, one)) == "wrong"
        door.real.advance(FAILURES_WINDOW_MS)

    assert try_code(door, door.say_password(one), door.code(one)) == "locked"


def test_signing_in_gives_the_budgets_back(door: Door) -> None:
    one = door.owner()
    for _ in range(3):
        for _ in range(4):
            say(door, one.person.email, WRONG)
        session = door.say_password(one)
        for _ in range(4):
            try_code(door, session, wrong_code(door, one))
        assert door.take(one, door.people.sign_in.prove(session, door.next_code(one))).is_full


def test_a_hundred_sessions_at_once_share_one_budget(shared: Door) -> None:
    """T21: whoever has the password may sign in often, and guesses five codes all the same."""
    one = shared.owner()
    sessions = [shared.say_password(one) for _ in range(100)]
    guess = TotpCode(wrong_code(shared, one))
    known = shared.parts.journal.head()

    def attempt(session: Session) -> str:
        try:
            return why(lambda: shared.people.sign_in.prove(session, guess))
        except Unavailable:
            return "busy"

    found = together([partial(attempt, session) for session in sessions])

    assert found.count("wrong") == 5
    assert set(found) <= {"wrong", "locked", "busy"}
    assert shared.parts.tags(known) == [LOCKED]


def test_twenty_wrong_passwords_at_once_share_one_budget(
    shared: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noted before they are verified: the hash takes long, and many would slip in meanwhile."""
    one = shared.owner()
    known = shared.parts.journal.head()
    moving, settled = threading.Condition(), [0]

    def settle() -> None:
        with moving:
            settled[0] += 1
            moving.notify_all()

    def hashing(_self: Passwords, _hashed: str | None, _password: str) -> bool:
        # As slow as can be: until each of the others hashes as well, or was sent away.
        settle()
        with moving:
            moving.wait_for(lambda: settled[0] >= 20, timeout=60)
        return False

    def attempt() -> str:
        found = say(shared, one.person.email, WRONG)
        if found == "locked":
            settle()
        return found

    monkeypatch.setattr(Passwords, "verify", hashing)

    found = together([attempt] * 20)

    assert sorted(found) == ["locked"] * 15 + ["wrong"] * 5
    assert shared.parts.tags(known) == [LOCKED]


def test_who_is_sent_away_because_too_many_come_spends_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = door.owner()

    def busy(_self: Passwords, _hashed: str | None, _password: str) -> bool:
        raise Unavailable("busy")

    with monkeypatch.context() as crowded:
        crowded.setattr(Passwords, "verify", busy)
        for _ in range(10):
            with pytest.raises(Unavailable):
                door.say_password(one)

    assert door.say_password(one).stage is Stage.PASSWORD
