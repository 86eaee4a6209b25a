"""
Ending a key for good, inside somebody's transaction (RULES R14).

For whoever revokes: an owner or operator through `keys`, a leak report through `leaks`. Recording
the change, and the terms that ended before it, stays with the caller, who may have more to record.
"""

from dataclasses import replace

from tenure.domain import events
from tenure.domain.events import Change, Tag
from tenure.domain.model import ApiKey
from tenure.store import keys
from tenure.store.db import Transaction


def revoke(
    tx: Transaction, before: ApiKey, actor: str, now_ms: int
) -> tuple[ApiKey, Change | None]:
    """
    Revoke the key *before* as of *now_ms*; return it afterwards, and the change for the journal.

    A key that was revoked already stays as it is, and there is no change. Raises Conflict `stale`
    where the stored key is another by now.
    """
    if before.revoked_at_ms is not None:
        return before, None
    after = replace(
        before,
        revoked_at_ms=now_ms,
        overlap=None,
        edited_at_ms=now_ms,
        version=before.version + 1,
    )
    keys.save(tx, before, after)
    return after, Change(
        tag=Tag.KEY_REVOKED,
        actor=actor,
        happened_at_ms=now_ms,
        body={"key": events.key_state(after)},
        account_id=after.account_id,
        key_id=after.key_id,
    )
