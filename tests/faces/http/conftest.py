"""A management face, opened and closed around each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faces.http.managed import Managed


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[Managed]:
    """Yield a management face of a new sandbox."""
    face = Managed.again(tmp_path)
    yield face
    face.house.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    """Yield one for a module's tables, whose rows leave nothing behind that others look at."""
    face = Managed.open(tmp_path_factory.mktemp("shared"))
    yield face
    face.house.close()
