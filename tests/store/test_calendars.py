"""The addresses of calendar feeds on each database: one an account, the last one alone."""

from tenure.store import accounts, calendars
from tenure.store.db import Store
from tests.builders import an_account


def test_a_new_address_ends_the_one_before(store: Store) -> None:
    for number in (1, 2):
        account = an_account(number=number)
        store.write(lambda tx, account=account: accounts.add(tx, account))  # type: ignore[misc]  # bound now
        for secret in ("first", "second"):
            store.write(
                lambda tx, secret=f"{secret}{number}", account=account: calendars.put(  # type: ignore[misc]  # bound now
                    tx, account.account_id, secret, 1
                )
            )

    assert store.read(lambda tx: calendars.owner_of(tx, "first1")) is None
    assert store.read(lambda tx: calendars.owner_of(tx, "second1")) == "acct_1"
    assert store.read(lambda tx: calendars.owner_of(tx, "second2")) == "acct_2"
