"""The sandbox's clock over HTTP."""

import pytest

from tests.builders import ms
from tests.faces.http.managed import DAY_MS, TRADING, Managed, is_problem

START_MS = ms("2021-12-01 10:00")


def test_the_clock_stands_still_until_it_is_moved(managed: Managed) -> None:
    assert managed.tell("GET", "/sandbox/clock") == {"now_ms": START_MS, "running": False}
    moved = managed.tell("PUT", "/sandbox/clock", {"advance_ms": 5})
    assert moved == {"now_ms": START_MS + 5, "running": False}
    moved = managed.tell("PUT", "/sandbox/clock", {"now_ms": START_MS + 7})
    assert moved == managed.tell("GET", "/sandbox/clock") == {**moved, "now_ms": START_MS + 7}


def test_the_clock_runs_when_told_and_stops_when_told(managed: Managed) -> None:
    assert managed.tell("PUT", "/sandbox/clock", {"running": True})["running"]
    assert managed.tell("GET", "/sandbox/clock")["running"]
    moved = managed.tell("PUT", "/sandbox/clock", {"advance_ms": DAY_MS})
    assert moved["running"]
    assert moved["now_ms"] >= START_MS + DAY_MS
    stopped = managed.tell("PUT", "/sandbox/clock", {"running": False})
    assert managed.tell("GET", "/sandbox/clock") == stopped


def test_a_move_changes_decisions_and_runs_nothing_else(managed: Managed) -> None:
    key_id = managed.key(permissions=[TRADING])["key_id"]
    events = managed.tell("GET", "/v1/events")
    managed.tell("PUT", "/sandbox/clock", {"advance_ms": 30 * DAY_MS})
    assert not managed.tell("GET", f"/v1/keys/{key_id}")["permissions"][TRADING]["enabled"]
    assert managed.tell("GET", "/v1/events") == events


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "body"),
        ({"now_ms": None}, "body"),
        ({"now_ms": START_MS - 1}, "now_ms"),
        ({"now_ms": -1}, "now_ms"),
        ({"now_ms": START_MS + 0.5}, "now_ms"),
        ({"now_ms": str(START_MS)}, "now_ms"),
        ({"now_ms": True}, "now_ms"),
        ({"now_ms": 4_102_444_800_001}, "now_ms"),
        ({"now_ms": 2**63}, "now_ms"),
        ({"advance_ms": -1}, "advance_ms"),
        ({"advance_ms": 2**53 - 1}, "advance_ms"),
        ({"advance_ms": 1, "now_ms": START_MS + 1}, "advance_ms"),
        ({"running": 1}, "running"),
        ({"running": "true"}, "running"),
        ({"speed": 2}, "speed"),
    ],
)
def test_a_move_that_makes_no_sense_moves_nothing(
    shared: Managed, given: object, field: str
) -> None:
    before = shared.tell("GET", "/sandbox/clock")
    reply = shared.ask("PUT", "/sandbox/clock", given)
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [field]
    assert shared.tell("GET", "/sandbox/clock") == before


def test_terms_still_have_a_date_at_the_sandboxs_end(managed: Managed) -> None:
    managed.tell("PUT", "/sandbox/clock", {"now_ms": 4_102_444_800_000})
    (consequence, _) = managed.key(permissions=[TRADING])["consequences"]
    assert "2100-01-31 00:00:00 UTC" in consequence["text"]
