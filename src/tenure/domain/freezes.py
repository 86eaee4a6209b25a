"""
Whose freeze an account is under: a recovery's, its master's or the house's, as the journal says.

One freeze at a time is in force; who may undo it depends on whose it is. A recovery's ends with the
recovery, and nobody who froze the account meanwhile has his freeze ended with it.
"""

from enum import IntEnum
from typing import Final

from tenure.domain import rights
from tenure.domain.events import Change

BY_RECOVERY: Final = "recovery"
"""What the body of the event says where a recovery froze."""


class Freezer(IntEnum):
    """Who froze, the one that counts for less first."""

    RECOVERY = 0
    MASTER = 1
    HOUSE = 2


def freezer_of(actor: str) -> Freezer:
    """Return as whom *actor* freezes and unfreezes."""
    return Freezer.MASTER if rights.is_owners(actor) else Freezer.HOUSE


def froze(change: Change) -> Freezer:
    """Return who froze by *change*, the event of a freeze."""
    return Freezer.RECOVERY if change.body.get(BY_RECOVERY) else freezer_of(change.actor)
