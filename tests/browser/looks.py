"""
Looking at a page as people do: on a phone and on a desk, by day and by night.

Each look leaves a picture for somebody to look at, in var/screenshots or where TENURE_SCREENSHOTS
says, and is judged meanwhile: nothing sticks out sideways, and axe finds nothing against WCAG 2.2.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

PICTURES: Final = Path(
    os.environ.get("TENURE_SCREENSHOTS")
    or Path(__file__).parent.parent.parent / "var" / "screenshots"
)
_TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""Level AA is A and AA of each version; what axe calls best practice costs little to keep."""


@dataclass(frozen=True, slots=True)
class View:
    """
    How a page is looked at: *width* and *height* in CSS pixels, and a *scheme* of colours.

    It is *judged* by axe, by these of its rules or tags.
    """

    width: int
    height: int
    scheme: Literal["light", "dark"]
    judged: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its part of a picture's name."""
        return f"{self.width}-{self.scheme}"

    def apply(self, page: Page) -> None:
        """Look at *page* so from now on; it is not loaded again."""
        page.set_viewport_size({"width": self.width, "height": self.height})
        page.emulate_media(color_scheme=self.scheme, reduced_motion="reduce")


NARROW: Final = View(375, 812, "light")
VIEWS: Final = (
    View(1280, 800, "light", judged=_TAGS),
    View(1280, 800, "dark"),
    NARROW,
    # What width and colours can change; all else was found in the first.
    View(375, 812, "dark", judged=("color-contrast", "target-size", "scrollable-region-focusable")),
)


def faults(page: Page, name: str) -> list[str]:
    """Look at *page* in every view, leave its pictures under *name*; return what is wrong."""
    return [fault for view in VIEWS for fault in _faults(page, name, view)]


def _faults(page: Page, name: str, view: View) -> Iterator[str]:
    view.apply(page)
    picture(page, f"{name}-{view.name}")
    yield from (f"{name} at {view.name}: {found}" for found in sticking_out(page))
    if view.judged:
        yield from (f"{name} at {view.name}: {found}" for found in inaccessible(page, view.judged))


def sticking_out(page: Page) -> list[str]:
    """Return by how much *page* is wider than the screen, where it is."""
    wide = page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    return [f"sticks out {wide} px"] if wide > 0 else []


def picture(page: Page, name: str) -> Path:
    """Leave a picture of the whole *page* under *name*, and return where it is."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.png"
    # On a screen as tall as the page: what stays at the bottom of one is at the bottom of it.
    size = page.viewport_size
    assert size is not None
    tall = page.evaluate("document.scrollingElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], tall)})
    page.screenshot(path=path, animations="disabled")
    page.set_viewport_size(size)
    return path


def inaccessible(page: Page, judged: tuple[str, ...] = _TAGS) -> list[str]:
    """
    Return what axe finds on *page* as it stands, a line each: rule, element, what to do.

    It is *judged* by these of axe's tags, or of its rules.
    """
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    # It would fetch style sheets again for an experiment of a rule, and media, which there are not.
    options = {"runOnly": list(judged), "resultTypes": ["violations"], "preload": False}
    answer: Any = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['target'][0]}: {' '.join(node['failureSummary'].split())}"
        for violation in answer["violations"]
        for node in violation["nodes"]
    ]
