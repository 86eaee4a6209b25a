"""Every page in every language: marked as such, nothing left over, nothing sticking out."""

import re
from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page, expect

from tenure.services import languages
from tests.browser import looks
from tests.browser.desks import Desk
from tests.browser.every_page import PAGES
from tests.browser.pages import Shown
from tests.browser.scenes import Scene

TAGS = {"zh-CN": "zh", "es": "es", "ja": "ja"}
"""What a browser asks for, and how the page's own mark begins."""
ENGLISH = languages.language("en", "UTC").texts
_PLACEHOLDER = re.compile(r"\{\w+\}")


@pytest.fixture(params=TAGS)
def tag(request: pytest.FixtureRequest) -> str:
    """Return each language in turn."""
    return str(request.param)


def left_over(text: str, texts: Mapping[str, str]) -> list[str]:
    """Return what of *text* is English where there are *texts*, or no text but the id of one."""
    words = re.findall(r"[a-z_]+(?:\.[a-z0-9_]+)+", text)
    ids = [word for word in words if word in ENGLISH]
    english = [
        said
        for text_id, said in ENGLISH.items()
        # Of one word it may be the same word, or part of a name; the reader of two is spoken to.
        if " " in said and texts[text_id] != said
        for piece in [max(_PLACEHOLDER.split(said), key=len).strip()]
        if " " in piece and piece in text
    ]
    return ids + english


READ = """async path => {
    const page = new DOMParser().parseFromString(await (await fetch(path)).text(), "text/html");
    // What stands in English on purpose, such as the name of a language, says so.
    page.querySelectorAll("body [lang], code, pre, noscript").forEach(each => each.remove());
    return [page.documentElement.lang, page.body.textContent];
}"""
LONG_WORDS = "es"
"""A page in this language is laid out as well: Chinese and Japanese are broken anywhere."""


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_a_page_is_in_the_language_that_was_asked_for(
    pages_of: Callable[[str], Page], shared: Desk, scene: Scene, shown: Shown
) -> None:
    page = pages_of(shown.who)
    shared.watch.expected = {shown.status}
    path = shown.at(scene)
    in_language = f"{path}{'&' if '?' in path else '?'}lang="
    looks.NARROW.apply(page)
    page.goto(f"{in_language}{LONG_WORDS}")
    wrong = looks.sticking_out(page)
    for tag, begins in TAGS.items():
        marked, text = page.evaluate(READ, f"{in_language}{tag}")
        if not marked.startswith(begins):
            wrong.append(f"{tag}: marked {marked}")
        texts = languages.language(tag, "UTC").texts
        wrong += [f"{tag}: {said}" for said in left_over(" ".join(text.split()), texts)]
    page.context.clear_cookies(name="tenure-language")

    assert wrong == []
    assert shared.watch.faults == []


@pytest.mark.parametrize("tag", TAGS)
def test_a_browser_is_answered_in_its_own_language(desk: Desk, tag: str) -> None:
    page = desk.page(language=tag)
    desk.watch.expected.add(404)
    page.goto("/console/nowhere")

    marked = page.locator("html").get_attribute("lang") or ""
    assert marked.startswith(TAGS[tag])


def test_a_chosen_language_stays(desk: Desk) -> None:
    page = desk.page()
    desk.watch.expected.add(404)
    page.goto("/console/nowhere")
    page.get_by_role("link", name="日本語").first.click()
    page.goto("/console/nowhere")

    assert page.locator("html").get_attribute("lang") == "ja"
    expect(page.get_by_role("link", name="日本語").first).to_have_attribute("aria-current", "true")
