"""Accounts as rows, on each database."""

from dataclasses import replace
from functools import partial

import pytest

from tenure.domain.errors import Conflict, NotFound
from tenure.domain.model import Account, AccountId, AccountKind
from tenure.store import accounts
from tenure.store.db import Store
from tests.builders import an_account
from tests.together import together


def _add(store: Store, *added: Account) -> None:
    for account in added:
        store.write(partial(accounts.add, account=account))


def _get(store: Store, account_id: str) -> Account:
    return store.read(lambda tx: accounts.get(tx, account_id))


def test_an_account_reads_back_as_it_was_written(store: Store) -> None:
    master = an_account(kind=AccountKind.MASTER)
    sub = replace(an_account(number=2, kind=AccountKind.SUB, master=1), frozen_at_ms=7)
    _add(store, master, sub)

    assert _get(store, "acct_1") == master
    assert _get(store, "acct_2") == sub


def test_account_ids_that_differ_in_case_are_two_accounts(store: Store) -> None:
    lower = replace(an_account(number=1), account_id=AccountId("acct_abc"))
    upper = replace(an_account(number=2), account_id=AccountId("acct_ABC"))
    _add(store, lower, upper)

    assert _get(store, "acct_abc") == lower
    assert _get(store, "acct_ABC") == upper
    with pytest.raises(NotFound):
        _get(store, "ACCT_abc")


def test_an_email_belongs_to_one_account(store: Store) -> None:
    _add(store, an_account())

    with pytest.raises(Conflict, match="this e-mail") as raised:
        _add(store, replace(an_account(number=2), email="owner1@example.com"))

    assert raised.value.code == "exists"
    assert [each.account_id for each in store.read(lambda tx: list(accounts.every(tx)))] == [
        "acct_1"
    ]


def test_accounts_are_listed_by_e_mail_and_say_whether_their_master_is_frozen(
    store: Store,
) -> None:
    master = replace(
        an_account(number=1, kind=AccountKind.MASTER), email="b@example.com", frozen_at_ms=7
    )
    sub = replace(an_account(number=2, kind=AccountKind.SUB, master=1), email="a@example.com")
    other = replace(an_account(number=3), email="B@example.com")
    _add(store, master, sub, other)

    def listed(after_id: str, most: int = 9) -> list[tuple[Account, bool]]:
        return store.read(lambda tx: list(accounts.by_emails(tx, after_id, most)))

    # By bytes, on either database: capitals first.
    assert listed("") == [(other, False), (sub, True), (master, False)]
    assert listed("acct_2") == [(master, False)]
    assert listed("acct_none", 1) == [(other, False)]


def test_of_accounts_created_at_once_under_one_email_one_is_stored(shared: Store) -> None:
    def add(number: int) -> str:
        try:
            _add(shared, replace(an_account(number=number), email="same@example.com"))
        except Conflict as conflict:
            return conflict.code
        return "stored"

    outcomes = together([partial(add, number) for number in range(4)])

    assert sorted(outcomes) == ["exists", "exists", "exists", "stored"]


def test_accounts_are_listed_by_id_page_by_page(store: Store) -> None:
    _add(store, *(an_account(number=number) for number in (3, 1, 2, 5, 4)))

    def page(after_id: str) -> list[str]:
        return store.read(lambda tx: [each.account_id for each in accounts.every(tx, after_id, 2)])

    assert page("") == ["acct_1", "acct_2"]
    assert page("acct_2") == ["acct_3", "acct_4"]
    assert page("acct_4") == ["acct_5"]
    assert page("acct_5") == []


def test_freezing_changes_an_account_once_and_back_once(store: Store) -> None:
    _add(store, an_account(), an_account(number=2))

    def freeze(frozen_at_ms: int | None) -> bool:
        return store.write(lambda tx: accounts.set_frozen(tx, "acct_1", frozen_at_ms))

    assert [freeze(5), freeze(6)] == [True, False]
    assert _get(store, "acct_1").frozen_at_ms == 5
    assert store.read(accounts.frozen) == {"acct_1": 5}
    assert [freeze(None), freeze(None)] == [True, False]
    assert _get(store, "acct_1").frozen_at_ms is None
    assert store.read(accounts.frozen) == {}


def test_sub_accounts_are_found_by_their_master_and_no_other(store: Store) -> None:
    masters = [an_account(number=number, kind=AccountKind.MASTER) for number in (1, 2)]
    subs = {3: 1, 4: 2, 5: 1, 6: 1}
    _add(store, *masters)
    _add(
        store,
        *(an_account(number=at, kind=AccountKind.SUB, master=of) for at, of in subs.items()),
    )

    def page(master_id: str, after_id: str) -> list[str]:
        return store.read(
            lambda tx: [each.account_id for each in accounts.of_master(tx, master_id, after_id, 2)]
        )

    assert page("acct_1", "") == ["acct_3", "acct_5"]
    assert page("acct_1", "acct_5") == ["acct_6"]
    assert page("acct_1", "acct_6") == page("ACCT_1", "") == page("acct_3", "") == []
