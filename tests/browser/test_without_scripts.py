"""
Reading keys and editing them with JavaScript off: signed in by a code, and confirmed by another.

Filters, settings and the inbox without scripts are in `test_own_affairs`; joining, in process.
"""

import time
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from pyotp.hotp import HOTP

from tenure.services.people.invitations import Joining
from tenure.services.people.totp import STEP_MS
from tests.browser import steps
from tests.browser.desks import Desk
from tests.browser.members import PASSWORD
from tests.browser.served import Served
from tests.builders import TRADING

TRADES, FUTURES = "Enable Spot & Margin Trading", "Enable Futures"
CODE = "Six-digit code from your authenticator app"
LATER = "ends in 30 days, Jan 25, 2022, 9:00 AM"


@dataclass(slots=True)
class App:
    """An authenticator app that shows each code once, from the oldest that is still good."""

    seed: str
    shown: int = 0

    def code(self) -> str:
        """Return the next code, waiting for it where it is not good yet."""
        now = int(time.time() * 1000) // STEP_MS
        self.shown = max(self.shown + 1, now - 1)
        if self.shown > now + 1:
            time.sleep((self.shown - now - 1) * STEP_MS / 1000)
        return HOTP(self.seed).at(self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tom:
    """The owner of an account with a key that trades for good, and one that does not trade."""

    page: Page
    app: App
    email: str
    key_id: str


@pytest.fixture
def tom(desk: Desk, served: Served) -> Tom:
    """Let him join with an app, from the inside; in his browser no script runs."""
    account_id = served.new_account()
    people = served.people
    link = people.invitations.of_account(account_id, "test").link.reveal()
    session = people.invitations.accept(link.rpartition("/")[2], Joining(password=PASSWORD)).session
    app = App(people.factors.begin_totp(session).seed.reveal())
    people.factors.confirm_totp(session, app.code())
    key = served.house.issue(account_id, TRADING, label="grid bot", ips=("203.0.113.7",))
    return Tom(
        page=desk.page(scripts=False),
        app=app,
        email=served.house.worker.accounts.get(account_id).email,
        key_id=key.key_id,
    )


def sign_in(tom: Tom) -> None:
    """Sign in by the pages, on the way to the keys."""
    tom.page.goto("/console/keys")
    tom.page.get_by_label("E-mail").fill(tom.email)
    tom.page.get_by_label("Password").fill(PASSWORD)
    tom.page.get_by_role("button", name="Continue").click()
    tom.page.get_by_label(CODE).fill(tom.app.code())
    tom.page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_key_is_read_and_edited_without_a_script(desk: Desk, served: Served, tom: Tom) -> None:
    page = tom.page
    sign_in(tom)
    page.get_by_role("heading", name="grid bot").get_by_role("link").click()
    assert steps.box(page, TRADES) == "ticked no end"
    page.get_by_role("link", name="Edit restrictions").click()

    steps.allow_only(page)
    steps.tick(page, FUTURES)
    page.get_by_role("button", name="Save", exact=True).click()

    # The pop-up is a page of its own, which says the same and asks for the same.
    expect(page.get_by_role("heading", name="Save these changes?")).to_be_visible()
    assert steps.consequences(page.locator("main")) == [
        f"“{TRADES}” will be on until Jan 25, 2022, 9:00 AM, then unticked.",
        f"“{FUTURES}” will be on, without an end.",
    ]
    desk.watch.expected.add(422)
    page.get_by_label(CODE).fill("000000")
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_label(CODE)).to_have_attribute("aria-invalid", "true")
    assert served.house.worker.keys.get(tom.key_id).version == 1

    page.get_by_label(CODE).fill(tom.app.code())
    page.get_by_role("button", name="Confirm", exact=True).click()

    expect(page.get_by_text("Saved. This is how the key is now.")).to_be_visible()
    assert steps.box(page, TRADES) == f"ticked {LATER}"
    assert steps.box(page, FUTURES) == "ticked no end"


def test_what_is_wrong_is_told_without_a_script(desk: Desk, tom: Tom) -> None:
    page = tom.page
    sign_in(tom)
    page.goto(f"/console/keys/{tom.key_id}/edit")
    steps.allow_only(page, "203.0.113.7", "10.0.0.0/8")
    desk.watch.expected.add(422)

    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator("#addresses-error li")).to_have_count(1)
    expect(page.get_by_label("Trusted IP addresses")).to_have_value("203.0.113.7\n10.0.0.0/8")
    page.get_by_label("Trusted IP addresses").fill("203.0.113.7\n203.0.113.8")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Save these changes?")).to_be_visible()
