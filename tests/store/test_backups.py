"""Rows out of one database and into another: the same, whichever two they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from tenure.domain.errors import Unavailable
from tenure.domain.merkle import Node
from tenure.store import (
    backups,
    checkpoints,
    db,
    journal,
    notices,
    schema,
    schema_notices,
    seals,
)
from tenure.store.backups import Table
from tenure.store.db import Store, Transaction
from tenure.store.schema_people import FLEETING

pytestmark = pytest.mark.slow

HEAD = "0014"
OLDER = "0008"
Rows = tuple[str, list[str], list[list[object]]]
Saved = list[Rows]


def fill(tx: Transaction) -> None:
    """Put a row into tables of every kind: bytes, nulls, big numbers, and a sub-account first."""
    for account_id, master_id in (("acct_b", None), ("acct_a", "acct_b")):
        tx.execute(
            schema.accounts.insert().values(
                account_id=account_id,
                kind="sub" if master_id else "master",
                email=f"{account_id}@example.com",
                master_id=master_id,
                created_at_ms=2**62,
            )
        )
    tx.execute(
        schema.keys.insert().values(
            key_id="key_1",
            api_key="k",
            account_id="acct_a",
            label="naïve \N{SNOWMAN}",
            key_type="hmac",
            sealed_secret=bytes(range(256)),
            ip_allowlist="[]",
            issued_at_ms=1,
            edited_at_ms=1,
            version=1,
        )
    )
    checkpoints.add_nodes(tx, [Node(8, 0, b"\0" * 32)])
    seals.set_mark(tx, "store_id", "store_1")
    tell(tx, "ntc_1", number=5)
    tx.execute(schema.journal_head.update().values(seq=7, hash="f" * 64))


def tell(tx: Transaction, notice_id: str, **more: int) -> None:
    tx.execute(
        schema_notices.notices.insert().values(
            notice_id=notice_id,
            kind="key_issued",
            audience="account",
            facts="{}",
            happened_at_ms=1,
            written_at_ms=1,
            **more,
        )
    )


def saved(store: Store) -> Saved:
    return store.read(
        lambda tx: [
            (table.name, table.columns, [list(row) for row in table.rows])
            for table in backups.tables(tx)
        ]
    )


def load(store: Store, found: Saved, revision: str = HEAD) -> None:
    tables = [Table(name, columns, iter(rows)) for name, columns, rows in found]
    store.write(lambda tx: backups.load(tx, revision, tables))


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return another database than the store's, without tables."""
    if request.param == "SQLite":
        url = f"sqlite:///{tmp_path / 'another.db'}"
    else:
        url = request.getfixturevalue("server").empty()
    opened = db.open_store(url)
    yield opened
    opened.close()
    if request.param != "SQLite":
        request.getfixturevalue("server").drop(url)


@pytest.fixture
def found(store: Store) -> Saved:
    """Return what a filled store has in it."""
    store.write(fill)
    return saved(store)


def test_every_table_is_saved_and_those_referred_to_come_first(store: Store, found: Saved) -> None:
    names = [name for name, _, _ in found]
    assert set(names) == set(schema.metadata.tables) - FLEETING, "but who is signed in just now"
    assert names.index("accounts") < names.index("keys") < names.index("grants")
    (accounts,) = [rows for name, _, rows in found if name == "accounts"]
    assert [row[0] for row in accounts] == ["acct_b", "acct_a"]
    assert store.read(backups.revision) == HEAD


def test_what_was_saved_is_put_back_as_it_was(empty: Store, found: Saved) -> None:
    assert empty.read(backups.is_blank)
    assert empty.read(backups.revision) is None
    load(empty, found)
    assert saved(empty) == found
    assert empty.read(journal.head)[:2] == (7, "f" * 64)
    assert not empty.read(backups.is_blank)


def test_numbers_go_on_after_those_that_were_put_back(empty: Store, found: Saved) -> None:
    load(empty, found)
    empty.write(lambda tx: tell(tx, "ntc_2"))
    assert empty.read(notices.head) == 6


def test_an_older_backup_is_put_into_the_tables_of_its_time_and_migrated(
    empty: Store, found: Saved
) -> None:
    known = _columns_of(OLDER)
    older = [
        _older(known[name], name, columns, rows) for name, columns, rows in found if name in known
    ]
    load(empty, older, OLDER)
    assert empty.read(backups.revision) == HEAD
    assert empty.read(checkpoints.latest) is None
    db.migrate(empty)


def _columns_of(revision: str) -> dict[str, set[str]]:
    """Return the columns of each table as it was at a revision."""
    store = db.open_store("sqlite://")
    store.write(lambda tx: db.upgrade(tx, revision))

    def look(tx: Transaction) -> dict[str, set[str]]:
        seen = sqlalchemy.inspect(tx)
        return {
            name: {column["name"] for column in seen.get_columns(name)}
            for name in seen.get_table_names()
        }

    found = store.read(look)
    store.close()
    return found


def _older(known: set[str], name: str, columns: list[str], rows: list[list[object]]) -> Rows:
    """Return a table without the columns it got since."""
    kept = [at for at, column in enumerate(columns) if column in known]
    return name, [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]


def test_a_newer_backup_is_refused_and_nothing_is_left(empty: Store, found: Saved) -> None:
    with pytest.raises(Unavailable, match="a newer Tenure"):
        load(empty, found, "9999")
    assert empty.read(backups.is_blank)


@pytest.mark.parametrize("spoiled", ["table", "column"])
def test_what_does_not_fit_is_refused_and_nothing_is_left(
    empty: Store, found: Saved, spoiled: str
) -> None:
    name, columns, rows = found[-1]
    odd = ("other", columns, rows) if spoiled == "table" else (name, [*columns[:-1], "odd"], rows)
    with pytest.raises(LookupError):
        load(empty, [*found[:-1], odd])
    assert empty.read(backups.is_blank)


def test_rows_go_in_page_by_page(empty: Store) -> None:
    rows: list[list[object]] = [[f"mark {number}", "x"] for number in range(2_500)]
    load(empty, [("marks", ["name", "value"], rows)])
    count = sqlalchemy.select(sqlalchemy.func.count()).select_from(schema.marks)
    assert empty.read(lambda tx: tx.execute(count).scalar_one()) == 2_500
