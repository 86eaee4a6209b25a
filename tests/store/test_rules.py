"""The rulebook as rows, on each database."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import exc

from tenure.domain.model import AccountKind, KeyType
from tenure.store import accounts, keys, rules
from tenure.store.db import Store
from tests.builders import (
    FUTURES,
    TRADING,
    a_key,
    a_rule,
    an_account,
    revoked,
    the_rulebook,
)


def test_rules_read_back_as_they_were_written_the_earliest_first(store: Store) -> None:
    later = a_rule(
        "later",
        FUTURES,
        TRADING,
        since="2022-01-01 00:00",
        unrestricted="not_allowed",
        restricted=90 * 86_400_000,
        key_types=[KeyType.RSA, KeyType.HMAC],
        account_kinds=[AccountKind.SUB],
    )
    for rule in (later, *the_rulebook().rules):
        store.write(partial(rules.add, rule=rule))

    found = store.read(rules.rulebook)

    assert found.rules == (*the_rulebook().rules, later)
    assert found.digest == type(found)((later, *the_rulebook().rules)).digest


def test_a_withdrawal_is_noted_beside_what_the_rule_says(store: Store) -> None:
    for rule in (a_rule("kept", FUTURES), a_rule("withdrawn")):
        store.write(partial(rules.add, rule=rule))

    store.write(lambda tx: rules.withdraw(tx, "withdrawn", 7))

    kept, withdrawn = store.read(rules.rulebook).rules
    assert kept == a_rule("kept", FUTURES)
    assert withdrawn == replace(a_rule("withdrawn"), withdrawn_at_ms=7)


def test_keys_are_counted_with_revoked_ones(store: Store) -> None:
    assert store.read(rules.count_keys) == 0
    for number in (1, 2):
        store.write(partial(accounts.add, account=an_account(number=number)))
        store.write(partial(keys.add, key=a_key(number=number), sealed_secret=None))
    before = a_key()
    store.write(lambda tx: keys.save(tx, before, revoked(before, at="2021-08-01 00:00")))

    assert store.read(rules.count_keys) == 2


def test_a_rule_is_never_written_over(store: Store) -> None:
    store.write(lambda tx: rules.add(tx, a_rule()))

    with pytest.raises(exc.IntegrityError):
        store.write(lambda tx: rules.add(tx, a_rule(unrestricted=1)))

    assert store.read(rules.rulebook).rules == (a_rule(),)
