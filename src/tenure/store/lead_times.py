"""How long before an end accounts chose to be warned, as rows; none leaves it to the rules."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import delete, exists, insert, select

from tenure.store import schema_notices as tables
from tenure.store.db import Transaction

_TABLE: Final = tables.lead_times


def put(tx: Transaction, account_id: str, chosen_ms: Sequence[int] | None) -> None:
    """Replace what an account chose; None leaves it to the rules."""
    tx.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id))
    if chosen_ms:
        rows = [{"account_id": account_id, "lead_ms": lead_ms} for lead_ms in chosen_ms]
        tx.execute(insert(_TABLE), rows)


def of_accounts(tx: Transaction, account_ids: Collection[str]) -> dict[str, tuple[int, ...]]:
    """Return what those of *account_ids* chose that chose anything, the longest first."""
    found: dict[str, tuple[int, ...]] = {}
    chosen = select(_TABLE).where(_TABLE.c.account_id.in_(sorted(account_ids)))
    for row in tx.execute(chosen.order_by(_TABLE.c.account_id, _TABLE.c.lead_ms.desc())):
        found[row.account_id] = (*found.get(row.account_id, ()), row.lead_ms)
    return found


def in_use(tx: Transaction, asked_ms: Sequence[int]) -> list[int]:
    """Return those of the lead times *asked_ms* that any account chose: one look at an index."""
    # Asked one by one: listing what is different would walk through all there are.
    looked = select(*(exists().where(_TABLE.c.lead_ms == lead_ms) for lead_ms in asked_ms))
    return [ms for ms, is_used in zip(asked_ms, tx.execute(looked).one(), strict=True) if is_used]
