"""What conftest promises for every test."""

import os
import socket

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


@pytest.mark.parametrize("_number", range(6))
def test_these_run_in_one_process(tmp_path_factory: pytest.TempPathFactory, _number: int) -> None:
    run, worker = (os.environ.get(f"PYTEST_XDIST_{name}") for name in ("TESTRUNUID", "WORKER"))
    if run is None or worker is None:
        return  # There is one process for all.
    everybodys = tmp_path_factory.getbasetemp().parent
    (everybodys / f"{run}-{worker}").touch()

    assert [path.name for path in everybodys.glob(f"{run}-gw*")] == [f"{run}-{worker}"]
