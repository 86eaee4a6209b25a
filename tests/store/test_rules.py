"""The rulebook as rows, on each database."""

from functools import partial

import pytest
from sqlalchemy import exc

from tenure.domain.model import AccountKind, KeyType
from tenure.store import rules
from tenure.store.db import Store
from tests.builders import FUTURES, TRADING, a_rule, the_rulebook


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


def test_a_rule_is_never_written_over(store: Store) -> None:
    store.write(lambda tx: rules.add(tx, a_rule()))

    with pytest.raises(exc.IntegrityError):
        store.write(lambda tx: rules.add(tx, a_rule(unrestricted=1)))

    assert store.read(rules.rulebook).rules == (a_rule(),)
