"""Who reaches whom, what a right asks for, and whom a caller is shown to have acted."""

from dataclasses import replace

import pytest

from tenure.domain.model import READING, AccountId, AccountKind, KeyId
from tenure.domain.people import Person, PersonId, Role
from tenure.domain.rights import (
    ACTING,
    MASTER,
    Operator,
    Owner,
    Right,
    caller_of,
    is_master_of,
    reaches,
    shown_actor,
    shown_body,
)
from tests.builders import an_account

ACCOUNTS = {
    "normal": an_account(number=1),
    "master": an_account(number=2, kind=AccountKind.MASTER),
    "sub": an_account(number=3, kind=AccountKind.SUB, master=2),
    "sibling": an_account(number=4, kind=AccountKind.SUB, master=2),
    "stranger": an_account(number=5, kind=AccountKind.MASTER),
}


def an_owner(name: str) -> Owner:
    account_id = ACCOUNTS[name].account_id
    return Owner(account_id=account_id, key_id=KeyId(f"key_{name}"))


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_master_sees_its_sub_accounts_and_never_the_reverse(name: str) -> None:
    """RULES R16."""
    reached = {other for other, account in ACCOUNTS.items() if reaches(an_owner(name), account)}
    governed = {
        other for other, account in ACCOUNTS.items() if is_master_of(an_owner(name), account)
    }
    subs = {"sub", "sibling"} if name == "master" else set()
    assert (reached, governed) == ({name} | subs, subs)


@pytest.mark.parametrize("right", list(Right))
def test_what_a_right_asks_of_a_key(right: Right) -> None:
    acts = {Right.OWNER_ACTS, Right.MASTER_ACTS}
    assert right.is_for_owners is (right in {Right.OWNER_READS, *acts})
    assert right.is_act is (right in acts)
    assert right.permission == (ACTING if right in acts else READING)


def test_callers_are_named_in_the_journal() -> None:
    assert Operator("operator").actor == "operator"
    owner = Owner(account_id=AccountId("acct_1"), key_id=KeyId("key_1"))
    assert owner.actor == "acct_1/key_1"
    signed_in = Owner(account_id=AccountId("acct_1"), person_id=PersonId("psn_1"))
    assert signed_in.actor == "acct_1/psn_1"


def test_whoever_is_signed_in_calls_as_what_he_is() -> None:
    owner = Person(
        person_id=PersonId("psn_1"),
        email="a@example.com",
        role=Role.OWNER,
        created_at_ms=1,
        account_id=AccountId("acct_1"),
    )
    operator = replace(owner, role=Role.VIEWER, account_id=None)

    assert caller_of(owner) == Owner(account_id=AccountId("acct_1"), person_id=owner.person_id)
    assert caller_of(operator) == Operator("operator:a@example.com", Role.VIEWER)
    assert Operator("operator").role is Role.ADMINISTRATOR, "the operator token's"
    for person in (owner, operator):
        assert caller_of(person).actor == person.actor


@pytest.mark.parametrize(
    ("caller", "actor", "shown"),
    [
        ("sub", "operator", "operator"),
        ("sub", "tenure:sweep", "tenure:sweep"),
        ("sub", "acct_3/key_sub", "acct_3/key_sub"),
        ("sub", "acct_2/key_master", MASTER),
        ("sub", "acct_2/psn_master", MASTER),
        ("sub", "acct_3/psn_sub", "acct_3/psn_sub"),
        ("sub", "operator:ada@example.com", "operator"),
        ("master", "operator:a/b@example.com", "operator"),
        ("master", "acct_2/key_master", "acct_2/key_master"),
        ("master", "acct_3/key_sub", "acct_3/key_sub"),
    ],
)
def test_a_sub_account_learns_that_its_master_acted_and_not_by_which_key(
    caller: str, actor: str, shown: str
) -> None:
    assert shown_actor(an_owner(caller), actor, "acct_3") == shown
    assert shown_actor(Operator("operator"), actor, "acct_3") == actor


def test_of_a_bulk_revocation_everybody_sees_what_is_his() -> None:
    ours = {"mark": {"label": "bot", "account_id": "acct_2"}, "keys": {"master": 3, "sub": 1}}
    everybodys = {"mark": {"label": "bot", "account_id": None}, "keys": {"normal": 9}}

    assert shown_body(an_owner("master"), ours) == ours
    assert shown_body(an_owner("sub"), ours) == {"mark": {"label": "bot"}}
    assert shown_body(an_owner("master"), everybodys) == {"mark": {"label": "bot"}}
    assert shown_body(Operator("operator"), everybodys) == everybodys


@pytest.mark.parametrize(
    ("reporter", "shown"),
    [("operator:ada@example.com", "operator"), ("github", "github"), ("holder", "holder")],
)
def test_who_of_the_house_reported_a_leak_is_not_shown(reporter: str, shown: str) -> None:
    body = {"places": [{"reporter": reporter, "url": "https://example.com/1"}], "reports": 1}

    places = shown_body(an_owner("normal"), body)["places"]

    assert places == [{"reporter": shown, "url": "https://example.com/1"}]
    assert shown_body(Operator("operator"), body) == body
