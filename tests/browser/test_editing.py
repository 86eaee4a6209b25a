"""Editing on the page: the pop-up against the plan, stale plans, two tabs, what is typed wrong."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tenure.services import languages
from tests.browser import looks, members, steps
from tests.browser.desks import Desk
from tests.browser.members import Member
from tests.browser.served import Served
from tests.builders import FUTURES, TRADING, WITHDRAWALS

TRADES, FUTURE, WITHDRAWS = (
    "Enable Spot & Margin Trading",
    "Enable Futures",
    "Enable Withdrawals",
)
HERE = "203.0.113.7"
LABELS = {TRADING: TRADES, FUTURES: FUTURE, WITHDRAWALS: WITHDRAWS, "reading": "Enable Reading"}
ENGLISH = languages.language("en-US", "UTC")


@pytest.fixture
def ann(desk: Desk, served: Served) -> Member:
    """Let the owner of a new account join."""
    return members.owner(desk, served, served.new_account())


def a_key(served: Served, member: Member, *permissions: str, ips: tuple[str, ...] = ()) -> str:
    """Issue a key to *member*, and return its id."""
    assert member.person.account_id is not None
    return served.house.issue(member.person.account_id, *permissions, ips=ips).key_id


def sentence(consequence: Any) -> str:  # noqa: ANN401 - the API's JSON
    """Return what the page has to say of one of the API's consequences."""
    ends, ended = consequence["ends_at_ms"], consequence["ended_at_ms"]
    return ENGLISH.say(
        f"popup.{consequence['kind']}",
        permission=LABELS[consequence["permission"]],
        end="" if ends is None else ENGLISH.moment(ends),
        old_end="" if ended is None else ENGLISH.moment(ended),
    )


EDITS = [
    ((TRADING,), (), lambda page: steps.tick(page, FUTURE), {"permissions": {FUTURES: True}}),
    (
        (TRADING, FUTURES),
        (),
        lambda page: steps.allow_only(page, HERE, "2001:db8::/48"),
        {"ip_allowlist": [HERE, "2001:db8::/48"]},
    ),
    ((TRADING, WITHDRAWALS), (HERE,), steps.allow_only, {"ip_allowlist": []}),
    (
        (TRADING,),
        (),
        lambda page: steps.tick(page, TRADES, on=False),
        {"permissions": {TRADING: False}},
    ),
]


@pytest.mark.parametrize(
    ("permissions", "ips", "act", "edit"),
    EDITS,
    ids=["tick", "restrict", "open", "untick"],
)
def test_the_popup_says_what_the_plan_says(  # noqa: PLR0913, PLR0917 - a case has that many parts
    served: Served,
    ann: Member,
    permissions: tuple[str, ...],
    ips: tuple[str, ...],
    act: Callable[[Page], None],
    edit: dict[str, Any],
) -> None:
    key_id = a_key(served, ann, *permissions, ips=ips)
    steps.open_edit(ann.page, key_id)
    act(ann.page)

    popup = steps.save(ann.page)

    plan = served.ask("POST", f"/v1/keys/{key_id}/edits/preview", edit)
    assert plan["consequences"]
    assert steps.consequences(popup) == [sentence(each) for each in plan["consequences"]]
    assert served.house.worker.keys.get(key_id).version == 1
    steps.confirm(ann.page, popup)
    assert served.house.worker.keys.get(key_id).version == 2


def test_the_popup_shows_the_old_state_beside_the_new(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING, WITHDRAWALS, ips=(HERE,))
    steps.open_edit(ann.page, key_id)
    steps.allow_only(ann.page)

    popup = steps.save(ann.page)

    rows = [row.all_inner_texts() for row in popup.get_by_role("row").all()]
    compared = {cells[0].split("\t")[0]: cells[0].split("\t")[1:] for cells in rows}
    assert compared[WITHDRAWS] == ["on, no end", "off"]
    assert compared[TRADES] == ["on, no end", "ends in 30 days, Jan 25, 2022, 9:00 AM"]
    expect(popup).to_contain_text("Margin trading carries a high risk")
    expect(popup).to_contain_text("Disclose the key and its secret to nobody.")
    assert looks.faults(ann.page, "popup") == []


def test_a_plan_that_went_stale_is_shown_again_with_what_is_new_marked(
    served: Served, ann: Member
) -> None:
    key_id = a_key(served, ann, TRADING, ips=(HERE,))
    steps.open_edit(ann.page, key_id)
    steps.tick(ann.page, FUTURE)
    popup = steps.save(ann.page)
    assert steps.consequences(popup) == [f"“{FUTURE}” will be on, without an end."]

    # Meanwhile another tab of hers takes the address away.
    other = ann.beside()
    other.turn_from(ann)
    steps.open_edit(other.page, key_id)
    steps.allow_only(other.page)
    steps.confirm(other.page, steps.save(other.page))
    ann.turn_from(other)
    ann.desk.watch.expected.add(409)
    steps.approve(popup)

    again = ann.page.get_by_role("dialog", name="Save these changes?")
    expect(again.get_by_role("alert")).to_contain_text("Nothing was saved.")
    assert served.house.worker.keys.get(key_id).version == 2
    assert looks.faults(ann.page, "popup stale") == []
    again.get_by_role("button", name="Confirm", exact=True).click()
    expect(ann.page.get_by_text("Saved. This is how the key is now.")).to_be_visible()
    assert steps.box(ann.page, FUTURE) == "ticked no end"
    assert steps.box(ann.page, TRADES) == "ticked ends in 30 days, Jan 25, 2022, 9:00 AM"


def test_of_a_stale_plan_only_what_it_did_not_say_is_marked(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING, WITHDRAWALS, ips=(HERE,))
    steps.open_edit(ann.page, key_id)
    steps.allow_only(ann.page)
    popup = steps.save(ann.page)
    assert len(steps.consequences(popup)) == 2

    served.ask("POST", f"/v1/keys/{key_id}/edits", {"permissions": {FUTURES: True}})
    ann.desk.watch.expected.add(409)
    steps.approve(popup)

    again = ann.page.get_by_role("dialog", name="Save these changes?")
    expect(again.get_by_role("alert")).to_be_visible()
    assert len(steps.consequences(again)) == 2
    assert again.locator(".consequences .changed").count() == 0


def test_the_same_form_in_two_tabs_saves_once(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING)
    other = ann.beside()
    for page in (ann.page, other.page):
        steps.open_edit(page, key_id)
        steps.tick(page, FUTURE)
        steps.save(page)

    steps.confirm(ann.page, ann.page.get_by_role("dialog"))
    ann.desk.watch.expected.add(409)
    other.turn_from(ann)
    steps.approve(other.page.get_by_role("dialog"))

    expect(other.page.get_by_text("Something changed since this was shown.")).to_be_visible()
    assert served.house.worker.keys.get(key_id).version == 2


def test_each_bad_address_is_named_beside_the_field(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING)
    steps.open_edit(ann.page, key_id)
    steps.allow_only(ann.page, "203.0.113.7, 010.0.0.1", "10.0.0.0/8;2001:db8::1")
    ann.desk.watch.expected.add(422)

    ann.page.get_by_role("button", name="Save", exact=True).click()

    errors = ann.page.locator("#addresses-error li")
    expect(errors).to_have_count(2)
    assert [text.split(" ")[0] for text in errors.all_inner_texts()] == [
        "“010.0.0.1”",
        "“10.0.0.0/8”",
    ]
    field = ann.page.get_by_label("Trusted IP addresses")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("203.0.113.7, 010.0.0.1\n10.0.0.0/8;2001:db8::1")
    assert looks.faults(ann.page, "edit with bad addresses") == []


def test_what_is_not_allowed_is_told_beside_its_box(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING)
    steps.open_edit(ann.page, key_id)
    steps.tick(ann.page, WITHDRAWS)
    ann.desk.watch.expected.add(422)

    ann.page.get_by_role("button", name="Save", exact=True).click()

    withdrawals = ann.page.get_by_role("checkbox", name=WITHDRAWS)
    expect(withdrawals).to_have_attribute("aria-invalid", "true")
    assert looks.faults(ann.page, "edit not allowed") == []


def test_the_current_address_is_added_by_a_button(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING, ips=(HERE,))
    steps.open_edit(ann.page, key_id)

    ann.page.get_by_role("button", name="Add my current address").click()

    expect(ann.page.get_by_label("Trusted IP addresses")).to_have_value(f"{HERE}\n127.0.0.1")


def test_without_a_second_factor_nothing_is_saved(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING)
    steps.open_edit(ann.page, key_id)
    steps.tick(ann.page, FUTURE)
    popup = steps.save(ann.page)
    ann.passkeys.verify_user(succeeds=False)

    steps.approve(popup)

    expect(popup.get_by_role("alert")).to_contain_text("The passkey was not given.")
    assert served.house.worker.keys.get(key_id).version == 1
    ann.passkeys.verify_user(succeeds=True)
    steps.confirm(ann.page, popup)
    assert served.house.worker.keys.get(key_id).version == 2


def test_going_back_from_the_popup_keeps_what_was_filled_in(served: Served, ann: Member) -> None:
    key_id = a_key(served, ann, TRADING)
    steps.open_edit(ann.page, key_id)
    steps.tick(ann.page, FUTURE)
    popup = steps.save(ann.page)

    popup.get_by_role("link", name="Back", exact=True).click()

    expect(popup).to_be_hidden()
    expect(ann.page.get_by_role("checkbox", name=FUTURE)).to_be_checked()
    steps.confirm(ann.page, steps.save(ann.page))
    assert FUTURES in served.house.worker.keys.get(key_id).grants


def test_a_phone_shows_what_is_ticked_and_unfolds_the_rest_where_a_desktop_shows_all(
    served: Served, ann: Member
) -> None:
    a_key(served, ann, TRADING, FUTURES)
    page = ann.page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/console/keys")
    boxes, rest = page.locator("article .box"), page.get_by_text("8 not ticked")
    every = boxes.count()
    expect(boxes.filter(visible=True)).to_have_count(every)
    expect(rest).to_be_hidden()

    page.set_viewport_size({"width": 375, "height": 812})
    expect(boxes.filter(visible=True)).to_have_count(3)
    tops = [each.bounding_box() for each in boxes.filter(visible=True).all()]
    first = min((top["y"], place) for place, top in enumerate(tops) if top)[1]
    assert TRADES in boxes.filter(visible=True).nth(first).inner_text(), "what ends, above"
    assert looks.faults(page, "keys folded") == []

    page.set_viewport_size({"width": 375, "height": 812})
    rest.click()
    expect(boxes.filter(visible=True)).to_have_count(every)
    assert looks.faults(page, "keys unfolded") == []


def in_sight(where: Locator) -> bool:
    """Whether nothing covers the middle of it, and no edge cuts it off."""
    seen: bool = where.evaluate("""element => {
        const box = element.getBoundingClientRect();
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return box.top >= 0 && box.bottom <= innerHeight && element.contains(top);
    }""")
    return seen


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 812)])
def test_a_code_that_is_wrong_is_asked_for_again_where_one_can_see_it(
    desk: Desk, served: Served, width: int, height: int
) -> None:
    account_id = served.new_account()
    key_id = served.house.issue(account_id, TRADING).key_id
    page, _ = members.with_an_app(desk, served, account_id)
    page.set_viewport_size({"width": width, "height": height})
    steps.open_edit(page, key_id)
    steps.tick(page, FUTURE)
    popup = steps.save(page)
    desk.watch.expected.add(422)

    popup.get_by_role("button", name="Confirm", exact=True).click()

    # What was put there last has the focus once htmx has settled.
    code = page.get_by_role("dialog").get_by_label("Six-digit code from your authenticator app")
    expect(code).to_have_attribute("aria-invalid", "true")
    expect(code).to_be_focused()
    assert in_sight(code)


def test_a_double_click_saves_and_confirms_once(desk: Desk, served: Served) -> None:
    account_id = served.new_account()
    key_id = served.house.issue(account_id, TRADING).key_id
    page, code = members.with_an_app(desk, served, account_id)
    steps.open_edit(page, key_id)
    steps.tick(page, FUTURE)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))

    page.get_by_role("button", name="Save", exact=True).dblclick()
    popup = page.get_by_role("dialog", name="Save these changes?")
    popup.get_by_label("Six-digit code from your authenticator app").fill(code)
    popup.get_by_role("button", name="Confirm", exact=True).dblclick()

    expect(page.get_by_text("Saved. This is how the key is now.")).to_be_visible()
    posts = [each.rpartition("/")[2] for each in sent if each.startswith("POST")]
    assert posts == ["edit", "confirm"]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (375, 812)])
def test_the_popup_has_its_buttons_in_sight_and_says_which_key_it_is_about(
    served: Served, ann: Member, width: int, height: int
) -> None:
    key_id = a_key(served, ann, TRADING, WITHDRAWALS, ips=(HERE,))
    ann.page.set_viewport_size({"width": width, "height": height})
    steps.open_edit(ann.page, key_id)
    steps.allow_only(ann.page)

    popup = steps.save(ann.page)

    assert popup.evaluate("element => element.scrollHeight > element.clientHeight")
    assert in_sight(popup.get_by_role("button", name="Confirm", exact=True))
    assert in_sight(popup.get_by_role("link", name="Back", exact=True))
    label = served.house.worker.keys.get(key_id).label
    expect(popup).to_have_accessible_description(re.compile(rf"^{re.escape(label)} · "))


def test_what_no_form_can_mend_fills_the_page_and_not_the_popup(
    served: Served, ann: Member
) -> None:
    steps.open_edit(ann.page, a_key(served, ann, TRADING))
    secret = ann.page.locator("#edit [name=_csrf_token]")
    secret.evaluate("field => { field.value = 'of another form'; }")
    ann.desk.watch.expected.add(403)

    ann.page.get_by_role("button", name="Save", exact=True).click()

    expect(ann.page.get_by_role("heading", level=1)).to_be_focused()
    expect(ann.page.locator("main")).to_have_count(1)
    expect(ann.page.locator("#edit")).to_have_count(0)


def test_a_key_that_was_revoked_in_another_tab_leads_to_its_page(
    served: Served, ann: Member
) -> None:
    key_id = a_key(served, ann, TRADING)
    steps.open_edit(ann.page, key_id)
    steps.tick(ann.page, FUTURE)
    served.house.worker.keys.revoke(key_id, "test")

    ann.page.get_by_role("button", name="Save", exact=True).click()

    expect(ann.page).to_have_url(re.compile(rf"/console/keys/{key_id}$"))
    expect(ann.page.locator(".note.bad")).to_contain_text("Revoked")


def test_what_is_said_of_any_address_follows_the_choice(served: Served, ann: Member) -> None:
    steps.open_edit(ann.page, a_key(served, ann, TRADING))
    note = ann.page.get_by_text("Any address may use this key.")
    expect(note).to_be_visible()

    steps.allow_only(ann.page, HERE)
    expect(note).to_be_hidden()
    steps.allow_only(ann.page)
    expect(note).to_be_visible()


def test_an_address_typed_with_full_width_signs_is_not_added_twice(
    served: Served, ann: Member
) -> None:
    steps.open_edit(ann.page, a_key(served, ann, TRADING))
    steps.allow_only(ann.page, "203.0.113.7\uff0c127.0.0.1\u30012001:db8::1\uff1b")

    ann.page.get_by_role("button", name="Add my current address").click()

    expect(ann.page.get_by_label("Trusted IP addresses")).to_have_value(
        "203.0.113.7\n127.0.0.1\n2001:db8::1"
    )
