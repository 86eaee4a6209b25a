"""
The hold on a store that was restored from a backup: while its mark stands, nothing may be decided.

A backup knows nothing of what was revoked after it (SECURITY D18). Every change goes through
`require_released`, in its own transaction; deciding stops where the follower sees the mark.
"""

import json
from dataclasses import asdict, dataclass

from sqlalchemy import delete

from tenure.domain.errors import Unavailable
from tenure.store import schema, seals
from tenure.store.db import Transaction

MARK = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A restored store: when it was restored (ms, UTC), and to which event of the journal."""

    restored_at_ms: int
    seq: int


def held(tx: Transaction) -> Hold | None:
    """Return the hold, None where the store was not restored or has been released."""
    mark = seals.mark(tx, MARK)
    if mark is None:
        return None
    try:
        return Hold(**json.loads(mark))
    except (TypeError, ValueError):
        return Hold(restored_at_ms=0, seq=0)  # Whatever stands there, it is no release.


def place(tx: Transaction, hold: Hold) -> None:
    """Hold a store that was just restored."""
    seals.set_mark(tx, MARK, json.dumps(asdict(hold)))


def release(tx: Transaction) -> None:
    """Let go of it; the event that says why belongs in the same transaction, after this."""
    tx.execute(delete(schema.marks).where(schema.marks.c.name == MARK))


def require_released(tx: Transaction) -> None:
    """Raise Unavailable `restored` while the store is held."""
    if seals.mark(tx, MARK) is not None:
        raise Unavailable(
            "restored",
            "this store was restored from a backup and knows nothing of what came after it: "
            "`tenure restore` brings it up to date, or releases it on record",
        )
