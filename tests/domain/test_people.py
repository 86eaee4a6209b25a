"""Who people are: roles that follow each other, stages, names that are compared, passwords."""

from dataclasses import replace

import pytest

from tenure.domain.errors import Invalid
from tenure.domain.model import AccountId
from tenure.domain.people import (
    STAGE_MS,
    Passkey,
    PasskeyAnswer,
    Person,
    PersonId,
    RecoveryCode,
    Role,
    Session,
    Stage,
    TotpCode,
    require_label,
    sign_in_name,
)

OWNER = Person(
    person_id=PersonId("psn_1"),
    email="owner@example.com",
    role=Role.OWNER,
    created_at_ms=1,
    account_id=AccountId("acct_1"),
)
OPERATOR = replace(OWNER, role=Role.VIEWER, account_id=None)
PASSKEY = Passkey(passkey_id="psk_1", label="phone", added_at_ms=2)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OWNER, {Role.OWNER}),
        (Role.VIEWER, {Role.VIEWER}),
        (Role.OPERATOR, {Role.VIEWER, Role.OPERATOR}),
        (Role.ADMINISTRATOR, {Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR}),
    ],
)
def test_each_operator_may_what_the_one_before_may_and_an_owner_is_beside_them(
    role: Role, may: set[Role]
) -> None:
    assert {least for least in Role if role.allows(least)} == may
    assert role.is_operators is (role is not Role.OWNER)


def test_the_journal_names_an_owner_by_account_and_an_operator_by_e_mail() -> None:
    assert OWNER.actor == "acct_1/psn_1"
    assert OPERATOR.actor == "operator:owner@example.com"


@pytest.mark.parametrize(
    ("changed", "factors", "stage"),
    [
        ({}, 0, Stage.ENROLLING),
        ({"recovery_codes_left": 10}, 0, Stage.ENROLLING),
        ({"totp_added_at_ms": 5}, 1, Stage.PASSWORD),
        ({"passkeys": (PASSKEY, PASSKEY)}, 2, Stage.PASSWORD),
        ({"passkeys": (PASSKEY,), "totp_added_at_ms": 5}, 2, Stage.PASSWORD),
    ],
)
def test_without_a_second_factor_one_has_to_be_set_up_first(
    changed: dict[str, object], factors: int, stage: Stage
) -> None:
    """Recovery codes stand in for a factor, and are none."""
    person = replace(OWNER, **changed)  # type: ignore[arg-type]  # by name

    assert (person.factors, person.stage_after_first_factor) == (factors, stage)


@pytest.mark.parametrize(
    ("changed", "has_joined"),
    [({}, False), ({"password_set_at_ms": 5}, True), ({"oidc_subject": "x"}, True)],
)
def test_who_has_joined_can_say_who_he_is(changed: dict[str, object], *, has_joined: bool) -> None:
    assert replace(OWNER, **changed).has_joined is has_joined  # type: ignore[arg-type]  # by name


def test_every_stage_has_an_end_and_only_the_last_is_full() -> None:
    assert set(STAGE_MS) == set(Stage)
    for stage in Stage:
        session = Session(
            session_id="x",
            visit_id="y",
            person=OWNER,
            stage=stage,
            started_at_ms=1,
            seen_at_ms=1,
            ends_at_ms=2,
        )
        assert session.is_full is (stage is Stage.FULL)


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" ada@example.com\t", "ada@example.com"),
        ("\u212aim@example.com", "\u212aim@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("stra\xdfe@example.com", "stra\xdfe@example.com"),
        ("\u0130@example.com", "\u0130@example.com"),
    ],
)
def test_a_name_is_folded_by_ascii_alone(email: str, name: str) -> None:
    """A sign that Unicode folds into another must not make somebody another."""
    assert sign_in_name(email) == name


@pytest.mark.parametrize("label", ["", "  ", "x" * 65, "a\tb", "a\u202eb"])
def test_a_label_is_one_short_line(label: str) -> None:
    with pytest.raises(Invalid):
        require_label(label)
    assert require_label(" my phone ") == "my phone"


def test_a_proof_does_not_show_what_it_is() -> None:
    for proof in (TotpCode("123456"), PasskeyAnswer("{...}"), RecoveryCode("4x0q")):
        assert proof.text not in repr(proof)
