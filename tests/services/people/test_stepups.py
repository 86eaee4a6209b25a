"""Step-ups: a second factor for one act, in one visit, once, for five minutes (T24)."""

from collections.abc import Callable

import pytest

from tenure.domain.errors import Forbidden, Unauthenticated
from tenure.domain.people import STEP_UP_MS, PasskeyAnswer, RecoveryCode, TotpCode
from tenure.services.people.stepups import Change
from tests.services.people.doors import Door
from tests.together import together

ACT = "keys.edit key_1 stamp_1"


def is_missing(act: Callable[[], object]) -> bool:
    with pytest.raises(Forbidden) as raised:
        act()
    return raised.value.code == "step_up"


def test_an_act_that_was_approved_is_done_once(door: Door) -> None:
    one = door.owner()
    assert not door.people.step_ups.is_proved(door.session(one), ACT)
    session = door.approve(one, ACT)

    assert door.people.step_ups.is_proved(session, ACT)
    assert not door.people.step_ups.is_proved(session, "another act")
    door.people.step_ups.spend(session, ACT, None)
    assert not door.people.step_ups.is_proved(session, ACT)
    assert is_missing(lambda: door.people.step_ups.spend(session, ACT, None))


def test_of_many_who_act_by_one_approval_one_can(shared: Door) -> None:
    one = shared.owner()
    session = shared.approve(one, ACT)

    def spend() -> bool:
        try:
            shared.people.step_ups.spend(session, ACT, None)
        except Forbidden:
            return False
        return True

    assert sorted(together([spend] * 8)) == [False] * 7 + [True]


def test_a_factor_that_is_given_with_its_act_approves_nobody_elses(door: Door) -> None:
    """It is spent as it is given: in between there is no moment for whoever is quicker."""
    one = door.owner()
    session = door.session(one)

    spent = door.people.step_ups.spend(session, ACT, door.next_code(one))

    assert not door.people.step_ups.is_proved(session, ACT)
    assert spent.begun is not None
    assert door.take(one, spent.begun).visit_id == session.visit_id
    assert is_missing(lambda: door.people.step_ups.spend(door.session(one), ACT, None))


def test_what_is_given_back_holds_for_what_remains_of_its_time(door: Door) -> None:
    one = door.owner()
    session = door.approve(one, ACT)
    spent = door.people.step_ups.spend(session, ACT, None)
    door.real.advance(STEP_UP_MS - 1)

    door.people.step_ups.give_back(spent)

    assert door.people.step_ups.is_proved(session, ACT)
    assert not door.people.step_ups.is_proved(session, "another act")
    door.real.advance(1)
    assert not door.people.step_ups.is_proved(session, ACT)


def test_what_is_given_back_takes_nothing_from_a_later_approval(door: Door) -> None:
    one = door.owner()
    spent = door.people.step_ups.spend(door.approve(one, ACT), ACT, None)
    door.real.advance(STEP_UP_MS // 2)
    session = door.approve(one, ACT)

    door.people.step_ups.give_back(spent)

    door.real.advance(STEP_UP_MS - 1)
    door.people.step_ups.spend(session, ACT, None)


def test_a_stolen_cookie_alone_approves_nothing(door: Door) -> None:
    one = door.owner()
    thief = door.people.sessions.find(one.cookie)

    assert is_missing(lambda: door.people.step_ups.spend(thief, ACT, None))
    with pytest.raises(Unauthenticated):
        door.people.step_ups.prove(thief, ACT, TotpCode("000000"))
    assert is_missing(lambda: door.people.step_ups.spend(thief, ACT, None))


@pytest.mark.parametrize("other", ["keys.edit key_1 stamp_2", "", ACT + " ", ACT.upper()])
def test_it_is_good_for_the_act_it_names_and_no_other(door: Door, other: str) -> None:
    one = door.owner()
    session = door.approve(one, ACT)

    assert is_missing(lambda: door.people.step_ups.spend(session, other, None))
    door.people.step_ups.spend(session, ACT, None)


def test_it_is_good_for_five_minutes(door: Door) -> None:
    one = door.owner()
    first, second = door.approve(one, "first"), door.approve(one, "second")
    door.real.advance(STEP_UP_MS - 1)
    door.people.step_ups.spend(second, "second", None)

    third = door.approve(one, "third")
    door.real.advance(STEP_UP_MS)
    assert is_missing(lambda: door.people.step_ups.spend(third, "third", None))
    assert is_missing(lambda: door.people.step_ups.spend(first, "first", None))


def test_it_is_good_in_the_visit_it_was_given_in(door: Door) -> None:
    one = door.owner()
    door.approve(one, ACT)
    elsewhere = door.sign_in(one)

    assert is_missing(lambda: door.people.step_ups.spend(elsewhere, ACT, None))


def test_two_tabs_approve_two_acts_and_do_both(door: Door) -> None:
    """The cookie got a new value in between; what was asked before is answered all the same."""
    one = door.owner(passkey=True)
    assert one.passkey is not None
    before = door.session(one)
    options = door.people.step_ups.passkey_options(before, "first")
    other = PasskeyAnswer(
        one.passkey.answer(door.people.step_ups.passkey_options(before, "second"))
    )
    door.take(one, door.people.step_ups.prove(door.session(one), "second", other))

    answer = PasskeyAnswer(one.passkey.answer(options))
    session = door.take(one, door.people.step_ups.prove(door.session(one), "first", answer))
    door.people.step_ups.spend(session, "first", None)
    door.people.step_ups.spend(session, "second", None)


def test_a_passkey_approves_the_act_it_was_asked_for(door: Door) -> None:
    one = door.owner(passkey=True)
    assert one.passkey is not None
    session = door.session(one)
    answer = PasskeyAnswer(one.passkey.answer(door.people.step_ups.passkey_options(session, ACT)))

    with pytest.raises(Unauthenticated):
        door.people.step_ups.prove(session, "another act", answer)
    door.people.step_ups.prove(session, ACT, answer)


def test_a_sign_in_is_not_approved_by_what_was_asked_for_an_act(door: Door) -> None:
    one = door.owner(passkey=True)
    assert one.passkey is not None
    session = door.say_password(one)
    answer = PasskeyAnswer(one.passkey.answer(door.people.step_ups.passkey_options(session, ACT)))

    with pytest.raises(Unauthenticated):
        door.people.sign_in.prove(session, answer)


def test_a_recovery_code_approves_a_change_of_factors_and_nothing_else(door: Door) -> None:
    one = door.owner()
    session = door.session(one)
    code = RecoveryCode(one.codes[0])

    assert is_missing(lambda: door.people.step_ups.prove(session, ACT, code))
    assert door.again(one).recovery_codes_left == 10
    after = door.take(one, door.people.step_ups.prove(session, Change.RENEW_CODES, code))
    door.people.step_ups.spend(after, Change.RENEW_CODES, None)


def test_half_a_sign_in_approves_nothing(door: Door) -> None:
    one = door.owner()
    session = door.say_password(one)

    with pytest.raises(Unauthenticated) as raised:
        door.people.step_ups.prove(session, ACT, door.next_code(one))
    assert raised.value.code == "expired"


def test_wrong_codes_for_acts_are_counted_with_those_at_sign_in(door: Door) -> None:
    """A stolen cookie is no way around the budget."""
    one = door.owner()
    session = door.session(one)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            door.people.step_ups.prove(session, ACT, TotpCode("12345x"))

    with pytest.raises(Unauthenticated) as raised:
        door.people.step_ups.prove(session, ACT, door.next_code(one))
    assert raised.value.code == "locked"
