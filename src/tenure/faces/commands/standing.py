"""
A store that is there already, for the commands that look into it without a server.

Nothing is made or migrated here: whoever audits, saves or restores must not change what he looks
at by looking.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tenure.clock import SandboxClock, SystemClock
from tenure.domain.errors import Conflict, NotFound, Unavailable
from tenure.settings import Settings

if TYPE_CHECKING:
    from tenure.store.db import Store


@contextlib.contextmanager
def opened(settings: Settings) -> "Iterator[Store]":
    """
    Open the store of *settings* while the block runs.

    Raises NotFound where there is none, Conflict `older` where it is to be migrated first.
    """
    from tenure.store import condition, db  # noqa: PLC0415 - a command that needs no store waits for none

    file = condition.file_of(settings.database_url)
    if file is not None and not file.is_file():
        raise NotFound(f"{file} is not there: name the store with --database or --home")
    with contextlib.closing(db.open_store(settings.database_url)) as store:
        match condition.tables(store):
            case "none":
                raise NotFound("this database has no tables: name the store with --database")
            case "older":
                raise Conflict("older", "this store is to be migrated: `tenure serve` does it")
            case "newer":
                raise Unavailable("store", "this store was made by a newer Tenure: run that")
            case "current":
                yield store


@contextlib.contextmanager
def clock(settings: Settings) -> Iterator[SystemClock | SandboxClock]:
    """Open the clock of *settings*' home while the block runs; the home is made if need be."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = SandboxClock(settings.home) if settings.sandbox else SystemClock(settings.home)
    with contextlib.closing(made):
        yield made
