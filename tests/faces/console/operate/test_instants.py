"""Instants in forms: in the reader's zone, there and back."""

import pytest

from tenure.domain.errors import Invalid
from tenure.faces.console.operate import instants
from tenure.services import languages
from tests.builders import ms

BERLIN = languages.language("en", "Europe/Berlin")


def test_an_instant_is_read_in_the_readers_zone_and_written_back() -> None:
    at_ms = instants.read("from", "2021-12-01T11:05", BERLIN)

    assert at_ms == ms("2021-12-01 10:05")
    assert instants.written(at_ms, BERLIN) == "2021-12-01T11:05"
    assert instants.read("from", "2021-12-01T11:05Z", BERLIN) == ms("2021-12-01 11:05")


def test_nothing_is_no_instant() -> None:
    assert instants.read("from", "  ", BERLIN) is None
    assert instants.written(None, BERLIN) == ""


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    assert instants.read("from", "2021-10-31T02:30", BERLIN) == ms("2021-10-31 00:30")


@pytest.mark.parametrize(
    "text", ["soon", "2021-13-01T00:00", "2021-12-01T25:00", "0001-01-01T00:00"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        instants.read("until", text, BERLIN)

    assert (refused.value.field, refused.value.message) == (
        "until", "That is no date and time."
    )  # fmt: skip
