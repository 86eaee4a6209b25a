"""Creating a key and editing it by keyboard alone: no mouse, and nothing focused from outside."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import members
from tests.browser.desks import Desk
from tests.browser.keyboard import Keyboard
from tests.browser.members import Member
from tests.browser.served import Served
from tests.builders import TRADING

TRADES, FUTURES = "Enable Spot & Margin Trading", "Enable Futures"
ANY, TRUSTED = re.compile("^Unrestricted"), re.compile("^Restrict access")
ADDRESSES = "Trusted IP addresses"


@pytest.fixture
def ann(desk: Desk, served: Served) -> Member:
    """Let the owner of a new account join."""
    return members.owner(desk, served, served.new_account())


def arrive(page: Page, path: str) -> Keyboard:
    """Open a page, as an address that is typed, and find the way past the menu first of all."""
    page.goto(path)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    return Keyboard(page)


def is_outside(page: Page, selector: str) -> bool:
    """Whether something on the page is focused that does not stand in there."""
    outside: bool = page.evaluate(
        "at => document.activeElement.matches(`body *:not(${at} *, ${at})`)", selector
    )
    return outside


def test_a_key_is_created_by_keyboard(served: Served, ann: Member) -> None:
    page = ann.page
    keys = arrive(page, "/console/keys")
    keys.go_to("link", "Create your first API key")
    keys.press("Enter")

    expect(page.get_by_label("Label")).to_be_focused()
    keys.write("typed bot")
    keys.press("Tab", "ArrowDown", "ArrowDown")
    expect(page.get_by_role("radio", name="HMAC")).to_be_checked()
    keys.press("ArrowUp", "ArrowUp")
    keys.go_to("button", "Make a key pair here")
    keys.press("Space")
    expect(page.locator("#private-key")).to_be_focused()
    keys.go_to("button", "Next")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Download")).to_be_focused()
    with page.expect_download():
        keys.press("Enter")
    keys.go_to("button", "Next")
    keys.press("Enter")
    keys.go_to("checkbox", TRADES)
    keys.press("Space")
    keys.go_to("button", "Review")
    keys.press("Enter")
    keys.go_to("button", "Create key")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Your API key is ready")).to_be_visible()
    ann.browser.grant_permissions(["clipboard-write"])
    keys.go_to("button", "Copy API key")
    keys.press("Enter", "Enter")
    # It says for a moment that it was done, and then again what it does.
    expect(page.get_by_role("button", name="✓")).to_be_focused()
    expect(page.get_by_role("button", name="Copy API key")).to_be_focused()
    expect(page.locator("button .unseen", has_text="API key")).to_have_count(1)
    keys.go_to("link", "To the key")
    keys.press("Enter")

    expect(page.get_by_role("heading", name="typed bot")).to_be_visible()
    assert ann.person.account_id is not None
    (key,) = served.house.worker.keys.of_account(ann.person.account_id)
    assert (key.label, str(key.key_type), TRADING in key.grants) == ("typed bot", "ed25519", True)


def test_restrictions_are_edited_by_keyboard(served: Served, ann: Member) -> None:
    page = ann.page
    assert ann.person.account_id is not None
    key_id = served.house.issue(ann.person.account_id, TRADING).key_id
    keys = arrive(page, f"/console/keys/{key_id}")
    keys.go_to("link", "Edit restrictions")
    keys.press("Enter")
    page.wait_for_url("**/edit")

    keys.go_to("radio", ANY)
    keys.press("ArrowDown")
    expect(page.get_by_role("radio", name=TRUSTED)).to_be_checked()
    keys.go_to("textbox", ADDRESSES)
    keys.write("203.0.113.7, 10.0.0.0/8")
    keys.go_to("checkbox", FUTURES)
    keys.press("Space")
    keys.go_to("button", "Save")
    ann.desk.watch.expected.add(422)
    keys.press("Enter")

    # What is to be mended is where one goes on, with all that helps to mend it.
    expect(page.get_by_role("textbox", name=ADDRESSES)).to_be_focused()
    expect(page.get_by_role("button", name="Add my current address")).to_be_visible()
    keys.write("203.0.113.7")
    keys.go_to("button", "Save")
    keys.press("Enter")

    # The pop-up begins at its beginning, and one does not fall out of it.
    popup = page.get_by_role("dialog", name="Save these changes?")
    expect(popup.get_by_role("heading", name="Save these changes?")).to_be_focused()
    keys.go_to("button", "Confirm", within=popup)
    for _ in range(4):
        keys.press("Tab")
        assert not is_outside(page, "dialog")
    keys.press("Escape")
    expect(popup).to_be_hidden()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()

    keys.press("Enter")
    expect(popup).to_be_visible()
    keys.go_to("button", "Confirm", within=popup)
    ann.passkeys.verify_user(succeeds=False)
    keys.press("Enter")
    # By its role, for a text that is hidden still counts as contained.
    expect(popup.get_by_role("alert")).to_contain_text("The passkey was not given.")
    expect(popup.get_by_role("button", name="Confirm")).to_be_focused()
    ann.passkeys.verify_user(succeeds=True)
    keys.go_to("link", "Back", within=popup)
    keys.go_to("button", "Confirm", within=popup, back=True)
    keys.press("Enter")

    expect(page.get_by_text("Saved. This is how the key is now.")).to_be_visible()
    key = served.house.worker.keys.get(key_id)
    assert [str(entry) for entry in key.allowlist] == ["203.0.113.7"]
    assert set(key.grants) >= {TRADING, "futures"}


def test_a_form_that_changes_nothing_says_so_where_one_is(served: Served, ann: Member) -> None:
    assert ann.person.account_id is not None
    key_id = served.house.issue(ann.person.account_id, TRADING).key_id
    keys = arrive(ann.page, f"/console/keys/{key_id}/edit")
    ann.desk.watch.expected.add(422)
    keys.go_to("button", "Save")

    keys.press("Enter")

    expect(ann.page.get_by_role("alert")).to_be_focused()
