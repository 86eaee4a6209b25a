"""Announcements as pages: for everybody, dated, translated, and what one means for its reader."""

import pytest

from tenure.domain.model import Permission
from tenure.domain.people import Role
from tenure.domain.rules import Rulebook
from tenure.faces.console import announcements
from tests.builders import DAY_MS, FUTURES, HOME, TRADING, a_rule
from tests.faces.console.visiting import Visited, words

PAGE = "/console/announcements"
SHIPPED = f"{PAGE}/2021-07-09"


def schedule(
    visited: Visited, rule_id: str = "2022-03-01", permission: Permission = FUTURES
) -> None:
    rule = a_rule(rule_id, permission, since="2022-03-01 00:00", unrestricted=7 * DAY_MS)
    rules, rulebook = visited.house.worker.rules, Rulebook((rule,))
    rules.schedule(rulebook, rules.preview(rulebook).stamp, "test")


def test_everybody_reads_them_and_whoever_is_not_signed_in_sees_nothing_of_anybodys(
    visited: Visited,
) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING, label="somebody's key")
    nobody = visited.nobody()

    listing, page = nobody.get(PAGE), nobody.get(SHIPPED)

    assert (listing.status, page.status) == (200, 200)
    said = words(listing)
    assert "Without trusted IPs, Spot & Margin Trading lasts 30 days" in said
    assert "9 Jul 2021 In force" in said
    said = words(page)
    assert "In effect since" in said
    assert "In effect since 9 Jul 2021, 00:00 · Times in Coordinated Universal Time" in said
    assert "tick it again by hand" in said
    assert "Enable Spot & Margin Trading lasts 30 days does not end" in said
    assert "Updates to API Key Permission Rules, announced 2021-07-08" in said
    assert "Sign in to see which of your keys it concerns" in said
    assert "somebody's key" not in said
    assert f'href="/console/sign-in?next={SHIPPED}"' in page.body.decode()


def test_an_owner_reads_which_of_his_keys_it_concerns(visited: Visited) -> None:
    account = visited.house.account()
    running = visited.house.issue(account, TRADING, label="running")
    visited.house.issue(account, TRADING, label="trusted", ips=(HOME,))
    visited.house.issue(account, label="reader")
    stranger = visited.house.account("stranger@example.com")
    visited.house.issue(stranger, TRADING, label="a stranger's")

    page = visited.owner(account).get(SHIPPED)

    said = words(page)
    assert (
        "running “Enable Spot & Margin Trading” ends in 30 days, 31 Dec 2021, 10:00, by this rule."
        in said
    )
    assert "trusted Not touched: this key is limited to trusted IPs." in said
    assert "reader Not touched now. If you tick such a permission, the rule counts." in said
    assert "a stranger's" not in said
    assert f'href="/console/keys/{running.key_id}/edit"' in page.body.decode()
    assert "Sign in to see" not in said


def test_what_has_ended_by_it_is_said_too(visited: Visited) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING, label="ended")
    owner = visited.owner(account)
    visited.house.move("2022-01-02T10:00:00Z")

    said = words(owner.get(SHIPPED))

    assert "was unticked on 31 Dec 2021, 10:00 by this rule" in said


def test_of_a_scheduled_rule_the_next_edit_is_said_and_the_note_that_the_language_is_missing(
    visited: Visited,
) -> None:
    schedule(visited)
    account = visited.house.account()
    visited.house.issue(account, FUTURES, label="futures bot")
    owner = visited.owner(account)

    said = words(owner.get(f"{PAGE}/2022-03-01"))

    assert "Takes effect on 1 Mar 2022, 00:00" in said
    assert "Scheduled" in said
    assert "Announced here on 1 Dec 2021" in said
    assert "If you edit its permissions once the rule is in force:" in said
    assert "“Enable Futures” will be on until 8 Mar 2022, 00:00, then unticked." in said
    assert "not available in your language" not in said
    spanish = words(owner.get(f"{PAGE}/2022-03-01?lang=es"))
    assert "aún no está disponible en su idioma (español)" in spanish
    assert "What 2022-03-01 says" in spanish
    assert "dura 7 días" in spanish


@pytest.mark.parametrize(
    ("tag", "title"),
    [
        ("es", "Sin IP de confianza, el trading de spot y margen dura 30 días"),
        ("ja", "信頼済みIPがない場合、現物・マージン取引は30日間"),
        ("zh-CN", "现货及杠杆交易权限有效期 30 天"),
    ],
)
def test_the_shipped_rule_is_read_in_each_language_by_anybody(
    visited: Visited, tag: str, title: str
) -> None:
    page = visited.nobody().get(f"{SHIPPED}?lang={tag}")

    assert title in words(page)
    assert "amber" not in page.body.decode()


def test_a_withdrawn_rule_stays_dated_and_says_so(visited: Visited) -> None:
    schedule(visited)
    visited.house.worker.rules.withdraw("2022-03-01", "test")

    said = words(visited.owner(visited.house.account()).get(f"{PAGE}/2022-03-01"))

    assert "This rule was withdrawn on 1 Dec 2021, 10:00" in said
    assert "Nothing: it will not take effect." in said


def test_related_rules_are_linked_both_ways(visited: Visited) -> None:
    schedule(visited, permission=TRADING)
    nobody = visited.nobody()

    first, later = nobody.get(SHIPPED), nobody.get(f"{PAGE}/2022-03-01")

    assert "Superseded by: What 2022-03-01 says" in words(first)
    assert f'href="{PAGE}/2022-03-01"' in first.body.decode()
    assert "Takes over from: Without trusted IPs" in words(later)
    assert f'href="{SHIPPED}"' in later.body.decode()


def test_an_owner_without_keys_is_told_that_it_means_nothing_yet(visited: Visited) -> None:
    said = words(visited.owner(visited.house.account()).get(SHIPPED))

    assert "You have no API keys yet" in said


def test_the_house_reads_it_without_a_word_about_keys(visited: Visited) -> None:
    said = words(visited.operator(Role.VIEWER).get(SHIPPED))

    assert "tick it again by hand" in said
    assert "What it means for your keys" not in said


def test_whoever_is_only_half_signed_in_is_shown_nothing_of_his_keys(visited: Visited) -> None:
    account = visited.house.account()
    visited.house.issue(account, TRADING, label="my key")
    owner = visited.owner(account)
    assert owner.person is not None
    half = visited.people.sign_in.password(owner.person.email, "correct horse battery staple")
    browser = visited.nobody()
    browser.cookies["tenure-session"] = half.secret.reveal()

    said = words(browser.get(SHIPPED))

    assert "my key" not in said


def test_a_master_reads_of_its_sub_accounts_keys_and_a_sub_not_of_its_masters(
    visited: Visited,
) -> None:
    ids = visited.tree()
    visited.house.issue(ids["master"], TRADING, label="the master's")
    visited.house.issue(ids["sub"], TRADING, label="the sub's")

    master = words(visited.owner(ids["master"]).get(SHIPPED))
    sub = words(visited.owner(ids["sub"]).get(SHIPPED))

    assert "the sub's sub@example.com" in master
    assert "the master's" in master
    assert "the sub's" in sub
    assert "the master's" not in sub


def test_very_many_keys_are_not_all_listed(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "SHOWN_MAX", 1)
    account = visited.house.account()
    for number in range(2):
        visited.house.issue(account, TRADING, label=f"bot {number}")

    assert "There are more keys" in words(visited.owner(account).get(SHIPPED))


@pytest.mark.parametrize("rule_id", ["never", "x" * 65, "..", "%2e%2e"])
def test_a_rule_nobody_knows_is_no_page(visited: Visited, rule_id: str) -> None:
    assert visited.nobody().get(f"{PAGE}/{rule_id}").status == 404
