"""Whether a caller may use a right on what a path names; the matrix over HTTP is with the faces."""

import pytest

from tenure.domain.errors import Forbidden, NotFound
from tenure.domain.model import Account, AccountKind, KeyId
from tenure.domain.rights import Operator, Owner, Right
from tenure.services.rights import Rights
from tests.services.parts import ACTOR, Parts

FOR_OWNERS = (Right.OWNER_READS, Right.OWNER_ACTS)


def family(parts: Parts) -> dict[str, Account]:
    """Return a master, two sub-accounts, and a stranger."""
    master = parts.account(AccountKind.MASTER)
    subs = {name: parts.account(AccountKind.SUB, master.account_id) for name in ("sub", "sibling")}
    return {"master": master, **subs, "stranger": parts.account()}


def as_owner(account: Account) -> Owner:
    return Owner(account_id=account.account_id, key_id=KeyId("key_any"))


def outcome(
    parts: Parts,
    caller: Owner | Operator,
    right: Right,
    *,
    account_id: str | None = None,
    key_id: str | None = None,
) -> type[Exception] | None:
    try:
        Rights(parts.accounts, parts.keys).require(
            caller, right, account_id=account_id, key_id=key_id
        )
    except (Forbidden, NotFound) as error:
        return type(error)
    return None


def test_an_owner_reaches_its_tree_by_account_and_by_key(parts: Parts) -> None:
    accounts = family(parts)
    keys = {name: parts.issue(account=account).key_id for name, account in accounts.items()}
    parts.keys.revoke(keys["sub"], ACTOR)
    reached = {"master": {"master", "sub", "sibling"}, "sub": {"sub"}, "stranger": {"stranger"}}
    for name, tree in reached.items():
        caller = as_owner(accounts[name])
        for other, account in accounts.items():
            wanted = None if other in tree else NotFound
            for right in FOR_OWNERS:
                by_account = outcome(parts, caller, right, account_id=account.account_id)
                assert by_account is wanted
                assert outcome(parts, caller, right, key_id=keys[other]) is wanted


def test_where_both_are_named_both_have_to_be_reached(parts: Parts) -> None:
    accounts = family(parts)
    caller = as_owner(accounts["sub"])
    own, foreign = (parts.issue(account=accounts[name]).key_id for name in ("sub", "sibling"))
    for key_id, account, wanted in (
        (own, "sub", None),
        (foreign, "sub", NotFound),
        (own, "sibling", NotFound),
    ):
        account_id = accounts[account].account_id
        found = outcome(parts, caller, Right.OWNER_READS, account_id=account_id, key_id=key_id)
        assert found is wanted


def test_a_master_acts_on_its_sub_accounts_and_not_on_itself(parts: Parts) -> None:
    accounts = family(parts)
    wanted = {
        ("master", "sub"): None,
        ("master", "master"): Forbidden,
        ("master", "stranger"): NotFound,
        ("sub", "sub"): Forbidden,
        ("sub", "master"): NotFound,
        ("sub", "sibling"): NotFound,
    }
    for (who, whom), refused in wanted.items():
        caller, account_id = as_owner(accounts[who]), accounts[whom].account_id
        assert outcome(parts, caller, Right.MASTER_ACTS, account_id=account_id) is refused


@pytest.mark.parametrize(
    "given", ["", "x", "acct_", f"acct_{'0' * 24}\n", f"ACCT_{'0' * 24}", "\0", f"key_{'0' * 24}"]
)
def test_what_can_be_no_id_is_answered_as_what_is_not_there(parts: Parts, given: str) -> None:
    caller = as_owner(parts.account())
    assert outcome(parts, caller, Right.OWNER_READS, account_id=given) is NotFound
    assert outcome(parts, caller, Right.OWNER_READS, key_id=given) is NotFound


def test_a_right_that_is_not_for_owners_or_names_nothing_lets_none_in(parts: Parts) -> None:
    account = parts.account()
    caller, account_id = as_owner(account), account.account_id
    for right in (Right.OPEN, Right.OPERATORS):
        assert outcome(parts, caller, right, account_id=account_id) is Forbidden
    for right in (*FOR_OWNERS, Right.MASTER_ACTS):
        assert outcome(parts, caller, right) is Forbidden


@pytest.mark.parametrize("right", list(Right))
def test_an_operator_may_ask_after_anything(parts: Parts, right: Right) -> None:
    assert outcome(parts, Operator("operator"), right, account_id="x", key_id="y") is None
