"""The clients, each installed once and running while it is tested, and the venues they trade at."""

import contextlib
from collections.abc import Iterator

import pytest

from tenure.domain.model import KeyType
from tests.clients import installing, venue
from tests.clients.bots import SCRIPTS, Client
from tests.clients.venue import Venue


@pytest.fixture(scope="session", params=SCRIPTS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Each client in turn."""
    name = str(request.param)
    try:
        python = installing.install(name)
    except installing.CannotInstallError as error:
        pytest.skip(f"{name} cannot be installed here: {error}")
    with contextlib.closing(Client(name, python)) as running:
        yield running


@pytest.fixture(params=list(KeyType))
def key_type(request: pytest.FixtureRequest) -> KeyType:
    """Each type of key in turn."""
    return KeyType(request.param)


@pytest.fixture(scope="package")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """Open a venue months after the rule came, with keys that are older than it."""
    with venue.opening(tmp_path_factory.mktemp("venue")) as opened:
        opened.grow_older([(name, key_type) for name in SCRIPTS for key_type in KeyType])
        yield opened


@pytest.fixture(scope="package")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """Open a venue that checks signatures over the bytes that came, and over nothing else."""
    home = tmp_path_factory.mktemp("strict")
    with venue.opening(home, binance_decoded_retry=False) as opened:
        yield opened
