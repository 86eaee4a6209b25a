"""Creating a key: a pair made in the page, a pair of one's own, a secret that is shown once."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tenure.domain.model import KeyType
from tests import signers
from tests.browser import looks, members, steps
from tests.browser.bots import Bot
from tests.browser.desks import Desk
from tests.browser.members import Member
from tests.browser.served import Served

TRADES = "Enable Spot & Margin Trading"


@pytest.fixture
def ben(desk: Desk, served: Served) -> Member:
    """Let the owner of an account without keys join."""
    return members.owner(desk, served, served.new_account())


def begin(page: Page, label: str, key_type: str) -> None:
    """Open the first step and fill it in, up to what the type asks for."""
    page.goto("/console/keys")
    page.get_by_role("link", name="Create your first API key").click()
    page.get_by_label("Label").fill(label)
    page.get_by_role("radio", name=key_type).check()


def make_pair(page: Page) -> str:
    """Make a pair in the page and save its private key; return that."""
    page.get_by_role("button", name="Make a key pair here").click()
    with page.expect_download():
        page.get_by_role("button", name="Download").click()
    return page.locator("#private-key").inner_text()


def go_on(page: Page, *ticked: str) -> None:
    """Take the first step, tick boxes on the second, and look it over."""
    page.get_by_role("button", name="Next", exact=True).click()
    for label in ticked:
        steps.tick(page, label)
    page.get_by_role("button", name="Review").click()


def issue(page: Page) -> str:
    """Give the second factor, and return the API key that was issued."""
    steps.approve(page)
    expect(page.get_by_role("heading", name="Your API key is ready")).to_be_visible()
    return page.locator(".key-value code").inner_text()


def test_a_pair_is_made_in_the_page_and_its_private_key_never_leaves_it(
    served: Served, ben: Member
) -> None:
    page = ben.page
    begin(page, "market maker", "Ed25519")
    expect(page.locator("#private-key")).to_be_hidden()
    private_key = make_pair(page)
    assert looks.faults(page, "create with a key pair") == []

    go_on(page, TRADES)
    expect(page.get_by_text(f"“{TRADES}” will be on until Jan 25, 2022, 9:00 AM")).to_be_visible()
    assert looks.faults(page, "create review") == []
    api_key = issue(page)
    assert looks.faults(page, "created with a key pair") == []

    order = Bot.with_pair(served, api_key, private_key).order()
    assert order["allowed"], order
    secret = "".join(private_key.splitlines()[1:-1])
    assert len(secret) == 64
    assert ben.desk.watch.sent
    assert not [body for body in ben.desk.watch.sent if secret in body or secret[-32:] in body]


def test_a_private_key_can_be_saved_as_a_file(ben: Member) -> None:
    begin(ben.page, "market maker", "Ed25519")
    ben.page.get_by_role("button", name="Make a key pair here").click()

    with ben.page.expect_download() as saved:
        ben.page.get_by_role("button", name="Download").click()

    text = Path(saved.value.path()).read_text("utf-8")
    assert text.strip() == ben.page.locator("#private-key").inner_text().strip()
    assert "PRIVATE KEY" in text


def test_a_private_key_that_was_not_saved_holds_the_page_back_once(ben: Member) -> None:
    page = ben.page
    begin(page, "market maker", "Ed25519")
    page.get_by_role("button", name="Make a key pair here").click()
    next_ = page.get_by_role("button", name="Next", exact=True)

    next_.click()
    expect(page.get_by_role("alert")).to_contain_text("The private key is only on this page")
    expect(page.get_by_role("button", name="Download")).to_be_focused()
    assert looks.faults(page, "create with an unsaved pair") == []

    next_.click()
    expect(page.get_by_text("Step 2 of 2")).to_be_visible()


def test_a_pair_made_here_is_given_up_by_choosing_another_type_and_waits_for_its_own(
    ben: Member,
) -> None:
    page = ben.page
    ben.desk.watch.expected.add(422)
    begin(page, "market maker", "Ed25519")
    page.get_by_role("button", name="Make a key pair here").click()
    field = page.get_by_label("Public key", exact=True)
    expect(field).not_to_be_empty()
    public_key = field.input_value()

    page.get_by_role("radio", name="RSA").check()
    expect(field).to_be_empty()
    page.get_by_role("radio", name="Ed25519").check()
    expect(field).to_have_value(public_key)

    page.get_by_role("radio", name="RSA").check()
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_text("Paste the public key here.")).to_be_visible()
    expect(page.get_by_text("was not saved and is gone")).to_have_count(0)

    page.get_by_role("radio", name="HMAC").check()
    page.get_by_role("radio", name="Ed25519").check()
    expect(page.get_by_text("Paste the public key here.")).to_have_count(0)


def test_a_missing_label_does_not_lose_the_pair(ben: Member) -> None:
    page = ben.page
    begin(page, "", "Ed25519")
    private_key = make_pair(page)

    page.get_by_role("button", name="Next", exact=True).click()

    expect(page.get_by_label("Label")).to_be_focused()
    assert page.locator("#private-key").inner_text() == private_key
    page.get_by_label("Label").fill("market maker")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_text("Step 2 of 2")).to_be_visible()


def test_an_unsaved_pair_whose_page_comes_back_has_to_be_made_again(ben: Member) -> None:
    page = ben.page
    begin(page, "  ", "Ed25519")
    page.get_by_role("button", name="Make a key pair here").click()
    ben.desk.watch.expected.add(422)

    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_role("button", name="Next", exact=True).click()

    expect(page.get_by_text("Make the pair again.")).to_be_visible()
    expect(page.get_by_label("Public key")).to_have_value("")


def test_a_key_of_ones_own_is_pasted(served: Served, ben: Member) -> None:
    begin(ben.page, "reports", "RSA")
    pem = signers.public_key(KeyType.RSA)
    assert pem is not None
    ben.page.get_by_label("Public key").fill(pem)
    go_on(ben.page)
    api_key = issue(ben.page)

    assert ben.person.account_id is not None
    (key,) = served.house.worker.keys.of_account(ben.person.account_id)
    assert (key.api_key, key.key_type) == (api_key, KeyType.RSA)


def test_a_pasted_private_key_is_refused_and_not_shown_again(ben: Member) -> None:
    begin(ben.page, "market maker", "Ed25519")
    ben.page.get_by_role("button", name="Make a key pair here").click()
    private_key = ben.page.locator("#private-key").inner_text()
    ben.page.get_by_label("Public key").fill(private_key)
    ben.desk.watch.expected.add(422)

    ben.page.get_by_role("button", name="Next", exact=True).click()

    field = ben.page.get_by_label("Public key")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).not_to_have_value(private_key)
    assert looks.faults(ben.page, "create with a private key") == []


def test_a_secret_is_shown_once(served: Served, ben: Member) -> None:
    page = ben.page
    begin(page, "old bot", "HMAC")
    expect(page.get_by_text("The secret key is shown once")).to_be_visible()
    go_on(page, TRADES)
    api_key = issue(page)
    expect(page.get_by_text("It is shown this once and never again.")).to_be_visible()
    secret_key = page.locator("#secret-key").inner_text()
    assert looks.faults(page, "created with a secret") == []
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert Path(saved.value.path()).read_text("utf-8").strip() == secret_key

    # Loaded again, the form is sent again: no factor is asked for, and no other key is made.
    page.reload()
    expect(page.get_by_role("heading", name="old bot")).to_be_visible()
    expect(page.locator(".note[role=status]")).to_contain_text("is not shown again")
    assert secret_key not in page.content()
    page.goto("/console/keys")
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("heading", name="old bot").get_by_role("link").click()
    assert secret_key not in page.content()
    assert Bot.with_secret(served, api_key, secret_key).outcome() == "allowed"


def test_what_is_missing_is_told_beside_its_field(ben: Member) -> None:
    begin(ben.page, "", "Ed25519")
    ben.desk.watch.expected.add(422)

    ben.page.get_by_role("button", name="Next", exact=True).click()

    expect(ben.page.get_by_label("Label")).to_have_attribute("aria-invalid", "true")
    assert looks.faults(ben.page, "create with errors") == []


def test_the_second_step_goes_back_to_the_first_with_all_that_was_filled_in(ben: Member) -> None:
    begin(ben.page, "old bot", "HMAC")
    ben.page.get_by_role("button", name="Next", exact=True).click()
    steps.tick(ben.page, TRADES)
    assert looks.faults(ben.page, "create restrictions") == []

    ben.page.get_by_role("button", name="Back to step 1").click()

    expect(ben.page.get_by_label("Label")).to_have_value("old bot")
    expect(ben.page.get_by_role("radio", name="HMAC")).to_be_checked()
    go_on(ben.page)
    expect(ben.page.get_by_role("heading", name="Create this key?")).to_be_visible()
