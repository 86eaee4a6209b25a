"""The routes of calendar feeds: one for operators, one for whoever knows its address."""

import icalendar
import pytest

from tests.faces.http.managed import TRADING, Managed, is_problem


def test_the_feed_is_open_to_whoever_knows_its_address(managed: Managed) -> None:
    account_id = managed.account()
    managed.key(account_id, permissions=[TRADING])
    path = managed.tell("POST", f"/v1/accounts/{account_id}/calendar")["path"]

    reply = managed.ask("GET", path, headers={})

    assert reply.status == 200
    assert reply.headers["content-type"] == "text/calendar; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert len(icalendar.Calendar.from_ical(reply.body).walk("VEVENT")) == 1
    assert managed.ask("GET", f"/v1/accounts/{account_id}/calendar.ics").body == reply.body


def test_a_renewed_address_ends_the_former_one(managed: Managed) -> None:
    route = f"/v1/accounts/{managed.account()}/calendar"
    first, second = (managed.tell("POST", route)["path"] for _ in range(2))

    assert is_problem(managed.ask("GET", first, headers={}), 404, "not_found")
    assert managed.ask("GET", second, headers={}).status == 200
    assert second not in str(managed.tell("GET", "/v1/events"))


@pytest.mark.parametrize(
    "name",
    ["x", "x.ics", ".ics", "A" * 43, "A" * 43 + ".ics", "A" * 42 + "é.ics", "%00", "A" * 5000],
)
def test_an_address_that_is_not_there_says_no_more(shared: Managed, name: str) -> None:
    assert is_problem(shared.ask("GET", f"/calendar/{name}", headers={}), 404, "not_found")


def test_a_parameter_nobody_knows_is_refused(shared: Managed) -> None:
    reply = shared.ask("GET", f"/calendar/{'A' * 43}.ics?token=x", headers={})
    assert is_problem(reply, 422, "invalid")
