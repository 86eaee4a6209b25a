"""Sub-accounts and their keys by the names a master has for them, on each database."""

from dataclasses import replace

import pytest

from tenure.domain.errors import NotFound
from tenure.domain.model import Account, AccountKind, ApiKey
from tenure.store import accounts, keys, subaccounts
from tenure.store.db import Store, Transaction
from tests.builders import TRADING, a_key, an_account

MASTER = an_account(kind=AccountKind.MASTER, number=1)
SUB = an_account(kind=AccountKind.SUB, master=1, number=2)
OTHER_MASTER = an_account(kind=AccountKind.MASTER, number=3)
OTHER_SUB = an_account(kind=AccountKind.SUB, master=3, number=4)


def of_sub(number: int, *, issued: int, account: Account = SUB) -> ApiKey:
    key = a_key(TRADING, number=number, issued=issued, account_kind=AccountKind.SUB)
    return replace(key, account_id=account.account_id)


FIRST, SECOND, GONE = of_sub(10, issued=20), of_sub(11, issued=10), of_sub(12, issued=30)
THEIRS = of_sub(13, issued=40, account=OTHER_SUB)


@pytest.fixture
def filled(store: Store) -> Store:
    def fill(tx: Transaction) -> None:
        for account in (MASTER, SUB, OTHER_MASTER, OTHER_SUB):
            accounts.add(tx, account)
        for key in (FIRST, SECOND, GONE, THEIRS):
            keys.add(tx, key, b"sealed")
        keys.save(tx, GONE, replace(GONE, revoked_at_ms=50, version=2))

    store.write(fill)
    return store


def test_a_sub_account_is_found_by_its_email_under_its_own_master(filled: Store) -> None:
    assert filled.read(lambda tx: subaccounts.account(tx, "acct_1", SUB.email)) == SUB


@pytest.mark.parametrize(
    ("master_id", "email"),
    [
        ("acct_3", SUB.email),
        ("acct_2", SUB.email),
        ("acct_1", OTHER_SUB.email),
        ("acct_1", MASTER.email),
        ("acct_1", SUB.email.upper()),
        ("acct_1", "nobody@example.com"),
        ("", SUB.email),
    ],
)
def test_any_other_is_not_found(filled: Store, master_id: str, email: str) -> None:
    with pytest.raises(NotFound) as of_account:
        filled.read(lambda tx: subaccounts.account(tx, master_id, email))
    with pytest.raises(NotFound) as of_key:
        filled.read(lambda tx: subaccounts.key(tx, master_id, email, FIRST.api_key))
    with pytest.raises(NotFound) as unknown_key:
        filled.read(lambda tx: subaccounts.key(tx, "acct_1", SUB.email, THEIRS.api_key))
    assert str(of_account.value) == str(of_key.value) == str(unknown_key.value)


def test_a_key_is_found_by_its_public_name_revoked_or_not(filled: Store) -> None:
    def find(key: ApiKey) -> ApiKey:
        return filled.read(lambda tx: subaccounts.key(tx, "acct_1", SUB.email, key.api_key))

    assert find(FIRST) == FIRST
    assert find(GONE).revoked_at_ms == 50


def test_live_keys_are_counted_and_paged_the_oldest_first(filled: Store) -> None:
    def page(skip: int, most: int, api_key: str | None = None) -> tuple[int, list[ApiKey]]:
        return filled.read(
            lambda tx: subaccounts.live_keys(tx, "acct_2", api_key=api_key, skip=skip, most=most)
        )

    assert page(0, 100) == (2, [SECOND, FIRST])
    assert page(0, 1) == (2, [SECOND])
    assert page(1, 1) == (2, [FIRST])
    assert page(2, 1) == (2, [])
    assert page(99_999_999_900, 100) == (2, [])
    assert page(0, 100, FIRST.api_key) == (1, [FIRST])
    assert page(0, 100, GONE.api_key) == (0, [])
    assert page(0, 100, THEIRS.api_key) == (0, [])


def test_keys_that_are_not_revoked_are_counted_for_each_account(filled: Store) -> None:
    ids = [SUB.account_id, OTHER_SUB.account_id, MASTER.account_id]
    counted = filled.read(lambda tx: subaccounts.count_alive(tx, ids))

    assert counted == {SUB.account_id: 2, OTHER_SUB.account_id: 1, MASTER.account_id: 0}
