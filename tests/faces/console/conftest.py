"""The house that tests of the console's pages visit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faces.console.visiting import Visited


@pytest.fixture
def visited(tmp_path: Path) -> Iterator[Visited]:
    """Yield one for each test."""
    opened = Visited.open(tmp_path / "home")
    yield opened
    opened.house.close()
