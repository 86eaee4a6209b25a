"""
All rows of a store, out of one transaction and back into another, whatever tables there are.

Tables and columns are asked of the database, not of `schema`: what is in it is what is saved, and
a backup of an older version is put back into that version's tables before they are migrated. Only
who is signed in just now is left out, and the migrations' own table.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, func

from tenure.store import db
from tenure.store.db import Transaction
from tenure.store.schema_people import FLEETING

_VERSIONS = "alembic_version"
_ROWS = 1_000
"""Rows fetched, or put back, at a time."""

Row = Sequence[Any]


class Table(NamedTuple):
    """A table's name, the names of its columns, and its rows in an order they can be put back."""

    name: str
    columns: list[str]
    rows: Iterator[Row]


def revision(tx: Transaction) -> str | None:
    """Return which version's tables these are, None where there are none."""
    return MigrationContext.configure(tx).get_current_revision()


def is_blank(tx: Transaction) -> bool:
    """Whether the database has no table at all."""
    return not sqlalchemy.inspect(tx).get_table_names()


def tables(tx: Transaction) -> Iterator[Table]:
    """Yield every table but those that are left out, those others refer to first."""
    for table in _reflected(tx):
        if table.name in FLEETING:
            continue
        chosen = sqlalchemy.select(table).order_by(*_order(table))
        rows = tx.execute(chosen.execution_options(yield_per=_ROWS))
        yield Table(table.name, [column.name for column in table.columns], iter(rows))


def load(tx: Transaction, made_at: str, found: Iterable[Table]) -> None:
    """
    Put *found* into a blank database: the tables of revision *made_at*, their rows, migrations.

    Raises Unavailable `store` for a revision that only a newer Tenure knows, and LookupError for
    tables or columns that this revision does not have.
    """
    db.upgrade(tx, made_at)
    known = {table.name: table for table in _reflected(tx)}
    for table in known.values():
        tx.execute(table.delete())  # A migration may have left rows, such as the journal's head.
    for name, columns, rows in found:
        table = known[name]
        if unknown := set(columns) - set(table.columns.keys()):
            raise LookupError(f"{name} has no {', '.join(sorted(unknown))}")
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(dict(zip(columns, row, strict=True)))
            if len(batch) == _ROWS:
                tx.execute(table.insert(), batch)
                batch = []
        if batch:
            tx.execute(table.insert(), batch)
        _go_on_counting(tx, table)
    db.upgrade(tx)


def _go_on_counting(tx: Transaction, table: sqlalchemy.Table) -> None:
    """Let the numbers a table hands out go on after those that were put in; SQLite's do anyway."""
    if tx.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        if column.server_default is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            # No number where there are no rows: the sequence stays as it is then.
            tx.execute(sqlalchemy.select(func.setval(sequence, func.max(column))))


def _reflected(tx: Transaction) -> list[sqlalchemy.Table]:
    found = MetaData()
    found.reflect(tx)
    return [table for table in found.sorted_tables if table.name != _VERSIONS]


def _order(table: sqlalchemy.Table) -> list[sqlalchemy.ColumnElement[Any]]:
    """Put rows that refer to others of the same table after those that do not."""
    own = [key.parent for key in table.foreign_keys if key.column.table is table]
    return [*(column.is_not(None) for column in own), *table.primary_key.columns]
