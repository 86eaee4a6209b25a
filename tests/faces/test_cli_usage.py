"""`tenure keys usage` and `unused`, and that a server that stops writes down what it noted."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure import settings
from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tests import signers
from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # Servers start, which takes some seconds.

TRADING = "spot_margin_trading"


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Server]:
    given = settings.load(home=home, listen="127.0.0.1:0", workers=1)
    clock_home = home.parent / "clock"
    clock_home.mkdir(exist_ok=True)
    with contextlib.closing(SystemClock(clock_home)) as clock, starting(given, clock) as url:
        yield Server(url, home)


def test_a_server_that_stops_writes_down_what_it_noted(tmp_path: Path) -> None:
    """Well within the seconds between two writings: a graceful stop loses nothing."""
    home = tmp_path / "home"
    with serving(home) as server, contextlib.closing(SystemClock(tmp_path)) as clock:
        account = server.account("bot@example.com")
        words = ("keys", "create", account, "--label", "bot", "--tick", TRADING, "--json")
        key = server.tenure(*words).json()
        query = f"timestamp={clock.now_ms()}"
        signature = signers.hmac_sign(key["secret_key"].encode(), query.encode())
        given = {"api_key": key["api_key"], "method": "POST", "path": "/api/v3/order"}
        given |= {"query": f"{query}&signature={signature}", "client_ip": "203.0.113.7"}
        with contextlib.closing(server.client()) as client:
            assert client.post("/v1/authorize", given)["allowed"]
            assert not client.post("/v1/authorize", {**given, "permission": "futures"})["allowed"]
            guess = {**given, "query": f"{query}&signature=00", "client_ip": "198.51.100.20"}
            assert not client.post("/v1/authorize", guess)["allowed"]

    with serving(home) as server:
        said = server.tenure("keys", "usage", key["key_id"])
        assert said.code == 0
        assert f"from 203.0.113.7, {TRADING}" in said.out
        assert f"tenure keys edit {key['key_id']} --ip 203.0.113.7\n" in said.out
        assert "Caution: its use is known for 0 whole days" in said.words
        answer = server.tenure("keys", "usage", key["key_id"], "--json").json()
        assert answer["suggestion"]["ip_allowlist"] == ["203.0.113.7"]
        assert "\nused     20" in server.tenure("keys", "show", key["key_id"]).out
        said = server.tenure("keys", "refusals", key["key_id"])
        assert [line.split()[:4] for line in said.out.splitlines()[2:]] == [
            ["signature_invalid", "?", "198.51.100.20", "1"],
            ["permission_missing", "futures", "203.0.113.7", "1"],
        ]
        assert "Those marked ? did not prove" in said.words


def test_a_key_that_was_never_used_says_so(server: Server) -> None:
    key_id = server.key("never@example.com")

    said = server.tenure("keys", "usage", key_id)

    assert "last used  never, as far as was noted" in said.out
    assert "--ip" not in said.out
    assert "nothing can be suggested" in said.words


def test_unused_keys_are_listed_with_what_that_is_worth(server: Server) -> None:
    said = server.tenure("keys", "unused", "--days", "40")

    assert said.code == 0
    assert said.out == "No key that is older than 40 days is unused.\n"
    assert "Use is noted since: 2021-12-01 10:00" in said.words
    answer = server.tenure("keys", "unused", "--json").json()
    assert (answer["keys"], answer["is_conclusive"], answer["next_after"]) == ([], False, None)
    assert server.tenure("keys", "unused", "--days", "0").code == 2
