"""
What became of one attempt to send something: `Sent` or `Failed`, whatever the channel.

Whoever sends keeps the reason where owners and operators read it. So a reason is made of our own
words and of numbers: never of an address with a path, a password, or what a stranger answered.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side has taken it; it is theirs from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """
    It was not taken, or nobody knows whether it was.

    *is_permanent*: trying again would fail again. *retry_after_s*: how long the other side asked
    to be left alone (s), None where it did not say. Sending again must carry the same id, for an
    answer that was lost looks just like one that never came.
    """

    reason: str
    is_permanent: bool = False
    retry_after_s: int | None = None


Outcome: TypeAlias = Sent | Failed
