"""
Comparing the rows with the journal: a row that no event explains was written past Tenure (T43).

The rows of a page are compared in one transaction with what the journal says of them, so a server
may go on meanwhile, and the number of keys does not matter. What a row has to say is worked out in
`domain.replaying`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

from tenure.domain import events, lines, replaying
from tenure.domain.auditing import Flaw
from tenure.domain.errors import NotFound
from tenure.domain.replaying import Kind, Replay, State
from tenure.domain.rules import rule_state
from tenure.store import accounts, audits, rules
from tenure.store.db import Transaction

_SUBJECTS: Final = 500
"""Keys, or accounts, compared at a time."""
_TOLD_MAX: Final = 100
_UNREADABLE: Final[State] = {"row": "nobody can read it"}
_Answer = TypeVar("_Answer")

Compared: TypeAlias = Iterator[tuple[str, State | None, State | None]]
"""Subjects with what the journal says of each, and what its rows do."""


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
    """Things of one kind: how those with rows, and those that lack one, are listed and compared."""

    kind: Kind
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
    read(partial(_rules, found))


def _page(
    subjects: _Subjects,
    listing: Callable[[Transaction, str, int], list[str]],
    last: str,
    found: Verdict,
    tx: Transaction,
) -> list[str]:
    page = listing(tx, last, _SUBJECTS)
    _tell(found, subjects.kind, subjects.compared(tx, page))
    return page


def _rules(found: Verdict, tx: Transaction) -> None:
    said = _replayed(audits.about_nobody(tx), "rule")
    try:
        rows = {str(rule.rule_id): rule_state(rule) for rule in rules.rulebook(tx).rules}
    except (ValueError, TypeError, LookupError):
        found.differ("rule", "rulebook", "nobody can read it")
        return
    names = sorted(said.keys() | rows.keys())
    _tell(found, "rule", ((name, said.get(name), rows.get(name)) for name in names))


def _tell(found: Verdict, kind: Kind, compared: Compared) -> None:
    for subject, said, row in compared:
        what = replaying.difference(said, row)
        if what is not None:
            found.differ(kind, subject, what)


def _keys(tx: Transaction, key_ids: Sequence[str]) -> Compared:
    said = _replayed(audits.about_keys(tx, key_ids), "key")
    rows: dict[str, State] = {}
    for item in audits.rows_of_keys(tx, key_ids):
        try:
            rows[item.stored.key_id] = replaying.key_row(item.stored.key, item.swept)
        except (ValueError, TypeError, LookupError):
            rows[item.stored.key_id] = _UNREADABLE
    for key_id in key_ids:
        yield key_id, said.get(key_id), rows.get(key_id)


def _accounts(tx: Transaction, account_ids: Sequence[str]) -> Compared:
    said = _replayed(audits.about_accounts(tx, account_ids), "account")
    for account_id in account_ids:
        try:
            row: State | None = events.account_state(accounts.get(tx, account_id))
        except NotFound:
            row = None
        except ValueError:
            row = _UNREADABLE
        yield account_id, said.get(account_id), row


def _replayed(found: Iterator[audits.Members], kind: Kind) -> dict[str, State]:
    replay = Replay()
    for members in found:
        record = lines.of(members)
        replay.take(record.tag, record.account_id, record.key_id, record.content)
    return dict(replay.of(kind))


_EVERYTHING: Final = (
    _Subjects("key", (audits.stored_keys, audits.keys_without_row), _keys),
    _Subjects("account", (audits.stored_accounts, audits.accounts_without_row), _accounts),
)
"""What is compared besides the rules, of which there are few."""
