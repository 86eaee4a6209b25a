"""
What a database says of itself before anybody works with it; nothing is made or migrated here.

For `tenure doctor`. Opening and migrating are in `db`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pysqlite3.dbapi2
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tenure.store import db
from tenure.store.db import SQLITE_VERSION_MIN, Store, Transaction

Tables: TypeAlias = Literal["none", "older", "current", "newer"]
"""Where the tables stand: not made, to be migrated, as this version wants them, or ahead of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sqlite:
    """The SQLite that is in use: not the interpreter's own, but the one that came with Tenure."""

    version: str
    is_new_enough: bool
    is_thread_safe: bool
    version_min: str


def sqlite() -> Sqlite:
    """Look at the SQLite in use (SECURITY D8), on a database in memory."""
    connection = pysqlite3.dbapi2.connect(":memory:")
    try:
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    finally:
        connection.close()
    return Sqlite(
        version=pysqlite3.dbapi2.sqlite_version,
        is_new_enough=pysqlite3.dbapi2.sqlite_version_info >= SQLITE_VERSION_MIN,
        # 1 is serialized, 2 leaves sharing a connection to the caller; 0 must not meet threads.
        is_thread_safe=bool({"THREADSAFE=1", "THREADSAFE=2"} & options),
        version_min=".".join(str(part) for part in SQLITE_VERSION_MIN),
    )


def file_of(url: str) -> Path | None:
    """Return the file a SQLite database at *url* is kept in, None for any other database."""
    parsed = sqlalchemy.make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in {
        None,
        "",
        ":memory:",
    }
    return Path(parsed.database or "") if is_file else None


def tables(store: Store) -> Tables:
    """Tell where the tables of *store* stand; raises Unavailable where it cannot be read."""
    script = ScriptDirectory(str(Path(db.__file__).parent / "migrations"))
    known = {revision.revision for revision in script.walk_revisions()}

    def look(tx: Transaction) -> Tables:
        held = set(MigrationContext.configure(tx).get_current_heads())
        if not held:
            return "none"
        if held - known:
            return "newer"
        return "current" if held == set(script.get_heads()) else "older"

    return store.read(look)
