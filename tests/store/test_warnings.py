"""What ends soon, what still holds, and what lies unread, on each database, page after page."""

from dataclasses import replace

import pytest

from tenure.domain.model import AccountKind, ApiKey, KeyId
from tenure.domain.notices import Kind, Notice
from tenure.store import accounts, keys, notices, warnings
from tenure.store.db import Store
from tenure.store.warnings import START
from tests.builders import (
    DAY_MS,
    FUTURES,
    HOME,
    MONTH_MS,
    TRADING,
    a_key,
    allow_only,
    an_account,
    end_of,
    ms,
    renew,
    revoked,
    untick,
)

ISSUED = "2021-12-01 10:00"
END_MS = ms(ISSUED) + MONTH_MS
LATER = "2021-12-02 10:00"
OWNER = an_account(number=1)
MASTER = an_account(number=2, kind=AccountKind.MASTER)
SUB = an_account(number=3, kind=AccountKind.SUB, master=2)


def fill(store: Store, *found: ApiKey) -> None:
    for account in (OWNER, MASTER, SUB):
        store.write(lambda tx, account=account: accounts.add(tx, account))  # type: ignore[misc]  # bound now
    for key in found:
        store.write(lambda tx, key=key: keys.add(tx, key, None))  # type: ignore[misc]  # as above


def many(count: int) -> list[ApiKey]:
    key = a_key(TRADING, FUTURES, issued=ISSUED)
    return [
        replace(key, key_id=KeyId(f"key_{number:03}"), api_key=f"api {number}")
        for number in range(count)
    ]


def test_terms_that_end_at_one_instant_are_each_seen_once_page_after_page(store: Store) -> None:
    fill(store, *many(25))
    place, seen = START, []
    while page := store.read(
        lambda tx, place=place: warnings.ending(tx, place, END_MS, 10)  # type: ignore[misc]  # bound now
    ):
        seen += page
        place = page[-1].place

    assert [each.running.key_id for each in seen] == [f"key_{number:03}" for number in range(25)]
    assert {each.running.permission for each in seen} == {TRADING}
    assert {(each.running.ends_at_ms, each.is_alive) for each in seen} == {(END_MS, True)}


@pytest.mark.parametrize(("off_ms", "count"), [(-1, 0), (0, 1)])
def test_a_term_is_seen_from_the_instant_asked_about_on(
    store: Store, off_ms: int, count: int
) -> None:
    fill(store, *many(1))

    assert len(store.read(lambda tx: warnings.ending(tx, START, END_MS + off_ms, 9))) == count


def test_a_swept_term_is_not_seen_and_a_revoked_key_is_seen_as_such(store: Store) -> None:
    first, second = many(2)
    fill(store, first, revoked(second, at=LATER))
    store.write(lambda tx: keys.mark_swept(tx, [(first.key_id, TRADING)], END_MS))

    (seen,) = store.read(lambda tx: warnings.ending(tx, START, END_MS, 9))

    assert (seen.running.key_id, seen.is_alive) == (second.key_id, False)


def a_warning(key: ApiKey, lead_ms: int = DAY_MS, account_id: str | None = None) -> Notice:
    return Notice(
        notice_id=f"ntc_{key.key_id}_{lead_ms}",
        kind=Kind.TERM_ENDS_SOON,
        account_id=account_id or key.account_id,
        happened_at_ms=END_MS - lead_ms,
        facts={},
        key_id=key.key_id,
        permission=TRADING,
        ends_at_ms=END_MS,
        lead_ms=lead_ms,
    )


def test_a_warning_holds_while_the_key_lives_and_the_end_is_the_same(store: Store) -> None:
    running, renewed, lifted, unticked, dead = many(5)
    found = [
        running,
        renew(renewed, TRADING, at=LATER),
        allow_only(lifted, HOME, at=LATER),
        untick(unticked, TRADING, at=LATER),
        revoked(dead, at=LATER),
    ]
    fill(store, *found)
    asked = [a_warning(key) for key in found]

    assert end_of(TRADING, running) == END_MS
    held = {"ntc_key_000_86400000"}
    assert store.read(lambda tx: warnings.holding(tx, asked, END_MS - 1)) == held
    assert store.read(lambda tx: warnings.holding(tx, asked, END_MS)) == set()
    assert store.read(lambda tx: warnings.holding(tx, [], END_MS)) == set()


def test_unread_warnings_come_with_their_master_by_lead_time_and_age(store: Store) -> None:
    key = many(1)[0]
    subs = replace(key, key_id=KeyId("key_sub"), account_id=SUB.account_id)
    fill(store, key)
    for at_ms, told in ((100, a_warning(key)), (200, a_warning(subs)), (300, a_warning(key, 9))):
        store.write(
            lambda tx, at_ms=at_ms, told=told: notices.write_missing(tx, [told], at_ms)  # type: ignore[misc]  # bound now
        )
    store.write(lambda tx: notices.mark_read(tx, OWNER.account_id, a_warning(key).notice_id, 150))

    def page(written_by_ms: int, after: int = 0) -> list[tuple[str | None, bool]]:
        found = store.read(
            lambda tx: warnings.written_by(
                tx, DAY_MS, after=after, written_by_ms=written_by_ms, most=9
            )
        )
        return [(item.master_id, item.is_read) for item in found]

    assert page(99) == []
    assert page(199) == [(None, True)]
    assert page(999) == [(None, True), (MASTER.account_id, False)]
    assert page(999, after=1) == [(MASTER.account_id, False)]


def test_a_master_has_its_sub_accounts_terms_too_and_not_the_reverse(store: Store) -> None:
    mine, subs, dead = many(3)
    fill(
        store,
        replace(mine, account_id=MASTER.account_id),
        replace(subs, account_id=SUB.account_id),
        replace(revoked(dead, at=LATER), account_id=SUB.account_id),
    )

    def found(account_id: str, now_ms: int = END_MS - 1, most: int = 9) -> list[str]:
        terms = store.read(lambda tx: warnings.terms_of(tx, account_id, now_ms, most))
        return [term.key_id for term in terms]

    assert found(MASTER.account_id) == ["key_000", "key_001"]
    assert found(MASTER.account_id, most=1) == ["key_000"]
    assert found(SUB.account_id) == ["key_001"]
    assert found(OWNER.account_id) == []
    assert found(MASTER.account_id, END_MS) == []


def test_each_account_has_the_term_that_ends_first(store: Store) -> None:
    mine, subs, dead = many(3)
    later = replace(subs, key_id=KeyId("key_later"), api_key="later")
    later = renew(replace(later, account_id=SUB.account_id), TRADING, at=LATER)
    fill(
        store,
        replace(mine, account_id=MASTER.account_id),
        replace(subs, account_id=SUB.account_id),
        replace(revoked(dead, at=LATER), account_id=OWNER.account_id),
        later,
    )
    ids = [OWNER.account_id, SUB.account_id]

    def found(now_ms: int) -> dict[str, str]:
        ends = store.read(lambda tx: warnings.next_ends(tx, ids, now_ms))
        return {account_id: term.key_id for account_id, term in ends.items()}

    assert found(END_MS - 1) == {SUB.account_id: subs.key_id}
    assert found(END_MS) == {SUB.account_id: "key_later"}
