"""
A master's sub-accounts at one glance: how many keys each has, and what ends next.

Looking only. What a master does to its sub-accounts' keys is done by the services of keys; freezing
is in `accounts`.
"""

from dataclasses import dataclass
from typing import Final

from tenure.clock import Clock
from tenure.domain.model import Account
from tenure.domain.warnings import Running
from tenure.store import accounts, subaccounts, warnings
from tenure.store.db import Store, Transaction

PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A sub-account: its keys that are not revoked, and the running term that ends first."""

    account: Account
    keys: int
    next_end: Running | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """
    A *master* and a page of its sub-accounts, by id.

    *next_after* is the id to ask for the next page with, None after the last.
    """

    master: Account
    members: tuple[Member, ...]
    next_after: str | None


class Families:
    """Looks at masters and their sub-accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """*store* is only read; *clock* says which terms run."""
        self._store, self._clock = store, clock

    def of_master(self, master_id: str, after: str = "", most: int = PAGE) -> Family:
        """
        Return at *most* so many sub-accounts of *master_id* whose id sorts after *after*.

        There are none of an account that is no master. Raises NotFound.
        """

        def read(tx: Transaction) -> Family:
            master = accounts.get(tx, master_id)
            found = list(accounts.of_master(tx, master_id, after, most + 1))
            page = found[:most]
            ids = [account.account_id for account in page]
            counts = subaccounts.count_alive(tx, ids)
            ends = warnings.next_ends(tx, ids, self._clock.now_ms())
            return Family(
                master=master,
                members=tuple(
                    Member(
                        account=account,
                        keys=counts[account.account_id],
                        next_end=ends.get(account.account_id),
                    )
                    for account in page
                ),
                next_after=page[-1].account_id if len(found) > most else None,
            )

        return self._store.read(read)
