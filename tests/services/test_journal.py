"""Reading the journal; and that it tells everything: replaying it gives the rows (SECURITY I5)."""

import random
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from tenure.domain import events
from tenure.domain.errors import NotFound, TenureError
from tenure.domain.events import GENESIS_HASH, Event, Tag
from tenure.domain.marks import Selection
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.domain.rules import Rulebook, rule_state
from tenure.services.keys import Wanted
from tenure.store import schema
from tests.builders import DAY_MS, FUTURES, OPTIONS, TRADING, WITHDRAWALS, a_rule
from tests.services.parts import ACTOR, Parts


def test_events_are_read_page_by_page(parts: Parts) -> None:
    for _ in range(3):
        parts.account()

    first = parts.journal.after(0, most=2)
    rest = parts.journal.after(first[-1].seq)

    assert [event.seq for event in first + rest] == [1, 2, 3, 4, 5]
    assert parts.journal.after(5) == []
    assert parts.journal.head() == 5


def test_the_events_of_an_account_are_its_own_and_its_keys(parts: Parts) -> None:
    key, other = parts.issue(TRADING), parts.issue(TRADING)
    parts.keys.revoke(key.key_id, ACTOR)

    found = parts.journal.of_account(key.account_id)

    assert [str(event.change.tag) for event in found] == [
        *("account:created", "key:issued", "key:revoked"),
    ]
    assert parts.journal.of_account(key.account_id, found[0].seq, 1) == found[1:2]
    assert parts.journal.of_account(key.account_id, key_id=key.key_id) == found[1:]
    assert parts.journal.of_account(key.account_id, key_id=other.key_id) == []
    with pytest.raises(NotFound):
        parts.journal.of_account("acct_none")


class Rows:
    """What a journal says the rows are; no other source."""

    def __init__(self) -> None:
        self.keys: dict[str | None, Any] = {}
        self.accounts: dict[str | None, object] = {}
        self.rules: dict[object, object] = {}
        self.swept: set[tuple[object, ...]] = set()

    def take(self, event: Event) -> None:
        """Let *event* happen."""
        change = event.change
        match change.tag:
            case Tag.ACCOUNT_CREATED | Tag.ACCOUNT_FROZEN | Tag.ACCOUNT_UNFROZEN:
                self.accounts[change.account_id] = change.body["account"]
            case Tag.KEYS_REVOKED:
                self._strike(change.body["mark"], change.happened_at_ms)
            case Tag.RULE_ADDED | Tag.RULE_WITHDRAWN:
                rule = change.body["rule"]
                assert isinstance(rule, dict)
                is_withdrawn = change.tag is Tag.RULE_WITHDRAWN
                withdrawn_at_ms = change.happened_at_ms if is_withdrawn else None
                self.rules[rule["id"]] = rule, withdrawn_at_ms
            case Tag.KEY_ADDRESS_SEEN | Tag.KEY_OLD_SECRET_USED:
                pass  # Noted beside the rows: nothing stands in them that it would change.
            case Tag.GRANT_SWEPT:
                body = change.body
                lapse = change.key_id, body["permission"], body["ends_at_ms"]
                assert lapse not in self.swept, "recorded twice"
                assert change.happened_at_ms == body["ends_at_ms"]
                self.swept.add(lapse)
            case Tag.KEY_REPORTED:
                pass  # What came of a report is in an event of its own.
            case Tag.CONTACT_ADDED | Tag.CONTACT_CHANGED | Tag.CONTACT_REMOVED:
                pass  # Where owners are told things is nothing that is decided by.
            case Tag.CALENDAR_RENEWED | Tag.LEAD_TIMES_CHANGED:
                pass
            case Tag.STORE_RESTORED | Tag.STORE_RESTORED_ACCEPTED:
                pytest.fail("nobody restored this store")
            case _:
                self.keys[change.key_id] = change.body["key"]

    def _strike(self, mark: Any, at_ms: int) -> None:  # noqa: ANN401 - JSON
        """Revoke, key by key; the lives below know marks of a label alone."""
        for state in self.keys.values():
            is_met = state["label"] == mark["label"]
            if is_met and state["issued_at_ms"] < mark["issued_before_ms"]:
                state["revoked_at_ms"] = state["revoked_at_ms"] or at_ms


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
    ahead = Rulebook(tuple(a_rule(name, OPTIONS, since=2**41 + at) for at, name in enumerate("ab")))
    parts.rules.schedule(ahead, parts.rules.preview(ahead).stamp, "operator")
    parts.rules.withdraw("b", "operator")

    replayed = Rows()
    for event in parts.events():
        replayed.take(event)

    assert replayed.keys == {
        key.key_id: events.key_state(parts.keys.get(key.key_id)) for key in keys
    }
    assert replayed.accounts == {
        each.account_id: events.account_state(each) for each in parts.accounts.every()
    }
    assert replayed.rules == {
        rule.rule_id: (rule_state(rule), rule.withdrawn_at_ms)
        for rule in parts.rules.rulebook().rules
    }
    assert _swept(parts) <= replayed.swept
    _assert_whole(parts.events())


def _act(parts: Parts, chance: random.Random, keys: list[ApiKey], number: int) -> None:
    key = chance.choice(keys)
    permission = chance.choice([TRADING, FUTURES, WITHDRAWALS])
    match chance.randrange(12):
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
            parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=chance.choice([0, DAY_MS]))
        case 7:
            frozen = chance.random() < 0.5
            parts.accounts.set_frozen(key.account_id, frozen=frozen, actor=ACTOR)
        case 6 | 9 | 10:
            _suspect(parts, chance, key)
        case 8:
            since_ms = parts.clock.now + chance.randrange(DAY_MS)
            parts.rules.adopt(Rulebook((a_rule(f"rule-{number}", permission, since=since_ms),)))
        case _:
            parts.clock.advance(chance.randrange(20 * DAY_MS))
            if chance.random() < 0.5:
                parts.sweep.tick()


def _suspect(parts: Parts, chance: random.Random, key: ApiKey) -> None:
    match chance.randrange(6):
        case 0:
            parts.keys.revoke(key.key_id, ACTOR)
        case 1:
            parts.quarantine.place(key.key_id, ACTOR, cause="a leak")
        case 2 | 3:
            parts.quarantine.release(key.key_id, ACTOR)
        case _:
            selection = Selection(label=parts.keys.get(key.key_id).label)
            stamp = parts.revocations.preview(selection).stamp
            parts.revocations.commit(selection, stamp, ACTOR)


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
