"""What may be a password: each way of being guessed first, and what is none of them."""

import pytest

from tenure.domain.errors import Invalid
from tenure.domain.passwords import COMMON as MANY_HAVE
from tenure.domain.passwords import OWN, PATTERN, require_password

EMAIL = "ada.lovelace@mail.acme.com"
NAMES = ("keys.venue.com", "keys", "venue")
COMMON = frozenset({"password", "qwerty123456", "trustno1", "p@ssw0rd", "administrator"})


def why(password: str) -> str:
    """Return why it is refused, empty where it will do."""
    try:
        assert require_password(password, EMAIL, NAMES, COMMON) == password
    except Invalid as error:
        return f"{error.problems[0].why.name or error.code} {error.field}"
    return ""


@pytest.mark.parametrize("password", ["", "x" * 11, "long enough" * 24, "x" * 1_000_000])
def test_a_password_that_is_short_or_endless_is_no_guess_and_refused(password: str) -> None:
    assert why(password) == "invalid password"


@pytest.mark.parametrize(
    "password",
    [
        *("password1234", "Password1234", "PASSWORD-1985", "2024!password!", "19850412password"),
        *("p@ssw0rd1234", "qwerty123456", "Administrator"),
    ],
)
def test_what_many_have_is_refused_with_a_date_around_it_too(password: str) -> None:
    assert why(password) == f"{MANY_HAVE.name} password"


@pytest.mark.parametrize(
    "password",
    [
        *("ada.lovelace", "Ada.Lovelace@mail.acme.com", "lovelace-1815!", "adalovelace12"),
        *("acme-lovelace-ada", "tenure-tenure", "Tenure-2024-01-01"[:14], "keys.venue.com"),
        *("VenueTenure99", "mail.acme.com1"),
    ],
)
def test_what_is_made_of_the_e_mail_or_the_house_is_refused(password: str) -> None:
    assert why(password) == f"{OWN.name} password"


@pytest.mark.parametrize(
    "password",
    [
        *("aaaaaaaaaaaa", "abcdabcdabcd", "abcdeabcdeab", "hunter2hunter2", "horsehorsehorse"),
        *("123456789012", "98765432109876", "abcdefghijkl", "qwertyuiop12", "mnbvcxzlkjhg"),
        *("abcdef654321", "1234567890qwer", "trustno1trustno1"),
    ],
)
def test_what_repeats_or_follows_the_keyboard_is_refused(password: str) -> None:
    assert why(password) == f"{PATTERN.name} password"


@pytest.mark.parametrize(
    "password",
    [
        *("correct horse battery staple", "é" * 8 + "abcd", "the password is swordfish"),
        *(
            "password-73914620",
            "canada lovely places",
            "1815 engine lovelace",
            "lovelace" + "1" * 3 + "9" * 9,
        ),
        *("tenure of my landlady", "a mile of string, a mile of string", "zwölf Boxkämpfer"),
        *("ab12" + "x" * 251 + "y", "パスワードは十二文字以上です"),
    ],
)
def test_what_nobody_guesses_first_will_do(password: str) -> None:
    assert not why(password)


@pytest.mark.parametrize("password", ["password1234", "ada.lovelace", "abcdefghijkl"])
def test_whoever_is_refused_hears_why_and_what_to_do(password: str) -> None:
    with pytest.raises(Invalid) as raised:
        require_password(password, EMAIL, NAMES, COMMON)

    assert (raised.value.field, raised.value.code) == ("password", "invalid")
    assert "take several" in raised.value.message


def test_a_name_too_short_to_tell_somebody_is_no_part_of_it() -> None:
    assert require_password("a ox ate my hat", "a@ox.com", (), frozenset())
