"""Second factors added and removed, codes renewed, the password changed: each on record, once."""

from collections.abc import Callable

import pytest

from tenure.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from tenure.domain.notices import Kind, Urgency
from tenure.domain.people import (
    CHALLENGE_MS,
    PASSKEYS_MAX,
    RECOVERY_HOLD_MS,
    PasskeyAnswer,
    RecoveryCode,
    Session,
    Stage,
    TotpCode,
)
from tenure.services.people.stepups import Change
from tests.authenticator import Authenticator
from tests.services.parts import ACTOR
from tests.services.people.doors import ORIGIN, PASSWORD, Door, Somebody
from tests.services.telling import Teller

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

NEW_PASSWORD = "a staple of correct batteries"


def conflict(act: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as raised:
        act()
    return raised.value.code


def is_over(door: Door, cookie: str) -> bool:
    try:
        return door.people.sessions.find(cookie) is None
    except Unauthenticated:
        return True


def test_the_first_factor_lets_in_and_comes_with_ten_codes(door: Door) -> None:
    one = door.joining(door.invite())
    assert door.session(one).stage is Stage.ENROLLING
    half = one.cookie

    enrolled = door.add_totp(one)

    assert enrolled.begun.session.is_full
    assert len(enrolled.recovery_codes) == 10
    assert enrolled.person.recovery_codes_left == 10
    assert is_over(door, half)


def test_a_second_factor_needs_the_first_and_keeps_the_codes(door: Door) -> None:
    one = door.owner()
    with pytest.raises(Forbidden) as raised:
        door.add_passkey(one)
    assert raised.value.code == "step_up"

    door.approve(one)
    enrolled = door.add_passkey(one)
    assert enrolled.recovery_codes == ()
    assert enrolled.person.factors == 2
    with pytest.raises(Forbidden):
        door.people.factors.passkey_options(door.session(one))


def test_every_change_is_one_event_and_one_notice_and_ends_the_other_sessions(door: Door) -> None:
    one = door.owner()
    account_id = str(one.person.account_id)

    def change(act: Callable[[], object], approved: str) -> list[str]:
        elsewhere = one.cookie
        door.sign_in(one)
        known, told = door.parts.journal.head(), len(Teller(door.parts).told(account_id))
        door.approve(one, approved)
        act()
        assert is_over(door, elsewhere)
        assert not is_over(door, one.cookie)
        assert Teller(door.parts).kinds(account_id)[told:] == [Kind.SIGN_IN_CHANGED]
        return door.parts.tags(known)

    factors = door.people.factors
    assert change(lambda: door.add_passkey(one), Change.ADD_PASSKEY) == ["person:factor_added"]
    passkey_id = door.again(one).passkeys[0].passkey_id
    assert change(
        lambda: door.take(one, factors.remove_passkey(door.session(one), passkey_id)),
        Change.REMOVE_PASSKEY.of(passkey_id),
    ) == ["person:factor_removed"]
    assert change(
        lambda: door.take(one, factors.change_password(door.session(one), PASSWORD, NEW_PASSWORD)),
        Change.PASSWORD,
    ) == ["person:password_changed"]


@pytest.mark.parametrize("passkey", [False, True])
def test_joining_is_two_notices_that_are_not_urgent(door: Door, *, passkey: bool) -> None:
    """The link that was made for him, and that it was taken."""
    one = door.owner(passkey=passkey)

    told = [each.notice for each in Teller(door.parts).told(str(one.person.account_id))]
    assert [notice.facts.get("change") for notice in told] == ["invited", "factor_added"]
    assert {notice.urgency for notice in told} == {Urgency.NORMAL}
    assert told[1].facts["factor"] == ("passkey" if passkey else "totp")


def test_who_is_let_in_again_is_told_of_it_urgently(door: Door) -> None:
    one = door.owner()
    account_id = str(one.person.account_id)
    known = len(Teller(door.parts).told(account_id))
    door.people.recovery.begin(account_id, ACTOR)
    door.real.advance(RECOVERY_HOLD_MS)
    again = door.joining(door.people.recovery.complete(account_id, ACTOR))
    door.add_totp(again)

    told = [each.notice for each in Teller(door.parts).told(account_id)[known:]]
    assert Kind.RECOVERY_ENDED in {each.kind for each in told if each.urgency is Urgency.HIGH}
    assert told[-1].facts["change"] == "factor_added"


def test_codes_that_are_renewed_are_new_and_the_old_ones_void(door: Door) -> None:
    one = door.owner()
    known = door.parts.journal.head()
    session = door.approve(one, Change.RENEW_CODES)

    made = [code.reveal() for code in door.people.factors.renew_recovery_codes(session)]

    assert len(made) == 10
    assert not set(made) & set(one.codes)
    assert door.parts.tags(known) == ["person:recovery_codes_renewed"]
    half = door.say_password(one)
    with pytest.raises(Unauthenticated):
        door.people.sign_in.prove(half, RecoveryCode(one.codes[0]))
    assert door.people.sign_in.prove(half, RecoveryCode(made[0])).session.is_full


@pytest.mark.parametrize(
    "act", ["totp", "passkey", "codes", "password", "remove app", "remove key"]
)
def test_a_stolen_cookie_changes_nothing(door: Door, act: str) -> None:
    one = door.owner()
    door.approve(one)
    door.add_passkey(one)
    session, factors = door.session(one), door.people.factors
    acts: dict[str, Callable[[], object]] = {
        "totp": lambda: factors.begin_totp(session),
        "passkey": lambda: factors.passkey_options(session),
        "codes": lambda: factors.renew_recovery_codes(session),
        "password": lambda: factors.change_password(session, PASSWORD, NEW_PASSWORD),
        "remove app": lambda: factors.remove_totp(session),
        "remove key": lambda: factors.remove_passkey(session, one.person.passkeys[0].passkey_id),
    }
    known = door.parts.journal.head()
    # What was approved is another act: an approval of one change serves no other (SECURITY T24).
    others = {
        "totp": Change.ADD_PASSKEY,
        "passkey": Change.RENEW_CODES,
        "codes": Change.PASSWORD,
        "password": Change.ADD_PASSKEY,
        "remove app": Change.REMOVE_PASSKEY.of(one.person.passkeys[0].passkey_id),
        "remove key": Change.REMOVE_PASSKEY.of("psk_" + "0" * 24),
    }
    session = door.approve(one, others[act])

    with pytest.raises(Forbidden) as raised:
        acts[act]()
    assert raised.value.code == "step_up"
    assert door.parts.tags(known) == []


def test_half_a_sign_in_changes_nothing(door: Door) -> None:
    one = door.owner()
    session = door.say_password(one)

    with pytest.raises(Forbidden):
        door.people.factors.begin_totp(session)
    with pytest.raises(Unauthenticated):
        door.people.factors.change_password(session, PASSWORD, NEW_PASSWORD)


def test_who_has_a_factor_by_now_sets_no_other_first_one_up(door: Door) -> None:
    """Two windows at Stage.ENROLLING, one of them somebody else's."""
    one = door.joining(door.invite())
    cookie = one.cookie
    thief = door.people.sign_in.password(one.person.email, PASSWORD).session
    assert thief.stage is Stage.ENROLLING
    door.people.factors.passkey_options(thief)
    door.add_totp(one)

    with pytest.raises(Unauthenticated):
        door.people.factors.begin_totp(thief)
    assert is_over(door, cookie)


def test_an_app_is_set_up_once_and_by_a_code_of_its_own(door: Door) -> None:
    one = door.joining(door.invite())
    session = door.session(one)
    setup = door.people.factors.begin_totp(session)
    one.seed = setup.seed.reveal()

    assert one.seed in setup.uri.reveal()
    assert setup.picture.reveal().startswith("<svg")
    assert one.seed not in repr(setup)
    for wrong in ("000000", "", "１２３４５６"):  # noqa: RUF001 - on purpose
        with pytest.raises(Unauthenticated):
            door.people.factors.confirm_totp(session, wrong)
    assert door.people.factors.totp_setup(session).seed == setup.seed
    door.take(one, door.people.factors.confirm_totp(session, door.code(one)).begun)

    session = door.approve(one, Change.ADD_APP)
    assert conflict(lambda: door.people.factors.begin_totp(session)) == "exists"


def test_the_code_that_set_an_app_up_is_spent(door: Door) -> None:
    one = door.owner()
    half = door.say_password(one)

    with pytest.raises(Unauthenticated):
        door.people.sign_in.prove(half, TotpCode(door.code(one)))


def test_a_seed_that_was_shown_too_long_ago_is_none(door: Door) -> None:
    one = door.joining(door.invite())
    setup = door.people.factors.begin_totp(door.session(one))
    one.seed = setup.seed.reveal()
    door.real.advance(CHALLENGE_MS)

    session = door.session(one)
    assert conflict(lambda: door.people.factors.confirm_totp(session, door.code(one))) == "expired"
    assert conflict(lambda: door.people.factors.totp_setup(session)) == "expired"


def test_the_last_factor_is_not_removed(door: Door) -> None:
    one = door.owner()
    session = door.approve(one, Change.REMOVE_APP)
    assert conflict(lambda: door.people.factors.remove_totp(session)) == "last_factor"
    assert door.again(one).has_totp

    door.approve(one)
    door.add_passkey(one)
    # What was refused spent nothing: the approval is still there.
    session = door.session(one)
    door.take(one, door.people.factors.remove_totp(session))
    (passkey,) = door.again(one).passkeys
    session = approved_by_code(door, one, Change.REMOVE_PASSKEY.of(passkey.passkey_id))
    act = lambda: door.people.factors.remove_passkey(session, passkey.passkey_id)  # noqa: E731 - twice
    assert conflict(act) == "last_factor"
    session = approved_by_code(door, one, Change.REMOVE_APP)
    with pytest.raises(NotFound):
        door.people.factors.remove_totp(session)


def approved_by_code(door: Door, one: Somebody, act: str) -> Session:
    code = RecoveryCode(one.codes.pop())
    return door.take(one, door.people.step_ups.prove(door.session(one), act, code))


def test_a_passkey_of_somebody_else_is_not_there(door: Door) -> None:
    one, other = door.owner(), door.owner(passkey=True)
    door.approve(one)
    door.add_passkey(one)
    theirs = other.person.passkeys[0].passkey_id
    session = door.approve(one, Change.REMOVE_PASSKEY.of(theirs))

    with pytest.raises(NotFound):
        door.people.factors.remove_passkey(session, theirs)


def test_a_removed_app_is_refused_and_another_one_is_set_up(door: Door) -> None:
    one = door.owner()
    door.approve(one)
    door.add_passkey(one)
    door.approve(one, Change.REMOVE_APP)
    door.take(one, door.people.factors.remove_totp(door.session(one)))
    assert not door.again(one).has_totp

    approved_by_code(door, one, Change.ADD_APP)
    door.add_totp(one)
    assert door.sign_in(one).is_full


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"challenge": "AAAA"},
        {"type": "webauthn.get"},
        {"user_verified": False},
    ],
)
def test_a_passkey_made_for_somewhere_else_is_not_added(
    door: Door, wrong: dict[str, object]
) -> None:
    one = door.joining(door.invite())
    options = door.people.factors.passkey_options(door.session(one))
    answer = PasskeyAnswer(Authenticator(origin=ORIGIN).make(options, **wrong))

    with pytest.raises(Unauthenticated):
        door.people.factors.add_passkey(door.session(one), answer, "phone")
    assert door.again(one).passkeys == ()
    session = door.session(one)
    assert conflict(lambda: door.people.factors.add_passkey(session, answer, "x")) == "expired"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"response": 3}', "nonsense"])
def test_what_is_no_answer_is_no_passkey(door: Door, text: str) -> None:
    one = door.joining(door.invite())
    door.people.factors.passkey_options(door.session(one))

    with pytest.raises(Unauthenticated):
        door.people.factors.add_passkey(door.session(one), PasskeyAnswer(text), "phone")


def test_a_passkey_that_is_there_is_not_added_twice(door: Door) -> None:
    """The browser is told which ones there are; what answers all the same is no second factor."""
    one = door.owner(passkey=True)
    other = door.joining(door.invite())
    assert one.passkey is not None
    options = door.people.factors.passkey_options(door.session(other))
    answer = PasskeyAnswer(one.passkey.make(options))
    session = door.session(other)

    assert conflict(lambda: door.people.factors.add_passkey(session, answer, "x")) == "exists"


def test_the_browser_is_told_which_passkeys_there_are(door: Door) -> None:
    one = door.owner()
    door.approve(one)
    door.add_passkey(one)
    door.approve(one)

    options = door.people.factors.passkey_options(door.session(one))
    assert '"excludeCredentials": [{"id": "' in options
    assert '"transports": ["internal"]' in options
    assert '"userVerification": "required"' in options


@pytest.mark.parametrize("label", ["", " ", "x" * 65, "a\nb"])
def test_a_label_is_one_short_line(door: Door, label: str) -> None:
    one = door.joining(door.invite())
    options = door.people.factors.passkey_options(door.session(one))
    answer = PasskeyAnswer(Authenticator(origin=ORIGIN).make(options))

    with pytest.raises(Invalid):
        door.people.factors.add_passkey(door.session(one), answer, label)
    door.people.factors.add_passkey(door.session(one), answer, "phone")


def test_there_is_an_end_to_passkeys(door: Door) -> None:
    one = door.owner()
    for number in range(PASSKEYS_MAX):
        door.approve(one)
        door.add_passkey(one, bytes([number]))
    session = door.approve(one)

    assert conflict(lambda: door.people.factors.passkey_options(session)) == "limit"


def test_a_password_is_changed_by_who_knows_it(door: Door) -> None:
    one = door.owner()
    session = door.approve(one, Change.PASSWORD)
    factors = door.people.factors
    with pytest.raises(Unauthenticated):
        factors.change_password(session, "not the one there is", NEW_PASSWORD)
    with pytest.raises(Invalid):
        factors.change_password(session, PASSWORD, "short")

    door.take(one, factors.change_password(session, PASSWORD, NEW_PASSWORD))

    with pytest.raises(Unauthenticated):
        door.say_password(one)
    one.password = NEW_PASSWORD
    assert door.sign_in(one).is_full


def test_guessing_the_password_from_inside_is_counted_too(door: Door) -> None:
    one = door.owner()
    session = door.approve(one, Change.PASSWORD)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            door.people.factors.change_password(session, "a guess that is wrong", NEW_PASSWORD)

    with pytest.raises(Unauthenticated) as raised:
        door.people.factors.change_password(session, PASSWORD, NEW_PASSWORD)
    assert raised.value.code == "locked"


def test_no_secret_is_in_the_journal(door: Door) -> None:
    one = door.owner()
    door.approve(one)
    door.add_passkey(one)

    recorded = str([event.change for event in door.parts.events()])
    for secret in (one.password, one.seed, one.cookie, *one.codes, "argon2"):
        assert secret not in recorded
