"""
Stores that have their tables already: migrating takes longer than most tests.

The tables are made once a process, by the migrations, and copied. What tests the migrations
themselves runs them; so does a test on PostgreSQL, whose server has a template of its own.
"""

from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pysqlite3.dbapi2 as driver
import sqlalchemy

from tenure.store import db
from tenure.store.db import Store


def opened(url: str) -> Store:
    """Open the store at *url*, with its tables in it."""
    parsed = sqlalchemy.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        store = db.open_store(url)
        db.migrate(store)
    elif parsed.database:
        lay(Path(parsed.database))
        store = db.open_store(url)
    else:
        store = db.open_store(url)
        _fill(store)
    return store


def lay(path: Path) -> None:
    """Put a database with tables and nothing in them at *path*, unless there is one."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(_tables())


@cache
def _tables() -> bytes:
    with TemporaryDirectory(prefix="tenure-migrated-") as directory:
        path = Path(directory) / "empty.db"
        with closing(db.open_store(f"sqlite:///{path}")) as store:
            db.migrate(store)
        with closing(driver.connect(str(path))) as connection:
            # What is in memory has no log beside it, and refuses a file that says so.
            connection.execute("PRAGMA journal_mode=DELETE")
        return path.read_bytes()


def _fill(store: Store) -> None:
    with TemporaryDirectory(prefix="tenure-migrated-") as directory:
        path = Path(directory) / "empty.db"
        path.write_bytes(_tables())
        raw = store.engine.raw_connection()
        with closing(driver.connect(str(path))) as tables:
            tables.backup(raw.driver_connection)
        raw.close()
