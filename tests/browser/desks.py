"""A desk to look at a Tenure from: browsers of several people, and of one person several pages."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.watching import Watch

_WAIT_MS_MAX = 20_000
"""Not an expectation: the end of a test that hangs, on a machine that is busy with others."""
expect.set_options(timeout=_WAIT_MS_MAX)


class Desk:
    """Opens browsers at *url*; whatever happens in them is watched."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.url = url
        self.watch = Watch(url)

    def browse(
        self, *, scripts: bool = True, language: str = "en-US", zone: str = "UTC"
    ) -> BrowserContext:
        """Open the browser of somebody nobody knows yet, with *scripts* or without."""
        context = self._browser.new_context(
            base_url=self.url, java_script_enabled=scripts, locale=language, timezone_id=zone
        )
        context.set_default_timeout(_WAIT_MS_MAX)
        self.watch.follow(context)
        self._contexts.append(context)
        return context

    def page(self, *, scripts: bool = True, language: str = "en-US", zone: str = "UTC") -> Page:
        """Open it with an empty page."""
        return self.browse(scripts=scripts, language=language, zone=zone).new_page()

    def leave(self) -> None:
        """Close what was opened."""
        for context in self._contexts:
            context.close()


@contextlib.contextmanager
def sitting(browser: Browser, url: str) -> Iterator[Desk]:
    """Sit at a desk while the block runs; when it ends well, nothing that is watched for was."""
    desk = Desk(browser, url)
    try:
        yield desk
    finally:
        desk.leave()
    assert not desk.watch.faults, "\n".join(desk.watch.faults)
