"""
Chromium for the tests that look at the console, and the Tenures they look at.

Playwright's loop is under way in the thread that drives it, so a module stops it when it is done:
other tests of the same process run loops of their own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tenure.domain.people import Role
from tests.browser import affairs, chromium, members, scenes
from tests.browser.desks import Desk, sitting
from tests.browser.scenes import Scene
from tests.browser.served import Served, serving

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # Before the plugin that picks tests by their marks.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory; skip it where there is no browser."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(chromium.HERE is None, reason=chromium.MISSING))


@pytest.fixture(scope="package")
def set_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Scene]]:
    """Serve one with the scene in it, for all tests that let its clock stand and its rules be."""
    with serving(tmp_path_factory.mktemp("served"), scenes.BEFORE) as running:
        yield running, scenes.setting(running)


@pytest.fixture(scope="module")
def browser(set_scene: tuple[Served, Scene]) -> Iterator[Browser]:  # noqa: ARG001 - see below
    """
    Drive one for a module.

    After the scene was set, whoever asks for what first: that runs loops of its own.
    """
    with chromium.driven() as driven:
        yield driven


@pytest.fixture(scope="package")
def served(set_scene: tuple[Served, Scene]) -> Served:
    """Return what serves the scene."""
    return set_scene[0]


@pytest.fixture(scope="package")
def scene(set_scene: tuple[Served, Scene]) -> Scene:
    """Return what there is to look at."""
    return set_scene[1]


@pytest.fixture
def desk(browser: Browser, served: Served) -> Iterator[Desk]:
    """Sit at a desk before it."""
    with sitting(browser, served.url) as desk:
        yield desk


@pytest.fixture(scope="module")
def shared(browser: Browser, served: Served) -> Iterator[Desk]:
    """Sit at one desk for all pages of a module."""
    with sitting(browser, served.url) as desk:
        yield desk


@pytest.fixture(scope="package")
def joined() -> dict[str, list[Any]]:
    """Return the cookies of whoever has joined the scene: nobody can do that twice."""
    return {}


@pytest.fixture(scope="module")
def pages_of(
    shared: Desk, served: Served, scene: Scene, joined: dict[str, list[Any]]
) -> Callable[[str], Page]:
    """Return the page that somebody of the scene looks at; each joins once."""
    opened: dict[str, Page] = {"nobody": shared.page()}

    def page_of(who: str) -> Page:
        if who in affairs.STAGES:
            opened[who] = opened.get(who) or shared.page()
            # Each time anew, for half of a sign-in lasts minutes.
            members.let_in(opened[who], served, affairs.begin(served.house, scene.house, who))
        elif who not in opened and who in joined:
            opened[who] = shared.page()
            opened[who].context.add_cookies(joined[who])
        elif who not in opened:
            opened[who] = _join(shared, served, scene, who).page
            joined[who] = opened[who].context.cookies()
        return opened[who]

    return page_of


def _join(desk: Desk, served: Served, scene: Scene, who: str) -> members.Member:
    if who in set(Role):
        return members.operator(desk, served, Role(who))
    return members.owner(desk, served, getattr(scene, who))
