"""The way to the tables: migrations lead exactly to `schema`, once, and never back."""

from functools import partial

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tenure.domain.errors import Unavailable
from tenure.domain.events import GENESIS_HASH
from tenure.store import (
    db,
    journal,
    schema,
    schema_leaks,  # noqa: F401 - its tables join the metadata
    seals,
)
from tenure.store.db import Store
from tests.together import together

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


def test_migrating_leads_to_the_tables_that_the_code_expects(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, schema.metadata) == []


def test_migrated_equals_created(empty: Store) -> None:
    """Also in what the comparison above passes over: check constraints, conditions of indexes."""
    with empty.engine.begin() as connection:
        schema.metadata.create_all(connection)
    created = _shape(empty)
    with empty.engine.begin() as connection:
        schema.metadata.drop_all(connection)

    db.migrate(empty)

    assert created.keys() == set(schema.metadata.tables)
    migrated = _shape(empty)
    assert {name: migrated[name] for name in created} == created


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.write(lambda tx: seals.set_mark(tx, "kept", "yes"))

    db.migrate(store)

    assert store.read(lambda tx: seals.mark(tx, "kept")) == "yes"


def test_a_new_journal_is_at_seq_0(empty: Store) -> None:
    db.migrate(empty)

    assert empty.read(journal.head) == (0, GENESIS_HASH, 0)


@pytest.mark.parametrize("empty", ["SQLite in a file", "PostgreSQL"], indirect=True)
def test_processes_that_start_together_migrate_once(empty: Store) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    stores = [db.open_store(url) for _ in range(4)]

    together([partial(db.migrate, store) for store in stores])

    assert empty.read(journal.head) == (0, GENESIS_HASH, 0)
    for store in stores:
        store.close()


def test_older_code_does_not_open_what_a_newer_one_made(store: Store) -> None:
    version = sqlalchemy.table("alembic_version", sqlalchemy.column("version_num"))
    store.write(lambda tx: tx.execute(version.update().values(version_num="9999")))

    with pytest.raises(Unavailable, match="made by a newer Tenure") as raised:
        db.migrate(store)

    assert raised.value.code == "store"
    assert store.read(lambda tx: tx.execute(sqlalchemy.select(version)).scalar()) == "9999"


def _shape(store: Store) -> dict[str, object]:
    """Return what the database itself says of each table."""
    found = sqlalchemy.inspect(store.engine)
    return {
        name: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(name)
            ],
            "primary key": found.get_pk_constraint(name),
            "foreign keys": found.get_foreign_keys(name),
            "unique": found.get_unique_constraints(name),
            "checks": found.get_check_constraints(name),
            "indexes": [_index(index) for index in found.get_indexes(name)],
        }
        for name in found.get_table_names()
    }


def _index(index: sqlalchemy.engine.interfaces.ReflectedIndex) -> tuple[object, ...]:
    conditions = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return index["name"], index["column_names"], index["unique"], conditions
