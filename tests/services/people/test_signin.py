"""Signing in: a password and a second factor, or a passkey that is both (BI-43, T22)."""

from collections.abc import Callable

import argon2
import pytest

from tenure.domain.errors import Unauthenticated, Unavailable
from tenure.domain.notices import Kind
from tenure.domain.people import (
    CHALLENGE_MS,
    PasskeyAnswer,
    RecoveryCode,
    Role,
    Session,
    Stage,
    TotpCode,
)
from tenure.services.people.facade import House, People
from tenure.services.people.passwords import Passwords
from tenure.services.people.sessions import Begun
from tenure.store import factors
from tests.authenticator import Authenticator
from tests.services.people.doors import ORIGIN, PASSWORD, Door, Somebody
from tests.services.telling import Teller

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

HOST = "keys.example.com"
WRONG_ANSWERS = {
    "origin": "https://keys.example.com.evil.example",
    "rp_id": "evil.example",
    "challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "type": "webauthn.create",
    "user_verified": False,
}
"""What may be wrong with an answer, each by itself (T22)."""


def why(act: Callable[[], object]) -> str:
    with pytest.raises(Unauthenticated) as raised:
        act()
    return raised.value.code


def passkey_of(one: Somebody) -> Authenticator:
    assert one.passkey is not None
    return one.passkey


def answer(door: Door, one: Somebody, session: Session, **wrong: object) -> PasskeyAnswer:
    options = door.people.sign_in.passkey_options(session)
    return PasskeyAnswer(passkey_of(one).answer(options, **wrong))


def alone(door: Door, one: Somebody, **wrong: object) -> Begun:
    asked = door.people.sign_in.ask_for_passkey()
    said = PasskeyAnswer(passkey_of(one).answer(asked.options, **wrong))
    return door.people.sign_in.by_passkey(asked.challenge_id, said)


def test_a_password_is_half_and_a_code_the_other_half(door: Door) -> None:
    one = door.owner()
    session = door.say_password(one)
    assert (session.stage, session.person.person_id) == (Stage.PASSWORD, one.person.person_id)

    full = door.people.sign_in.prove(session, door.next_code(one)).session
    assert full.is_full


def test_a_name_is_taken_in_capitals_and_with_blanks_around(door: Door) -> None:
    one = door.owner()

    begun = door.people.sign_in.password(f" {one.person.email.upper()} ", PASSWORD)
    assert begun.session.person == one.person


@pytest.mark.parametrize(
    "name", ["nobody@example.com", "", "owner0@example.co\u212a", "owner0@exampl\u0435.com"]
)
def test_who_is_not_known_is_told_what_a_wrong_password_is_told(door: Door, name: str) -> None:
    """Signs that look alike, or that Unicode folds into others, are other names."""
    one = door.owner()
    assert one.person.email == "owner0@example.com"

    assert why(lambda: door.people.sign_in.password(name, PASSWORD)) == "wrong"


def test_who_is_not_known_is_given_the_same_work(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SECURITY T6: the hash of nobody is verified as anybody's is."""
    one = door.owner()
    verified: list[bool] = []
    real = Passwords.verify

    def count(self: Passwords, hashed: str | None, password: str) -> bool:
        verified.append(hashed is None)
        return real(self, hashed, password)

    monkeypatch.setattr(Passwords, "verify", count)
    invited = door.invite()  # Not joined yet: there is a person and no password.
    unjoined = str(invited.invitation.email)
    for name in (one.person.email, "nobody@example.com", unjoined):
        why(lambda name=name: door.people.sign_in.password(name, "something else entirely"))  # type: ignore[misc]  # bound now

    assert verified == [False, True, True]


def test_a_dated_hash_is_made_anew_when_its_owner_signs_in(door: Door) -> None:
    one = door.owner()
    person_id = one.person.person_id
    dated = argon2.PasswordHasher(2, 16, 1).hash(PASSWORD)
    set_at = one.person.password_set_at_ms
    door.parts.store.write(lambda tx: factors.set_password(tx, person_id, dated, set_at))
    known = door.parts.journal.head()

    door.say_password(one)

    held = door.parts.store.read(lambda tx: factors.password_of(tx, person_id))
    assert held is not None
    assert held != dated
    assert "m=8,t=1" in held
    assert door.sign_in(one).is_full
    assert door.parts.tags(known) == []


def test_a_passkey_is_a_second_factor(door: Door) -> None:
    one = door.owner(passkey=True)
    session = door.say_password(one)

    assert door.people.sign_in.prove(session, answer(door, one, session)).session.is_full
    (passkey,) = door.again(one).passkeys
    assert passkey.last_used_at_ms == door.real.now


@pytest.mark.parametrize("part", WRONG_ANSWERS)
def test_an_answer_with_one_thing_wrong_is_none(door: Door, part: str) -> None:
    """BI-43: wrong origin, relying party, challenge, kind of act; user not verified."""
    one = door.owner(passkey=True)
    session = door.say_password(one)
    said = answer(door, one, session, **{part: WRONG_ANSWERS[part]})

    assert why(lambda: door.people.sign_in.prove(session, said)) == "wrong"
    assert door.people.sign_in.prove(session, answer(door, one, session)).session.is_full


def test_a_challenge_is_answered_once_even_wrongly(door: Door) -> None:
    one = door.owner(passkey=True)
    session, other = door.say_password(one), door.say_password(one)
    options = door.people.sign_in.passkey_options(session)
    bad = PasskeyAnswer(passkey_of(one).answer(options, origin="https://evil.example"))
    good = PasskeyAnswer(passkey_of(one).answer(options))

    assert why(lambda: door.people.sign_in.prove(session, bad)) == "wrong"
    assert why(lambda: door.people.sign_in.prove(session, good)) == "wrong"
    right = answer(door, one, session)
    assert why(lambda: door.people.sign_in.prove(other, right)) == "wrong", "another visit's"
    door.people.sign_in.prove(session, right)


def test_a_challenge_waits_five_minutes(door: Door) -> None:
    one = door.owner(passkey=True)
    session = door.say_password(one)
    said = answer(door, one, session)
    door.real.advance(CHALLENGE_MS)

    assert why(lambda: door.people.sign_in.prove(session, said)) == "wrong"


def test_a_newer_challenge_takes_the_place_of_the_one_before(door: Door) -> None:
    one = door.owner(passkey=True)
    session = door.say_password(one)
    old = answer(door, one, session)
    door.people.sign_in.passkey_options(session)

    assert why(lambda: door.people.sign_in.prove(session, old)) == "wrong"


def test_somebody_elses_passkey_is_none(door: Door) -> None:
    one, other = door.owner(passkey=True), door.owner(passkey=True)
    session = door.say_password(one)
    options = door.people.sign_in.passkey_options(session)
    said = PasskeyAnswer(passkey_of(other).answer(options))

    assert why(lambda: door.people.sign_in.prove(session, said)) == "wrong"


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"id": 3}', '{"id": "é"}', "[" * 9_000])
def test_what_is_no_answer_is_refused_and_breaks_nothing(door: Door, text: str) -> None:
    one = door.owner(passkey=True)
    session = door.say_password(one)
    door.people.sign_in.passkey_options(session)
    assert why(lambda: door.people.sign_in.prove(session, PasskeyAnswer(text))) == "wrong"

    asked = door.people.sign_in.ask_for_passkey()
    said = PasskeyAnswer(text)
    assert why(lambda: door.people.sign_in.by_passkey(asked.challenge_id, said)) == "wrong"


def test_an_endless_answer_is_not_read(door: Door) -> None:
    one = door.owner(passkey=True)
    session = door.say_password(one)
    said = answer(door, one, session)

    padded = PasskeyAnswer(said.text + " " * 40_000)
    assert why(lambda: door.people.sign_in.prove(session, padded)) == "wrong"


@pytest.mark.parametrize("back", [0, 1, 2])
def test_a_count_that_goes_back_is_refused_and_told(door: Door, back: int) -> None:
    """BI-43: there may be two of it. An equal count is no progress either."""
    one = door.owner(passkey=True)
    for _ in range(2):
        session = door.say_password(one)
        door.people.sign_in.prove(session, answer(door, one, session))
    known = door.parts.journal.head()
    session = door.say_password(one)
    said = answer(door, one, session, count=back)

    assert why(lambda: door.people.sign_in.prove(session, said)) == "wrong"
    assert door.parts.tags(known) == ["person:passkey_suspected"]
    told = Teller(door.parts).told(str(one.person.account_id))[-1].notice
    assert (told.kind, told.facts["label"]) == (Kind.PASSKEY_SUSPECTED, "phone")


def test_a_passkey_that_never_counts_is_one_that_is_synced(door: Door) -> None:
    one = door.owner(passkey=True)
    passkey_of(one).is_synced = True
    known = door.parts.journal.head()
    for _ in range(3):
        session = door.say_password(one)
        assert door.people.sign_in.prove(session, answer(door, one, session)).session.is_full

    assert door.parts.tags(known) == []


def test_a_passkey_alone_is_both_factors(door: Door) -> None:
    one = door.owner(passkey=True)

    begun = alone(door, one)

    assert begun.session.is_full
    assert begun.session.person.person_id == one.person.person_id


@pytest.mark.parametrize("part", WRONG_ANSWERS)
def test_a_passkey_alone_is_judged_as_strictly(door: Door, part: str) -> None:
    one = door.owner(passkey=True)

    assert why(lambda: alone(door, one, **{part: WRONG_ANSWERS[part]})) == "wrong"


def test_a_challenge_for_anybody_is_answered_once_too(door: Door) -> None:
    one = door.owner(passkey=True)
    passkey_of(one).is_synced = True  # Its count would tell, where it counts.
    asked = door.people.sign_in.ask_for_passkey()
    said = PasskeyAnswer(passkey_of(one).answer(asked.options))
    door.people.sign_in.by_passkey(asked.challenge_id, said)

    assert why(lambda: door.people.sign_in.by_passkey(asked.challenge_id, said)) == "wrong"
    assert why(lambda: door.people.sign_in.by_passkey("chl_none", said)) == "wrong"


def test_a_passkey_of_somebody_removed_lets_nobody_in(door: Door) -> None:
    one = door.owner(passkey=True)
    door.people.remove(one.person.person_id, "operator")

    assert why(lambda: alone(door, one)) == "wrong"


def test_a_second_sign_in_ends_nobody_elses(door: Door) -> None:
    one = door.owner(passkey=True)
    cookie = one.cookie
    alone(door, one)

    assert door.people.sessions.find(cookie).is_full


@pytest.mark.parametrize("spelled", [str.upper, lambda code: code.replace("-", " ")])
def test_a_recovery_code_is_good_once(door: Door, spelled: Callable[[str], str]) -> None:
    one = door.owner()
    known = door.parts.journal.head()
    proof = RecoveryCode(spelled(one.codes[3]))
    door.people.sign_in.prove(door.say_password(one), proof)

    assert door.again(one).recovery_codes_left == 9
    assert door.parts.tags(known) == ["person:recovery_code_used"]
    session = door.say_password(one)
    assert why(lambda: door.people.sign_in.prove(session, proof)) == "wrong"


def test_somebody_elses_recovery_code_is_none(door: Door) -> None:
    one, other = door.owner(), door.owner()
    session = door.say_password(one)

    proof = RecoveryCode(other.codes[0])
    assert why(lambda: door.people.sign_in.prove(session, proof)) == "wrong"


def test_a_code_where_no_app_is_set_up_is_none(door: Door) -> None:
    one = door.owner(passkey=True)
    session = door.say_password(one)

    assert why(lambda: door.people.sign_in.prove(session, TotpCode("000000"))) == "wrong"


def test_a_whole_session_is_not_made_whole_again(door: Door) -> None:
    one = door.owner()
    session = door.session(one)

    assert why(lambda: door.people.sign_in.prove(session, door.next_code(one))) == "expired"


def test_an_operator_is_let_in_the_same_way(door: Door) -> None:
    one = door.operator(Role.VIEWER)

    assert door.sign_in(one).person.role is Role.VIEWER


def test_without_the_sealing_key_passkeys_still_let_in_and_codes_do_not(door: Door) -> None:
    """SECURITY section 7: sealed, and everything that needs no secret goes on."""
    app, passkey = door.owner(), door.owner(passkey=True)
    parts = door.parts
    door.people = People(
        House(
            store=parts.store,
            clock=parts.clock,
            real=door.real,
            sealing_key=None,
            catch_up=parts.follower.catch_up,
            origin=ORIGIN,
        )
    )

    assert alone(door, passkey).session.is_full
    session = door.say_password(app)
    with pytest.raises(Unavailable) as raised:
        door.people.sign_in.prove(session, door.next_code(app))
    assert raised.value.code == "sealed"


def test_a_seed_pasted_into_another_row_opens_nothing(door: Door) -> None:
    """SECURITY P21: it is sealed for its holder."""
    one, other = door.owner(), door.owner()
    stored = door.parts.store.read(lambda tx: factors.totp_of(tx, one.person.person_id))
    assert stored is not None
    door.parts.store.write(
        lambda tx: factors.set_totp(tx, other.person.person_id, stored.sealed, 1, 0)
    )
    session = door.say_password(other)
    other.seed = one.seed

    with pytest.raises(Unavailable):
        door.people.sign_in.prove(session, door.next_code(other))
