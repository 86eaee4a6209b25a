"""API Management: what an owner sees at one glance, on a first visit and later."""

import re

import pytest

from tests.builders import FUTURES, TRADING
from tests.faces.console.visiting import Visited, words


def test_a_first_visit_says_what_a_key_is_and_how_to_get_one(visited: Visited) -> None:
    page = words(visited.owner(visited.house.account()).get("/console/keys"))
    assert "No API keys yet" in page
    assert "Create your first API key" in page
    assert "Which permissions end" not in page


def test_one_glance_says_which_permissions_end_and_when(visited: Visited) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING, label="lasting", ips=("203.0.113.7",))
    visited.house.issue(account, TRADING, label="ending")
    ended = visited.house.issue(account, TRADING, label="ended")
    owner = visited.owner(account)
    visited.house.move("2021-12-31T10:00:00Z")
    renewed = visited.house.issue(account, TRADING, FUTURES, label="renewed")

    page = words(owner.get("/console/keys"))

    assert "renewed · Enable Spot & Margin Trading ends in 30 days, 30 Jan 2022, 10:00" in page
    unticked = "Unticked on 31 Dec 2021, 10:00 by the 30-day rule; tick to enable again"
    assert f"ended : Enable Spot & Margin Trading \u2013 {unticked}" in page
    assert page.count(unticked) == 4  # Two keys, each in the summary and beside its box.
    assert "Enable Spot & Margin Trading : ticked no end" in page
    assert "Restrict access to trusted IPs only (Recommended): 203.0.113.7" in page
    assert renewed.api_key not in page
    assert ended.api_key not in page


def test_what_ended_last_stands_first_and_what_is_old_news_is_folded_away(
    visited: Visited,
) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING, label="first")
    visited.house.move("2021-12-11T10:00:00Z")
    visited.house.issue(account, TRADING, label="second")
    gone = visited.house.issue(account, TRADING, label="gone")
    visited.house.move("2021-12-12T10:00:00Z")
    visited.house.issue(account, TRADING, label="third")
    owner = visited.owner(account)
    visited.house.move("2022-01-11T10:00:00Z")
    visited.house.worker.keys.revoke(gone.key_id, "test")

    page = owner.get("/console/keys").body.decode()
    listed = page[page.index('id="ends"') : page.index("</section>")]

    assert re.findall(r">(first|second|third|gone)</a>: ", listed) == ["third", "second", "first"]
    assert "<details" not in listed

    visited.house.move("2022-01-20T10:00:00Z")
    page = owner.get("/console/keys").body.decode()
    listed = page[page.index('id="ends"') : page.index("</section>")]
    news, _, older = listed.partition("<summary>Ended longer ago: 1</summary>")
    assert re.findall(r">(first|second|third|gone)</a>: ", news) == ["third", "second"]
    assert re.findall(r">(first|second|third|gone)</a>: ", older) == ["first"]


def test_a_revoked_key_is_not_told_to_be_ticked_again(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    owner = visited.owner(account)
    visited.house.worker.keys.revoke(key.key_id, "test")
    visited.house.move("2021-12-31T10:00:00Z")

    page = words(owner.get(f"/console/keys/{key.key_id}"))

    assert "Not ticked: ended on 31 Dec 2021, 10:00" in page
    assert "tick to enable again" not in page


def test_a_narrow_page_folds_what_is_not_ticked_and_says_how_much_that_is(
    visited: Visited,
) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING, FUTURES, label="bot")

    page = visited.owner(account).get("/console/keys").body.decode()

    assert "<summary>8 not ticked<" in page
    assert len(re.findall(r'<li class="box [a-z]+"', page)) == 3
    assert len(re.findall(r'<li class="box off rest"', page)) == 8


@pytest.mark.parametrize(
    ("tag", "said"),
    [("en", "· 1 unread"), ("es", "· 1 sin leer"), ("ja", "· 未読 1件"), ("zh-CN", "· 1 条未读")],
)
def test_the_menu_of_a_phone_says_what_its_number_is(visited: Visited, tag: str, said: str) -> None:
    account = visited.house.account()
    visited.house.issue(account)
    owner = visited.owner(account)

    unread = visited.house.worker.telling.notices.unread(account)
    page = words(owner.get(f"/console/keys?lang={tag}"))

    assert said.replace("1", str(unread)) in page


def test_a_masters_page_of_a_sub_account_says_whose_it_is(visited: Visited) -> None:
    ids = visited.tree()
    visited.house.issue(ids["sub"], label="the sub's")

    page = words(visited.owner(ids["master"]).get(f"/console/accounts/{ids['sub']}/keys"))

    assert "Keys of the sub-account sub@example.com" in page
    assert "the sub's" in page


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_a_label_is_text_whatever_it_looks_like(visited: Visited, label: str) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, label=label)
    owner = visited.owner(account)
    for path in (
        "/console/keys",
        f"/console/keys/{key.key_id}",
        f"/console/keys/{key.key_id}/edit",
    ):
        page = owner.get(path).body.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_frozen_account_is_told_what_that_means(visited: Visited) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING)
    visited.house.worker.accounts.set_frozen(account, frozen=True, actor="test")

    assert "This account is frozen" in words(visited.owner(account).get("/console/keys"))


@pytest.mark.parametrize(
    ("tag", "said"), [("es", "Gestión de API"), ("ja", "API管理"), ("zh-CN", "创建API密钥")]
)
def test_a_chosen_language_is_spoken_and_kept(visited: Visited, tag: str, said: str) -> None:
    owner = visited.owner(visited.house.account())

    page = owner.get(f"/console/keys?lang={tag}")

    assert said in words(page)
    assert f'<html lang="{tag[:2]}' in page.body.decode()
    assert said in words(owner.get("/console/keys"))
