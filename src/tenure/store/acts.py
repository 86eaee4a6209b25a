"""
Acts as rows: which request with an Idempotency-Key changed something, and by which event.

Written by `journal.append_all` in the very transaction of the change, so that a request which is
sent again finds either nothing done or all of it (SECURITY I6). Which act a thread is at is told in
`CURRENT` and not handed through every service: whoever changes anything appends an event, and it is
the event that belongs to the act.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import delete, insert, select

from tenure.domain.errors import Conflict, Invalid
from tenure.domain.events import Change, Event
from tenure.store import schema
from tenure.store.db import Transaction

_TABLE: Final = schema.acts
_FIELD: Final = "Idempotency-Key"
_MEMBER: Final = "act"
"""Of an event's body."""


@dataclass(slots=True, kw_only=True)
class Act:
    """
    A request that may act once: by whom and under which name, and what it asks for, both hashed.

    *seq* is the event it recorded, once it did.
    """

    act_id: str
    digest: str
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an act that was done before did: its first event, and what that is about."""

    seq: int
    account_id: str | None
    key_id: str | None


CURRENT: ContextVar[Act | None] = ContextVar("act", default=None)
"""The act that the request being worked on is, if it is one."""


def require_new(tx: Transaction, act: Act) -> None:
    """
    Return if *act* was never done.

    Raises Conflict `repeated` with what it did as Done, Invalid where that was asked otherwise.
    """
    row = tx.execute(select(_TABLE).where(_TABLE.c.act_id == act.act_id)).one_or_none()
    if row is None or row.seq == act.seq:
        return
    if row.digest != act.digest:
        raise Invalid(_FIELD, "was used for another request: choose a new one for each act")
    event = tx.execute(select(schema.events).where(schema.events.c.seq == row.seq)).one()
    raise Conflict(
        "repeated",
        "this was done when it was first sent, and is not done again",
        plan=Done(seq=row.seq, account_id=event.account_id, key_id=event.key_id),
    )


def is_done(tx: Transaction, act: Act) -> bool:
    """Whether *act* was done, by this request or by another one under its name."""
    own = select(_TABLE.c.act_id).where(_TABLE.c.act_id == act.act_id)
    return tx.execute(own).first() is not None


def marked(tx: Transaction, change: Change) -> Change:
    """
    Return *change* with the current act in its body, if there is one that was not done before.

    So that a store that is restored knows of it too; raises as `require_new`.
    """
    act = CURRENT.get()
    if act is None:
        return change
    require_new(tx, act)
    if act.seq is not None:
        return change
    said = {"act_id": act.act_id, "digest": act.digest}
    return replace(change, body={**change.body, _MEMBER: said})


def record(tx: Transaction, event: Event) -> None:
    """Note that *event* is what the act in its body did, if there is one."""
    said = event.change.body.get(_MEMBER)
    if not isinstance(said, Mapping):
        return
    tx.execute(
        insert(_TABLE).values(
            act_id=said["act_id"],
            digest=said["digest"],
            seq=event.seq,
            made_at_ms=event.recorded_at_ms,
        )
    )
    act = CURRENT.get()
    if act is not None:
        act.seq = event.seq


def forget(tx: Transaction, before_ms: int, most: int) -> int:
    """Forget at *most* so many acts from before an instant (ms, UTC); return how many."""
    old = select(_TABLE.c.act_id).where(_TABLE.c.made_at_ms < before_ms).limit(most)
    return tx.execute(delete(_TABLE).where(_TABLE.c.act_id.in_(old))).rowcount
