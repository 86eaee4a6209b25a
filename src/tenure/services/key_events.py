"""What every service that changes one key shares: the event it writes, and whom it may change."""

from collections.abc import Mapping

from tenure.domain.errors import Conflict, Invalid, Why
from tenure.domain.events import Change, Event, Tag
from tenure.domain.model import ApiKey
from tenure.domain.plans import Plan
from tenure.store import journal, marks
from tenure.store.db import Transaction


def record(  # noqa: PLR0913, PLR0917 - an event is made of these
    tx: Transaction, tag: Tag, key: ApiKey, actor: str, now_ms: int, body: Mapping[str, object]
) -> Event:
    """Record in the caller's transaction what was done to *key* at *now_ms*, by *actor*."""
    change = Change(
        tag=tag,
        actor=actor,
        happened_at_ms=now_ms,
        body=body,
        account_id=key.account_id,
        key_id=key.key_id,
    )
    return journal.append(tx, change, now_ms)


def require_alive(key: ApiKey) -> None:
    """Raise Conflict `revoked` for a key that was revoked, itself or by a mark (RULES R14)."""
    if key.revoked_at_ms is not None:
        raise Conflict("revoked", "this key was revoked, for good; issue another")


def require_unmarked(tx: Transaction, plan: Plan) -> None:
    """Raise Invalid `label` for one that would bring the key of *plan* under a mark (RULES R14)."""
    # A mark speaks of the labels that keys bore when it was made, and compares the labels they bear
    # now. The two stay the same: a key it covers is edited no more, and no older one joins them.
    before, after = plan.before, plan.after
    if before is None or before.label == after.label:
        return
    if marks.since_if_labelled(tx, after.key_id, after.label) is not None:
        message = "older keys that bore this label were revoked together; choose another"
        raise Invalid("label", message, why=Why("label_revoked"))
