"""Activity as pages: whose it is, narrowed down without a script, older pages, and files."""

import csv
import io
import json

import pytest

from tenure.faces.console import activity
from tenure.services.keys import Wanted
from tests.builders import FUTURES, TRADING
from tests.faces.console.visiting import Browser, Visited, words
from tests.house import Reply


def titles(page: Reply) -> list[str]:
    """Return what happened, as the page lists it."""
    text = page.body.decode()
    rows = text.split('<th scope="row" class="event">')[1:]
    return [words(page_of(row.partition("</span>")[0])) for row in rows]


def page_of(text: str) -> Reply:
    return Reply(status=200, headers={}, body=text.encode())


def lived(visited: Visited) -> tuple[Browser, str, str]:
    """Return an owner's browser, the account, and a key that was issued, edited, and lapsed."""
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, label="trader")
    worker = visited.house.worker
    worker.keys.edit(key.key_id, Wanted(label="renamed"), None, "test")
    visited.house.move("2022-01-02T10:00:00Z")
    wanted = Wanted(permissions={FUTURES: True})
    stamp = worker.keys.preview(key.key_id, wanted).stamp
    worker.keys.edit(key.key_id, wanted, stamp, "test")
    return visited.owner(account), account, key.key_id


def test_what_happened_is_listed_the_last_first_with_who_did_it(visited: Visited) -> None:
    owner, account, key_id = lived(visited)

    page = owner.get("/console/activity")

    found = titles(page)
    assert found[-2:] == [
        "API key “trader” was issued",
        "The account owner@example.com was created",
    ]
    ended = found.index("“Enable Spot & Margin Trading” on API key “renamed” has ended")
    assert ended < found.index("API key “renamed” was edited", ended)
    assert "2 Jan 2022, 10:00" in words(page)
    assert "Tenure, by itself" in words(page)
    assert f'href="/console/keys/{key_id}"' in page.body.decode()
    assert titles(owner.get(f"/console/accounts/{account}/activity")) == found


def test_a_key_has_its_own(visited: Visited) -> None:
    owner, account, key_id = lived(visited)
    visited.house.issue(account, label="another")

    page = owner.get(f"/console/keys/{key_id}/activity")

    assert "API key “renamed”" in words(page)
    assert "another" not in words(page)
    assert "was created" not in words(page)
    assert titles(page)[-1] == "API key “trader” was issued"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("group=ends", ["“Enable Spot & Margin Trading” on API key “renamed” has ended"]),
        ("group=account", ["The account owner@example.com was created"]),
        (
            "until=2021-12-01&group=keys",
            ["API key “renamed” was edited", "API key “trader” was issued"],
        ),
        ("from=2021-12-02&until=2021-12-30&group=keys", []),
        ("from=2022-01-02&group=keys", ["API key “renamed” was edited"]),
    ],
)
def test_it_is_narrowed_by_the_address_alone(
    visited: Visited, query: str, found: list[str]
) -> None:
    owner, *_ = lived(visited)

    page = owner.get(f"/console/activity?{query}")

    assert titles(page) == found
    for pair in query.split("&"):
        assert pair.partition("=")[2] in page.body.decode()
    if not found:
        assert "Nothing of that kind" in words(page)


def test_a_day_begins_where_its_reader_lives(visited: Visited) -> None:
    """2021-12-01 10:00 UTC is still the first in Tokyo, and the 30th of November in Honolulu."""
    owner, *_ = lived(visited)
    assert owner.person is not None
    for zone, day in (("Asia/Tokyo", "2021-12-01"), ("Pacific/Kiritimati", "2021-12-02")):
        visited.people.prefer(owner.person.person_id, language=None, time_zone=zone)
        page = owner.get(f"/console/activity?group=account&from={day}&until={day}")
        assert titles(page) == ["The account owner@example.com was created"], zone


@pytest.mark.parametrize("day", ["2021-13-01", "yesterday", "1", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("name", ["from", "until"])
def test_a_day_that_is_none_is_said_beside_its_field(visited: Visited, name: str, day: str) -> None:
    owner = visited.owner(visited.house.account())

    page = owner.get(f"/console/activity?{name}={day}")

    is_day = day in {"0001-01-01", "9999-12-31"}
    assert page.status == (200 if is_day else 422)
    assert (f'id="{name}-error"' in page.body.decode()) is not is_day


def test_what_nobody_asks_for_is_passed_over(visited: Visited) -> None:
    owner, *_ = lived(visited)
    stranger = visited.house.issue(visited.house.account("stranger@example.com"))
    everything = titles(owner.get("/console/activity"))
    foreign = f"key={stranger.key_id}&of={stranger.account_id}"

    for query in ("group=none", "before=-1", "before=x", "before=" + "9" * 30, foreign):
        assert titles(owner.get(f"/console/activity?{query}")) == everything, query


def test_older_pages_follow_and_scripts_are_given_the_entries_alone(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, *_ = lived(visited)
    everything = titles(owner.get("/console/activity?until=2022-02-01"))
    monkeypatch.setattr(activity, "PAGE", 2)
    found: list[str] = []
    path = "/console/activity?until=2022-02-01"
    for _ in range(9):
        page = owner.get(path, **{"hx-request": "true"})
        assert page.body.decode().strip().startswith("<section id=")
        found += titles(page)
        older = page.body.decode().partition('class="button small" href="')[2].partition('"')[0]
        if "before=" not in older:
            break
        assert "until=2022-02-01" in older
        path = older.replace("&amp;", "&")

    assert found == everything
    assert len(found) == 8


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_all_of_it_is_a_file_as_narrowed(visited: Visited, form: str) -> None:
    owner, account, key_id = lived(visited)

    whole = owner.get(f"/console/accounts/{account}/activity/{form}")
    keys = owner.get(f"/console/keys/{key_id}/activity/{form}?group=ends")

    assert whole.headers["content-disposition"].startswith('attachment; filename="tenure-acct_')
    assert whole.headers["cache-control"] == "no-store"
    if form == "csv":
        assert whole.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(whole.body.decode())))
        (ended,) = csv.DictReader(io.StringIO(keys.body.decode()))
    else:
        rows = [json.loads(line) for line in whole.body.splitlines()]
        (ended,) = [json.loads(line) for line in keys.body.splitlines()]
    assert len(rows) == 8
    assert "has ended" in ended["what"]


def test_a_master_narrows_it_to_one_account(visited: Visited) -> None:
    ids = visited.tree()
    visited.house.issue(ids["sub"], label="the sub's")
    master = visited.owner(ids["master"])

    assert "API key “the sub's” was issued" in titles(master.get("/console/activity"))
    own = titles(master.get(f"/console/activity?of={ids['master']}"))
    assert "API key “the sub's” was issued" not in own
    subs = titles(master.get(f"/console/activity?of={ids['sub']}"))
    assert subs[-1] == "The account sub@example.com was created"
    assert subs == titles(master.get(f"/console/accounts/{ids['sub']}/activity"))


def test_a_first_visit_says_what_will_stand_there(visited: Visited) -> None:
    account = visited.house.account()
    owner = visited.owner(account)

    page = words(owner.get("/console/activity?group=telling"))

    assert "Nothing of that kind" in page
    assert "Show everything" in page
