"""Each page in every view: what sticks out, what cannot be read out, what it weighs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tenure.domain.people import Role
from tenure.faces.console import entry, face
from tests.browser import looks, members
from tests.browser.desks import Desk, sitting
from tests.browser.every_page import NO_PAGES, PAGES
from tests.browser.pages import Shown
from tests.browser.scenes import Scene
from tests.browser.served import serving
from tests.house import House

WEIGHT_MAX = 300_000
"""Bytes of a page with everything on it: on a slow telephone, a second or two."""
WEIGHT = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
    .reduce((sum, each) => sum + each.encodedBodySize, 0)"""

EVERY = pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)


@EVERY
def test_a_page_looks_as_it_should_in_every_view(
    pages_of: Callable[[str], Page], shared: Desk, scene: Scene, shown: Shown
) -> None:
    page = pages_of(shown.who)
    shared.watch.expected = {shown.status}

    answer = page.goto(shown.at(scene))

    assert answer is not None
    assert answer.status == shown.status
    assert page.evaluate(WEIGHT) <= WEIGHT_MAX
    assert page.get_by_role("heading", level=1).count() == 1
    assert looks.faults(page, shown.name) == []
    assert shared.watch.faults == []


def test_a_house_on_its_first_day_says_what_will_be_there(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as served, sitting(browser, served.url) as desk:
        page = members.operator(desk, served, Role.ADMINISTRATOR).page
        for name in ("", "/accounts", "/approvals", "/leaks"):
            page.goto(f"/console/operate{name}")

            assert looks.faults(page, f"operate{name} on the first day") == []
            assert page.locator("main td").count() == 0


def test_every_page_is_looked_at(tmp_path: Path) -> None:
    house = House.open(tmp_path / "home")
    routes = {name for name in entry.declared(face.build(house.worker)) if name.startswith("GET ")}
    house.close()

    assert routes - NO_PAGES.keys() == {shown.route for shown in PAGES if shown.route}
    assert routes >= NO_PAGES.keys()
