"""What conftest promises for every test."""

import socket

import hypothesis
import pytest


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
