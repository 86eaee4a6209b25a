"""An owner's own affairs by clicking: with a script they are quicker, without one they go too."""

import re

import pytest
from playwright.sync_api import expect

from tenure.domain.model import AccountKind
from tests.browser import members, steps
from tests.browser.desks import Desk
from tests.browser.members import Member
from tests.browser.served import Served
from tests.builders import TRADING, an_address


@pytest.fixture
def ann(desk: Desk, served: Served) -> Member:
    """Let the owner of a new account join, in Tokyo."""
    return members.owner(desk, served, served.new_account(), zone="Asia/Tokyo")


def a_key(served: Served, member: Member, label: str) -> str:
    """Issue a key to *member*, and return its id."""
    assert member.person.account_id is not None
    return served.house.issue(member.person.account_id, TRADING, label=label).key_id


def test_filters_narrow_the_list_at_once_and_can_be_kept(served: Served, ann: Member) -> None:
    a_key(served, ann, "grid bot")
    page = ann.page
    page.goto("/console/activity")
    expect(page.get_by_text("API key “grid bot” was issued")).to_be_visible()

    page.get_by_label("About").select_option("account")

    expect(page.get_by_text("API key “grid bot” was issued")).to_be_hidden()
    expect(page.get_by_text(re.compile("The account .* was created"))).to_be_visible()
    assert "group=account" in page.url
    page.reload()
    expect(page.get_by_label("About")).to_have_value("account")
    expect(page.get_by_text("API key “grid bot” was issued")).to_be_hidden()


def test_a_notice_is_marked_where_it_stands(served: Served, ann: Member) -> None:
    a_key(served, ann, "grid bot")
    page = ann.page
    page.goto("/console/inbox")
    told = page.get_by_role("article", name="API key “grid bot” was issued")

    told.get_by_role("button", name="Mark as read").click()

    expect(told.get_by_role("button", name="Mark as read")).to_be_hidden()
    expect(told).not_to_contain_text("New")
    assert page.url.endswith("/console/inbox")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("Everything is read")).to_be_visible()


def test_the_browsers_own_zone_is_offered_and_taken(ann: Member) -> None:
    page = ann.page
    page.goto("/console/preferences")

    page.get_by_role("button", name="Use your browser\u2019s: Asia/Tokyo").click()
    page.get_by_role("button", name="Save language and time zone").click()

    expect(page.get_by_text("Language and time zone are saved.")).to_be_visible()
    expect(page.get_by_role("combobox", name="Time zone")).to_have_value("Asia/Tokyo")
    expect(page.get_by_role("button", name="Use your browser\u2019s")).to_be_hidden()


def test_own_lead_times_are_asked_for_when_they_are_wanted(ann: Member) -> None:
    page = ann.page
    page.goto("/console/preferences")
    fortnight = page.get_by_role("checkbox", name="14 days", exact=True)
    expect(fortnight).to_be_hidden()

    page.get_by_role("radio", name="Choose my own").check()
    fortnight.check()
    page.get_by_role("button", name="Save lead times").click()

    expect(page.get_by_text("The lead times are saved.")).to_be_visible()
    expect(fortnight).to_be_checked()


def test_a_webhook_is_added_with_a_passkey_and_its_secret_can_be_copied(ann: Member) -> None:
    page = ann.page
    page.goto("/console/preferences")
    page.get_by_role("link", name="Add a webhook").click()
    page.get_by_label("Address of the webhook").fill("https://8.8.8.8/hook")
    page.get_by_role("checkbox", name="A key was edited").uncheck()
    page.get_by_role("button", name="Continue").click()

    steps.approve(page)

    expect(page.get_by_text(re.compile("^whsec_"))).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_text("kinds muted: 1")).to_be_visible()


def test_a_sub_account_is_frozen_and_unfrozen_with_a_passkey(desk: Desk, served: Served) -> None:
    master_id = served.house.account("tree-master@example.com", AccountKind.MASTER)
    sub_id = served.house.account("tree-sub@example.com", AccountKind.SUB, master_id)
    page = members.owner(desk, served, master_id).page
    page.goto("/console")
    page.get_by_role("link", name="Sub-accounts").first.click()

    page.get_by_role("link", name=re.compile("^Freeze.*tree-sub@")).click()
    steps.approve(page)
    expect(page.get_by_text("The sub-account is frozen")).to_be_visible()
    assert served.house.worker.accounts.get(sub_id).frozen_at_ms is not None

    page.get_by_role("link", name=re.compile("^Unfreeze.*tree-sub@")).click()
    steps.approve(page)
    expect(page.get_by_text("The sub-account is no longer frozen.")).to_be_visible()
    assert served.house.worker.accounts.get(sub_id).frozen_at_ms is None


def test_without_a_script_filters_and_settings_work_all_the_same(
    desk: Desk, served: Served, ann: Member
) -> None:
    a_key(served, ann, "grid bot")
    plain = desk.browse(scripts=False)
    plain.add_cookies(ann.browser.cookies())  # type: ignore[arg-type]  # the same shape
    page = plain.new_page()
    page.goto("/console/activity")

    page.get_by_label("About").select_option("account")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("API key “grid bot” was issued")).to_be_hidden()

    page.goto("/console/preferences")
    page.get_by_role("radio", name="Choose my own").check()
    page.get_by_role("checkbox", name="14 days", exact=True).check()
    page.get_by_role("button", name="Save lead times").click()
    expect(page.get_by_text("The lead times are saved.")).to_be_visible()

    page.goto("/console/inbox")
    page.get_by_role("button", name="Mark as read").first.click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_a_refused_address_is_one_click_from_the_keys_list(served: Served, ann: Member) -> None:
    assert ann.person.account_id is not None
    key = served.house.issue(ann.person.account_id, TRADING, ips=("203.0.113.7",))
    query = served.house.signed_query(key).encode()
    worker = served.house.worker
    worker.decider.decide_raw(key.api_key, query, b"", an_address("198.51.100.9"), TRADING)
    worker.refusals.flush()
    page = ann.page
    page.goto("/console/refusals")

    page.get_by_role("link", name="Add this address to the key\u2019s list").click()

    expect(page.get_by_label("Trusted IP addresses")).to_have_value("203.0.113.7\n198.51.100.9")


def test_a_double_click_sends_a_form_once(ann: Member) -> None:
    page = ann.page
    page.goto("/console/preferences")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))

    page.get_by_role("button", name="Save").first.dblclick()

    expect(page.get_by_role("status").first).to_be_visible()
    assert sent.count("POST") == 1
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("status").first).to_be_visible()
    assert sent.count("POST") == 2
