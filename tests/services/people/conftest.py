"""The house that tests of people begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import quickly
from tests.services.people import doors
from tests.services.people.doors import Door


@pytest.fixture(autouse=True)
def _quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with as little work as Argon2 allows, but where the work itself is looked at."""
    if not request.module.__name__.endswith("test_passwords"):
        quickly.hashes(monkeypatch)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Return a house that people sign in to; it is 2021-12-01 10:00."""
    made = doors.opened(tmp_path)
    yield made
    made.parts.close()


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Door]:
    """Return such a house over a SQLite in a file, which several threads may use."""
    made = doors.opened(tmp_path, f"sqlite:///{tmp_path / 'tenure.db'}")
    yield made
    made.parts.close()
