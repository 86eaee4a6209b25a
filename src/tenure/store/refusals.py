"""
Refused requests as rows: a bounded number for each key, written in batches, read key by key.

Whoever writes reads first, in the same transaction: one write runs at a time (see `db`), so no
count is lost between two workers.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, select, update

from tenure.domain.decide import Reason
from tenure.domain.model import KeyId, RuleId
from tenure.domain.refusals import Refusal
from tenure.store import schema
from tenure.store.db import Transaction

_TABLE: Final = schema.key_refusals
_IS_IT = (
    (_TABLE.c.key_id == bindparam("of_key"))
    & (_TABLE.c.reason == bindparam("of_reason"))
    & (_TABLE.c.permission == bindparam("of_permission"))
    & (_TABLE.c.address == bindparam("of_address"))
)


def of_keys(tx: Transaction, key_ids: Iterable[str]) -> dict[str, list[Refusal]]:
    """Return what was refused to *key_ids*, the last refused first; the others are left out."""
    chosen = select(_TABLE).where(_TABLE.c.key_id.in_(list(key_ids)))
    ordered = chosen.order_by(
        _TABLE.c.last_at_ms.desc(), _TABLE.c.reason, _TABLE.c.permission, _TABLE.c.address
    )
    found: dict[str, list[Refusal]] = {}
    for row in tx.execute(ordered):
        refusal = Refusal(
            key_id=KeyId(row.key_id),
            reason=Reason(row.reason),
            permission=row.permission,
            address=row.address,
            times=row.times,
            first_at_ms=row.first_at_ms,
            last_at_ms=row.last_at_ms,
            since_ms=row.since_ms,
            rule_id=RuleId(row.rule_id) if row.rule_id is not None else None,
        )
        found.setdefault(row.key_id, []).append(refusal)
    return found


def save(tx: Transaction, changed: Sequence[tuple[Sequence[Refusal], Sequence[Refusal]]]) -> None:
    """Save what was refused to keys, each as its rows were and as they are now."""
    added: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for before, after in changed:
        held = {refusal.place: refusal for refusal in before}
        for refusal in after:
            known = held.pop(refusal.place, None)
            if known is None:
                added.append(refusal._asdict())
            elif known != refusal:
                moved.append({**_named(refusal), **refusal._asdict()})
        dropped += [_named(refusal) for refusal in held.values()]
    for statement, rows in (
        (delete(_TABLE).where(_IS_IT), dropped),
        (update(_TABLE).where(_IS_IT), moved),
        (insert(_TABLE), added),
    ):
        if rows:
            tx.execute(statement, rows)


def _named(refusal: Refusal) -> dict[str, Any]:
    return {
        "of_key": refusal.key_id,
        "of_reason": refusal.reason,
        "of_permission": refusal.permission,
        "of_address": refusal.address,
    }
