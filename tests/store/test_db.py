"""The two ways into the store, on each database: what a read sees and what a write leaves."""

from functools import partial
from pathlib import Path

import pysqlite3.dbapi2
import pytest
import sqlalchemy

from tenure.domain.errors import Conflict, Unavailable
from tenure.store import accounts, db, journal
from tenure.store.db import Store, Transaction
from tests import postgresql
from tests.builders import an_account
from tests.together import together


def _emails(store: Store) -> list[str]:
    return [account.email for account in store.read(lambda tx: list(accounts.every(tx)))]


def test_a_write_is_there_for_everybody_once_it_returns(shared: Store) -> None:
    shared.write(lambda tx: accounts.add(tx, an_account()))

    url = shared.engine.url.render_as_string(hide_password=False)
    other = db.open_store(url)
    assert _emails(other) == ["owner1@example.com"]
    other.close()


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    def add_and_regret(tx: Transaction) -> None:
        accounts.add(tx, an_account())
        raise KeyError("second thoughts")

    with pytest.raises(KeyError, match="second thoughts"):
        store.write(add_and_regret)

    assert _emails(store) == []


def test_a_write_answers_what_its_function_answers(store: Store) -> None:
    assert store.write(lambda _: "done") == "done"
    assert store.read(lambda _: 7) == 7


def test_a_read_sees_one_state_from_beginning_to_end(shared: Store) -> None:
    def look_twice(tx: Transaction) -> tuple[int, int]:
        before = len(list(accounts.every(tx)))
        shared.write(lambda other: accounts.add(other, an_account()))
        return before, len(list(accounts.every(tx)))

    assert shared.read(look_twice) == (0, 0)
    assert len(_emails(shared)) == 1


def test_a_write_sees_what_was_written_until_its_own_first_statement(shared: Store) -> None:
    """Read, then write by it: where two do so at once, the second waits and then reads."""

    def add_the_next(tx: Transaction) -> None:
        number = len(list(accounts.every(tx))) + 1
        accounts.add(tx, an_account(number=number))

    def run() -> None:
        for _ in range(5):
            shared.write(add_the_next)

    together([run] * 4)

    assert set(_emails(shared)) == {f"owner{number}@example.com" for number in range(1, 21)}


def test_every_sqlite_connection_syncs_each_commit_and_keeps_foreign_keys(tmp_path: Path) -> None:
    store = db.open_store(f"sqlite:///{tmp_path / 'tenure.db'}")
    held = [store.engine.connect() for _ in range(4)]  # All at once, so that none is handed twice.
    store.engine.dispose()
    held.append(store.engine.connect())

    for connection in held:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
        assert found == ["wal", 2, 1, db.WRITER_WAITS_MS]  # 2 is FULL (SECURITY D7).
        connection.close()
    store.close()


def test_several_may_open_a_new_sqlite_file_at_once(tmp_path: Path) -> None:
    """One of them makes it a WAL; SQLite tells the others at once that it is locked."""
    for number in range(40):  # Not each meeting is a clash: about one in ten.
        stores = [db.open_store(f"sqlite:///{tmp_path / f'{number}.db'}") for _ in range(4)]
        assert together([partial(store.read, lambda tx: tx.closed) for store in stores]) == (
            [False] * 4
        )
        for store in stores:
            store.close()


def test_a_sqlite_that_corrupts_shared_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pysqlite3.dbapi2, "sqlite_version_info", (3, 51, 2))
    monkeypatch.setattr(pysqlite3.dbapi2, "sqlite_version", "3.51.2")

    with pytest.raises(Unavailable, match=r"SQLite 3\.51\.2 can corrupt.*need 3\.51\.3") as raised:
        db.open_store("sqlite://")

    assert raised.value.code == "store"


def test_the_first_sqlite_that_does_not_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pysqlite3.dbapi2, "sqlite_version_info", (3, 51, 3))

    db.open_store("sqlite://").close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://root@localhost/tenure", "mysql is not supported: sqlite, postgresql"),
        ("no url, but hunter2", "this is no database URL"),
        ("", "this is no database URL"),
    ],
)
def test_a_url_of_nothing_we_know_is_refused(url: str, message: str) -> None:
    with pytest.raises(Unavailable, match=message) as raised:
        db.open_store(url)

    assert raised.value.code == "store"
    assert "hunter2" not in str(raised.value)


def test_a_sqlite_file_that_cannot_be_opened_makes_the_store_unavailable(tmp_path: Path) -> None:
    store = db.open_store(f"sqlite:///{tmp_path / 'gone' / 'tenure.db'}")

    _assert_gone(store)


def test_a_postgresql_database_that_is_gone_makes_the_store_unavailable(
    server: postgresql.Server,
) -> None:
    url = server.migrated()
    store = db.open_store(url)
    assert _emails(store) == []  # So there is a connection to lose.
    server.drop(url)

    _assert_gone(store)
    store.close()


def test_a_lost_connection_is_replaced_by_the_next_one_asked_for(server: postgresql.Server) -> None:
    url = server.migrated()
    store = db.open_store(url)

    def lose_it(tx: Transaction) -> None:
        accounts.add(tx, an_account())
        tx.execute(sqlalchemy.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable) as raised:
        store.write(lose_it)

    assert raised.value.code == "store"
    assert _emails(store) == []
    store.close()
    server.drop(url)


@pytest.mark.parametrize("shared", ["SQLite in a file"], indirect=True)
def test_a_sqlite_writer_gives_up_when_another_one_never_ends(
    shared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITER_WAITS_MS", 20)
    _assert_busy(shared)


@pytest.mark.parametrize("shared", ["PostgreSQL"], indirect=True)
def test_a_postgresql_writer_gives_up_when_another_one_never_ends(
    shared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITER_WAITS_MS", 20)
    _assert_busy(shared)


def test_an_error_says_nothing_of_what_was_to_be_stored(store: Store) -> None:
    """What an exception says is logged; e-mails and sealed secrets are no business of a log's."""
    store.write(lambda tx: accounts.add(tx, an_account()))

    with pytest.raises(Conflict) as raised:
        store.write(lambda tx: accounts.add(tx, an_account()))

    assert isinstance(raised.value.__cause__, sqlalchemy.exc.IntegrityError)
    assert "2021" not in str(raised.value.__cause__)
    assert raised.value.__cause__.hide_parameters


def _assert_gone(store: Store) -> None:
    def fail(_: Transaction) -> None:
        raise AssertionError("there is a database after all")

    attempts = [partial(store.read, fail), partial(store.write, fail), partial(db.migrate, store)]
    for attempt in attempts:
        with pytest.raises(Unavailable) as raised:
            attempt()
        assert raised.value.code == "store"


def _assert_busy(store: Store) -> None:
    other = db.open_store(store.engine.url.render_as_string(hide_password=False))

    def write_meanwhile(_: Transaction) -> None:
        with pytest.raises(Unavailable) as raised:
            other.write(journal.head)
        assert raised.value.code == "store"
        assert other.read(journal.head)[0] == 0  # Readers wait for nobody.

    store.write(write_meanwhile)
    other.write(journal.head)
    other.close()
