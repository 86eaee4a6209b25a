"""Marks as rows, on each database: what one covers, against a loop over the keys."""

import random
from dataclasses import replace
from functools import partial

import pytest

from tenure.domain import marks as domain
from tenure.domain.marks import Mark, MarkId, Marks, Selection
from tenure.domain.model import AccountId, AccountKind, ApiKey
from tenure.store import accounts, keys, marks
from tenure.store.db import Store
from tests.builders import a_key, an_account, ms, revoked

LABELS = ("bot", "Bot", "3rd party")
SINCE_MS = ms("2022-01-01 00:00")
START_MS = ms("2021-08-01 00:00")
MASTERS = {1: None, 2: None, 3: 2, 4: 2}
"""Accounts by number, and their masters."""


def a_mark(
    number: int,
    *,
    label: str | None = None,
    account: int | None = None,
    before_ms: int = SINCE_MS,
    made_at_ms: int = SINCE_MS,
) -> Mark:
    return Mark(
        mark_id=MarkId(f"mark_{number}"),
        label=label,
        account_id=None if account is None else AccountId(f"acct_{account}"),
        issued_before_ms=before_ms,
        made_at_ms=made_at_ms,
    )


def fill(store: Store, dice: random.Random, count: int) -> list[ApiKey]:
    """Store *count* keys of every label, account and of some instants; some are revoked."""
    for number, master in MASTERS.items():
        kind = AccountKind.SUB if master else [AccountKind.NORMAL, AccountKind.MASTER][number == 2]
        owner = an_account(number=number, kind=kind, master=master)
        store.write(partial(accounts.add, account=owner))
    made = []
    for number in range(1, count + 1):
        account = dice.choice(list(MASTERS))
        key = a_key(issued=START_MS + dice.randrange(4), label=dice.choice(LABELS), number=number)
        kind = store.read(partial(accounts.get, account_id=f"acct_{account}")).kind
        key = replace(key, account_id=AccountId(f"acct_{account}"), account_kind=kind)
        key = revoked(key, at=START_MS + 9) if dice.random() < 0.2 else key
        store.write(partial(keys.add, key=key, sealed_secret=b"sealed"))
        made.append(key)
    return made


def is_selected(key: ApiKey, selection: Selection) -> bool:
    """Look at one key."""
    number = int(key.account_id.removeprefix("acct_"))
    tree = {key.account_id, f"acct_{MASTERS[number]}"}
    before_ms = selection.issued_before_ms
    return (
        selection.label in {None, key.label}
        and (selection.account_id is None or selection.account_id in tree)
        and (before_ms is None or key.issued_at_ms < before_ms)
    )


@pytest.mark.parametrize("seed", range(3))
def test_what_marks_cover_is_what_a_loop_over_the_keys_finds(store: Store, seed: int) -> None:
    """Rows, the plan of the next mark, and the keyring's own way of asking: all say the same."""
    dice = random.Random(seed)  # noqa: S311 - the same for everybody
    expected = {key.key_id: key for key in fill(store, dice, 14)}
    made: list[Mark] = []

    for number in range(6):
        selection = Selection(
            label=dice.choice([None, *LABELS]),
            account_id=dice.choice([None, *[AccountId(f"acct_{n}") for n in MASTERS]]),
            issued_before_ms=START_MS + dice.randrange(1, 5),
        )
        struck = [
            key
            for key in expected.values()
            if key.revoked_at_ms is None and is_selected(key, selection)
        ]
        plan = store.read(partial(marks.plan, selection=selection, examples_max=3))
        assert plan.matched == len(struck)
        assert plan.by_kind == {
            kind: sum(key.account_kind is kind for key in struck)
            for kind in AccountKind
            if any(key.account_kind is kind for key in struck)
        }
        newest_ms = max((key.issued_at_ms for key in struck), default=0)
        assert plan.newest_issued_at_ms == newest_ms
        names = sorted(key.key_id for key in struck)[:3]
        assert [example.key_id for example in plan.examples] == names

        mark = replace(
            a_mark(number, label=selection.label, made_at_ms=SINCE_MS + number),
            account_id=selection.account_id,
            issued_before_ms=selection.issued_before_ms or 0,
        )
        store.write(partial(marks.add, mark=mark))
        made.append(mark)
        for key in struck:
            expected[key.key_id] = replace(key, revoked_at_ms=mark.made_at_ms)

        stored = {item.key_id: item for item in store.read(lambda tx: keys.every(tx, "", 99))}
        assert {name: item.key for name, item in stored.items()} == expected
        asked = Marks(domain.reach_of(mark) for mark in made)
        for name, item in stored.items():
            key = item.key
            digest = domain.digest_of(key.label)
            since_ms = asked.revoked_at_ms(key.issued_at_ms, digest, key.account_id, item.master_id)
            own_ms = item.row.revoked_at_ms
            known = [at_ms for at_ms in (since_ms, own_ms) if at_ms is not None]
            assert min(known, default=None) == expected[name].revoked_at_ms


def test_a_mark_is_stored_whole_and_listed_in_order(store: Store) -> None:
    store.write(partial(accounts.add, account=an_account()))
    later, sooner = a_mark(1, label="bot", account=1, made_at_ms=9), a_mark(2, made_at_ms=8)
    for mark in (later, sooner):
        store.write(partial(marks.add, mark=mark))

    assert store.read(lambda tx: list(marks.every(tx))) == [sooner, later]
    assert store.read(marks.count) == 2


def test_the_row_of_a_key_that_is_covered_is_left_as_it_was(store: Store) -> None:
    store.write(partial(accounts.add, account=an_account()))
    store.write(partial(keys.add, key=a_key(), sealed_secret=b"sealed"))

    store.write(partial(marks.add, mark=a_mark(1)))

    (item,) = store.read(lambda tx: keys.every(tx, "", 9))
    assert item.row.revoked_at_ms is None
    assert item.key.revoked_at_ms == SINCE_MS
    assert item.row.version == 1


def test_covered_keys_leave_room_for_others(store: Store) -> None:
    store.write(partial(accounts.add, account=an_account()))
    store.write(partial(keys.add, key=a_key(), sealed_secret=b"sealed"))
    assert store.read(partial(keys.count_active, account_id="acct_1")) == 1

    store.write(partial(marks.add, mark=a_mark(1)))

    assert store.read(partial(keys.count_active, account_id="acct_1")) == 0


def test_an_instant_is_known_from_which_on_nothing_is_covered(store: Store) -> None:
    assert store.read(marks.reached_until_ms) == 0

    store.write(partial(marks.add, mark=a_mark(1, before_ms=7)))
    store.write(partial(marks.add, mark=a_mark(2, label="bot", before_ms=5)))

    assert store.read(marks.reached_until_ms) == 7


@pytest.mark.parametrize(
    ("label", "before_ms", "account", "since_ms"),
    [
        ("3rd party", START_MS + 1, None, SINCE_MS),
        ("3rd party", START_MS + 1, 2, SINCE_MS),
        ("3rd party", START_MS, None, None),
        ("3rd party", START_MS + 1, 1, None),
        ("another", START_MS + 1, None, None),
        (None, START_MS + 1, 3, SINCE_MS),
    ],
)
def test_what_a_label_would_bring_upon_a_key_is_told_before_it_bears_it(
    store: Store, label: str | None, before_ms: int, account: int | None, since_ms: int | None
) -> None:
    for number, master in MASTERS.items():
        kind = AccountKind.SUB if master else [AccountKind.NORMAL, AccountKind.MASTER][number == 2]
        owner = an_account(number=number, kind=kind, master=master)
        store.write(partial(accounts.add, account=owner))
    key = replace(a_key(issued=START_MS, number=3), account_kind=AccountKind.SUB)
    store.write(partial(keys.add, key=key, sealed_secret=b"sealed"))
    store.write(
        partial(marks.add, mark=a_mark(1, label=label, account=account, before_ms=before_ms))
    )

    asked = partial(marks.since_if_labelled, key_id="key_3", label="3rd party")
    assert store.read(asked) == since_ms
