"""Notices on each database: with their change or not at all, once, and to whom they concern."""

from dataclasses import replace

import pytest
from sqlalchemy import exc, func, select

from tenure.domain import events
from tenure.domain.events import Change, Tag
from tenure.domain.model import Account, AccountKind
from tenure.domain.notices import Audience, Kind, Notice
from tenure.store import accounts, contacts, journal, keys, notices
from tenure.store import schema_notices as tables
from tenure.store.db import Store, Transaction
from tenure.store.notices import Listed
from tests.builders import TRADING, a_key, an_account
from tests.together import together

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

NORMAL = an_account(number=1)
MASTER = an_account(number=2, kind=AccountKind.MASTER)
SUB = an_account(number=3, kind=AccountKind.SUB, master=2)
OTHER_MASTER = an_account(number=4, kind=AccountKind.MASTER)
LATER = replace(an_account(number=5), created_at_ms=an_account().created_at_ms + 10**6)
NOW_MS = NORMAL.created_at_ms + 1_000


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store with accounts, each with its first contact."""

    def fill(tx: Transaction) -> None:
        for account in (NORMAL, MASTER, SUB, OTHER_MASTER, LATER):
            accounts.add(tx, account)
            contacts.add_first(tx, account)

    store.write(fill)
    return store


def a_change(tag: Tag = Tag.KEY_REVOKED, account: Account | None = NORMAL) -> Change:
    return Change(
        tag=tag,
        actor="operator",
        happened_at_ms=NOW_MS,
        body={},
        account_id=account.account_id if account else None,
        key_id="key_1" if str(tag).startswith(("key:", "grant:")) else None,
    )


def append(store: Store, *changes: Change) -> None:
    store.write(lambda tx: journal.append_all(tx, list(changes), NOW_MS))


def told(store: Store, account: Account, after: int = 0, *, unread: bool = False) -> list[Listed]:
    return store.read(
        lambda tx: notices.of_account(tx, account, after=after, most=100, unread=unread)
    )


def count(store: Store) -> int:
    return store.read(
        lambda tx: tx.execute(select(func.count()).select_from(tables.notices)).scalar_one()
    )


def test_a_notice_is_written_with_its_event_and_points_to_it(filled: Store) -> None:
    append(filled, a_change())

    ((_, notice, read_at_ms),) = told(filled, NORMAL)

    assert (notice.seq, notice.kind, notice.key_id) == (1, Kind.KEY_REVOKED, "key_1")
    assert (notice.happened_at_ms, read_at_ms) == (NOW_MS, None)


def test_what_is_undone_is_told_to_nobody(filled: Store) -> None:
    """A notice of what never happened is a lie (SECURITY I14, P22)."""

    def append_and_regret(tx: Transaction) -> None:
        journal.append(tx, a_change(), NOW_MS)
        raise KeyError("second thoughts")

    with pytest.raises(KeyError):
        filled.write(append_and_regret)

    assert count(filled) == 0
    append(filled, a_change())
    assert [listed.notice.seq for listed in told(filled, NORMAL)] == [1]


def test_the_notices_of_an_event_cannot_be_written_twice(filled: Store) -> None:
    event = filled.write(lambda tx: journal.append(tx, a_change(), NOW_MS))

    with pytest.raises(exc.IntegrityError):
        filled.write(lambda tx: notices.tell(tx, [event], NOW_MS))

    assert count(filled) == 1


def test_a_swept_term_is_told_with_the_keys_label_which_its_event_does_not_hold(
    filled: Store,
) -> None:
    key = a_key(TRADING, label="my bot")
    filled.write(lambda tx: keys.add(tx, key, None))

    append(filled, a_change(Tag.GRANT_SWEPT))

    (listed,) = told(filled, NORMAL)
    assert listed.notice.facts["label"] == "my bot"
    assert listed.notice.facts["is_restricted"] is False


def test_a_key_that_is_not_there_is_told_of_without_its_label(filled: Store) -> None:
    append(filled, a_change(Tag.GRANT_SWEPT))

    (listed,) = told(filled, NORMAL)
    assert "label" not in listed.notice.facts


def test_each_account_is_told_its_own_its_masters_and_everybodys(filled: Store) -> None:
    rule = a_change(Tag.RULE_ADDED, None)
    rule = replace(rule, body={"rule": {"id": "later", "effective_from_ms": NOW_MS + 1}})
    append(
        filled,
        a_change(account=SUB),
        a_change(Tag.ACCOUNT_FROZEN, MASTER),
        a_change(account=MASTER),
        rule,
    )

    def kinds(account: Account) -> list[Kind]:
        return [listed.notice.kind for listed in told(filled, account)]

    everybodys = [Kind.RULE_SCHEDULED]
    assert kinds(NORMAL) == everybodys
    assert kinds(SUB) == [Kind.KEY_REVOKED, Kind.ACCOUNT_FROZEN, *everybodys]
    assert kinds(MASTER) == [Kind.ACCOUNT_FROZEN, Kind.KEY_REVOKED, *everybodys]
    assert kinds(OTHER_MASTER) == everybodys
    assert kinds(LATER) == [], "it was not there yet"
    assert count(filled) == 4, "one row, however many it is for"


def test_a_list_is_read_page_by_page(filled: Store) -> None:
    for _ in range(5):
        append(filled, a_change())
    first = filled.read(lambda tx: notices.of_account(tx, NORMAL, after=0, most=2, unread=False))

    rest = told(filled, NORMAL, after=first[-1].number)

    assert [listed.notice.seq for listed in (*first, *rest)] == [1, 2, 3, 4, 5]


def test_what_one_has_read_another_has_not(filled: Store) -> None:
    append(filled, a_change(Tag.ACCOUNT_FROZEN, MASTER), a_change(account=SUB))
    frozen, revoked = (listed.notice.notice_id for listed in told(filled, SUB))

    filled.write(lambda tx: notices.mark_read(tx, SUB.account_id, frozen, NOW_MS + 1))

    assert [listed.notice.notice_id for listed in told(filled, SUB, unread=True)] == [revoked]
    assert [listed.read_at_ms for listed in told(filled, SUB)] == [NOW_MS + 1, None]
    assert [listed.read_at_ms for listed in told(filled, MASTER)] == [None]


def test_a_notice_is_found_by_whom_it_concerns_alone(filled: Store) -> None:
    append(filled, a_change(account=SUB))
    (listed,) = told(filled, SUB)
    name = listed.notice.notice_id

    assert filled.read(lambda tx: notices.find(tx, SUB, name)) == listed
    assert filled.read(lambda tx: notices.find(tx, MASTER, name)) is None
    assert filled.read(lambda tx: notices.find(tx, SUB, "ntc_0")) is None


def a_warning(number: int = 1) -> Notice:
    return Notice(
        notice_id=f"ntc_{number}",
        kind=Kind.TERM_ENDS_SOON,
        account_id=NORMAL.account_id,
        happened_at_ms=NOW_MS,
        facts={"permission": TRADING},
        audience=Audience.ACCOUNT,
        key_id="key_1",
        permission=TRADING,
        ends_at_ms=NOW_MS + 1_000,
        lead_ms=500,
    )


def test_a_notice_reads_back_as_it_was_written(filled: Store) -> None:
    filled.write(lambda tx: notices.write_missing(tx, [a_warning()], NOW_MS))

    assert [listed.notice for listed in told(filled, NORMAL)] == [a_warning()]


def test_of_several_who_write_the_same_one_does(shared: Store) -> None:
    def write() -> int:
        batch = [a_warning(number) for number in range(1_200)]
        return shared.write(lambda tx: notices.write_missing(tx, batch, NOW_MS))

    written = together([write] * 4)

    assert sorted(written) == [0, 0, 0, 1_200]
    assert count(shared) == 1_200


def test_numbers_are_in_the_order_of_the_commits(shared: Store) -> None:
    """Whoever has seen a number has seen all before it: no gap is filled later."""
    seen: list[list[int]] = []

    def write(first: int) -> None:
        for number in range(first, first + 5):
            shared.write(
                lambda tx, number=number: notices.write_missing(tx, [a_warning(number)], NOW_MS)  # type: ignore[misc]  # bound now
            )
            seen.append(
                shared.read(
                    lambda tx: list(
                        tx.execute(
                            select(tables.notices.c.number).order_by(tables.notices.c.number)
                        ).scalars()
                    )
                )
            )

    together([lambda first=first: write(first) for first in (0, 10, 20)])  # type: ignore[misc]  # as above

    last = max(seen, key=len)
    assert len(last) == 15
    for some in seen:
        assert some == last[: len(some)]


def test_a_position_is_kept_and_moved(store: Store) -> None:
    assert store.read(lambda tx: notices.position(tx, "work")) is None
    for reached in ([1, "a"], [2, ""]):
        store.write(lambda tx, reached=reached: notices.set_position(tx, "work", reached))  # type: ignore[misc]  # bound now
        assert store.read(lambda tx: notices.position(tx, "work")) == reached


def test_no_secret_column_is_read_into_a_notice(filled: Store) -> None:
    key = a_key(TRADING)
    filled.write(lambda tx: keys.add(tx, key, b"S3ALED"))
    append(filled, replace(a_change(Tag.KEY_ISSUED), body={"key": events.key_state(key)}))

    (listed,) = told(filled, NORMAL)
    assert key.api_key not in str(listed.notice.facts)
    assert "S3ALED" not in str(listed)


def _told_of_everything(store: Store) -> None:
    """Tell of what concerns one account, a tree, and everybody, by turns."""
    rule: dict[str, object] = {"rule": {"id": "r", "effective_from_ms": NOW_MS + 1}}
    everybodys = replace(a_change(Tag.RULE_ADDED, None), body=rule)
    for _ in range(3):
        append(store, a_change(), a_change(account=MASTER), a_change(account=SUB))
        append(store, a_change(Tag.ACCOUNT_FROZEN, MASTER), everybodys)
        append(store, a_change(Tag.ACCOUNT_FROZEN, OTHER_MASTER), a_change(account=OTHER_MASTER))


@pytest.mark.parametrize("account", [NORMAL, MASTER, SUB, OTHER_MASTER, LATER])
def test_the_last_that_an_account_was_told_come_page_by_page(
    filled: Store, account: Account
) -> None:
    _told_of_everything(filled)
    expected = [listed.number for listed in told(filled, account)][::-1]
    found: list[int] = []
    before = None
    while page := filled.read(
        lambda tx, before=before: notices.latest(tx, account, before=before, most=2, unread=False)  # type: ignore[misc]  # bound now
    ):
        assert len(page) <= 2
        found += [listed.number for listed in page]
        before = found[-1]

    assert found == expected
    assert len(expected) == {NORMAL: 6, MASTER: 9, SUB: 9, OTHER_MASTER: 9, LATER: 0}[account]


def test_what_is_unread_is_counted_no_further_than_asked(filled: Store) -> None:
    _told_of_everything(filled)

    def unread(most: int) -> int:
        return filled.read(lambda tx: notices.count_unread(tx, SUB, most))

    assert [unread(most) for most in (1, 3, 4, 8, 9, 10)] == [1, 3, 4, 8, 9, 9]
    first = told(filled, SUB)[0].notice.notice_id
    filled.write(lambda tx: notices.mark_read(tx, SUB.account_id, first, NOW_MS))
    assert unread(10) == 8


def test_all_is_marked_as_read_up_to_a_number_and_for_one_account_alone(filled: Store) -> None:
    _told_of_everything(filled)
    listed = told(filled, SUB)
    filled.write(
        lambda tx: notices.mark_read(tx, SUB.account_id, listed[1].notice.notice_id, NOW_MS)
    )

    def mark(upto: int) -> int:
        return filled.write(lambda tx: notices.mark_all_read(tx, SUB, upto, NOW_MS + 5))

    assert (mark(listed[5].number), mark(listed[5].number)) == (5, 0)
    assert told(filled, SUB, unread=True) == listed[6:]
    assert told(filled, SUB)[0].read_at_ms == NOW_MS + 5
    assert told(filled, SUB)[1].read_at_ms == NOW_MS, "not moved"
    assert len(told(filled, MASTER, unread=True)) == 9
    unread = filled.read(lambda tx: notices.latest(tx, SUB, before=None, most=9, unread=True))
    assert [item.number for item in unread] == [item.number for item in listed[:5:-1]]
