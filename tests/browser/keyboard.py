"""
Going through a page by keyboard alone, as those do who cannot see a pointer or hold one.

At each stop it is judged whether somebody who sees can tell where he is: the element is on the
screen, with an outline around it.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import pytest
from playwright.sync_api import Locator, Page

Role: TypeAlias = Literal["button", "checkbox", "link", "radio", "textbox"]
_STOPS_MAX: Final = 60
"""More stops than any page has: a circle that does not lead there."""
_IS_HERE: Final = "each => each === document.activeElement"
_UNSEEN: Final = """() => {
    const each = document.activeElement, style = getComputedStyle(each);
    const {top, bottom, left, right} = each.getBoundingClientRect();
    if (each === document.body) return "";
    const where = each.outerHTML.slice(0, 120);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2)
        return `no outline: ${where}`;
    if (bottom <= 0 || right <= 0 || top >= innerHeight || left >= innerWidth)
        return `not on the screen: ${where}`;
    return "";
}"""


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The keys of whoever looks at *page*."""

    page: Page

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Type over whatever is in the field one is in."""
        self.press("Control+A")
        self.page.keyboard.type(text)

    def go_to(
        self,
        role: Role,
        name: str | re.Pattern[str],
        *,
        within: Locator | None = None,
        back: bool = False,
    ) -> None:
        """Press Tab, or Shift+Tab to go *back*, until one is at what is called *name*."""
        target = (within or self.page).get_by_role(role, name=name, exact=True)
        target.wait_for()
        for _ in range(_STOPS_MAX):
            self.press("Shift+Tab" if back else "Tab")
            self._judge()
            if self.is_at(target):
                return
        pytest.fail(f"no way leads to the {role} {name!r}")

    def is_at(self, target: Locator) -> bool:
        """Whether what one types goes there."""
        return bool(target.evaluate(_IS_HERE))

    def _judge(self) -> None:
        unseen = self.page.evaluate(_UNSEEN)
        assert not unseen, unseen
