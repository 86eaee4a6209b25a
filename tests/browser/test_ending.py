"""Rotating, quarantining, releasing and revoking: what follows is said first, and follows."""

import pytest
from playwright.sync_api import expect

from tenure.domain.model import KeyType
from tenure.services.keys import Draft
from tests.browser import looks, members, steps
from tests.browser.bots import Bot
from tests.browser.desks import Desk
from tests.browser.members import Member
from tests.browser.served import Served
from tests.builders import TRADING


@pytest.fixture
def ann(desk: Desk, served: Served) -> Member:
    """Let the owner of a new account join."""
    return members.owner(desk, served, served.new_account())


@pytest.fixture
def bot(served: Served, ann: Member) -> Bot:
    """Give her a key that trades."""
    assert ann.person.account_id is not None
    draft = Draft(
        label="grid bot",
        key_type=KeyType.HMAC,
        public_key=None,
        permissions=(TRADING,),
        ip_allowlist=(),
    )
    issued = served.house.worker.keys.issue(ann.person.account_id, draft, "test")
    assert issued.secret_key is not None
    ann.page.goto(f"/console/keys/{issued.plan.after.key_id}")
    return Bot.with_secret(served, issued.plan.after.api_key, issued.secret_key.reveal())


def test_a_rotated_key_goes_on_with_its_new_secret(ann: Member, bot: Bot) -> None:
    ann.page.get_by_role("link", name="Rotate").click()
    expect(ann.page.get_by_text("the API key itself stays the same")).to_be_visible()
    assert bot.outcome() == "allowed"

    steps.approve(ann.page)

    expect(ann.page.get_by_role("heading", name="The key has a new secret")).to_be_visible()
    fresh = Bot.with_secret(bot.served, bot.api_key, ann.page.locator("#secret-key").inner_text())
    assert (bot.outcome(), fresh.outcome()) == ("unauthorized", "allowed")
    assert looks.faults(ann.page, "rotated") == []


def test_the_old_secret_goes_on_for_as_long_as_was_chosen(ann: Member, bot: Bot) -> None:
    ann.page.get_by_role("link", name="Rotate").click()
    ann.page.get_by_label("The old one goes on for").select_option("1 day")
    steps.approve(ann.page)
    expect(ann.page.get_by_role("heading", name="The key has a new secret")).to_be_visible()

    assert bot.outcome() == "allowed"
    ann.page.get_by_role("link", name="I have saved it").click()
    expect(ann.page.get_by_text("still works until Dec 27, 2021, 9:00 AM")).to_be_visible()
    assert looks.faults(ann.page, "key with an old secret") == []


def test_a_key_in_quarantine_trades_no_more_until_it_is_released(ann: Member, bot: Bot) -> None:
    ann.page.get_by_role("link", name="Put into quarantine").click()
    ann.page.get_by_label("Cause").fill("odd orders last night")
    steps.approve(ann.page)
    expect(ann.page.get_by_text("Cause: odd orders last night")).to_be_visible()
    assert bot.outcome() == "key_quarantined"

    ann.page.get_by_role("link", name="Release").click()
    steps.approve(ann.page)

    expect(ann.page.get_by_text("Released. The permissions that are ticked")).to_be_visible()
    assert bot.outcome() == "allowed"


def test_a_revoked_key_is_gone_for_good(ann: Member, bot: Bot) -> None:
    ann.page.get_by_role("link", name="Revoke for good").click()
    expect(ann.page.get_by_text("It cannot be undone")).to_be_visible()
    ann.page.get_by_role("link", name="Cancel").click()
    assert bot.outcome() == "allowed"

    ann.page.get_by_role("link", name="Revoke for good").click()
    steps.approve(ann.page)

    expect(ann.page.get_by_text("Revoked. Every request signed with this key")).to_be_visible()
    assert bot.outcome() == "key_revoked"
    ann.page.goto("/console/keys")
    expect(ann.page.get_by_role("heading", name="No API key is active")).to_be_visible()
    assert looks.faults(ann.page, "keys none active") == []
