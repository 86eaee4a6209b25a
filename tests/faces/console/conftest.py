"""The house that tests of the console's pages visit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faces.console.visiting import Visited

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # Before the plugin that picks tests by their marks.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory: for each of them a house is opened, and somebody joins."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def visited(tmp_path: Path) -> Iterator[Visited]:
    """Yield one for each test."""
    opened = Visited.again(tmp_path / "home")
    yield opened
    opened.house.close()
