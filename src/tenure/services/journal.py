"""Reading the journal, for whoever follows, audits or wonders."""

from tenure.domain.events import Event
from tenure.store import accounts, journal
from tenure.store.db import Store, Transaction

PAGE_MAX = 1_000


class Journal:
    """The events, in order."""

    def __init__(self, store: Store) -> None:
        """*store* is only read."""
        self._store = store

    def after(self, seq: int, most: int = PAGE_MAX) -> list[Event]:
        """Return at *most* so many events after *seq*."""
        return self._store.read(lambda tx: list(journal.after(tx, seq, most)))

    def of_account(
        self, account_id: str, seq: int = 0, most: int = PAGE_MAX, key_id: str | None = None
    ) -> list[Event]:
        """
        Return at *most* so many events about one account after *seq*, or about its key *key_id*.

        There are none about a key that is not the account's. Raises NotFound.
        """

        def listing(tx: Transaction) -> list[Event]:
            accounts.get(tx, account_id)
            return list(journal.of_account(tx, account_id, seq, most, key_id))

        return self._store.read(listing)

    def head(self) -> int:
        """Return the last event's seq, 0 before the first."""
        return self._store.read(journal.head)[0]
