"""
Deliveries as rows: each notice to each contact, once; what is due, and what became of it.

They are made from notices set-wise, in the order of the notices' numbers. Whoever sends claims a
few for a while, so that several may race; when to try again is decided in `services.sending`.
Instants are the machine's (ms, UTC), also in a sandbox: receivers live in the real time.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    insert,
    literal,
    or_,
    select,
    update,
)

from tenure.domain.contacts import Contact
from tenure.domain.model import Account
from tenure.domain.notices import Audience, Notice
from tenure.store import contacts, marks, notices, schema
from tenure.store import schema_notices as tables
from tenure.store.db import Transaction

_TABLE: Final = tables.deliveries
_COLUMNS: Final = (
    *("notice_id", "contact_id", "number", "channel"),
    *("made_at_ms", "attempts", "next_attempt_at_ms"),
)

# Who was there when the notice was written, wants its kind, and can be sent to.
_WANTED: Final[ColumnElement[bool]] = and_(
    tables.contacts.c.removed_at_ms.is_(None),
    tables.contacts.c.confirmed_at_ms.is_not(None),
    tables.contacts.c.added_at_ms <= tables.notices.c.written_at_ms,
    tables.contacts.c.muted.not_like(literal('%"') + tables.notices.c.kind + literal('"%')),
)


def _new(*froms: ColumnElement[bool]) -> Select[Any]:
    now_ms = bindparam("now_ms", type_=BigInteger)
    return select(
        tables.notices.c.notice_id,
        tables.contacts.c.contact_id,
        tables.notices.c.number,
        tables.contacts.c.channel,
        now_ms,
        literal(0),
        now_ms,
    ).where(_WANTED, *froms)


_OF_ACCOUNTS = insert(_TABLE).from_select(
    _COLUMNS,
    _new(
        tables.contacts.c.account_id == tables.notices.c.account_id,
        tables.notices.c.audience == str(Audience.ACCOUNT),
        tables.notices.c.number > bindparam("after"),
        tables.notices.c.number <= bindparam("upto"),
    ),
)

_OF_MANY = insert(_TABLE).from_select(
    _COLUMNS,
    _new(
        tables.notices.c.number == bindparam("number"),
        tables.contacts.c.contact_id.in_(bindparam("contact_ids", expanding=True)),
    ),
)

_BROADCAST = (
    select(tables.notices)
    .where(tables.notices.c.audience != str(Audience.ACCOUNT))
    .where(tables.notices.c.number > bindparam("after"))
    .order_by(tables.notices.c.number)
    .limit(1)
)

_DUE = (
    select(_TABLE.c.notice_id, _TABLE.c.contact_id, _TABLE.c.attempts, _TABLE.c.made_at_ms)
    .where(_TABLE.c.channel == bindparam("channel"))
    .where(_TABLE.c.next_attempt_at_ms <= bindparam("now_ms"))
    .order_by(_TABLE.c.next_attempt_at_ms, _TABLE.c.number)
    .limit(bindparam("most"))
)

# Once settled it stays so, whatever a sender that was overtaken notes afterwards.
_SETTLE = (
    update(_TABLE)
    .where(_TABLE.c.next_attempt_at_ms.is_not(None))
    .where(_TABLE.c.notice_id == bindparam("of_notice"))
    .where(_TABLE.c.contact_id == bindparam("to_contact"))
)


class Due(NamedTuple):
    """A claimed delivery: which notice, to whom, which attempt from 1, and since when (ms)."""

    notice: Notice
    contact: Contact
    attempt: int
    made_at_ms: int


class Delivery(NamedTuple):
    """What became of one notice at one contact; pending while it has a next attempt."""

    contact_id: str
    channel: str
    attempts: int
    made_at_ms: int
    next_attempt_at_ms: int | None
    delivered_at_ms: int | None
    given_up_at_ms: int | None
    last_error: str | None


def next_broadcast(tx: Transaction, after: int) -> tuple[int, Notice] | None:
    """Return the number and the first notice to many accounts after a number, or None."""
    row = tx.execute(_BROADCAST, {"after": after}).one_or_none()
    return None if row is None else (row.number, notices.notice_of(row))


def make_of_accounts(tx: Transaction, *, after: int, upto: int, now_ms: int) -> None:
    """Make the deliveries of each notice to one account with these numbers."""
    tx.execute(_OF_ACCOUNTS, {"after": after, "upto": upto, "now_ms": now_ms})


def make_of_many(tx: Transaction, number: int, contact_ids: Sequence[str], now_ms: int) -> None:
    """Make the deliveries of a notice to many, to those of *contact_ids* that want it."""
    named = {"number": number, "contact_ids": list(contact_ids), "now_ms": now_ms}
    tx.execute(_OF_MANY, named)


def audience(tx: Transaction, notice: Notice, after: str, most: int) -> list[str]:
    """Return at *most* so many ids of contacts that *notice*, one to many, concerns, by id."""
    chosen = select(tables.contacts.c.contact_id).where(tables.contacts.c.contact_id > after)
    if notice.audience is Audience.TREE:
        owners = schema.accounts.c
        chosen = chosen.join(
            schema.accounts, owners.account_id == tables.contacts.c.account_id
        ).where((owners.account_id == notice.account_id) | (owners.master_id == notice.account_id))
    if notice.audience is Audience.MARKED:
        chosen = chosen.where(marks.concern(notice.mark_id, tables.contacts.c.account_id))
    return list(tx.execute(chosen.order_by(tables.contacts.c.contact_id).limit(most)).scalars())


def is_any_due(tx: Transaction, channel: str, now_ms: int) -> bool:
    """Whether there is anything to send on *channel* now."""
    return bool(tx.execute(_DUE, {"channel": channel, "now_ms": now_ms, "most": 1}).all())


def claim(tx: Transaction, channel: str, *, now_ms: int, until_ms: int, most: int) -> list[Due]:
    """
    Claim at *most* so many deliveries that are due on *channel*, the longest due first.

    Each is due again at *until_ms* unless it is settled before: if whoever claimed it dies,
    somebody else sends it again. What counts as an attempt is an outcome that somebody noted.
    """
    found = tx.execute(_DUE, {"channel": channel, "now_ms": now_ms, "most": most}).all()
    if not found:
        return []
    claimed = _SETTLE.values(next_attempt_at_ms=until_ms)
    tx.execute(
        claimed,
        [{"of_notice": row.notice_id, "to_contact": row.contact_id} for row in found],
    )
    told = select(tables.notices).where(
        tables.notices.c.notice_id.in_({row.notice_id for row in found})
    )
    to = select(tables.contacts).where(
        tables.contacts.c.contact_id.in_({row.contact_id for row in found})
    )
    by_id = {row.notice_id: notices.notice_of(row) for row in tx.execute(told)}
    known = {row.contact_id: contacts.contact_of(row) for row in tx.execute(to)}
    return [
        Due(by_id[row.notice_id], known[row.contact_id], row.attempts + 1, row.made_at_ms)
        for row in found
    ]


def set_delivered(tx: Transaction, due: Due, now_ms: int) -> None:
    """Note that it was sent."""
    _settle(
        tx,
        due,
        attempts=due.attempt,
        delivered_at_ms=now_ms,
        next_attempt_at_ms=None,
        last_error=None,
    )


def set_given_up(tx: Transaction, due: Due, now_ms: int, reason: str) -> None:
    """Note that it could not be sent, why, and that it is not tried again."""
    _settle(
        tx,
        due,
        attempts=due.attempt,
        given_up_at_ms=now_ms,
        next_attempt_at_ms=None,
        last_error=reason,
    )


def set_dropped(tx: Transaction, due: Due, now_ms: int, reason: str) -> None:
    """Note that there is nothing to send any more, and why; it was not attempted."""
    _settle(tx, due, given_up_at_ms=now_ms, next_attempt_at_ms=None, last_error=reason)


def set_failed(tx: Transaction, due: Due, again_at_ms: int, reason: str) -> None:
    """Note that it could not be sent, why, and when to try again."""
    _settle(tx, due, attempts=due.attempt, next_attempt_at_ms=again_at_ms, last_error=reason)


def put_off(tx: Transaction, due: Due, again_at_ms: int) -> None:
    """Give back a claimed delivery that was not attempted after all."""
    _settle(tx, due, next_attempt_at_ms=again_at_ms)


def put_off_contact(tx: Transaction, contact_id: str, again_at_ms: int) -> None:
    """Attempt nothing more at a contact that fails before *again_at_ms*: it would fail as well."""
    tx.execute(
        update(_TABLE)
        .where(_TABLE.c.contact_id == contact_id)
        .where(_TABLE.c.next_attempt_at_ms < again_at_ms)
        .values(next_attempt_at_ms=again_at_ms)
    )


def give_up_old(
    tx: Transaction, made_before_ms: int, now_ms: int, reason: str, *, channels: Collection[str]
) -> int:
    """
    Give up pending deliveries that were made before an instant; return how many.

    On *channels*, which can be sent by, only those that were attempted: where the sender stood
    still for a week, everybody is told all the same.
    """
    changed = tx.execute(
        update(_TABLE)
        .where(_TABLE.c.next_attempt_at_ms.is_not(None))
        .where(_TABLE.c.made_at_ms < made_before_ms)
        .where(or_(_TABLE.c.attempts > 0, _TABLE.c.channel.not_in(list(channels))))
        .values(given_up_at_ms=now_ms, next_attempt_at_ms=None, last_error=reason)
    )
    return changed.rowcount


def of_notice(tx: Transaction, account: Account, notice_id: str) -> list[Delivery]:
    """Return what became of a notice at each contact of *account*, removed ones too."""
    chosen = (
        select(_TABLE)
        .join(tables.contacts, tables.contacts.c.contact_id == _TABLE.c.contact_id)
        .where(_TABLE.c.notice_id == notice_id)
        .where(tables.contacts.c.account_id == account.account_id)
        .order_by(_TABLE.c.contact_id)
    )
    return [
        Delivery(
            contact_id=row.contact_id,
            channel=row.channel,
            attempts=row.attempts,
            made_at_ms=row.made_at_ms,
            next_attempt_at_ms=row.next_attempt_at_ms,
            delivered_at_ms=row.delivered_at_ms,
            given_up_at_ms=row.given_up_at_ms,
            last_error=row.last_error,
        )
        for row in tx.execute(chosen)
    ]


def _settle(tx: Transaction, due: Due, **values: object) -> None:
    named = {"of_notice": due.notice.notice_id, "to_contact": due.contact.contact_id}
    tx.execute(_SETTLE.values(**values), named)
