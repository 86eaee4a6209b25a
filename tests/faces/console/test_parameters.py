"""What a page's address asks for: one way to read a number, on every page that takes one."""

import pytest

from tenure.faces.console import parameters
from tests.faces.console.visiting import Visited

NONSENSE = ("", "x", "-1", "1.5", "1e3", "\u0663", "\xb2", "%00", "9" * 19, "9" * 400)
PAGES = ("/console/inbox?before=", "/console/activity?before=")
HOUSE_PAGES = (
    "/console/operate/journal?before=",
    "/console/operate/leaks?done=reported&ours=",
)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_a_number_is_digits_of_63_bits(text: str, number: int) -> None:
    assert parameters.number_in(text) == number


@pytest.mark.parametrize("text", NONSENSE)
def test_what_is_no_number_was_not_asked_for(text: str) -> None:
    assert parameters.number_in(text) is None


def test_nonsense_shows_every_page_from_its_beginning(visited: Visited) -> None:
    owner = visited.owner(visited.house.account())
    operator = visited.operator()

    for browser, pages in ((owner, PAGES), (operator, HOUSE_PAGES)):
        for page in pages:
            for text in ("x", "%D9%A3", "%00", "9" * 19, "9" * 400):
                assert browser.get(f"{page}{text}").status == 200, (page, text)
    assert owner.get("/console/sub-accounts?after=%00").status == 200
