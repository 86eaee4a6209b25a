"""
Attempts to sign in, as rows: whose budget they are taken from, and when.

One is noted before anything is verified and taken back where it succeeds, under the lock that every
write holds: however many try at once, they share the budget (SECURITY T21).
"""

from sqlalchemy import delete, func, insert, select

from tenure.store import schema_people as tables
from tenure.store.db import Transaction

_TABLE = tables.attempts


def count(tx: Transaction, subject: str, after_ms: int) -> int:
    """Return how many attempts were noted against *subject* after an instant."""
    own = (_TABLE.c.subject == subject) & (_TABLE.c.made_at_ms > after_ms)
    return int(tx.execute(select(func.count()).select_from(_TABLE).where(own)).scalar_one())


def note(tx: Transaction, attempt_id: str, subject: str, now_ms: int) -> None:
    """Note an attempt."""
    tx.execute(insert(_TABLE).values(attempt_id=attempt_id, subject=subject, made_at_ms=now_ms))


def take_back(tx: Transaction, attempt_id: str) -> None:
    """Take an attempt back, which did not fail."""
    tx.execute(delete(_TABLE).where(_TABLE.c.attempt_id == attempt_id))


def forget_past(tx: Transaction, kind: str, before_ms: int) -> None:
    """Delete the attempts whose ids begin with *kind*, made at an instant or before."""
    past = _TABLE.c.attempt_id.startswith(f"{kind}_", autoescape=True)
    tx.execute(delete(_TABLE).where((_TABLE.c.made_at_ms <= before_ms) & past))


def forget(tx: Transaction, subject: str) -> None:
    """Give a whole budget back."""
    tx.execute(delete(_TABLE).where(_TABLE.c.subject == subject))
