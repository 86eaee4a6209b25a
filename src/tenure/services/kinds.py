"""
Rehearsal or real: what kind of store this is, said when it is new, and never changed.

A store that was made in a sandbox is opened in one only: its clock was moved by hand.
"""

from typing import Final

from tenure.clock import Clock, new_id
from tenure.domain.errors import Invalid
from tenure.store import seals
from tenure.store.db import Transaction

SANDBOX_MARK: Final = "sandbox"


def claim(tx: Transaction, clock: Clock, *, sandbox: bool) -> bool:
    """Mark a new store for good, return whether it is new; raises as `require_same`."""
    if seals.mark(tx, SANDBOX_MARK) is None:
        seals.set_mark(tx, SANDBOX_MARK, "yes" if sandbox else "no")
        seals.set_mark(tx, "store_id", new_id(clock, "store"))
        return True
    require_same(tx, sandbox=sandbox)
    return False


def require_same(tx: Transaction, *, sandbox: bool) -> None:
    """Raise Invalid where this store is of the other kind."""
    held = seals.mark(tx, SANDBOX_MARK)
    if held is not None and (held == "yes") is not sandbox:
        raise Invalid(
            "sandbox",
            "this store was made in a sandbox: start with --sandbox, or choose another --home"
            if held == "yes"
            else "this is a real store: start without --sandbox, or choose another --home",
        )
