"""What machines ask: alive, ready, counted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typing_extensions import override

from tenure import metrics
from tenure.domain.errors import Unavailable
from tests.faces.http.managed import Managed, build, is_problem, send
from tests.fakes import FakeClock
from tests.house import House

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


def test_alive_is_answered_whatever_else_is_wrong(managed: Managed) -> None:
    (managed.house.worker.settings.home / "keyring-evidence").write_bytes(b"\0" * 44)
    assert managed.tell("GET", "/healthz") == {"status": "ok"}


def test_ready_says_where_the_keyring_is(managed: Managed) -> None:
    managed.account()
    assert managed.tell("GET", "/readyz") == {
        "status": "ready",
        "seq": managed.tell("GET", "/v1/events")["next_after"],
        "now_ms": managed.house.worker.clock.now_ms(),
        "mail": "no_relay",
    }


def test_ready_says_that_there_is_a_relay_where_one_is_set(tmp_path: Path) -> None:
    relay = {"smtp_url": "smtp://relay.example:587", "mail_from": "Tenure <t@example.com>"}
    house = House.open(tmp_path / "home", **relay)
    try:
        assert send(build(house), "GET", "/readyz").json()["mail"] == "relay"
    finally:
        house.close()


def test_a_stale_keyring_is_not_ready_and_is_again_after_a_tick(managed: Managed) -> None:
    (managed.house.worker.settings.home / "keyring-evidence").write_bytes(b"\0" * 44)
    assert is_problem(managed.ask("GET", "/readyz", headers={}), 503, "stale")
    assert managed.house.worker.follower is not None
    managed.house.worker.follower.tick()
    assert managed.ask("GET", "/readyz", headers={}).status == 200


def test_a_clock_that_went_back_is_not_ready(managed: Managed) -> None:
    class Behind(FakeClock):
        @override
        def now_ms(self) -> int:
            raise Unavailable("clock")

    app = build(managed.house, clock=Behind())
    assert is_problem(send(app, "GET", "/readyz"), 503, "clock")


def test_what_was_counted_is_shown(managed: Managed) -> None:
    metrics.count_unavailable("a test", "curiosity")
    reply = managed.ask("GET", "/metrics", headers={})
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b'tenure_unavailable_total{cause="curiosity",face="a test"} 1.0' in reply.body


COUNT = """
from tenure import metrics
metrics.count_unavailable("a test", "in another process")
"""


def test_any_worker_answers_for_all_where_they_share_a_directory(
    managed: Managed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = tmp_path / "metrics"
    counts.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(counts))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT], check=True, env=dict(os.environ))
    shown = managed.ask("GET", "/metrics", headers={}).body
    assert b'tenure_unavailable_total{cause="in another process",face="a test"} 2.0' in shown
