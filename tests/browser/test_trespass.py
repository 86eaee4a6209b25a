"""
What somebody gets by another's cookie, another's approval, or a page of his own: nothing.

T23 and T24 as a browser has them. Which headers are believed, and that a planted id is replaced,
is tested in process (`faces/console/test_foreign_pages`, `test_origins`, `test_entering`).
"""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import foreign, members, steps
from tests.browser.desks import Desk
from tests.browser.foreign import Foreign
from tests.browser.members import Member
from tests.browser.served import Served
from tests.builders import FUTURES, TRADING

NOT_YOURS = "This is not yours to do"
FUTURE = "Enable Futures"


@pytest.fixture
def ann(desk: Desk, served: Served) -> Member:
    """Let the owner of a new account join."""
    return members.owner(desk, served, served.new_account())


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Foreign]:
    """Serve a page of somebody else's."""
    with foreign.serving() as running:
        yield running


def a_key(served: Served, member: Member) -> str:
    """Issue a key that trades to *member*, and return its id."""
    assert member.person.account_id is not None
    return served.house.issue(member.person.account_id, TRADING).key_id


def cookie(member: Member, name: str) -> str:
    """Return what a cookie of hers says."""
    return next(each["value"] for each in member.browser.cookies() if each["name"] == name)


def thief(desk: Desk, member: Member) -> Page:
    """Open another browser with a copy of all her cookies, as they are now."""
    browser = desk.browse()
    browser.add_cookies(member.browser.cookies())  # type: ignore[arg-type]  # the same shape
    return browser.new_page()


def is_let_in(page: Page) -> bool:
    """Whether the keys are shown, and not the door."""
    page.goto("/console/keys")
    return page.get_by_role("heading", name="API Management").count() == 1


def test_a_copied_cookie_is_dead_once_its_owner_has_signed_out(desk: Desk, ann: Member) -> None:
    stolen = thief(desk, ann)
    assert is_let_in(stolen)

    ann.page.goto("/console/keys")
    ann.page.get_by_role("button", name="Sign out").last.click()
    expect(ann.page.get_by_role("heading", name="Sign in")).to_be_visible()

    assert not is_let_in(stolen)


def test_signing_in_goes_on_under_another_id_at_each_step(ann: Member) -> None:
    ids = [cookie(ann, "tenure-session")]
    ann.browser.clear_cookies()
    page = ann.page
    page.goto("/console/keys")
    page.get_by_label("E-mail").fill(ann.person.email)
    page.get_by_label("Password").fill(members.PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    ids.append(cookie(ann, "tenure-session"))

    page.get_by_role("button", name="Confirm with a passkey").click()
    expect(page.get_by_role("heading", name="API Management")).to_be_visible()

    assert len({*ids, cookie(ann, "tenure-session")}) == 3


def test_a_copied_cookie_is_dead_once_a_second_factor_was_given(
    desk: Desk, served: Served, ann: Member
) -> None:
    key_id = a_key(served, ann)
    stolen = thief(desk, ann)
    steps.open_edit(ann.page, key_id)
    steps.tick(ann.page, FUTURE)

    steps.confirm(ann.page, steps.save(ann.page))

    assert not is_let_in(stolen)
    assert is_let_in(ann.page)


def test_an_approval_that_was_overheard_approves_nothing_else(
    desk: Desk, served: Served, ann: Member
) -> None:
    """Her passkey's answer never arrives; somebody with her cookie puts it into his own form."""
    meant, coveted = a_key(served, ann), a_key(served, ann)
    answers: list[str] = []

    def overhear(route: Route) -> None:
        answers.extend(parse_qs(route.request.post_data or "")["passkey"])
        route.fulfill(status=200, body="")

    ann.page.route("**/edit/confirm", overhear)
    steps.open_edit(ann.page, meant)
    steps.tick(ann.page, FUTURE)
    popup = steps.save(ann.page)
    with ann.page.expect_response("**/edit/confirm"):
        steps.approve(popup)
    (answer,) = answers

    stolen = thief(desk, ann)
    desk.watch.expected.add(422)
    steps.open_edit(stolen, coveted)
    steps.tick(stolen, FUTURE)
    popup = steps.save(stolen)
    popup.locator("input[name=passkey]").evaluate("(field, value) => field.value = value", answer)
    popup.get_by_role("button", name="Confirm", exact=True).click()

    expect(stolen.locator("#code-error")).to_be_visible()
    for key_id in (meant, coveted):
        assert FUTURES not in served.house.worker.keys.get(key_id).grants


@pytest.mark.parametrize("secret", [None, "of another browser"])
def test_a_form_without_its_own_secret_is_refused_and_told_so(
    desk: Desk, ann: Member, secret: str | None
) -> None:
    other = desk.page()
    other.goto("/console/sign-in")
    theirs = other.locator("input[name=_csrf_token]").first.get_attribute("value")
    ann.page.goto("/console/preferences")
    desk.watch.expected.add(403)
    form = ann.page.locator("form", has=ann.page.get_by_role("button", name="Save lead times"))
    form.locator("input[name=_csrf_token]").evaluate(
        "(field, value) => value ? field.value = value : field.remove()", secret and theirs
    )

    form.get_by_role("button", name="Save lead times").click()

    expect(ann.page.get_by_role("heading", name=NOT_YOURS)).to_be_visible()
    expect(ann.page.get_by_text("load its page again and retry")).to_be_visible()
    assert is_let_in(ann.page)


@pytest.fixture
def lured(browser: Browser, served: Served, ann: Member) -> Iterator[Page]:
    """Return a page of her browser, unwatched: it goes elsewhere, and is refused."""
    with browser.new_context() as context:
        context.add_cookies(ann.browser.cookies())  # type: ignore[arg-type]  # the same shape
        page = context.new_page()
        page.goto(f"{served.url}/console/preferences")
        yield page


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "evil.localhost"])
def test_a_form_on_a_foreign_page_does_nothing(
    served: Served, ann: Member, elsewhere: Foreign, lured: Page, host: str
) -> None:
    """Even one that knows the form's secret; from another port here her cookies come along."""
    secret = next(each for each in lured.context.cookies() if each["name"] == "tenure-form")
    elsewhere.posts_to(f"{served.url}/console/sign-out", {"_csrf_token": secret["value"]})

    with lured.expect_response("**/console/sign-out") as refused:
        lured.goto(f"http://{host}:{elsewhere.port}/")

    assert refused.value.status == 403
    expect(lured.get_by_role("heading", name=NOT_YOURS)).to_be_visible()
    assert is_let_in(ann.page)


def test_a_foreign_page_cannot_put_the_console_into_a_frame(
    served: Served, elsewhere: Foreign, lured: Page
) -> None:
    elsewhere.frames(f"{served.url}/console/preferences")

    lured.goto(f"http://localhost:{elsewhere.port}/")

    expect(lured.get_by_role("heading", name="Win a prize")).to_be_visible()
    (frame,) = lured.main_frame.child_frames
    assert frame.url == "chrome-error://chromewebdata/"
    assert frame.get_by_role("heading", name="Settings").count() == 0
