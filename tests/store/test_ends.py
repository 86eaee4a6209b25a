"""How many terms end on which day, on each database."""

from functools import partial

from tenure.domain.marks import Mark, MarkId
from tenure.domain.model import Permission
from tenure.store import accounts, ends, keys, marks
from tenure.store.db import Store
from tests.builders import DAY_MS, FUTURES, TRADING, a_key, an_account, ms, revoked

FIRST, SECOND = ms("2021-12-30 00:00"), ms("2021-12-31 00:00")


def put(store: Store, number: int, issued: str, *, label: str = "my bot") -> None:
    key = a_key(TRADING, FUTURES, issued=issued, number=number, label=label)
    store.write(partial(accounts.add, account=an_account(number=number)))
    store.write(partial(keys.add, key=key, sealed_secret=None))


def counted(store: Store, **more: bool) -> dict[int, dict[Permission, int]]:
    look = partial(ends.per_day, from_ms=FIRST, until_ms=FIRST + 3 * DAY_MS)
    found = store.read(partial(look, of_alive=more.get("of_alive", True)))
    return {day - FIRST // DAY_MS: by for day, by in found.items()}


def test_terms_are_counted_by_the_day_they_end_on(store: Store) -> None:
    """Futures have no term, and what ends before the first day or after the last is not asked."""
    for number, issued in enumerate(
        ("2021-11-29 23:59:59.999", "2021-11-30 00:00", "2021-11-30 23:59:59.999",
         "2021-12-01 00:00", "2021-12-02 23:59:59.999", "2021-12-03 00:00"), start=1,
    ):  # fmt: skip
        put(store, number, issued)

    assert counted(store) == {0: {TRADING: 2}, 1: {TRADING: 1}, 2: {TRADING: 1}}
    assert counted(store, of_alive=False) == counted(store)


def test_keys_that_are_revoked_are_left_out_if_that_is_asked(store: Store) -> None:
    put(store, 1, "2021-11-30 10:00")
    put(store, 2, "2021-11-30 11:00")
    put(store, 3, "2021-11-30 12:00", label="leaky")
    key = a_key(TRADING, FUTURES, issued="2021-11-30 11:00", number=2)
    store.write(partial(keys.save, before=key, after=revoked(key, at="2021-12-01 00:00")))
    mark = Mark(
        mark_id=MarkId("mark_1"), label="leaky", account_id=None, issued_before_ms=SECOND,
        made_at_ms=SECOND,
    )  # fmt: skip
    store.write(partial(marks.add, mark=mark))

    assert counted(store) == {0: {TRADING: 1}}
    assert counted(store, of_alive=False) == {0: {TRADING: 3}}


def test_what_was_swept_is_not_to_come(store: Store) -> None:
    put(store, 1, "2021-11-30 10:00")
    store.write(partial(keys.mark_swept, looked_at=[("key_1", TRADING)], now_ms=FIRST + 2 * DAY_MS))

    assert counted(store) == {}


def test_a_count_stops_at_the_most_that_is_asked(store: Store) -> None:
    for number in (1, 2, 3):
        put(store, number, "2021-11-30 10:00")
    look = partial(ends.count, from_ms=FIRST, until_ms=SECOND)

    assert store.read(partial(look, most=9)) == 3
    assert store.read(partial(look, most=2)) == 2
