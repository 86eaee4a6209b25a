"""
What may be a password: long, and not what whoever guesses tries first.

No signs of certain kinds are asked for and nothing expires: both make passwords worse (NIST SP
800-63B-4, 3.1.1.2). What is refused is what lists and rules of guessers begin with: common
passwords, the same with a year behind them, what is known of the person and the house, and what
runs along the keyboard. Every test is of 256 characters at most.
"""

import re
from collections.abc import Container, Iterable, Iterator
from typing import Final

from tenure.domain.errors import Invalid, Why

PASSWORD_CHARACTERS_MIN: Final = 12
PASSWORD_CHARACTERS_MAX: Final = 256
"""Long enough to be no known word, and short enough to hash (NIST SP 800-63B 3.1.1.2)."""

_DIFFERENT_CHARACTERS_MIN: Final = 5
_TACKED_ON_MAX: Final = 8
"""So much beside a word that is known adds nothing: a date has as many digits."""
_LETTERS_MIN: Final = 4
"""Fewer letters beside what is known of somebody are no word of their own."""
_OWN_CHARACTERS_MIN: Final = 3
_TENURE: Final = "tenure"
_NO_WORD: Final = re.compile(r"[\W_]+")
_DIGITS: Final = "0123456789"
_ROWS: Final = (
    _DIGITS * 2,
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
)
_RUNS: Final = (*_ROWS, *(row[::-1] for row in _ROWS))


COMMON: Final = Why("password_common")
"""Many have it: it is on the list, with no more than a few digits around it."""
OWN: Final = Why("password_own")
"""It is made of the e-mail, or of what the house is called."""
PATTERN: Final = Why("password_pattern")
"""It repeats itself, or follows the alphabet or the keyboard."""


def require_password(
    password: str, email: str, names: Iterable[str], common: Container[str]
) -> str:
    """
    Return *password* if it may be one for *email*.

    *names* are what the house is called, *common* the passwords that many have, in lower case.
    Raises Invalid `password`, which says why, so that the next one is no guess too.
    """
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise Invalid(
            "password",
            f"must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters",
        )
    folded = password.lower()
    if _is_made_of(folded, {*_words(email), *names, _TENURE}):
        raise _guessable(OWN, "is made of the e-mail or of the name of the house")
    if folded in common or _bare(folded) in common:
        raise _guessable(COMMON, "is a common password, or one with a few digits added")
    if _repeats(folded) or _runs(folded):
        raise _guessable(PATTERN, "repeats itself or follows the keyboard")
    return password


def _guessable(why: Why, said: str) -> Invalid:
    return Invalid("password", f"{said}: take several other words", why=why)


def _words(email: str) -> Iterator[str]:
    """Return what *email* is made of, but for the end of its domain, which is nobody's."""
    folded = email.strip().lower()
    local, _, domain = folded.rpartition("@")
    yield from (folded, local, domain, *_NO_WORD.split(local), *domain.split(".")[:-1])


def _is_made_of(folded: str, words: Iterable[str]) -> bool:
    """Whether next to nothing is left of it without *words*, of which the longest count first."""
    rest = folded
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _OWN_CHARACTERS_MIN:
            rest = rest.replace(word.lower(), " ")
    if rest == folded:
        return False
    left = "".join(rest.split())
    return len(left) <= _TACKED_ON_MAX and sum(map(str.isalpha, left)) < _LETTERS_MIN


def _bare(folded: str) -> str:
    """Return it without the digits and signs around it, where these are few."""
    first = next((at for at, sign in enumerate(folded) if sign.isalpha()), len(folded))
    last = next((at for at, sign in enumerate(folded[::-1]) if sign.isalpha()), len(folded))
    return folded[first : len(folded) - last] if first + last <= _TACKED_ON_MAX else folded


def _repeats(folded: str) -> bool:
    """Whether a part of it says it all, which is too short to be a password."""
    if len(set(folded)) < _DIFFERENT_CHARACTERS_MIN:
        return True
    longest = min(len(folded) // 2, PASSWORD_CHARACTERS_MIN - 1)
    return any(folded[size:] == folded[:-size] for size in range(1, longest + 1))


def _runs(folded: str) -> bool:
    """Whether it is at most two runs along a row: `qwertyuiop12`, `abcdef654321`."""
    return any(_is_run(folded[:at]) and _is_run(folded[at:]) for at in range(1, len(folded) + 1))


def _is_run(text: str) -> bool:
    return any(text in row for row in _RUNS)
