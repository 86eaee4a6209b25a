"""`tenure keys refusals`: what was refused, in a table or as JSON."""

import pytest

from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # A server starts, which takes some seconds.


def test_a_key_that_was_refused_nothing_says_so(server: Server) -> None:
    key_id = server.key("refusals@example.com")

    said = server.tenure("keys", "refusals", key_id)

    assert said.code == 0
    assert said.out == "No request of this key was refused in 90 days, as far as was noted.\n"
    answer = server.tenure("keys", "refusals", key_id, "--json").json()
    assert answer == {"key_id": key_id, "refusals": []}


def test_a_key_nobody_knows_is_not_found(server: Server) -> None:
    assert server.tenure("keys", "refusals", "key_000000000000000000000000").code == 5
