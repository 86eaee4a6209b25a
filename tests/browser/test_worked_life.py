"""RULES' worked life, row by row, lived in the console by clicking; orders are really signed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import members, steps
from tests.browser.bots import Bot
from tests.browser.desks import sitting
from tests.browser.members import Member
from tests.browser.served import Served, serving
from tests.builders import DAY_MS, ms

TRADING = "Enable Spot & Margin Trading"
FUTURES = "Enable Futures"
HERE, ELSEWHERE = "203.0.113.7", "198.51.100.20"
NO_END = "ticked no end"
OLDER = f"{NO_END} until restrictions are edited: it is older than the rule"
UNTICKED = "not ticked Unticked on Dec 31, 2021, 10:05 AM by the 30-day rule; tick to enable again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One row of RULES' table.

    *at* is reached by *going* on the page, where a button of it goes there, else from outside.
    *act* fills the form in, and the pop-up *says* what will follow; then the key's page *shows* the
    box of trading, and orders get the outcomes *here* and *elsewhere*.
    """

    number: int
    at: str
    shows: str
    here: str = "allowed"
    elsewhere: str = "allowed"
    going: Callable[[Page], None] | None = None
    act: Callable[[Page], None] | None = None
    says: tuple[str, ...] = ()


def relabel(page: Page) -> None:
    page.get_by_label("Label").fill("grid bot two")


def renew(page: Page) -> None:
    page.get_by_role("checkbox", name="Renew: start its term again from now").check()


def ahead(days: int) -> Callable[[Page], None]:
    """Return the act of moving the sandbox's clock by the slider on the page."""

    def move(page: Page) -> None:
        page.get_by_label("Days to move ahead").fill(str(days))
        page.get_by_role("button", name="Move the clock").click()

    return move


def to_the_next_end(page: Page) -> None:
    page.get_by_role("button", name="To the next end").click()


LIFE = (
    # Row 1, issuing, is `create`. The rule takes effect, and nothing happens (R4).
    Row(number=2, at="2021-07-09 00:00", shows=OLDER),
    Row(number=3, at="2021-12-01 10:00", act=relabel, shows=OLDER),
    Row(
        number=4,
        at="2021-12-01 10:05",
        act=lambda page: steps.tick(page, FUTURES),
        says=(
            f"“{TRADING}” will be on until Dec 31, 2021, 10:05 AM, then unticked.",
            f"“{FUTURES}” will be on, without an end.",
        ),
        shows="ticked ends in 30 days, Dec 31, 2021, 10:05 AM",
    ),
    Row(
        number=5,
        at="2021-12-10 09:00",
        act=lambda page: steps.tick(page, FUTURES, on=False),
        says=(f"“{FUTURES}” will be off.",),
        shows="ticked ends in 21 days, Dec 31, 2021, 10:05 AM",
    ),
    Row(
        number=6,
        at="2021-12-31 10:04:59.999",
        shows="ticked ends in 0 seconds, Dec 31, 2021, 10:05 AM",
    ),
    Row(
        number=7,
        at="2021-12-31 10:05",
        going=to_the_next_end,
        shows=UNTICKED,
        here="permission_expired",
        elsewhere="permission_expired",
    ),
    Row(
        number=8,
        at="2022-01-02 08:00",
        act=lambda page: steps.allow_only(page, HERE),
        says=(f"“{TRADING}” has ended and stays off until it is ticked again.",),
        shows=UNTICKED,
        here="permission_expired",
        elsewhere="ip_not_allowed",
    ),
    Row(
        number=9,
        at="2022-01-02 08:01",
        act=lambda page: steps.tick(page, TRADING),
        says=(f"“{TRADING}” will be on, without an end.",),
        shows=NO_END,
        elsewhere="ip_not_allowed",
    ),
    Row(
        number=10,
        at="2022-02-01 08:00",
        act=steps.allow_only,
        says=(f"“{TRADING}” will be on until Mar 3, 2022, 8:00 AM, then unticked.",),
        shows="ticked ends in 30 days, Mar 3, 2022, 8:00 AM",
    ),
    Row(
        number=11,
        at="2022-02-20 08:00",
        going=ahead(19),
        act=renew,
        says=(f"“{TRADING}” will be on until Mar 22, 2022, 8:00 AM, then unticked.",),
        shows="ticked ends in 30 days, Mar 22, 2022, 8:00 AM",
    ),
    Row(
        number=12,
        at="2022-03-01 08:00",
        going=ahead(9),
        act=lambda page: steps.allow_only(page, HERE),
        says=(f"“{TRADING}” will no longer end.",),
        shows=NO_END,
        elsewhere="ip_not_allowed",
    ),
    # Row 13, revoking, is at the end of the test.
)


@pytest.fixture
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a venue eight days before the rule."""
    with serving(tmp_path_factory.mktemp("life"), "2021-07-01T12:00:00Z") as running:
        yield running


@pytest.fixture
def ann(browser: Browser, venue: Served) -> Iterator[Member]:
    """Let the owner of an account join."""
    with sitting(browser, venue.url) as desk:
        yield members.owner(desk, venue, venue.house.account("ann@example.com"))


def create(page: Page) -> tuple[str, str]:
    """Create an HMAC key that trades from anywhere; return the API key and its secret."""
    page.goto("/console/keys")
    page.get_by_role("link", name="Create your first API key").click()
    page.get_by_label("Label").fill("grid bot")
    page.get_by_role("radio", name="HMAC").check()
    page.get_by_role("button", name="Next", exact=True).click()
    steps.tick(page, TRADING)
    page.get_by_role("button", name="Review").click()
    steps.approve(page)
    expect(page.get_by_role("heading", name="Your API key is ready")).to_be_visible()
    api_key = page.locator(".key-value code").inner_text()
    secret_key = page.locator("#secret-key").inner_text()
    page.get_by_role("link", name="I have saved it").click()
    return api_key, secret_key


def live(venue: Served, page: Page, key_path: str, row: Row) -> None:
    """Do what a *row* says on the pages, as somebody at the console does it."""
    if row.going is not None:
        row.going(page)
    else:
        venue.move(row.at)
    assert venue.house.worker.clock.now_ms() == ms(row.at)
    page.goto(key_path)
    if row.act is None:
        return
    page.get_by_role("link", name="Edit restrictions").click()
    row.act(page)
    popup = steps.save(page)
    assert steps.consequences(popup) == list(row.says)
    steps.confirm(page, popup)


def test_the_worked_life_by_clicking(venue: Served, ann: Member) -> None:
    page = ann.page
    bot = Bot.with_secret(venue, *create(page))
    key_path = page.url
    assert steps.box(page, TRADING) == NO_END
    assert bot.outcome() == "allowed"

    for row in LIFE:
        live(venue, page, key_path, row)
        seen = steps.box(page, TRADING), bot.outcome(HERE), bot.outcome(ELSEWHERE)
        assert seen == (row.shows, row.here, row.elsewhere), row.number

    ahead(1)(page)
    assert venue.house.worker.clock.now_ms() == ms("2022-03-02 08:00")
    page.get_by_role("link", name="Revoke for good").click()
    steps.approve(page)
    expect(page.get_by_text("Revoked on Mar 2, 2022, 8:00 AM")).to_be_visible()
    assert bot.outcome(HERE) == "key_revoked"
    venue.move(venue.house.worker.clock.now_ms() + 400 * DAY_MS)
    page.reload()
    assert page.get_by_role("link", name="Edit restrictions").count() == 0
    assert bot.outcome(HERE) == "key_revoked"
