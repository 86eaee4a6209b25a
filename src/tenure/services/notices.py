"""What an account was told, what it has read, and what became of each message."""

from tenure.clock import Clock
from tenure.domain.errors import NotFound
from tenure.store import accounts, deliveries, notices
from tenure.store.db import Store, Transaction
from tenure.store.deliveries import Delivery
from tenure.store.notices import Listed

PAGE_MAX = 1_000
UNREAD_MAX = 100
"""How far unread notices are counted: beyond that nobody wants to know how many."""


class Notices:
    """The notices of accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """*clock* dates what is read."""
        self._store, self._clock = store, clock

    def of_account(
        self, account_id: str, *, after: int = 0, most: int = PAGE_MAX, unread: bool = False
    ) -> list[Listed]:
        """Return what an account was told after a number, in order; raises NotFound."""

        def listing(tx: Transaction) -> list[Listed]:
            account = accounts.get(tx, account_id)
            return notices.of_account(tx, account, after=after, most=most, unread=unread)

        return self._store.read(listing)

    def latest(
        self, account_id: str, *, before: int | None = None, most: int, unread: bool = False
    ) -> list[Listed]:
        """Return the last that an account was told, the latest first; raises NotFound."""

        def listing(tx: Transaction) -> list[Listed]:
            account = accounts.get(tx, account_id)
            return notices.latest(tx, account, before=before, most=most, unread=unread)

        return self._store.read(listing)

    def unread(self, account_id: str) -> int:
        """Return how many notices an account has not read, UNREAD_MAX of them at most."""
        return self._store.read(
            lambda tx: notices.count_unread(tx, accounts.get(tx, account_id), UNREAD_MAX)
        )

    def read_all(self, account_id: str, upto: int) -> int:
        """
        Note that an account has read all it was told up to a number; return how many were new.

        The number is that of the last one shown: what came meanwhile nobody has seen. Raises
        NotFound.
        """
        now_ms = self._clock.now_ms()
        return self._store.write(
            lambda tx: notices.mark_all_read(tx, accounts.get(tx, account_id), upto, now_ms)
        )

    def read(self, account_id: str, notice_id: str) -> Listed:
        """
        Note that an account has read a notice; a second time changes nothing.

        Not in the journal: it is about the reader, not about accounts, keys or rules. Raises
        NotFound, also for a notice that another account was told.
        """

        def read(tx: Transaction) -> Listed:
            found = notices.find(tx, accounts.get(tx, account_id), notice_id)
            if found is None:
                raise NotFound("there is no such notice")
            if found.read_at_ms is None:
                now_ms = self._clock.now_ms()
                notices.mark_read(tx, account_id, notice_id, now_ms)
                found = found._replace(read_at_ms=now_ms)
            return found

        return self._store.write(read)

    def deliveries(self, account_id: str, notice_id: str) -> list[Delivery]:
        """Return what became of a notice at each contact of an account; raises NotFound."""

        def listing(tx: Transaction) -> list[Delivery]:
            account = accounts.get(tx, account_id)
            if notices.find(tx, account, notice_id) is None:
                raise NotFound("there is no such notice")
            return deliveries.of_notice(tx, account, notice_id)

        return self._store.read(listing)
