"""Reading the journal; and that it tells everything: replaying it gives the rows (SECURITY I5)."""

import random
from contextlib import suppress
from itertools import pairwise

import pytest
from sqlalchemy import select

from tenure.domain import events
from tenure.domain.errors import TenureError
from tenure.domain.events import GENESIS_HASH, Event, Tag
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.domain.rules import Rulebook, rule_state
from tenure.services.keys import Wanted
from tenure.store import schema
from tests.builders import DAY_MS, FUTURES, TRADING, WITHDRAWALS, a_rule
from tests.services.parts import ACTOR, Parts


def test_events_are_read_page_by_page(parts: Parts) -> None:
    for _ in range(3):
        parts.account()

    first = parts.journal.after(0, most=2)
    rest = parts.journal.after(first[-1].seq)

    assert [event.seq for event in first + rest] == [1, 2, 3, 4, 5]
    assert parts.journal.after(5) == []
    assert parts.journal.head() == 5


class Rows:
    """What a journal says the rows are; no other source."""

    def __init__(self) -> None:
        self.keys: dict[str | None, object] = {}
        self.accounts: dict[str | None, object] = {}
        self.rules: dict[object, object] = {}
        self.swept: set[tuple[object, ...]] = set()

    def take(self, event: Event) -> None:
        """Let *event* happen."""
        change = event.change
        match change.tag:
            case Tag.ACCOUNT_CREATED | Tag.ACCOUNT_FROZEN | Tag.ACCOUNT_UNFROZEN:
                self.accounts[change.account_id] = change.body["account"]
            case Tag.KEY_ISSUED | Tag.KEY_EDITED | Tag.KEY_ROTATED | Tag.KEY_REVOKED:
                self.keys[change.key_id] = change.body["key"]
            case Tag.RULE_ADDED:
                rule = change.body["rule"]
                assert isinstance(rule, dict)
                self.rules[rule["id"]] = rule
            case Tag.GRANT_SWEPT:
                body = change.body
                lapse = change.key_id, body["permission"], body["ends_at_ms"]
                assert lapse not in self.swept, "recorded twice"
                assert change.happened_at_ms == body["ends_at_ms"]
                self.swept.add(lapse)
            case Tag.STORE_RESTORED | Tag.STORE_RESTORED_ACCEPTED:
                pytest.fail("nobody restored this store")


@pytest.mark.parametrize("seed", range(4))
def test_replaying_the_journal_gives_the_rows(parts: Parts, seed: int) -> None:
    """After a life of random acts, those that are refused included."""
    chance = random.Random(seed)  # noqa: S311 - the same lives for everybody
    accounts = [parts.account(AccountKind.MASTER)]
    accounts += [parts.account(), parts.account(AccountKind.SUB, accounts[0].account_id)]
    keys: list[ApiKey] = [parts.issue(TRADING, account=account) for account in accounts]
    for number in range(80):
        with suppress(TenureError):
            _act(parts, chance, keys, number)

    replayed = Rows()
    for event in parts.events():
        replayed.take(event)

    assert replayed.keys == {
        key.key_id: events.key_state(parts.keys.get(key.key_id)) for key in keys
    }
    assert replayed.accounts == {
        each.account_id: events.account_state(each) for each in parts.accounts.every()
    }
    held = [rule_state(rule) for rule in parts.rules.rulebook().rules]
    assert replayed.rules == {rule["id"]: rule for rule in held}
    assert _swept(parts) <= replayed.swept
    _assert_whole(parts.events())


def _act(parts: Parts, chance: random.Random, keys: list[ApiKey], number: int) -> None:
    key = chance.choice(keys)
    permission = chance.choice([TRADING, FUTURES, WITHDRAWALS])
    match chance.randrange(10):
        case 0:
            account = parts.accounts.get(key.account_id)
            keys.append(parts.issue(TRADING, account=account, key_type=chance.choice([*KeyType])))
        case 1 | 2:
            parts.edit(key, Wanted(permissions={permission: chance.choice([True, "renew"])}))
        case 3:
            parts.edit(key, Wanted(permissions={permission: False}))
        case 4:
            entries = chance.choice([(), ("203.0.113.7",)])
            parts.edit(key, Wanted(label=f"number {number}", ip_allowlist=entries))
        case 5:
            parts.rotate(key)
        case 6 if chance.random() < 0.3:
            parts.keys.revoke(key.key_id, ACTOR)
        case 7:
            frozen = chance.random() < 0.5
            parts.accounts.set_frozen(key.account_id, frozen=frozen, actor=ACTOR)
        case 8:
            since_ms = parts.clock.now + chance.randrange(DAY_MS)
            parts.rules.adopt(Rulebook((a_rule(f"rule-{number}", permission, since=since_ms),)))
        case _:
            parts.clock.advance(chance.randrange(20 * DAY_MS))
            if chance.random() < 0.5:
                parts.sweep.tick()


def _swept(parts: Parts) -> set[tuple[object, ...]]:
    columns = schema.grants.c.key_id, schema.grants.c.permission, schema.grants.c.ends_at_ms
    chosen = select(*columns).where(schema.grants.c.swept_at_ms.is_not(None))
    return {tuple(row) for row in parts.store.read(lambda tx: tx.execute(chosen).all())}


def _assert_whole(found: list[Event]) -> None:
    assert found[0].previous_hash == GENESIS_HASH
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    for before, after in pairwise(found):
        assert after.previous_hash == before.hash
        assert after.recorded_at_ms >= before.recorded_at_ms
    for event in found:
        assert event.hash == events.digest(
            event.change,
            seq=event.seq,
            recorded_at_ms=event.recorded_at_ms,
            previous_hash=event.previous_hash,
        )
