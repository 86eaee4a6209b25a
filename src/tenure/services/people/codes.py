"""
Recovery codes: ten, shown once, each good once, when every second factor is lost.

80 random bits each, so no budget is needed and a plain digest is enough: nobody guesses them,
online or off.
"""

from typing import Final

from tenure.clock import Clock, new_id
from tenure.domain.model import Secret
from tenure.domain.people import RECOVERY_CODES
from tenure.services.people.register import digest

_SIGNS: Final = 16
_GROUP: Final = 4
_READ: Final = str.maketrans("ilo", "110", " -\t")
"""How somebody may have written them down: signs that look alike, blanks and dashes."""


def make(clock: Clock) -> tuple[Secret, ...]:
    """Return new codes, as they are shown: `4x7q-…`."""
    return tuple(Secret(_grouped(_random(clock))) for _ in range(RECOVERY_CODES))


def digest_of(person_id: str, code: str) -> str:
    """Return what is kept of *code*, however it is written."""
    return digest("recovery code", person_id, code.lower().translate(_READ))


def _random(clock: Clock) -> str:
    return new_id(clock, "code").partition("_")[2][:_SIGNS]


def _grouped(text: str) -> str:
    return "-".join(text[at : at + _GROUP] for at in range(0, _SIGNS, _GROUP))
