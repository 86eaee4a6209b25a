"""The servers that tests of commands talk to, each in a sandbox of its own."""

import contextlib
from collections.abc import Iterator

import pytest

from tenure import settings
from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tests.faces.terminal import Server


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield one for all of them."""
    with _serving(tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield one for a module that adds to the rulebook, which others look at."""
    with _serving(tmp_path_factory) as running:
        yield running


@contextlib.contextmanager
def _serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("served") / "home"
    given = settings.load(
        home=home,
        listen="127.0.0.1:0",
        workers=1,
        sandbox=True,
        sandbox_start="2021-12-01T10:00:00Z",
        webhook_loopback=True,  # Whatever a test names as a webhook stays on this machine.
    )
    with (
        contextlib.closing(SystemClock(tmp_path_factory.mktemp("clock"))) as clock,
        starting(given, clock) as url,
    ):
        yield Server(url, home)
