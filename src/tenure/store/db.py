"""
Opening the store, and the two ways into it: `read` and `write`, each one transaction.

What is read and written lives in the modules beside this one, as plain functions on a
`Transaction`. On SQLite every connection is WAL with `synchronous=FULL` (SECURITY D7). One write
runs at a time, from its first statement on: SQLite's begin IMMEDIATE, PostgreSQL's take a lock. So
none has to be told at its end that somebody else was first, and no two can lock each other out.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import alembic.command
import alembic.config
import alembic.migration
import sqlalchemy
from alembic.script import ScriptDirectory
from sqlalchemy import event, exc
from sqlalchemy.pool import StaticPool

from tenure.domain.errors import Unavailable

Transaction: TypeAlias = sqlalchemy.Connection

SQLITE_VERSION_MIN = (3, 51, 3)
"""Older ones can corrupt a WAL that several processes write (SECURITY D8)."""
WRITER_WAITS_MS = 10_000
"""How long a writer waits for another one before it gives up, on either database."""
_WAL_TRIES = 100
"""More than processes that start together; each try that fails has waited for somebody else."""
POSTGRESQL_WRITE_LOCK = 0x54454E555245
"""The advisory lock every write takes first: "TENURE" in ASCII, to tell it from others' locks."""

_NEWER = "this store was made by a newer Tenure"
_Answer = TypeVar("_Answer")


ASKED_FIRST: ContextVar[Callable[[Transaction], None] | None] = ContextVar(
    "asked_first", default=None
)
"""What a request wants asked in each transaction that writes, before anything else is (`acts`)."""


class Store:
    """One database; hand it functions on a Transaction."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        """Use `open_store`."""
        self.engine = engine

    def read(self, fn: Callable[[Transaction], _Answer]) -> _Answer:
        """
        Run *fn* in a transaction that sees one consistent state, and return its answer.

        Raises Unavailable `store` where the database cannot be reached.
        """
        with _unavailable_if_gone(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                return fn(connection)

    def write(self, fn: Callable[[Transaction], _Answer]) -> _Answer:
        """
        Run *fn* in a transaction that is durable when this returns; any exception undoes all.

        Raises Unavailable `store` where the database cannot be reached or stays busy; the outcome
        of a commit that was cut off is unknown, never failed (SECURITY D9).
        """
        with _unavailable_if_gone(), self.engine.connect() as connection:
            connection.execution_options(tenure_writes=True)
            with connection.begin():
                if (ask := ASKED_FIRST.get()) is not None:
                    ask(connection)
                return fn(connection)

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


@contextlib.contextmanager
def _unavailable_if_gone() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        raise Unavailable("store", context=str(error)) from error
    except exc.DatabaseError as error:
        # Bare, it is a file that is damaged or no database; its children are bugs of ours.
        if type(error) is exc.DatabaseError:
            raise Unavailable("store", context=str(error)) from error
        raise


def open_store(url: str) -> Store:
    """
    Open the database at *url* (`sqlite:///path`, `sqlite://` in memory, `postgresql://…`).

    Creates and migrates nothing: see `migrate`. Raises Unavailable `store` for what is no such
    URL, and for a SQLite that is too old to share between processes.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except exc.ArgumentError as error:
        # Without the text: there may be a password in it.
        raise Unavailable(
            "store", "this is no database URL: sqlite:///path, postgresql://…"
        ) from error
    if parsed.get_backend_name() == "sqlite":
        return Store(_sqlite_engine(parsed))
    if parsed.get_backend_name() == "postgresql":
        return Store(_postgresql_engine(parsed))
    raise Unavailable("store", f"{parsed.get_backend_name()} is not supported: sqlite, postgresql")


def migrate(store: Store) -> None:
    """
    Bring the tables up to this version; forward only.

    Raises Unavailable `store` where the database cannot be reached, and where a newer Tenure has
    been: older code does not open it.
    """
    with _unavailable_if_gone():
        _migrate(store)


def upgrade(tx: Transaction, revision: str = "head") -> None:
    """
    Bring the tables up to *revision* inside the caller's transaction.

    Raises Unavailable `store` for a revision that only a newer Tenure knows.
    """
    config = _alembic_config()
    known = {found.revision for found in ScriptDirectory.from_config(config).walk_revisions()}
    if revision not in known | {"head"}:
        raise Unavailable("store", f"{_NEWER}; run that version, or a later one")
    config.attributes["connection"] = tx
    alembic.command.upgrade(config, revision)


def _migrate(store: Store) -> None:
    with store.engine.connect() as connection:
        config = _alembic_config()
        heads = set(alembic.migration.MigrationContext.configure(connection).get_current_heads())
        script = ScriptDirectory.from_config(config)
        known = {revision.revision for revision in script.walk_revisions()}
        if heads - known:
            raise Unavailable("store", f"{_NEWER}; run that version, or a later one")
        if heads == set(script.get_heads()):
            return
    with store.engine.connect() as connection:
        connection.execution_options(tenure_writes=True)
        with connection.begin():
            upgrade(connection)


def _alembic_config() -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option(
        "script_location", str(Path(str(resources.files("tenure.store"))) / "migrations")
    )
    return config


def _sqlite_engine(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    import pysqlite3.dbapi2 as driver  # noqa: PLC0415 - PostgreSQL users need not have it

    if driver.sqlite_version_info < SQLITE_VERSION_MIN:
        needed = ".".join(str(part) for part in SQLITE_VERSION_MIN)
        raise Unavailable(
            "store", f"SQLite {driver.sqlite_version} can corrupt a shared store; need {needed}"
        )
    in_memory = url.database in {None, "", ":memory:"}
    engine = sqlalchemy.create_engine(
        url,
        module=driver,
        hide_parameters=True,  # An error is logged; what was about to be stored is not.
        # isolation_level None: the driver begins by itself and late; we emit BEGIN below.
        connect_args={
            "isolation_level": None,
            "check_same_thread": False,
            "timeout": WRITER_WAITS_MS / 1000,
        },
        **({"poolclass": StaticPool} if in_memory else {}),
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]  # a DBAPI connection has no type
        _turn_to_wal(cursor, driver.OperationalError)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sqlalchemy.Connection) -> None:
        writes = connection.get_execution_options().get("tenure_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _turn_to_wal(cursor: Any, busy: type[Exception]) -> None:  # noqa: ANN401 - a DBAPI cursor has no type
    # Of several that turn a new file to WAL at once SQLite lets one, and refuses the others without
    # waiting, since each holds what another one wants. A write lock they do wait for.
    for _ in range(_WAL_TRIES):
        with contextlib.suppress(busy):
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
    cursor.execute("PRAGMA journal_mode=WAL")


def _postgresql_engine(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        hide_parameters=True,  # As on SQLite.
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: sqlalchemy.Connection) -> None:
        # Every write ends in the journal's one row anyway. Taken there only, an edit that holds its
        # key's row and waits for the journal meets a sweep that holds them the other way round.
        if connection.get_execution_options().get("tenure_writes", False):
            connection.exec_driver_sql(
                f"SET LOCAL lock_timeout = {WRITER_WAITS_MS};"
                f"SELECT pg_advisory_xact_lock({POSTGRESQL_WRITE_LOCK})"
            )

    return engine
