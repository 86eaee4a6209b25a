"""
Reading what a page's address asks for: numbers and ids, each in one way for every page.

What is none of the kind counts as not asked for, so that an address that was cut or made up shows
the page from its beginning. Neither a number past what a column holds nor any other text than an id
comes further than this.
"""

import re
from typing import Final

from tenure.faces.console.desk import Desk
from tenure.faces.http.requests import ACCOUNT_ID

_DIGITS_MAX: Final = 18
"""Every number of so many digits is one of 63 bits, as a column holds them."""


def number(desk: Desk, name: str) -> int | None:
    """Return the number that is asked for as *name*, None where none is."""
    return number_in(desk.asked.get(name, ""))


def number_in(text: str) -> int | None:
    """Return the number that *text* is: ASCII digits and nothing else; None where it is none."""
    is_one = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    return int(text) if is_one else None


def account_id(desk: Desk, name: str) -> str:
    """Return the id of an account that is asked for as *name*, "" where none is."""
    text = desk.asked.get(name, "")
    return text if re.fullmatch(ACCOUNT_ID, text) else ""
