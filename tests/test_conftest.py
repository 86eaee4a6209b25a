"""What conftest promises for every test."""

import socket
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import conftest


def test_a_test_cannot_leave_this_machine() -> None:
    # 192.0.2.0/24 is for documentation: nobody answers there, should the guard be gone.
    with socket.socket() as outward:
        outward.settimeout(0.05)
        with pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
            outward.connect(("192.0.2.1", 9))


def test_a_test_can_reach_what_it_started_on_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        assert client.connect_ex(server.getsockname()) == 0


def test_no_property_is_judged_by_how_long_it_takes() -> None:
    assert hypothesis.settings().deadline is None


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/faces/http/test_keys.py::test_one[a::b]", "faces/http/test_keys.py"),
        ("tests/clients/test_terms.py::test_one", "clients"),
        ("tests/faults/test_kill.py::test_one", "tests/faults/test_kill.py::test_one"),
    ],
)
def test_the_tests_of_a_file_share_a_process_but_for_some(nodeid: str, group: str) -> None:
    assert conftest.group(nodeid) == group


def test_it_is_by_these_groups_that_the_tests_are_shared_out(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "tx", ["2*popen"])
    scheduler: Any = conftest.pytest_xdist_make_scheduler(pytestconfig, None)

    for nodeid in ("tests/clients/test_terms.py::test_one", "tests/test_one.py::TestA::test_one"):
        assert scheduler._split_scope(nodeid) == conftest.group(nodeid)  # noqa: SLF001 - what xdist asks


@pytest.mark.parametrize("named", sorted(conftest._APART | conftest._TOGETHER))  # noqa: SLF001 - what is named there
def test_what_conftest_names_is_there(named: str) -> None:
    assert (Path(__file__).parent / named).exists()
