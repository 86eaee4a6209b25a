"""Recovery codes: hard to guess, easy to write down."""

import re

import pytest

from tenure.services.people import codes
from tests.fakes import FakeClock


def test_ten_codes_of_eighty_bits_no_two_alike() -> None:
    made = [code.reveal() for code in codes.make(FakeClock())]

    assert len(set(made)) == 10
    assert all(
        re.fullmatch(r"([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}", one) for one in made
    )


@pytest.mark.parametrize(
    "written", ["4x0q-1111-abcd-efgh", "4X0Q 1111 ABCD EFGH", "4xoqlli1abcdefgh"]
)
def test_it_counts_however_it_was_written_down(written: str) -> None:
    assert codes.digest_of("psn_1", written) == codes.digest_of("psn_1", "4x0q-1111-abcd-efgh")


def test_it_is_one_persons_alone() -> None:
    assert codes.digest_of("psn_1", "4x0q") != codes.digest_of("psn_2", "4x0q")
