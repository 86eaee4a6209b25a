"""The sandbox's clock on the page: by days, by an hour, to the next end; forward only."""

import pytest

from tests.builders import DAY_MS, TRADING, ms
from tests.faces.console.visiting import Visited


@pytest.mark.parametrize(
    ("fields", "to"),
    [
        ({"days": "30"}, "2021-12-31 10:00"),
        ({"days": "0"}, "2021-12-01 10:00"),
        ({"days": "3", "advance": "3600000"}, "2021-12-01 11:00"),
        ({"advance": "next"}, "2021-12-31 10:00"),
    ],
)
def test_the_slider_moves_the_clock(visited: Visited, fields: dict[str, str], to: str) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING)
    owner = visited.owner(account)

    reply = owner.post("/console/sandbox/clock", {"back": "/console/keys", **fields})

    assert (reply.status, reply.headers["location"]) == (303, "/console/keys")
    assert visited.house.worker.clock.now_ms() == ms(to)


@pytest.mark.parametrize("days", ["-1", "1e3", "x", "", "99999999999999", "40000"])
def test_what_is_no_number_of_days_moves_nothing(visited: Visited, days: str) -> None:
    owner = visited.owner(visited.house.account())
    before_ms = visited.house.worker.clock.now_ms()

    assert owner.post("/console/sandbox/clock", {"days": days}).status == 422
    assert visited.house.worker.clock.now_ms() == before_ms


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/console//evil.example", "/console/\r\nx-a: b"],
)
def test_without_an_end_ahead_it_goes_a_day_on_and_back_stays_here(
    visited: Visited, back: str
) -> None:
    owner = visited.owner(visited.house.account())
    before_ms = visited.house.worker.clock.now_ms()

    fields = {"advance": "next", "back": back}
    reply = owner.post("/console/sandbox/clock", fields)

    assert reply.headers["location"] == "/console"
    assert visited.house.worker.clock.now_ms() == before_ms + DAY_MS
