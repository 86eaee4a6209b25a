"""The parts that service tests begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import parts as building
from tests.services.parts import Parts
from tests.services.telling import Teller


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return the services over a new SQLite in memory; it is 2021-12-01 10:00."""
    yield from building.until_closed(building.opened(tmp_path))


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Parts]:
    """Return the services over a SQLite in a file, which several threads may use."""
    url = f"sqlite:///{tmp_path / 'tenure.db'}"
    yield from building.until_closed(building.opened(tmp_path, url=url))


@pytest.fixture
def teller(parts: Parts) -> Teller:
    """Return what tells the owners of those services."""
    return Teller(parts)
