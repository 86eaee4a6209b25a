"""The journal as owners read it, on each database: theirs alone, the last first, page by page."""

from dataclasses import replace
from functools import partial

import pytest

from tenure.domain.activity import Asked, Group
from tenure.domain.events import Change, Tag
from tenure.domain.marks import Mark, MarkId, mark_state
from tenure.domain.model import Account, AccountKind, ApiKey
from tenure.store import accounts, activity, journal, keys, marks
from tenure.store.db import Store, Transaction
from tests.builders import a_key, an_account, ms

MASTER = an_account(number=1, kind=AccountKind.MASTER)
SUB = an_account(number=2, kind=AccountKind.SUB, master=1)
OTHER = an_account(number=3)
NOW = ms("2021-12-01 10:00")


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store with a key for each account, and one more of the master's."""

    def fill(tx: Transaction) -> None:
        for account in (MASTER, SUB, OTHER):
            accounts.add(tx, account)
        for number in (1, 2, 3):
            keys.add(tx, a_key(number=number, label=f"bot {number}"), None)
        keys.add(tx, second_key(), None)

    store.write(fill)
    return store


def second_key() -> ApiKey:
    return replace(a_key(number=4, label="second"), account_id=MASTER.account_id)


def happen(store: Store, tag: Tag, account: Account | None, key_id: str | None = None) -> None:
    """Record one event, a millisecond after the last."""
    head = store.read(journal.head)[0]
    change = Change(
        tag=tag,
        actor="operator",
        happened_at_ms=NOW + head,
        body={},
        account_id=account.account_id if account else None,
        key_id=key_id,
    )
    store.write(partial(journal.append, change=change, now_ms=NOW))


def strike(store: Store, label: str | None, account: Account | None) -> None:
    """Revoke by a mark, as the service does."""
    head = store.read(journal.head)[0]
    mark = Mark(
        mark_id=MarkId(f"mark_{head}"),
        label=label,
        account_id=account.account_id if account else None,
        issued_before_ms=NOW,
        made_at_ms=NOW + head,
    )

    def write(tx: Transaction) -> None:
        marks.add(tx, mark)
        change = Change(
            tag=Tag.KEYS_REVOKED,
            actor="operator",
            happened_at_ms=mark.made_at_ms,
            body={"mark": mark_state(mark)},
            account_id=mark.account_id,
        )
        journal.append(tx, change, mark.made_at_ms)

    store.write(write)


def seqs(store: Store, asked: Asked, *, before: int | None = None, most: int = 99) -> list[int]:
    found = store.read(lambda tx: activity.latest(tx, asked, before=before, most=most))
    return [event.seq for event in found]


def of(account: Account, **more: object) -> Asked:
    return Asked(account_id=account.account_id, **more)  # type: ignore[arg-type]  # by name


def test_an_account_sees_its_own_and_a_master_its_sub_accounts_too(filled: Store) -> None:
    happen(filled, Tag.ACCOUNT_CREATED, MASTER)
    happen(filled, Tag.ACCOUNT_CREATED, SUB)
    happen(filled, Tag.KEY_EDITED, OTHER, "key_3")
    happen(filled, Tag.KEY_EDITED, SUB, "key_2")
    happen(filled, Tag.RULE_ADDED, None)

    assert seqs(filled, of(MASTER)) == [4, 2, 1]
    assert seqs(filled, of(MASTER, is_tree=False)) == [1]
    assert seqs(filled, of(SUB)) == [4, 2]
    assert seqs(filled, of(OTHER)) == [3]


def test_pages_follow_on_from_where_the_last_one_ended(filled: Store) -> None:
    for number in range(7):
        happen(filled, Tag.KEY_EDITED, (MASTER, SUB)[number % 2], "key_1")
    strike(filled, None, MASTER)
    found: list[int] = []
    before: int | None = None
    while page := seqs(filled, of(MASTER), before=before, most=3):
        found += page
        before = page[-1]

    assert found == [8, 7, 6, 5, 4, 3, 2, 1]


def test_it_is_narrowed_to_a_key_a_group_and_a_time(filled: Store) -> None:
    happen(filled, Tag.KEY_EDITED, MASTER, "key_1")
    happen(filled, Tag.GRANT_SWEPT, MASTER, "key_1")
    happen(filled, Tag.KEY_EDITED, MASTER, "key_4")
    happen(filled, Tag.CONTACT_ADDED, MASTER)
    happen(filled, Tag.KEY_EDITED, OTHER, "key_3")

    assert seqs(filled, of(MASTER, key_id="key_1")) == [2, 1]
    assert seqs(filled, of(MASTER, key_id="key_3")) == [], "another's, whoever asks"
    assert seqs(filled, of(MASTER, group=Group.KEYS)) == [3, 1]
    assert seqs(filled, of(MASTER, group=Group.TELLING)) == [4]
    assert seqs(filled, of(MASTER, from_ms=NOW + 1)) == [4, 3, 2]
    assert seqs(filled, of(MASTER, from_ms=NOW + 1, until_ms=NOW + 3)) == [3, 2]
    assert seqs(filled, of(MASTER, until_ms=NOW)) == []


def test_keys_revoked_by_a_mark_show_it_to_those_whose_they_were(filled: Store) -> None:
    strike(filled, "bot 2", None)
    strike(filled, None, MASTER)
    strike(filled, None, None)

    assert seqs(filled, of(MASTER)) == [2, 1]
    assert seqs(filled, of(MASTER, is_tree=False)) == [2]
    assert seqs(filled, of(SUB)) == [1]
    assert seqs(filled, of(OTHER)) == [3], "the last one alone reached its key"
    assert seqs(filled, of(MASTER, key_id="key_1")) == [2]
    assert seqs(filled, of(SUB, key_id="key_2")) == [1]
    assert seqs(filled, of(SUB, key_id="key_1")) == []
    assert seqs(filled, of(OTHER, group=Group.ENDS)) == []
    assert seqs(filled, of(OTHER, group=Group.KEYS, from_ms=NOW)) == [3]


def test_keys_have_labels_and_what_is_no_key_has_none(filled: Store) -> None:
    found = filled.read(lambda tx: activity.labels(tx, ["key_1", "key_4", "key_9"]))

    assert found == {"key_1": "bot 1", "key_4": "second"}
