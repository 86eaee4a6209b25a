"""
What must never happen on a page, noted whatever a test is about.

Errors in the browser's console (what the content security policy forbids is told there), errors of
scripts, answers of 400 and above that the test did not expect, and requests to anybody but the
server itself.
"""

from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

_TOLD_BY_THE_ANSWER = "Failed to load resource: the server responded with a status of"
"""Chromium's line for an answer of 400 and above, which is judged by its status instead."""


@dataclass  # Without slots: Playwright leaves marks of its own on what it calls back.
class Watch:
    """Notes *faults* in the contexts it follows; *url* is the server's, *expected* its statuses."""

    url: str
    expected: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    """The bodies of all requests, for what must not be in any."""

    def follow(self, context: BrowserContext) -> None:
        """Note from now on what happens in *context*, on pages that are yet to be opened too."""
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.on("request", self._requested)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_TOLD_BY_THE_ANSWER):
            self.faults.append(f"console: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.faults.append(f"request elsewhere: {request.method} {request.url}")
        body = request.post_data_buffer
        if body is not None:
            self.sent.append(body.decode("utf-8", "replace"))

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"answer: {response.status} to {response.url}")
