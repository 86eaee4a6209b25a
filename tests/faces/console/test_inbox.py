"""The inbox as a page: the last first, what is unread, marking as read, script or not."""

import re

import pytest

from tenure.domain.notices import Kind
from tenure.faces.console import inbox
from tenure.services.notify import Notify
from tests.builders import DAY_MS, MONTH_MS, TRADING
from tests.faces.console.visiting import Browser, Visited, words
from tests.house import Reply


def subjects(page: Reply) -> list[str]:
    """Return what the page tells, in order."""
    return re.findall(r'<h2 id="n\d+-title">(.*?)</h2>', page.body.decode())


def told(visited: Visited, account: str) -> list[str]:
    """Return the ids of what an account was told, the last first."""
    listed = visited.house.worker.telling.notices.latest(account, most=99)
    return [item.notice.notice_id for item in listed]


def an_owner(visited: Visited) -> tuple[Browser, str, str]:
    """Return an owner's browser, the account, and a key it was told about."""
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, label="trader")
    return visited.owner(account), account, key.key_id


def test_what_one_was_told_stands_there_with_its_words_and_the_way_on(visited: Visited) -> None:
    owner, account, key_id = an_owner(visited)
    visited.house.worker.keys.revoke(key_id, "test")

    page = owner.get("/console/inbox")

    assert subjects(page)[:1] == ["API key “trader” was revoked"]
    assert "API key “trader” was issued" in subjects(page)
    said = words(page)
    assert "Every request signed with it is refused." in said
    assert "Urgent New" in said
    assert f'href="/console/keys/{key_id}"' in page.body.decode()
    assert f"{len(told(visited, account))} unread" in said


def test_dates_are_told_one_way_on_a_page_and_the_zone_once(visited: Visited) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING)
    owner = visited.owner(account)
    visited.house.move("2021-12-31T10:00:00Z")
    american = {"accept-language": "en-US"}

    pages = [
        words(owner.get(f"/console/{name}", **american))
        for name in ("inbox", "activity", "keys", "announcements/2021-07-09")
    ]

    for page in pages:
        assert re.search(r"[A-Z][a-z][a-z] \d+, 2021, \d+:00 [AP]M", page)
        assert not re.search(r"December|July|2021-12|\d:\d\d:\d\d", page)
        assert page.count("Times in Coordinated Universal Time") == 1


def test_what_is_unread_is_counted_beside_the_name_of_the_page(visited: Visited) -> None:
    owner, account, _ = an_owner(visited)
    count = len(told(visited, account))

    assert f'<span class="count">{count}<' in owner.get("/console/keys").body.decode()
    visited.house.worker.telling.notices.read_all(account, 10**6)
    assert '<span class="count">' not in owner.get("/console/keys").body.decode()


def test_looking_marks_nothing_and_a_button_marks_one(visited: Visited) -> None:
    owner, account, _ = an_owner(visited)
    notices = visited.house.worker.telling.notices
    before = notices.unread(account)
    owner.get("/console/inbox")
    assert notices.unread(account) == before

    first = told(visited, account)[-1]
    done = owner.post(f"/console/accounts/{account}/inbox/{first}/read")

    number = notices.latest(account, most=99)[-1].number
    assert (done.status, done.headers["location"]) == (303, f"/console/inbox#n{number}")
    assert notices.unread(account) == before - 1
    assert len(subjects(owner.get("/console/inbox?unread=1"))) == before - 1


def test_a_script_is_given_the_notice_as_it_is_then(visited: Visited) -> None:
    owner, account, _ = an_owner(visited)
    first = told(visited, account)[0]

    path = f"/console/accounts/{account}/inbox/{first}/read"
    part = owner.post(path, (), **{"hx-request": "true"})

    assert part.body.decode().strip().startswith("<article")
    assert "Mark as read" not in words(part)
    assert "New" not in words(part)


def test_all_that_was_shown_is_marked_and_what_came_meanwhile_is_not(visited: Visited) -> None:
    owner, account, key_id = an_owner(visited)
    page = owner.get("/console/inbox")
    visited.house.worker.keys.revoke(key_id, "test")

    owner.post(f"/console/accounts/{account}/inbox/read", owner.fill(page))

    unread = owner.get("/console/inbox?unread=1")
    assert subjects(unread) == ["API key “trader” was revoked"]
    owner.post(f"/console/accounts/{account}/inbox/read", owner.fill(unread))
    assert "Nothing unread" in words(owner.get("/console/inbox?unread=1"))
    assert "Everything is read" in words(owner.get("/console/inbox"))


@pytest.mark.parametrize("upto", ["", "x", "-1", "9" * 30])
def test_a_number_that_is_none_marks_nothing(visited: Visited, upto: str) -> None:
    owner, account, _ = an_owner(visited)

    reply = owner.post(f"/console/accounts/{account}/inbox/read", {"upto": upto})

    assert reply.status == 303
    assert visited.house.worker.telling.notices.unread(account) == len(told(visited, account))


def test_older_pages_follow(visited: Visited, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, account, _ = an_owner(visited)
    everything = subjects(owner.get("/console/inbox"))
    monkeypatch.setattr(inbox, "PAGE", 2)
    found: list[str] = []
    path = "/console/inbox"
    while path:
        page = owner.get(path)
        found += subjects(page)
        older = re.search(r'href="(/console/inbox\?before=\d+)"', page.body.decode())
        path = older.group(1) if older else ""

    assert found == everything
    assert len(found) == len(told(visited, account)) > 2


def test_a_warning_leads_to_renewing_and_a_new_rule_to_its_announcement(
    visited: Visited,
) -> None:
    owner, account, key_id = an_owner(visited)
    worker = visited.house.worker
    issued_ms = worker.keys.get(key_id).issued_at_ms
    visited.house.move(issued_ms + MONTH_MS - DAY_MS)
    Notify(worker.store, worker.clock).tick()

    page = owner.get("/console/inbox")

    kinds = [item.notice.kind for item in worker.telling.notices.latest(account, most=1)]
    assert kinds == [Kind.TERM_ENDS_SOON]
    assert f"/console/keys/{key_id}/edit?renew=spot_margin_trading" in page.body.decode()


def test_a_first_visit_says_what_will_stand_there(visited: Visited) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    if told(visited, account):
        visited.house.worker.telling.notices.read_all(account, 10**6)
    page = words(owner.get("/console/inbox?before=1"))
    assert "No notices yet" in page
    assert "Choose where you are told" in page


def test_anothers_notice_is_as_good_as_none(visited: Visited) -> None:
    owner, account, _ = an_owner(visited)
    other = visited.house.account("other@example.com")
    visited.house.issue(other)
    foreign = told(visited, other)[0]

    for name in (foreign, "ntc_" + "0" * 24):
        path = f"/console/accounts/{account}/inbox/{name}/read"
        assert owner.post(path).status == 404
    assert owner.post(f"/console/accounts/{other}/inbox/{foreign}/read").status == 404
    assert owner.post(f"/console/accounts/{other}/inbox/read", {"upto": "9"}).status == 404
    assert visited.house.worker.telling.notices.unread(other) > 0
