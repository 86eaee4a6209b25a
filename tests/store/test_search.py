"""What an operator searches by, on each database."""

from functools import partial

import pytest
from sqlalchemy import event

from tenure.domain import apikeys
from tenure.domain.model import KeyId
from tenure.store import accounts, keys, schema, search
from tenure.store.db import Store
from tests.builders import a_key, an_account
from tests.store.test_usage import a_use, fold

LABELS = {1: "Grid bot", 2: "GRID BOT", 3: "100% grid_ärger"}


@pytest.fixture(autouse=True)
def three_labelled_keys(store: Store) -> None:
    """Put three keys into the store, each of an account of its own."""
    for number, label in LABELS.items():
        store.write(partial(accounts.add, account=an_account(number=number)))
        key = a_key(number=number, label=label)
        store.write(partial(keys.add, key=key, sealed_secret=None))


def ids(*numbers: int) -> list[KeyId]:
    return [KeyId(f"key_{number}") for number in numbers]


def test_an_api_key_is_found_whole_by_its_start_and_masked(store: Store) -> None:
    api_key = a_key(number=2).api_key
    assert store.read(lambda tx: search.by_api_key(tx, api_key)) == ids(2)
    assert store.read(lambda tx: search.by_api_key(tx, api_key[:-1])) == []
    for start, end in ((api_key[:8], ""), (api_key[:30], ""), (api_key[:8], api_key[-4:])):
        assert store.read(partial(search.begun, start=start, end=end, most=9)) == ids(2)
    assert store.read(partial(search.begun, start=api_key[:8], end="0000", most=9)) == []


def test_the_start_of_an_api_key_minds_upper_and_lower_case(store: Store) -> None:
    """A locale's order would put `a` and `A` side by side."""
    other = a_key(number=4)
    swapped = apikeys.compose(b"x" * 32)[:4] + a_key(number=1).api_key[4:].swapcase()
    store.write(partial(accounts.add, account=an_account(number=4)))
    store.write(partial(keys.add, key=other, sealed_secret=None))
    statement = schema.keys.update().where(schema.keys.c.key_id == "key_4")
    store.write(lambda tx: tx.execute(statement.values(api_key=swapped)))

    start = a_key(number=1).api_key[:9]

    assert start[4:].lower() != start[4:].upper()
    assert store.read(partial(search.begun, start=start, end="", most=9)) == ids(1)


def test_no_more_are_returned_than_asked_for(store: Store) -> None:
    assert len(store.read(partial(search.begun, start="tnr1", end="", most=2))) == 2


def test_an_email_is_found_by_its_start(store: Store) -> None:
    def found(start: str) -> list[str]:
        return [item.email for item in store.read(partial(search.emails, start=start, most=9))]

    assert found("owner") == [f"owner{number}@example.com" for number in (1, 2, 3)]
    assert found("owner2@example.com") == ["owner2@example.com"]
    assert found("Owner") == found("wner") == found("owner2@example.comm") == []


def test_a_label_is_found_exactly_or_within(store: Store) -> None:
    def within(*texts: str) -> list[KeyId]:
        look = partial(search.labels_with, texts=texts, after_id="", most=9)
        return store.read(look).key_ids

    assert store.read(partial(search.labelled, label="Grid bot", most=9)) == ids(1)
    assert within("grid") == ids(1, 2, 3)
    assert within("Grid bot") == ids(2), "what is called so exactly is found by an index"
    assert within("ärger", "ÄRGER") == ids(3)
    assert within("ARGER") == []


@pytest.mark.parametrize(("text", "found"), [("%", [3]), ("0% g", [3]), ("_", [3]), ("t_b", [])])
def test_signs_of_a_pattern_stand_for_themselves(store: Store, text: str, found: list[int]) -> None:
    look = partial(search.labels_with, texts=[text], after_id="", most=9)
    assert store.read(look).key_ids == ids(*found)


def test_a_page_says_where_it_ended(store: Store) -> None:
    look = partial(search.labels_with, texts=["100"], most=2)

    assert store.read(partial(look, after_id="")) == search.Page([], 2, "key_2")
    assert store.read(partial(look, after_id="key_2")) == search.Page(ids(3), 1, "key_3")
    assert store.read(partial(look, after_id="key_3")) == search.Page([], 0, None)
    assert store.read(partial(search.count, after_id="key_1", upto_id="key_3")) == 2


def test_allowlists_are_found_by_how_an_entry_begins(store: Store) -> None:
    statement = schema.keys.update().where(schema.keys.c.key_id == "key_2")
    store.write(
        lambda tx: tx.execute(statement.values(ip_allowlist='["198.51.100.7", "203.0.113.0/24"]'))
    )
    look = partial(search.allowlists_with, after_id="", most=9)

    assert store.read(partial(look, start="203.0.")).key_ids == ids(2)
    assert store.read(partial(look, start="03.0.")).key_ids == []
    assert store.read(partial(look, start="")).key_ids == ids(2), "only those that name addresses"


def test_keys_are_found_by_where_they_were_used_from(store: Store) -> None:
    fold(store, a_use(1, "192.0.2.1", 5), a_use(3, "192.0.2.1", 9), a_use(2, "192.0.2.11", 7))

    found = store.read(partial(search.used_from, address="192.0.2.1", most=9))

    assert list(found.items()) == [("key_3", 9), ("key_1", 5)]
    assert list(store.read(partial(search.used_from, address="192.0.2.1", most=1))) == ["key_3"]


def test_keys_come_with_their_owners_email(store: Store) -> None:
    found = store.read(partial(search.load, key_ids=["key_2", "nobody"]))

    assert list(found) == ["key_2"]
    assert (found["key_2"].email, found["key_2"].key.label) == ("owner2@example.com", "GRID BOT")


@pytest.mark.parametrize(
    "asked",
    [
        partial(search.by_api_key, api_key="tnr1abcdefgh"),
        partial(search.begun, start="tnr1abcd", end="wxyz", most=51),
        partial(search.emails, start="owner", most=51),
        partial(search.labelled, label="Grid bot", most=51),
        partial(search.used_from, address="192.0.2.1", most=51),
    ],
    ids=lambda asked: asked.func.__name__,
)
def test_the_exact_forms_are_answered_by_an_index(store: Store, asked: partial[object]) -> None:
    """On a few rows PostgreSQL would rather read them all: it is told not to."""
    is_sqlite = store.engine.dialect.name == "sqlite"
    with store.engine.connect() as connection:
        said: list[tuple[str, object]] = []
        event.listen(
            connection, "before_cursor_execute", lambda *call: said.append((call[2], call[3]))
        )
        asked(connection)
        statement, parameters = said[-1]
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]  # as they were given
        found = " ".join(str(row) for row in rows)

    assert "SCAN" not in found
    assert ("SEARCH" if is_sqlite else "Index Cond") in found, found
