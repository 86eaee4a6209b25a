"""
What a check of `tenure doctor` says; light, so that no other command pays for what is looked at.

The checks themselves are in `checkup` and `machine`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check came out."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: what was *found*, and how to *mend* it where that is not well."""

    name: str
    outcome: Outcome
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Check:
    """Say that it is as it should be."""
    return Check(name=name, outcome=Outcome.OK, found=found)


def failed(name: str, found: str, mend: str) -> Check:
    """Say what is wrong, and how to mend it."""
    return Check(name=name, outcome=Outcome.FAILED, found=found, mend=mend)


def unknown(name: str, found: str, mend: str = "") -> Check:
    """Say that it cannot be seen from here."""
    return Check(name=name, outcome=Outcome.UNKNOWN, found=found, mend=mend)
