"""What the journal says of a person: everything but what could let somebody in."""

from dataclasses import fields, replace

import pytest

from tenure.domain import person_states
from tenure.domain.model import AccountId
from tenure.domain.people import Hold, Passkey, Person, PersonId, Role

PASSKEY = Passkey(passkey_id="psk_1", label="phone", added_at_ms=2, fingerprint="f")
PERSON = Person(
    person_id=PersonId("psn_1"),
    email="owner@example.com",
    role=Role.OWNER,
    created_at_ms=1,
    account_id=AccountId("acct_1"),
    language="ja",
    time_zone="Asia/Tokyo",
    password_set_at_ms=3,
    totp_added_at_ms=4,
    passkeys=(PASSKEY,),
    recovery_codes_left=10,
    oidc_subject="s",
    recovery=Hold(begun_at_ms=5, until_ms=6, has_frozen=True),
)


def test_every_field_is_in_it_but_those_that_come_and_go_by_themselves() -> None:
    """A field that is forgotten here is lost when the journal is replayed."""
    elsewhere = {"account_id", "locked_at_ms"}
    assert set(person_states.person_state(PERSON)) == {
        field.name for field in fields(Person) if field.name not in elsewhere
    }


@pytest.mark.parametrize(
    "person",
    [
        PERSON,
        replace(PERSON, recovery=None, passkeys=()),
        replace(PERSON, account_id=None, role=Role.VIEWER),
        replace(PERSON, removed_at_ms=9),
    ],
)
def test_what_was_said_is_read_again(person: Person) -> None:
    state = person_states.person_state(person)

    assert person_states.person_from(state, person.account_id) == person
    assert person_states.person_row(person) == {**state, "account_id": person.account_id}


def test_when_a_passkey_was_used_and_whether_codes_are_locked_is_no_event() -> None:
    used = replace(PERSON, locked_at_ms=7, passkeys=(replace(PASSKEY, last_used_at_ms=8),))

    assert person_states.person_state(used) == person_states.person_state(PERSON)


def test_without_factors_there_is_nothing_to_come_in_by() -> None:
    bare = person_states.without_factors(replace(PERSON, locked_at_ms=7))

    assert (bare.has_joined, bare.factors, bare.recovery_codes_left) == (False, 0, 0)
    assert (bare.locked_at_ms, bare.recovery) == (None, PERSON.recovery)


@pytest.mark.parametrize(
    ("changed", "alike"),
    [
        ({"language": "es", "role": Role.VIEWER, "recovery": None}, True),
        ({"password_set_at_ms": 9}, False),
        ({"totp_added_at_ms": None}, False),
        ({"passkeys": ()}, False),
        ({"passkeys": (replace(PASSKEY, fingerprint="g"),)}, False),
        ({"recovery_codes_left": 9}, False),
        ({"oidc_subject": None}, False),
    ],
)
def test_two_are_alike_where_the_same_lets_them_in(
    changed: dict[str, object], *, alike: bool
) -> None:
    other = replace(PERSON, **changed)  # type: ignore[arg-type]  # by name

    assert person_states.signs_in_alike(PERSON, other) is alike
