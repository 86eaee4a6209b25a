"""Reading the journal, for whoever follows, audits or wonders."""

from tenure.domain.events import Event
from tenure.store import journal
from tenure.store.db import Store

PAGE_MAX = 1_000


class Journal:
    """The events, in order."""

    def __init__(self, store: Store) -> None:
        """*store* is only read."""
        self._store = store

    def after(self, seq: int, most: int = PAGE_MAX) -> list[Event]:
        """Return at *most* so many events after *seq*."""
        return self._store.read(lambda tx: list(journal.after(tx, seq, most)))

    def head(self) -> int:
        """Return the last event's seq, 0 before the first."""
        return self._store.read(journal.head)[0]
