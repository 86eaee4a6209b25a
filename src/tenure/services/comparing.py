"""
Comparing the rows with the journal: a row that no event explains was written past Tenure (T43).

The rows of a page are compared in one transaction with what the journal says of them, so a server
may go on meanwhile, and the number of keys does not matter. What a row has to say is worked out in
`domain.replaying`. Rows that decide nothing and that no event has are not compared: notices and
their deliveries, reports that wait, and when keys were used.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

from tenure.domain import events, lines, replaying
from tenure.domain.approvals import approval_state
from tenure.domain.auditing import Flaw
from tenure.domain.errors import NotFound
from tenure.domain.marks import mark_state
from tenure.domain.person_states import person_row
from tenure.domain.replaying import Kind, Replay, Said, State
from tenure.store import (
    accounts,
    approvals,
    audits,
    calendars,
    contacts,
    lead_times,
    marks,
    people,
    rules,
)
from tenure.store.db import Transaction

_SUBJECTS: Final = 500
"""Keys, or accounts, compared at a time."""
_TOLD_MAX: Final = 100
_UNREADABLE: Final[State] = {"row": "nobody can read it"}
_Answer = TypeVar("_Answer")

Compared: TypeAlias = Iterator[tuple[Kind, str, State | None, State | None]]
"""Subjects by kind, with what the journal says of each, and what its rows do."""


class Read(Protocol):
    """Runs a page in a transaction: a store's `read`, or one that is open already."""

    def __call__(self, fn: Callable[[Transaction], _Answer], /) -> _Answer:
        """Return what *fn* does."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not what the journal says: of which *kind*, whose, and *what* is different."""

    kind: str
    subject: str
    what: str


@dataclass(slots=True)
class Verdict:
    """What an audit found: events checked, up to where a checkpoint vouches, and what is wrong."""

    seq: int = 0
    vouched: int = 0
    root: bytes = b""
    flaw: Flaw | None = None
    rows: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)
    """The first hundred."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return self.flaw is None and not self.differing

    def differ(self, kind: str, subject: str, what: str) -> None:
        """Add a difference."""
        self.differing += 1
        if len(self.differences) < _TOLD_MAX:
            self.differences.append(Difference(kind, subject, what))


class _Subjects(NamedTuple):
    """Keys, or accounts: how those with rows, and those that lack one, are listed and compared."""

    listings: tuple[Callable[[Transaction, str, int], list[str]], ...]
    compared: Callable[[Transaction, Sequence[str]], Compared]


def compare(read: Read, found: Verdict, progress: Callable[[int], None]) -> None:
    """Compare every row with what the journal says of it, and add what differs to *found*."""
    for subjects in _EVERYTHING:
        for listing in subjects.listings:
            last = ""
            while page := read(partial(_page, subjects, listing, last, found)):
                last = page[-1]
                found.rows += len(page)
                progress(len(page))
    read(lambda tx: _tell(found, _house(tx)))


def _page(
    subjects: _Subjects,
    listing: Callable[[Transaction, str, int], list[str]],
    last: str,
    found: Verdict,
    tx: Transaction,
) -> list[str]:
    page = listing(tx, last, _SUBJECTS)
    _tell(found, subjects.compared(tx, page))
    return page


def _house(tx: Transaction) -> Compared:
    """Compare what is of the whole house, and of which there is little: rules, and marks."""
    replay = _replayed(audits.about_all(tx))
    yield from _beside("approval", replay.of("approval"), _approvals(tx))
    listed: dict[str, State] = {mark.mark_id: mark_state(mark) for mark in marks.every(tx)}
    yield from _beside("mark", replay.of("mark"), listed)
    yield from _beside("person", replay.of("person"), _people(tx, None))
    try:
        rows = {str(rule.rule_id): replaying.rule_row(rule) for rule in rules.rulebook(tx).rules}
    except (ValueError, TypeError, LookupError):
        yield "rule", "rulebook", None, _UNREADABLE
    else:
        yield from _beside("rule", replay.of("rule"), rows)


def _beside(kind: Kind, said: Mapping[str, State], rows: Mapping[str, State]) -> Compared:
    for subject in sorted(said.keys() | rows.keys()):
        yield kind, subject, said.get(subject), rows.get(subject)


def _tell(found: Verdict, compared: Compared) -> None:
    for kind, subject, said, row in compared:
        what = replaying.difference(said, row)
        if what is not None:
            found.differ(kind, subject, what)


def _keys(tx: Transaction, key_ids: Sequence[str]) -> Compared:
    said = _replayed(audits.about_keys(tx, key_ids)).of("key")
    rows: dict[str, State] = {}
    for item in audits.rows_of_keys(tx, key_ids):
        try:
            rows[item.stored.key_id] = replaying.key_row(item.stored.unmarked, item.swept)
        except (ValueError, TypeError, LookupError):
            rows[item.stored.key_id] = _UNREADABLE
    for key_id in key_ids:
        yield "key", key_id, said.get(key_id), rows.get(key_id)


def _accounts(tx: Transaction, account_ids: Sequence[str]) -> Compared:
    replay = _replayed(audits.about_accounts(tx, account_ids))
    said = replay.of("account")
    for account_id in account_ids:
        try:
            row: State | None = events.account_state(accounts.get(tx, account_id))
        except NotFound:
            row = None
        except ValueError:
            row = _UNREADABLE
        yield "account", account_id, said.get(account_id), row
    yield from _beside("contact", replay.of("contact"), _contacts(tx, account_ids))
    said, chosen = replay.of("lead_times"), lead_times.of_accounts(tx, account_ids)
    for account_id in account_ids:
        # Nothing chosen, and nothing ever said about it, are the same.
        unsaid = replaying.lead_times_row(None)
        of_rows = replaying.lead_times_row(chosen.get(account_id))
        yield "lead_times", account_id, said.get(account_id, unsaid), of_rows
    yield from _beside("person", replay.of("person"), _people(tx, account_ids))
    renewed = replay.of("calendar")
    for account_id, made_at_ms in calendars.made_at_ms(tx, account_ids).items():
        # One without a row is closed, as a restore leaves it: nobody is told anything by it.
        yield "calendar", account_id, renewed.get(account_id), {"made_at_ms": made_at_ms}


def _contacts(tx: Transaction, account_ids: Sequence[str]) -> Mapping[str, State]:
    rows: dict[str, State] = {}
    for row in contacts.rows_of(tx, account_ids):
        try:
            rows[row.contact_id] = replaying.contact_row(contacts.contact_of(row))
        except (ValueError, TypeError):
            rows[row.contact_id] = _UNREADABLE
    return rows


def _people(tx: Transaction, account_ids: Sequence[str] | None) -> Mapping[str, State]:
    try:
        return {one.person_id: person_row(one) for one in people.ever(tx, account_ids)}
    except (ValueError, TypeError):
        return {"people": _UNREADABLE}


def _approvals(tx: Transaction) -> Mapping[str, State]:
    try:
        return {one.approval_id: approval_state(one) for one in approvals.every(tx)}
    except (ValueError, TypeError, LookupError):
        return {"approvals": _UNREADABLE}


def _replayed(found: Iterator[audits.Members]) -> Replay:
    replay = Replay()
    for members in found:
        record = lines.of(members)
        said = (record.tag, record.account_id, record.key_id, record.happened_at_ms)
        replay.take(Said(*said, record.content))
    return replay


_EVERYTHING: Final = (
    _Subjects((audits.stored_keys, audits.keys_without_row), _keys),
    _Subjects((audits.stored_accounts, audits.accounts_without_row), _accounts),
)
"""What is compared besides `_house`, page by page; with accounts, all that is theirs but keys."""
