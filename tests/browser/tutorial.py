"""
The tutorial as a document: what it quotes, shows and tells to run, for the test that lives it.

Its pictures are made by that test, into var/screenshots/tutorial unless TENURE_TUTORIAL_IMAGES is
set: then into the document's own, to be committed.
"""

import os
import re
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page

from tests.browser import looks

PAGE: Final = Path(__file__).parent.parent.parent / "docs" / "tutorial" / "first-key.md"
IMAGES: Final = PAGE.parent / "images"
_LEFT: Final = IMAGES if os.environ.get("TENURE_TUTORIAL_IMAGES") else looks.PICTURES / "tutorial"
_VIEW: Final = looks.View(1280, 800, "light")
_COVER: Final = "#8a8f98"


def _text() -> str:
    return PAGE.read_text("utf-8")


def quoted() -> set[str]:
    """Return what is bold: words that stand on the pages."""
    found = re.findall(r"\*\*(.+?)\*\*", _text(), re.DOTALL)
    return {" ".join(words.split()) for words in found}


def pictures() -> list[str]:
    """Return the names of the pictures it shows, in order."""
    return re.findall(r"!\[[^\]]+\]\(images/([a-z]+)\.png\)", _text())


def program() -> str:
    """Return the program it tells to save."""
    (found,) = re.findall(r"```python\n(.*?)```", _text(), re.DOTALL)
    return str(found)


def take(page: Page, name: str, *, secret: Locator | None = None) -> None:
    """Leave a picture of what is seen of *page* now, with what is *secret* covered."""
    _VIEW.apply(page)
    _LEFT.mkdir(parents=True, exist_ok=True)
    page.screenshot(
        path=_LEFT / f"{name}.png",
        animations="disabled",
        mask=[secret] if secret else [],
        mask_color=_COVER,
    )
