"""What a database says of itself, before and after it is migrated; looking changes nothing."""

from pathlib import Path

import pysqlite3.dbapi2
import pytest
from alembic.script import ScriptDirectory

from tenure.domain.errors import Unavailable
from tenure.store import condition, db
from tenure.store.db import Store


def opened(path: Path) -> Store:
    return db.open_store(f"sqlite:///{path}")


def set_revision(store: Store, revision: str) -> None:
    store.write(
        lambda tx: tx.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))
    )


def test_the_sqlite_in_use_may_share_a_store_between_processes() -> None:
    found = condition.sqlite()

    assert found.is_new_enough
    assert found.is_thread_safe
    assert found.version == pysqlite3.dbapi2.sqlite_version


def test_an_older_sqlite_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "SQLITE_VERSION_MIN", (99, 1, 0))

    found = condition.sqlite()

    assert not found.is_new_enough
    assert found.version_min == "99.1.0"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////var/lib/tenure/tenure.db", Path("/var/lib/tenure/tenure.db")),
        ("sqlite:///tenure.db", Path("tenure.db")),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql://db.example/tenure", None),
    ],
)
def test_only_a_sqlite_database_on_disk_is_a_file(url: str, file: Path | None) -> None:
    assert condition.file_of(url) == file


def test_tables_are_not_there_before_and_current_after_migrating(tmp_path: Path) -> None:
    store = opened(tmp_path / "tenure.db")

    before = condition.tables(store)
    db.migrate(store)
    after = condition.tables(store)
    store.close()

    assert (before, after) == ("none", "current")


def test_a_revision_nobody_knows_is_a_newer_ones(tmp_path: Path) -> None:
    store = opened(tmp_path / "tenure.db")
    db.migrate(store)
    set_revision(store, "9999")

    found = condition.tables(store)
    store.close()

    assert found == "newer"


def test_an_earlier_revision_is_to_be_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path / "tenure.db")
    db.migrate(store)
    # There may be one revision only: the head is moved instead of the store.
    monkeypatch.setattr(ScriptDirectory, "get_heads", lambda _self: ["9998"])

    found = condition.tables(store)
    store.close()

    assert found == "older"


def test_what_is_no_database_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "tenure.db"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    store = opened(path)

    with pytest.raises(Unavailable):
        condition.tables(store)
    store.close()
