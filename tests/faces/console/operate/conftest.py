"""The house that tests of the operators' pages begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faces.console.operate.house import Office
from tests.faces.console.visiting import Visited


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Yield one for each test."""
    visited = Visited.again(tmp_path / "home")
    yield Office.open(visited)
    visited.house.close()
