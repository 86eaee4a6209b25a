"""Sub-accounts as pages: a list with what ends next, and freezing with a second factor."""

import pytest

from tenure.domain.model import AccountKind
from tenure.domain.people import Role
from tests.builders import TRADING
from tests.faces.console.visiting import Browser, Visited, words
from tests.house import Reply


def turned(owner: Browser, account: str, turn: str, **chosen: str) -> Reply:
    """Open the page that tells what will follow, and confirm it."""
    path = f"/console/accounts/{account}/{turn}"
    return owner.post(path, owner.fill(owner.get(path), {"code": owner.code(), **chosen}))


def test_a_master_sees_each_sub_account_with_what_ends_next(visited: Visited) -> None:
    ids = visited.tree()
    key = visited.house.issue(ids["sub"], TRADING, label="the sub's")
    visited.house.worker.accounts.set_frozen(ids["sibling"], frozen=True, actor="test")

    master = visited.owner(ids["master"])
    page = master.get("/console/sub-accounts")

    said = words(page)
    assert "sub@example.com Active 1 ends in 30 days, 31 Dec 2021, 10:00" in said
    assert "Enable Spot & Margin Trading · the sub's" in said
    assert "sibling@example.com Frozen 0 nothing ends" in said
    assert "stranger@example.com" not in said
    assert f'href="/console/keys/{key.key_id}"' in page.body.decode()
    assert 'class="near"' not in page.body.decode()

    visited.house.move("2021-12-25T10:00:00Z")
    near = master.get("/console/sub-accounts").body.decode()
    assert 'class="near"' in near


def test_freezing_says_what_follows_and_refuses_the_keys(visited: Visited) -> None:
    ids = visited.tree()
    master = visited.owner(ids["master"])
    page = words(master.get(f"/console/accounts/{ids['sub']}/freeze"))
    assert "At once every request of its API keys is refused" in page

    done = turned(master, ids["sub"], "freeze")

    assert (done.status, done.headers["location"]) == (303, "/console/sub-accounts?done=freeze")
    account = visited.house.worker.accounts.get(ids["sub"])
    assert account.frozen_at_ms is not None
    event = visited.house.worker.journal.after(0)[-1]
    assert event.change.actor == master.person.actor  # type: ignore[union-attr]  # signed in
    assert "The sub-account is frozen" in words(master.get(done.headers["location"]))

    assert turned(master, ids["sub"], "unfreeze").status == 303
    assert visited.house.worker.accounts.get(ids["sub"]).frozen_at_ms is None


@pytest.mark.parametrize("code", ["", "000000"])
def test_without_a_second_factor_nothing_is_frozen(visited: Visited, code: str) -> None:
    ids = visited.tree()
    master = visited.owner(ids["master"])

    reply = turned(master, ids["sub"], "freeze", code=code)

    assert reply.status == 422
    assert 'id="code-error"' in reply.body.decode()
    assert visited.house.worker.accounts.get(ids["sub"]).frozen_at_ms is None


def test_a_factor_for_one_account_freezes_no_other_and_no_second_time(visited: Visited) -> None:
    ids = visited.tree()
    master = visited.owner(ids["master"])
    path = f"/console/accounts/{ids['sub']}/freeze"
    filled = master.fill(master.get(path), {"code": master.code()})
    assert master.post(path, filled).status == 303
    turned(master, ids["sub"], "unfreeze")

    other = f"/console/accounts/{ids['sibling']}/freeze"
    assert master.post(other, filled).status == 422
    again = master.post(path, filled).headers["location"]
    assert "nothing was done a second time" in words(master.get(again))
    assert visited.house.worker.accounts.get(ids["sub"]).frozen_at_ms is None


def test_a_sub_account_can_neither_freeze_nor_see_its_master(visited: Visited) -> None:
    ids = visited.tree()
    sub = visited.owner(ids["sub"])

    for account in (ids["sub"], ids["sibling"], ids["master"], ids["stranger"]):
        for turn in ("freeze", "unfreeze"):
            assert sub.get(f"/console/accounts/{account}/{turn}").status == 404
            assert sub.post(f"/console/accounts/{account}/{turn}").status == 404
    page = words(sub.get("/console/sub-accounts"))
    assert "This account has no sub-accounts" in page
    assert "master@example.com" not in page


def test_a_master_does_not_freeze_itself(visited: Visited) -> None:
    ids = visited.tree()
    assert (
        visited.owner(ids["master"]).get(f"/console/accounts/{ids['master']}/freeze").status == 404
    )


def test_a_master_without_any_is_told_how_they_come(visited: Visited) -> None:
    account = visited.house.account(kind=AccountKind.MASTER)
    assert "No sub-accounts yet" in words(visited.owner(account).get("/console/sub-accounts"))


def test_only_a_master_is_offered_the_page(visited: Visited) -> None:
    ids = visited.tree()
    for name, is_offered in (("master", True), ("sub", False), ("stranger", False)):
        page = visited.owner(ids[name]).get("/console/keys").body.decode()
        assert ('href="/console/sub-accounts"' in page) is is_offered, name
    assert "sub-accounts" not in visited.operator().get("/console/operate").body.decode()


def test_what_the_house_froze_its_master_does_not_unfreeze(visited: Visited) -> None:
    ids = visited.tree()
    operator, master = visited.operator(Role.OPERATOR), visited.owner(ids["master"])
    page = f"/console/operate/accounts/{ids['sub']}"
    turned(master, ids["sub"], "freeze")
    assert "By its master, who may unfreeze it" in words(operator.get(page))
    asked = operator.get(f"{page}/freeze")
    operator.post(f"{page}/freeze", operator.fill(asked, {"code": operator.code()}))

    assert "only the platform can unfreeze it" in words(
        master.get(f"/console/accounts/{ids['sub']}/unfreeze")
    )
    assert turned(master, ids["sub"], "unfreeze", once="x").status == 409
    assert visited.house.worker.accounts.get(ids["sub"]).frozen_at_ms is not None
    assert f"{page}/freeze" not in operator.get(page).body.decode()

    asked = operator.get(f"{page}/unfreeze")
    operator.post(f"{page}/unfreeze", operator.fill(asked, {"code": operator.code()}))
    assert visited.house.worker.accounts.get(ids["sub"]).frozen_at_ms is None
