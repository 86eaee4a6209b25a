"""People, their factors, sessions and invitations as rows: the same contract on every database."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tenure.domain.errors import Conflict, NotFound
from tenure.domain.people import Hold, Passkey, Person, PersonId, Role, Session, Stage
from tenure.store import accounts, attempts, factors, invitations, people, sessions
from tenure.store.db import Store, Transaction
from tenure.store.factors import StoredPasskey
from tenure.store.invitations import StoredInvitation
from tenure.store.sessions import Challenge
from tests.builders import an_account
from tests.together import together

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

ACCOUNT = an_account(number=1)
OWNER = Person(
    person_id=PersonId("psn_1"),
    email="Owner@example.com",
    role=Role.OWNER,
    created_at_ms=1,
    account_id=ACCOUNT.account_id,
    language="ja",
    time_zone="Asia/Tokyo",
)
OPERATOR = Person(
    person_id=PersonId("psn_2"),
    email="ada@example.com",
    role=Role.ADMINISTRATOR,
    created_at_ms=2,
)
PASSKEY = StoredPasskey(
    passkey=Passkey(passkey_id="psk_1", label="phone", added_at_ms=5),
    person_id=OWNER.person_id,
    credential_id=b"\x00\xff name",
    public_key=b"\x00\xff key",
    sign_count=7,
    transports=("usb", "nfc"),
)
SESSION = Session(
    session_id="d1",
    visit_id="vis_1",
    person=OWNER,
    stage=Stage.PASSWORD,
    started_at_ms=10,
    seen_at_ms=10,
    ends_at_ms=100,
    agent="a browser",
)


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store with an account, its owner, and somebody of the house."""
    store.write(fill)
    return store


def fill(tx: Transaction) -> None:
    accounts.add(tx, ACCOUNT)
    people.add(tx, OWNER)
    people.add(tx, OPERATOR)


def get(store: Store, person_id: str = OWNER.person_id) -> Person:
    return store.read(partial(people.get, person_id=person_id))


def test_a_person_is_found_in_each_way_there_is(filled: Store) -> None:
    def look(tx: Transaction) -> None:
        assert people.get(tx, "psn_1") == OWNER
        assert people.by_name(tx, " OWNER@EXAMPLE.COM") == OWNER
        assert people.owner_of(tx, ACCOUNT.account_id) == OWNER
        assert people.operators(tx) == [OPERATOR]
        assert people.administrators(tx) == [], "she has not joined"
        assert not people.has_anybody(tx), "nor has anybody"
        assert people.ever(tx, [ACCOUNT.account_id]) == [OWNER]
        assert people.ever(tx, None) == [OPERATOR]
        for nobody in (people.by_name(tx, "x"), people.by_subject(tx, "x"), people.find(tx, "x")):
            assert nobody is None
        with pytest.raises(NotFound):
            people.get(tx, "PSN_1")

    filled.read(look)


@pytest.mark.parametrize("way", [{"password_set_at_ms": 3}, {"oidc_subject": "s"}])
def test_whoever_has_a_way_in_is_somebody_until_removed(filled: Store, way: dict[str, Any]) -> None:
    joined = replace(OWNER, **way)
    filled.write(lambda tx: people.save(tx, joined))
    assert filled.read(people.has_anybody)

    filled.write(lambda tx: people.save(tx, replace(joined, removed_at_ms=9)))
    assert not filled.read(people.has_anybody)


def test_what_may_change_is_saved_and_read_again(filled: Store) -> None:
    hold = Hold(begun_at_ms=1, until_ms=2, has_frozen=True)
    changed = replace(
        OWNER,
        language=None,
        oidc_subject="s",
        locked_at_ms=9,
        recovery=hold,
        password_set_at_ms=3,
        totp_added_at_ms=4,
    )
    filled.write(partial(people.save, person=changed))

    assert get(filled) == changed
    assert filled.read(partial(people.by_subject, subject="s")) == changed
    assert filled.read(partial(people.is_recovering, account_id=ACCOUNT.account_id))
    freed = replace(changed, recovery=replace(hold, has_frozen=False))
    filled.write(partial(people.save, person=freed))
    assert get(filled).recovery == freed.recovery


@pytest.mark.parametrize(
    "other",
    [
        replace(OPERATOR, person_id=PersonId("psn_3"), email="ADA@example.com"),
        replace(OWNER, person_id=PersonId("psn_3"), email="another@example.com"),
    ],
)
def test_an_e_mail_and_an_account_are_one_persons(filled: Store, other: Person) -> None:
    with pytest.raises(Conflict):
        filled.write(partial(people.add, person=other))


def test_a_subject_is_one_persons(filled: Store) -> None:
    filled.write(partial(people.save, person=replace(OWNER, oidc_subject="s")))

    with pytest.raises(Conflict):
        filled.write(partial(people.save, person=replace(OPERATOR, oidc_subject="s")))


def test_who_was_removed_leaves_the_place_free_and_stays_on_record(filled: Store) -> None:
    removed = replace(OWNER, removed_at_ms=9)
    filled.write(partial(people.save, person=removed))
    heir = replace(OWNER, person_id=PersonId("psn_3"), created_at_ms=10)
    filled.write(partial(people.add, person=heir))

    with pytest.raises(NotFound):
        get(filled)
    assert filled.read(partial(people.find, person_id="psn_1")) == removed
    assert filled.read(partial(people.owner_of, account_id=ACCOUNT.account_id)) == heir
    ever = filled.read(partial(people.ever, account_ids=[ACCOUNT.account_id]))
    assert ever == [removed, heir]


def test_a_warning_is_given_once_in_a_while(filled: Store) -> None:
    def warn(now_ms: int) -> bool:
        return filled.write(lambda tx: people.warn(tx, "psn_1", now_ms, now_ms - 100))

    assert [warn(now_ms) for now_ms in (1_000, 1_099, 1_100, 1_150)] == [True, False, True, False]


def test_an_administrator_who_can_sign_in_is_one(filled: Store) -> None:
    filled.write(lambda tx: factors.set_password(tx, "psn_2", "hash", 5))

    (found,) = filled.read(people.administrators)
    assert found.person_id == "psn_2"
    assert filled.read(partial(factors.password_of, person_id="psn_2")) == "hash"
    assert filled.read(partial(factors.password_of, person_id="nobody")) is None


def test_a_hash_is_renewed_unless_it_was_changed_meanwhile(filled: Store) -> None:
    filled.write(lambda tx: factors.set_password(tx, "psn_1", "old", 5))
    filled.write(lambda tx: factors.rehash(tx, "psn_1", "older", "wrong"))
    assert filled.read(partial(factors.password_of, person_id="psn_1")) == "old"
    filled.write(lambda tx: factors.rehash(tx, "psn_1", "old", "new"))
    assert filled.read(partial(factors.password_of, person_id="psn_1")) == "new"
    assert get(filled).password_set_at_ms == 5


def test_a_step_is_spent_once_and_those_before_it_with_it(filled: Store) -> None:
    filled.write(lambda tx: factors.set_totp(tx, "psn_1", b"\x00sealed", 5, 10))
    held = filled.read(partial(factors.totp_of, person_id="psn_1"))
    assert held is not None
    assert (held.sealed, held.last_step) == (b"\x00sealed", 10)

    def spend(step: int) -> bool:
        return filled.write(partial(factors.spend_step, person_id="psn_1", step=step))

    assert [spend(step) for step in (9, 10, 12, 12, 11, 13)] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]
    assert filled.read(partial(factors.totp_of, person_id="psn_2")) is None


def test_a_passkey_is_kept_whole_and_counted_once(filled: Store) -> None:
    filled.write(partial(factors.add_passkey, stored=PASSKEY))
    held = filled.read(partial(factors.passkey_called, credential_id=PASSKEY.credential_id))
    assert held is not None
    assert held.passkey.fingerprint
    kept = replace(held.passkey, fingerprint="")
    assert replace(held, passkey=kept) == PASSKEY
    assert filled.read(partial(factors.stored_passkeys, person_id="psn_1")) == [held]
    assert get(filled).passkeys == (held.passkey,)

    def use() -> bool:
        return filled.write(lambda tx: factors.use_passkey(tx, held, 8, 50))

    assert [use(), use()] == [True, False]
    assert get(filled).passkeys[0].last_used_at_ms == 50
    with pytest.raises(Conflict):
        filled.write(partial(factors.add_passkey, stored=PASSKEY))
    for person_id, is_there in (("psn_2", False), ("psn_1", True), ("psn_1", False)):
        removed = filled.write(partial(_remove, person_id=person_id))
        assert removed is is_there


def _remove(tx: Transaction, person_id: str) -> bool:
    return factors.remove_passkey(tx, person_id, "psk_1")


def test_recovery_codes_are_spent_by_whose_they_are(filled: Store) -> None:
    filled.write(partial(factors.set_codes, person_id="psn_1", digests=["a", "b"]))
    assert get(filled).recovery_codes_left == 2

    def spend(person_id: str, digest: str) -> bool:
        return filled.write(partial(factors.spend_code, person_id=person_id, digest=digest))

    tries = [("psn_2", "a"), ("psn_1", "c"), ("psn_1", "a"), ("psn_1", "a")]
    assert [spend(*each) for each in tries] == [False, False, True, False]
    filled.write(partial(factors.set_codes, person_id="psn_1", digests=["c"]))
    assert not spend("psn_1", "b")


def test_clearing_takes_everything_away_and_nothing_of_others(filled: Store) -> None:
    def give(tx: Transaction) -> None:
        for person in (OWNER, OPERATOR):
            factors.set_password(tx, person.person_id, "hash", 5)
            factors.set_totp(tx, person.person_id, b"sealed", 5, 1)
            factors.set_codes(tx, person.person_id, [f"code of {person.person_id}"])
        factors.add_passkey(tx, PASSKEY)
        held = people.get(tx, "psn_1")
        people.save(tx, replace(held, oidc_subject="s", locked_at_ms=5))
        factors.clear(tx, "psn_1")

    filled.write(give)

    assert get(filled) == OWNER
    assert filled.read(partial(factors.totp_of, person_id="psn_1")) is None
    other = get(filled, "psn_2")
    assert (other.has_joined, other.has_totp, other.recovery_codes_left) == (True, True, 1)


def test_a_session_is_there_until_it_is_ended(filled: Store) -> None:
    filled.write(partial(sessions.add, session=SESSION))
    assert filled.read(partial(sessions.get, session_id="d1")) == SESSION
    assert filled.read(partial(sessions.get, session_id="D1")) is None
    filled.write(lambda tx: sessions.touch(tx, "d1", 20))
    later = replace(SESSION, session_id="d2", seen_at_ms=30)
    filled.write(partial(sessions.add, session=later))
    listed = filled.read(partial(sessions.of_person, person=OWNER))
    assert [(each.session_id, each.seen_at_ms) for each in listed] == [("d2", 30), ("d1", 20)]

    assert [filled.write(partial(sessions.end, session_id="d1")) for _ in range(2)] == [True, False]
    filled.write(lambda tx: sessions.end_all(tx, "psn_1", "d2"))
    assert filled.read(partial(sessions.get, session_id="d2")) is not None
    filled.write(lambda tx: sessions.end_all(tx, "psn_1"))
    assert filled.read(partial(sessions.get, session_id="d2")) is None


def test_who_was_removed_is_signed_in_nowhere(filled: Store) -> None:
    filled.write(partial(sessions.add, session=SESSION))
    filled.write(partial(people.save, person=replace(OWNER, removed_at_ms=9)))

    assert filled.read(partial(sessions.get, session_id="d1")) is None


CHALLENGE = Challenge(
    challenge_id="c1", purpose="p", bound_to="vis_1", content=b"\x00\xff", ends_at_ms=50
)


def test_a_challenge_is_for_its_purpose_and_visit_and_spent_once(filled: Store) -> None:
    filled.write(partial(sessions.ask, challenge=CHALLENGE))

    def look(tx: Transaction) -> None:
        assert sessions.asked(tx, "vis_1", "p", 49) == CHALLENGE
        assert sessions.called(tx, "c1", "p", 49) == CHALLENGE
        for wrong in (
            sessions.asked(tx, "vis_1", "p", 50),
            sessions.asked(tx, "vis_2", "p", 49),
            sessions.asked(tx, "vis_1", "q", 49),
            sessions.called(tx, "c2", "p", 49),
            sessions.called(tx, "c1", "q", 49),
            sessions.called(tx, "c1", "p", 50),
        ):
            assert wrong is None

    filled.read(look)
    newer = replace(CHALLENGE, challenge_id="c2")
    filled.write(partial(sessions.ask, challenge=newer))
    assert filled.read(lambda tx: sessions.called(tx, "c1", "p", 1)) is None
    spent = [filled.write(partial(sessions.spend, challenge=newer)) for _ in range(2)]
    assert spent == [True, False]


def test_challenges_for_nobody_in_particular_stand_beside_each_other(filled: Store) -> None:
    for name in ("c1", "c2"):
        nobodys = replace(CHALLENGE, challenge_id=name, bound_to="")
        filled.write(partial(sessions.ask, challenge=nobodys))

    assert filled.read(lambda tx: sessions.called(tx, "c1", "p", 1)) is not None


def test_an_approval_is_spent_once_and_within_its_time(filled: Store) -> None:
    def approve(ends_at_ms: int) -> None:
        filled.write(lambda tx: sessions.approve(tx, "vis_1", "act", ends_at_ms))

    def spend(now_ms: int, act: str = "act") -> int | None:
        return filled.write(lambda tx: sessions.spend_approval(tx, "vis_1", act, now_ms))

    approve(50)
    approve(60)
    assert filled.read(lambda tx: sessions.is_approved(tx, "vis_1", "act", 59))
    assert not filled.read(lambda tx: sessions.is_approved(tx, "vis_1", "act", 60))
    tried = [spend(60), spend(59, "other"), spend(59), spend(59)]
    assert tried == [None, None, 60, None]


def test_an_invitation_takes_the_place_of_the_one_before(filled: Store) -> None:
    def invite(digest: str, person_id: str | None) -> None:
        invitation = StoredInvitation(
            digest=digest, role=Role.OWNER, ends_at_ms=50, person_id=person_id
        )
        filled.write(partial(invitations.add, invitation=invitation))

    def is_good(digest: str, now_ms: int = 49) -> bool:
        return filled.read(lambda tx: invitations.get(tx, digest, now_ms)) is not None

    for digest, person_id in (("a", "psn_1"), ("b", "psn_1"), ("c", None), ("d", None)):
        invite(digest, person_id)
    assert [is_good(digest) for digest in "abcd"] == [False, True, False, True]
    assert not is_good("b", 50)
    assert [filled.write(partial(invitations.spend, digest="b")) for _ in range(2)] == [True, False]
    filled.write(partial(invitations.withdraw, person_id=None))
    assert not is_good("d")


def test_attempts_are_counted_by_subject_within_a_window(store: Store) -> None:
    def note(name: str, subject: str, now_ms: int) -> None:
        store.write(lambda tx: attempts.note(tx, name, subject, now_ms))

    def count(subject: str, after_ms: int) -> int:
        return store.read(lambda tx: attempts.count(tx, subject, after_ms))

    for name, subject, now_ms in (("1", "a", 10), ("2", "a", 20), ("3", "b", 20)):
        note(name, subject, now_ms)
    assert [count("a", after) for after in (0, 10, 20)] == [2, 1, 0]
    store.write(partial(attempts.take_back, attempt_id="2"))
    assert count("a", 0) == 1
    store.write(partial(attempts.forget, subject="a"))
    assert (count("a", 0), count("b", 0)) == (0, 1)


def test_what_is_over_is_forgotten_and_nothing_else(filled: Store) -> None:
    def begin(tx: Transaction) -> None:
        for name, ends_at_ms in (("old", 50), ("new", 51)):
            sessions.add(tx, replace(SESSION, session_id=name, ends_at_ms=ends_at_ms))
            challenge = replace(CHALLENGE, challenge_id=name, bound_to=name, ends_at_ms=ends_at_ms)
            sessions.ask(tx, challenge)
            sessions.approve(tx, name, "act", ends_at_ms)
            person_id = "psn_1" if name == "old" else "psn_2"
            invitation = StoredInvitation(
                digest=name, role=Role.OWNER, ends_at_ms=ends_at_ms, person_id=person_id
            )
            invitations.add(tx, invitation)

    filled.write(begin)

    assert filled.write(lambda tx: sessions.forget_past(tx, 50)) == 4
    assert filled.write(lambda tx: sessions.forget_past(tx, 50)) == 0
    assert filled.read(partial(sessions.get, session_id="new")) is not None
    filled.write(sessions.forget_everything)
    assert filled.write(lambda tx: sessions.forget_past(tx, 10**12)) == 0


def test_attempts_are_forgotten_by_kind_and_age(filled: Store) -> None:
    def note(tx: Transaction) -> None:
        for attempt_id, made_at_ms in (("pwd_1", 50), ("pwd_2", 51), ("try_1", 50), ("pwdx1", 50)):
            attempts.note(tx, attempt_id, attempt_id, made_at_ms)
        attempts.forget_past(tx, "pwd", 50)

    filled.write(note)

    names = ("pwd_1", "pwd_2", "try_1", "pwdx1")
    left = [filled.read(partial(attempts.count, subject=name, after_ms=0)) for name in names]
    assert left == [0, 1, 1, 1]


def test_of_two_who_take_a_link_at_once_one_is_told_no(shared: Store) -> None:
    shared.write(fill)
    invitation = StoredInvitation(digest="a", role=Role.OWNER, ends_at_ms=50, person_id="psn_1")
    shared.write(partial(invitations.add, invitation=invitation))

    spent = together([lambda: shared.write(partial(invitations.spend, digest="a"))] * 4)

    assert sorted(spent) == [False, False, False, True]


def test_an_account_is_found_by_its_e_mail_exactly(filled: Store) -> None:
    assert filled.read(partial(accounts.by_email, email=ACCOUNT.email)) == ACCOUNT
    assert filled.read(partial(accounts.by_email, email=ACCOUNT.email.upper())) is None
