"""Codes of apps: which step a text is a code of, and none that was spent (RFC 6238)."""

import pytest
from pyotp.hotp import HOTP

from tenure.services.people import totp
from tenure.services.people.totp import STEP_MS
from tests.fakes import FakeClock

SEED = b"12345678901234567890"
"""The seed of RFC 6238's test values."""


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        *((59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471")),
        *((1_234_567_890, "005924"), (2_000_000_000, "279037"), (20_000_000_000, "353130")),
    ],
)
def test_the_values_of_the_standard(at_s: int, code: str) -> None:
    """Appendix B, its last six digits."""
    assert totp.step_of(SEED, code, at_s * 1000, 0) == at_s // 30


def shown(step: int) -> str:
    return HOTP(totp.shown(SEED)).at(step)


NOW = 1_000_000
"""A step."""


@pytest.mark.parametrize(
    ("away", "holds"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_one_step_around_now_is_taken_and_no_more(away: int, holds: bool) -> None:  # noqa: FBT001 - a row
    found = totp.step_of(SEED, shown(NOW + away), NOW * STEP_MS, 0)

    assert found == (NOW + away if holds else None)


@pytest.mark.parametrize("last", [NOW, NOW + 1])
def test_a_step_that_was_spent_is_none_however_it_is_written(last: int) -> None:
    code = shown(NOW)

    assert totp.step_of(SEED, code, NOW * STEP_MS, last) is None
    assert totp.step_of(SEED, f"{code[:3]} {code[3:]}", NOW * STEP_MS, last) is None
    assert totp.step_of(SEED, code, NOW * STEP_MS, NOW - 1) == NOW


@pytest.mark.parametrize(
    "text",
    [
        *("", "12345", "1234567", "12345a", "-12345", "1_2345", "+12345", "0x1234"),
        *("１２３４５６", "٠١٢٣٤٥", "123456\n", "\t123456", "123\u00a0456"),  # noqa: RUF001 - on purpose
    ],
)
def test_anything_but_six_digits_is_no_code(text: str) -> None:
    assert totp.step_of(SEED, text, NOW * STEP_MS, 0) is None


def test_full_width_digits_are_no_code_even_where_they_would_fit() -> None:
    wide = shown(NOW).translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})

    assert totp.step_of(SEED, wide, NOW * STEP_MS, 0) is None


def test_blanks_between_digits_are_how_apps_show_them() -> None:
    code = shown(NOW)

    assert totp.step_of(SEED, f"{code[:3]} {code[3:]}", NOW * STEP_MS, 0) == NOW


def test_an_app_is_set_up_by_address_text_or_picture() -> None:
    seed = totp.make_seed(FakeClock())
    address = totp.uri(seed, "a b@example.com")
    picture = totp.picture(address)

    assert len(seed) == 20
    assert address.startswith("otpauth://totp/Tenure:a%20b%40example.com?secret=")
    assert totp.shown(seed) in address
    assert "issuer=Tenure" in address
    assert picture.startswith("<svg ")
    assert "style=" not in picture, "the console's headers would not let it be drawn"
    assert "#fff" in picture, "dark on light in a dark theme too"
