"""What an account was told, what it has read, and what became of each message."""

from tenure.clock import Clock
from tenure.domain.errors import NotFound
from tenure.store import accounts, deliveries, notices
from tenure.store.db import Store, Transaction
from tenure.store.deliveries import Delivery
from tenure.store.notices import Listed

PAGE_MAX = 1_000


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
