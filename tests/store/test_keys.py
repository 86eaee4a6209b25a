"""
API keys and grants as rows, on each database: what is saved, what a version guards, what lapses.

What an edit does to a key is tried in the domain; here keys come from its plans.
"""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import exc

from tenure.domain.errors import Conflict, NotFound
from tenure.domain.model import AccountId, AccountKind, ApiKey, KeyId, KeyType, Permission, RuleId
from tenure.store import accounts, keys
from tenure.store.db import Store
from tenure.store.keys import Lapse
from tests.builders import (
    FUTURES,
    TRADING,
    a_draft,
    a_key,
    allow_only,
    an_account,
    end_of,
    ms,
    relabel,
    renew,
    revoked,
    tick,
    untick,
)
from tests.together import together

NOW = "2021-12-01 10:00"
LATER = "2022-06-01 10:00"


def _add(store: Store, *added: ApiKey, sealed_secret: bytes | None = b"sealed") -> None:
    """Store *added*, whose accounts may be there already."""
    for key in added:
        number = int(key.account_id.removeprefix("acct_"))
        owner = replace(an_account(number=number), kind=key.account_kind)
        if key.account_kind is AccountKind.SUB:
            owner = replace(owner, master_id=AccountId("acct_99"))
        known = {each.account_id for each in store.read(lambda tx: list(accounts.every(tx)))}
        if owner.account_id not in known:
            store.write(partial(accounts.add, account=owner))
        store.write(partial(keys.add, key=key, sealed_secret=sealed_secret))


def _get(store: Store, key_id: str = "key_1") -> ApiKey:
    return store.read(lambda tx: keys.get(tx, key_id))


def _save(store: Store, before: ApiKey, after: ApiKey) -> None:
    store.write(lambda tx: keys.save(tx, before, after))


def _due(store: Store, now_ms: int, most: int = 100) -> list[tuple[str, str]]:
    return store.read(lambda tx: keys.due(tx, now_ms, most))


def _sweep(store: Store, now_ms: int, permission: str = TRADING) -> list[Lapse]:
    return store.write(lambda tx: keys.mark_swept(tx, [("key_1", permission)], now_ms))


@pytest.mark.parametrize("key_type", KeyType)
def test_a_key_reads_back_as_it_was_written(store: Store, key_type: KeyType) -> None:
    key = a_key(
        TRADING,
        FUTURES,
        issued=NOW,
        key_type=key_type,
        label="Ölhändler \N{CHART WITH UPWARDS TREND}",
    )
    _add(store, key)

    assert _get(store) == key
    assert end_of(TRADING, _get(store)) is not None
    assert end_of(FUTURES, _get(store)) is None


def test_a_revoked_restricted_key_reads_back_as_it_was_written(store: Store) -> None:
    key = revoked(a_key(TRADING, allowlist=("203.0.113.7", "2001:db8::/48")), at=LATER)
    _add(store, key)

    assert _get(store) == key


def test_a_key_of_a_sub_account_comes_with_its_kind_and_its_master(store: Store) -> None:
    store.write(lambda tx: accounts.add(tx, an_account(kind=AccountKind.MASTER, number=99)))
    _add(store, a_key(account_kind=AccountKind.SUB))

    (stored,) = store.read(lambda tx: list(keys.load(tx, ["key_1"])))

    assert stored.key.account_kind is AccountKind.SUB
    assert stored.master_id == "acct_99"


def test_ids_that_differ_in_case_are_two_keys(store: Store) -> None:
    lower = replace(a_key(TRADING, number=1), key_id=KeyId("key_abc"), api_key="abc")
    upper = replace(a_key(FUTURES, number=1), key_id=KeyId("key_ABC"), api_key="ABC")
    _add(store, lower, upper)

    assert _get(store, "key_abc") == lower
    assert _get(store, "key_ABC") == upper
    with pytest.raises(NotFound):
        _get(store, "KEY_abc")


def test_permissions_that_differ_in_case_are_two_grants(store: Store) -> None:
    key = a_key(TRADING)
    other = replace(key.grants[TRADING], permission=Permission(TRADING.upper()))
    _add(store, replace(key, grants={other.permission: other, **key.grants}))

    assert set(_get(store).grants) == {"reading", TRADING, TRADING.upper()}


def test_an_api_key_is_stored_once(store: Store) -> None:
    _add(store, a_key())

    with pytest.raises(exc.IntegrityError):
        _add(store, replace(a_key(), key_id=KeyId("key_2")))


def test_a_key_without_an_account_is_not_stored(store: Store) -> None:
    with pytest.raises(exc.IntegrityError):
        store.write(lambda tx: keys.add(tx, a_key(), None))


def test_there_may_be_no_such_key(store: Store) -> None:
    with pytest.raises(NotFound):
        _get(store)

    assert store.read(lambda tx: list(keys.load(tx, ["key_1"]))) == []
    assert store.read(lambda tx: list(keys.load(tx, []))) == []


def test_the_sealed_secret_is_loaded_with_the_key_and_replaced_alone(store: Store) -> None:
    key = a_key()
    _add(store, key, sealed_secret=bytes(range(256)))
    assert _sealed(store) == bytes(range(256))

    _save(store, key, relabel(key, at=LATER))
    assert _sealed(store) == bytes(range(256))

    store.write(lambda tx: keys.set_secret(tx, key, b"\0new"))
    assert _sealed(store) == b"\0new"


def test_a_public_key_is_replaced_as_a_secret_is(store: Store) -> None:
    key = a_key(key_type=KeyType.RSA)
    _add(store, key, sealed_secret=None)

    store.write(lambda tx: keys.set_secret(tx, replace(key, public_key="another"), None))

    assert _get(store).public_key == "another"
    assert _sealed(store) is None


def test_saving_replaces_the_key_and_its_grants(store: Store) -> None:
    key = a_key(TRADING, FUTURES, issued=NOW)
    _add(store, key)

    after = allow_only(untick(key, FUTURES, at=NOW), "203.0.113.7", at=NOW)
    _save(store, key, after)

    assert _get(store) == after
    assert after.version == 3


def test_saving_over_a_version_that_is_no_longer_there_is_a_conflict(store: Store) -> None:
    key = a_key(TRADING)
    _add(store, key)
    first = relabel(key, "first", at=LATER)
    _save(store, key, first)

    with pytest.raises(Conflict) as raised:
        _save(store, key, untick(key, TRADING, at=LATER))

    assert raised.value.code == "stale"
    assert _get(store) == first


def test_of_edits_saved_at_once_over_one_version_one_wins(shared: Store) -> None:
    key = a_key(TRADING)
    _add(shared, key)

    def save(number: int) -> str | None:
        after = relabel(untick(key, TRADING, at=LATER), f"edit {number}", at=LATER)
        try:
            _save(shared, key, after)
        except Conflict:
            return None
        return after.label

    outcomes = together([partial(save, number) for number in range(6)])

    (winner,) = (label for label in outcomes if label is not None)
    assert _get(shared).label == winner


def test_keys_are_listed_page_by_page_in_the_order_of_their_ids(store: Store) -> None:
    _add(store, *(a_key(number=number) for number in (3, 1, 2)))

    def page(after_id: str) -> list[str]:
        return [each.key.key_id for each in store.read(lambda tx: keys.every(tx, after_id, 2))]

    assert page("") == ["key_1", "key_2"]
    assert page("key_2") == ["key_3"]
    assert page("key_3") == []


def test_the_keys_of_an_account_are_listed_the_oldest_first_revoked_ones_too(store: Store) -> None:
    older = revoked(a_key(TRADING, issued="2021-07-01 12:00"), at=LATER)
    newer = replace(a_draft(issued=NOW, number=2), account_id=older.account_id)
    _add(store, newer, older, a_key(number=3))

    assert store.read(lambda tx: keys.of_account(tx, "acct_1")) == [older, newer]
    assert store.read(lambda tx: keys.count_active(tx, "acct_1")) == 1
    assert store.read(lambda tx: keys.of_account(tx, "acct_4")) == []


def test_a_term_is_due_at_its_end_and_not_before(store: Store) -> None:
    _add(store, a_key(TRADING, FUTURES, issued=NOW))
    ends_at_ms = ms("2021-12-31 10:00")

    assert _due(store, ends_at_ms - 1) == []
    assert _due(store, ends_at_ms) == [("key_1", TRADING)]
    assert store.read(lambda tx: keys.due_of_key(tx, "key_1", ends_at_ms - 1)) == []
    assert store.read(lambda tx: keys.due_of_key(tx, "key_1", ends_at_ms)) == [("key_1", TRADING)]
    assert store.read(lambda tx: keys.due_of_key(tx, "key_2", ends_at_ms)) == []


def test_terms_are_due_the_oldest_end_first_and_no_more_than_asked_for(store: Store) -> None:
    days = {1: "2021-12-03 10:00", 2: "2021-12-01 10:00", 3: "2021-12-02 10:00"}
    _add(store, *(a_key(TRADING, issued=day, number=number) for number, day in days.items()))

    assert [key_id for key_id, _ in _due(store, ms(LATER))] == ["key_2", "key_3", "key_1"]
    assert [key_id for key_id, _ in _due(store, ms(LATER), most=2)] == ["key_2", "key_3"]


def test_a_lapse_is_returned_to_whoever_marks_it_first_and_to_nobody_else(store: Store) -> None:
    _add(store, a_key(TRADING, issued=NOW))

    term = ms(NOW), ms("2021-12-31 10:00"), RuleId("2021-07-09")
    assert _sweep(store, ms(LATER)) == [Lapse(AccountId("acct_1"), KeyId("key_1"), TRADING, *term)]
    assert _sweep(store, ms(LATER)) == []
    assert _due(store, ms(LATER)) == []


def test_a_term_that_has_not_ended_is_not_marked(store: Store) -> None:
    _add(store, a_key(TRADING, FUTURES, issued=NOW))

    assert _sweep(store, ms("2021-12-31 10:00") - 1) == []
    assert _sweep(store, ms(LATER), FUTURES) == []
    assert len(_sweep(store, ms("2021-12-31 10:00"))) == 1


def test_a_term_renewed_since_somebody_looked_is_left_alone(store: Store) -> None:
    """What a sweeper read earlier, it must not write back (SECURITY section 5, P11)."""
    key = a_key(TRADING, issued=NOW)
    _add(store, key)
    at = "2022-01-05 10:00"
    assert _due(store, ms(at)) == [("key_1", TRADING)]

    _save(store, key, renew(key, TRADING, at=at))

    assert _sweep(store, ms(at)) == []
    assert _get(store) == renew(key, TRADING, at=at)


def test_an_edit_of_something_else_does_not_make_a_swept_term_due_again(store: Store) -> None:
    key = a_key(TRADING, issued=NOW)
    _add(store, key)
    _sweep(store, ms(LATER))

    _save(store, key, edited := tick(relabel(key, at=LATER), FUTURES, at=LATER))

    assert _get(store) == edited
    assert _due(store, ms(LATER)) == []


def test_a_renewed_term_falls_due_again_at_its_new_end(store: Store) -> None:
    key = a_key(TRADING, issued=NOW)
    _add(store, key)
    _sweep(store, ms(LATER))

    _save(store, key, tick(key, TRADING, at=LATER))

    assert _due(store, ms(LATER)) == []
    assert _due(store, ms("2022-07-01 10:00")) == [("key_1", TRADING)]


def test_lapses_are_returned_the_oldest_end_first_whatever_the_order_they_were_found_in(
    store: Store,
) -> None:
    days = {1: "2021-12-03 10:00", 2: "2021-12-01 10:00", 3: "2021-12-02 10:00"}
    _add(store, *(a_key(TRADING, issued=day, number=number) for number, day in days.items()))
    looked_at = [(f"key_{number}", TRADING) for number in (1, 2, 3, 4)]

    found = store.write(lambda tx: keys.mark_swept(tx, looked_at, ms(LATER)))

    assert [lapse.key_id for lapse in found] == ["key_2", "key_3", "key_1"]
    assert [lapse.account_id for lapse in found] == ["acct_2", "acct_3", "acct_1"]


def test_there_may_be_nothing_to_mark(store: Store) -> None:
    assert store.write(lambda tx: keys.mark_swept(tx, [], ms(LATER))) == []


def test_sweepers_that_race_record_each_lapse_once(shared: Store) -> None:
    count = 24
    _add(shared, *(a_key(TRADING, issued=NOW, number=number) for number in range(count)))

    def sweep() -> list[Lapse]:
        # Each goes by what was seen before any of them began.
        batches = [seen[start : start + 3] for start in range(0, count, 3)]
        acts = [partial(keys.mark_swept, looked_at=batch, now_ms=now_ms) for batch in batches]
        return [lapse for found in map(shared.write, acts) for lapse in found]

    now_ms = ms(LATER)
    seen = _due(shared, now_ms)
    assert len(seen) == count

    recorded = [lapse for found in together([sweep] * 4) for lapse in found]

    assert sorted((lapse.key_id, lapse.permission) for lapse in recorded) == sorted(seen)


def _sealed(store: Store) -> bytes | None:
    (stored,) = store.read(lambda tx: list(keys.load(tx, ["key_1"])))
    return stored.sealed_secret
