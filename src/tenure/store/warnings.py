"""
What the warnings ask the tables: which terms end soon, which warnings lie unread, which still hold.

Every question is a page of an index, from where the last one ended: a term that ends is looked at
once for each lead time, however many there are and however often somebody asks.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, select, tuple_

from tenure.domain.model import Permission, RuleId
from tenure.domain.notices import Notice
from tenure.domain.warnings import Running
from tenure.store import marks, notices, schema
from tenure.store import schema_notices as tables
from tenure.store.db import Transaction

_GRANTS: Final = schema.grants

# By the index that the sweeper uses too. A grant that was swept has ended: no warning is due.
_RUNNING = (
    select(
        _GRANTS,
        schema.keys.c.account_id,
        schema.keys.c.label,
        schema.keys.c.key_type,
        schema.keys.c.ip_allowlist,
        schema.keys.c.revoked_at_ms,
        marks.SINCE.label("marked_at_ms"),
    )
    .join(schema.keys, schema.keys.c.key_id == _GRANTS.c.key_id)
    .join(schema.accounts, schema.accounts.c.account_id == schema.keys.c.account_id)
    .where(_GRANTS.c.swept_at_ms.is_(None))
    .where(_GRANTS.c.ends_at_ms.is_not(None))
    .where(
        tuple_(_GRANTS.c.ends_at_ms, _GRANTS.c.key_id, _GRANTS.c.permission)
        > tuple_(
            bindparam("from_ms", type_=_GRANTS.c.ends_at_ms.type),
            bindparam("from_key_id", type_=_GRANTS.c.key_id.type),
            bindparam("from_permission", type_=_GRANTS.c.permission.type),
        )
    )
    .where(_GRANTS.c.ends_at_ms <= bindparam("until_ms"))
    .order_by(_GRANTS.c.ends_at_ms, _GRANTS.c.key_id, _GRANTS.c.permission)
    .limit(bindparam("most"))
)

_UNREAD = (
    select(tables.notices, schema.accounts.c.master_id, tables.notice_reads.c.read_at_ms)
    .join(schema.accounts, schema.accounts.c.account_id == tables.notices.c.account_id)
    .outerjoin(
        tables.notice_reads,
        and_(
            tables.notice_reads.c.notice_id == tables.notices.c.notice_id,
            tables.notice_reads.c.account_id == tables.notices.c.account_id,
        ),
    )
    .where(tables.notices.c.lead_ms == bindparam("lead_ms"))
    .where(tables.notices.c.number > bindparam("after"))
    .where(tables.notices.c.written_at_ms <= bindparam("written_by_ms"))
    .order_by(tables.notices.c.number)
    .limit(bindparam("most"))
)

_HOLDING = (
    select(_GRANTS.c.key_id, _GRANTS.c.permission, _GRANTS.c.ends_at_ms)
    .join(schema.keys, schema.keys.c.key_id == _GRANTS.c.key_id)
    .where(_GRANTS.c.key_id.in_(bindparam("key_ids", expanding=True)))
    .join(schema.accounts, schema.accounts.c.account_id == schema.keys.c.account_id)
    .where(schema.keys.c.revoked_at_ms.is_(None), marks.SINCE.is_(None))
)

Place = tuple[int, str, str]
"""Where a term stands in the order of ends: end (ms), key id, permission."""
START: Final[Place] = (0, "", "")


def position_name(lead_ms: int) -> str:
    """Return what the place is called that the warnings of one lead time have come to."""
    return f"warning:{lead_ms}"


def begin_at(tx: Transaction, lead_ms: int, now_ms: int) -> None:
    """Look from *now_ms* on for what falls due by a lead time that nobody was warned by before."""
    notices.set_position(tx, position_name(lead_ms), (now_ms + lead_ms, "", ""))


class Seen(NamedTuple):
    """A running term, and whether its key is alive."""

    running: Running
    is_alive: bool

    @property
    def place(self) -> Place:
        """Where it stands in the order of ends."""
        return self.running.ends_at_ms, self.running.key_id, self.running.permission


class Unread(NamedTuple):
    """A warning written a while ago: its number, its owner's master, whether it was read."""

    number: int
    notice: Notice
    master_id: str | None
    is_read: bool


def ending(tx: Transaction, after: Place, until_ms: int, most: int) -> list[Seen]:
    """Return at *most* so many terms that end by *until_ms*, in order, from *after* on."""
    from_ms, key_id, permission = after
    named = {"from_ms": from_ms, "from_key_id": key_id, "from_permission": permission}
    rows = tx.execute(_RUNNING, {**named, "until_ms": until_ms, "most": most})
    return [
        Seen(_running(row), row.revoked_at_ms is None and row.marked_at_ms is None) for row in rows
    ]


def written_by(
    tx: Transaction, lead_ms: int, *, after: int, written_by_ms: int, most: int
) -> list[Unread]:
    """Return at *most* so many warnings of one lead time, in order, written by then."""
    named = {"lead_ms": lead_ms, "after": after, "written_by_ms": written_by_ms, "most": most}
    return [
        Unread(row.number, notices.notice_of(row), row.master_id, row.read_at_ms is not None)
        for row in tx.execute(_UNREAD, named)
    ]


def holding(tx: Transaction, asked: Sequence[Notice], now_ms: int) -> set[str]:
    """
    Return the ids of those warnings *asked* about that are still true at *now_ms*.

    The key is alive, and holds the permission until the very end that the warning names.
    """
    named = {notice.key_id for notice in asked if notice.key_id is not None}
    if not named:
        return set()
    rows = tx.execute(_HOLDING, {"key_ids": sorted(named)})
    held = {(row.key_id, row.permission, row.ends_at_ms) for row in rows}
    return {
        notice.notice_id
        for notice in asked
        if (notice.key_id, notice.permission, notice.ends_at_ms) in held
        and notice.ends_at_ms is not None
        and now_ms < notice.ends_at_ms
    }


def terms_of(tx: Transaction, account_id: str, now_ms: int, most: int) -> list[Running]:
    """Return at *most* so many running terms of an account and its sub-accounts, by their end."""
    owner = schema.accounts.c
    is_its = (owner.account_id == account_id) | (owner.master_id == account_id)
    return [_running(row) for row in tx.execute(_terms(is_its, now_ms).limit(most))]


def next_ends(tx: Transaction, account_ids: Sequence[str], now_ms: int) -> dict[str, Running]:
    """Return, of each of *account_ids* that has one, the running term that ends first."""
    found: dict[str, Running] = {}
    is_asked = schema.accounts.c.account_id.in_(account_ids)
    for row in tx.execute(_terms(is_asked, now_ms)):
        found.setdefault(row.account_id, _running(row))
    return found


def _terms(condition: ColumnElement[bool], now_ms: int) -> Select[Any]:
    """Return the running terms of the accounts that meet *condition*, by their end."""
    keys, owners = schema.keys, schema.accounts
    return (
        select(_GRANTS, keys.c.account_id, keys.c.label, keys.c.key_type, keys.c.ip_allowlist)
        .join(keys, keys.c.key_id == _GRANTS.c.key_id)
        .join(owners, owners.c.account_id == keys.c.account_id)
        .where(condition)
        .where(keys.c.revoked_at_ms.is_(None), marks.SINCE.is_(None))
        .where(_GRANTS.c.ends_at_ms > now_ms)
        .order_by(_GRANTS.c.ends_at_ms, _GRANTS.c.key_id, _GRANTS.c.permission)
    )


def _running(row: Row[tuple[object, ...]]) -> Running:
    return Running(
        account_id=row.account_id,
        key_id=row.key_id,
        label=row.label,
        key_type=row.key_type,
        is_restricted=row.ip_allowlist != "[]",
        permission=Permission(row.permission),
        starts_at_ms=row.starts_at_ms,
        ends_at_ms=row.ends_at_ms,
        rule_id=RuleId(row.rule_id),
    )
