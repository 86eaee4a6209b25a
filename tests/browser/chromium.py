"""
Debian's Chromium, driven by Playwright over pipes: where it is, and how it is started.

No browser of Playwright's own is fetched. Nothing in it may go anywhere but to this machine: names
of other hosts resolve to nothing.
"""

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

HERE = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The shell is the same browser without windows, tabs and menus: half the work for the machine."""
MISSING = (
    "chromium is not installed: "
    "apt-get install chromium-headless-shell fonts-dejavu-core fonts-wqy-microhei"
)

_FLAGS = (
    "--no-sandbox",  # Tests run as root in containers, where its own sandbox cannot be made.
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *localhost, EXCLUDE 127.0.0.1",
)


@contextlib.contextmanager
def driven() -> Iterator[Browser]:
    """
    Start it with an empty profile while the block runs.

    Meanwhile nothing else in this thread may run an event loop: Playwright's own is under way.
    """
    assert HERE is not None, MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=HERE, headless=True, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()
