"""The databases every test of the store runs on: SQLite in memory, in a file, and PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenure.store import db
from tenure.store.db import Store
from tests import migrated, postgresql

IN_MEMORY, IN_A_FILE, POSTGRESQL = "SQLite in memory", "SQLite in a file", "PostgreSQL"


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """Start PostgreSQL once for all tests that ask for it."""
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.start() as running:
        yield running


@pytest.fixture(params=[IN_MEMORY, IN_A_FILE, POSTGRESQL])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return a migrated store: every test of the contract is one test per database."""
    yield from _opened(request, tmp_path)


@pytest.fixture(params=[IN_A_FILE, POSTGRESQL])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return a migrated store that several threads may use at once; in memory there is but one."""
    yield from _opened(request, tmp_path)


@pytest.fixture(params=[IN_MEMORY, IN_A_FILE, POSTGRESQL])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return a store without tables."""
    if request.param == POSTGRESQL:
        server: postgresql.Server = request.getfixturevalue("server")
        yield from _closed(server.empty(), server.drop)
    else:
        yield from _closed(_sqlite_url(request, tmp_path), None)


def _opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == POSTGRESQL:
        server: postgresql.Server = request.getfixturevalue("server")
        yield from _closed(server.migrated(), server.drop)
        return
    store = migrated.opened(_sqlite_url(request, tmp_path))
    yield store
    store.close()


def _sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite://" if request.param == IN_MEMORY else f"sqlite:///{tmp_path / 'tenure.db'}"


def _closed(url: str, drop: Callable[[str], None] | None) -> Iterator[Store]:
    store = db.open_store(url)
    yield store
    store.close()
    if drop is not None:
        drop(url)
