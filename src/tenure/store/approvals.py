"""What waits for a second person, as rows: never deleted, and settled once."""

import json

from sqlalchemy import Row, insert, select, update

from tenure.domain.approvals import Proposal, approval_from, approval_state
from tenure.domain.errors import Conflict, NotFound
from tenure.store.db import Transaction
from tenure.store.schema_approvals import approvals


def add(tx: Transaction, proposal: Proposal) -> None:
    """Store a new *proposal*."""
    tx.execute(
        insert(approvals).values(
            approval_id=proposal.approval_id,
            proposed_at_ms=proposal.proposed_at_ms,
            expires_at_ms=proposal.expires_at_ms,
            **_editable(proposal),
        )
    )


def settle(tx: Transaction, proposal: Proposal) -> None:
    """Store how a *proposal* ended; raises Conflict `settled` where somebody was first."""
    changed = tx.execute(
        update(approvals)
        .where(approvals.c.approval_id == proposal.approval_id)
        .where(approvals.c.settled_at_ms.is_(None))
        .values(**_editable(proposal))
    )
    if changed.rowcount != 1:
        raise Conflict("settled", "somebody else was first")


def get(tx: Transaction, approval_id: str) -> Proposal:
    """Return one proposal; raises NotFound."""
    row = tx.execute(select(approvals).where(approvals.c.approval_id == approval_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such proposal")
    return _proposal(row)


def waiting(tx: Transaction, now_ms: int) -> list[Proposal]:
    """Return those that wait at *now_ms*, the first to expire first."""
    chosen = (
        select(approvals)
        .where(approvals.c.settled_at_ms.is_(None), approvals.c.expires_at_ms > now_ms)
        .order_by(approvals.c.expires_at_ms, approvals.c.approval_id)
    )
    return [_proposal(row) for row in tx.execute(chosen)]


def latest(tx: Transaction, most: int) -> list[Proposal]:
    """Return at *most* so many, the last proposed first, however they stand."""
    chosen = select(approvals).order_by(approvals.c.proposed_at_ms.desc(), approvals.c.approval_id)
    return [_proposal(row) for row in tx.execute(chosen.limit(most))]


def every(tx: Transaction) -> list[Proposal]:
    """Return all there ever were; raises ValueError, TypeError, LookupError for what is spoiled."""
    return [_proposal(row) for row in tx.execute(select(approvals))]


def _editable(proposal: Proposal) -> dict[str, object]:
    settled = proposal.settled
    return {
        "body": json.dumps(approval_state(proposal)),
        "settled_at_ms": settled.at_ms if settled else None,
    }


def _proposal(row: Row[tuple[object, ...]]) -> Proposal:
    return approval_from(json.loads(row.body))
