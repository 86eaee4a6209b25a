"""
What holds for every test: how hard it is tried, where it may go, and what it runs beside.

Fixtures live beside the tests that need them, and values are built in `builders`.
"""

import gc
import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from typing_extensions import override

hypothesis.settings.register_profile(
    "ci",
    derandomize=True,  # The same examples for everybody: a red run is red again on the next desk.
    deadline=None,  # Timings are benchmarks, never assertions.
)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile("ci")


_TESTS = Path(__file__).parent
_TOGETHER = {"clients"}
"""Directories whose tests install something once for all of them."""
_APART = {
    "faults/test_planted.py",
    "faults/test_kill.py",
    "faults/test_told.py",
    "store/test_processes.py",
}
"""Files of few tests that take long and stand on nothing they share."""
_LONG = ("slow", "browser")


@pytest.hookimpl(wrapper=True, tryfirst=True)  # Around the plugin that shuffles.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Begin with what is slow, and of that with the browser's files, of which each takes long."""
    result = yield
    # So that at the end there is no long one left, for which all processes but one wait. Directory
    # by directory, for what one serves to all its tests works on, idle or not, until it is left.
    items.sort(
        key=lambda item: (
            [item.get_closest_marker(name) is None for name in _LONG],
            item.path.parent,
        )
    )
    return result


@pytest.hookimpl(optionalhook=True)  # One process alone shares nothing out.
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:  # noqa: ANN401 - not ours
    """Keep the tests of a file in one process, for what they stand on."""
    # Not `--dist loadgroup`, which does nothing since pytest 9.2 (pytest-dev/pytest-xdist#1386).
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    class Grouped(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
        @override
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Grouped(config, log)


def group(nodeid: str) -> str:
    """Return what a test shares a process with: what has the same group."""
    path = nodeid.partition("::")[0].removeprefix(f"{_TESTS.name}/")
    if path in _APART:
        return nodeid
    first = path.partition("/")[0]
    return first if first in _TOGETHER else path


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the collector leave alone what lives as long as the run: ten thousand tests, and more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    """Refuse connections to anywhere else; addresses of this machine and socket files are fine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _only_here(getattr(socket.socket, name)))
        yield


def _only_here(connect: Any) -> Any:  # noqa: ANN401 - the signature is the wrapped method's own
    def guarded(self: socket.socket, address: Any) -> Any:  # noqa: ANN401 - as above
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address[0]):
            pytest.fail(f"a test tried to reach {address!r}")
        return connect(self, address)

    return guarded


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
