"""
Acts of services that meet on one database: owners, an operator and sweepers at the same keys.

On both databases, because they settle races in different ways: SQLite lets one writer in at a time,
PostgreSQL would let all in and tell some of them afterwards.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tenure.domain import events
from tenure.domain.errors import Conflict
from tenure.domain.model import AccountKind, KeyId, KeyType
from tenure.services.accounts import Accounts
from tenure.services.journal import Journal
from tenure.services.keys import Draft, Keys, Limits, Wanted
from tenure.services.rules import Rules
from tenure.services.sealing import SealingKey
from tenure.services.sweep import Sweep
from tenure.store.db import Store
from tests.builders import FUTURES, MONTH_MS, TRADING, the_catalog, the_rulebook
from tests.fakes import FakeClock
from tests.together import together

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

ACTOR = "operator"
DRAFT = Draft(label="my bot", key_type=KeyType.HMAC, permissions=(TRADING,))
TICK = Wanted(permissions={TRADING: True})


class Acts:
    """The services over one store, and an account to act for."""

    def __init__(self, store: Store) -> None:
        """Without a keyring: nobody decides here."""
        self.clock = FakeClock()
        Rules(store, self.clock).adopt(the_rulebook())
        limits = Limits(keys_per_account=12, addresses_per_key=3)
        sealing_key = SealingKey(b"s" * 32)
        self.keys = Keys(store, self.clock, the_catalog(), sealing_key, limits, _nobody_waits)
        self.sweep = Sweep(store, self.clock)
        self.journal = Journal(store)
        accounts = Accounts(store, self.clock, _nobody_waits)
        self.account_id = accounts.create("a@b.c", AccountKind.NORMAL, None, ACTOR).account_id

    def issue(self, count: int) -> list[KeyId]:
        """Issue *count* keys that may trade for 30 days."""
        issued = [self.keys.issue(self.account_id, DRAFT, ACTOR) for _ in range(count)]
        return [each.plan.after.key_id for each in issued]

    def tick(self, key_id: KeyId) -> None:
        """Preview and confirm, as an owner does; raises Conflict where somebody was quicker."""
        stamp = self.keys.preview(key_id, TICK).stamp
        self.keys.edit(key_id, TICK, stamp, ACTOR)

    def lapses(self) -> list[tuple[str | None, int]]:
        """Return which key lost trading when."""
        return [
            (event.change.key_id, event.change.happened_at_ms)
            for event in self.journal.after(0)
            if event.change.tag is events.Tag.GRANT_SWEPT
        ]


@pytest.fixture
def acts(shared: Store) -> Acts:
    """Return the services over each database that several threads may use."""
    return Acts(shared)


def _nobody_waits(_: int) -> None:
    """Stand in for the follower."""


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except Conflict as conflict:
        return conflict.code
    return "done"


def test_of_owners_who_confirm_one_plan_at_once_one_is_heard(acts: Acts) -> None:
    (key_id,) = acts.issue(1)
    wanted = Wanted(permissions={FUTURES: True, TRADING: "renew"})
    acts.clock.advance(1)
    stamp = acts.keys.preview(key_id, wanted).stamp

    edit = partial(acts.keys.edit, key_id, wanted, stamp, ACTOR)
    outcomes = together([partial(_outcome, edit)] * 5)

    assert Counter(outcomes) == {"done": 1, "stale": 4}
    assert acts.keys.get(key_id).version == 2


def test_edits_at_once_are_one_after_another_and_each_is_an_event(acts: Acts) -> None:
    (key_id,) = acts.issue(1)

    def relabel(name: str) -> list[str]:
        edits = [
            partial(acts.keys.edit, key_id, Wanted(label=f"{name}{n}"), None, ACTOR) for n in "abc"
        ]
        return [_outcome(edit) for edit in edits]

    outcomes = together([partial(relabel, name) for name in "1234"])

    done = sum(outcome == "done" for each in outcomes for outcome in each)
    versions = [
        event.change.body["key"]["version"]  # type: ignore[index]  # the shape of a key event
        for event in acts.journal.after(0)
        if event.change.tag is events.Tag.KEY_EDITED
    ]
    assert versions == list(range(2, done + 2))
    assert acts.keys.get(key_id).version == done + 1
    assert done == 12, "without a stamp there is nothing to be stale"


def test_owners_an_operator_and_sweepers_never_lock_each_other_out(acts: Acts) -> None:
    """None is told that the store is away, and each lapse is recorded once."""
    key_ids = acts.issue(8)
    acts.clock.advance(MONTH_MS)
    ended_at_ms = acts.clock.now

    def tick_all() -> list[str]:
        return [_outcome(partial(acts.tick, key_id)) for key_id in key_ids]

    def rotate_all() -> list[str]:
        found = reversed(key_ids)
        return [_outcome(partial(acts.keys.rotate, key_id, None, ACTOR)) for key_id in found]

    def revoke_some() -> list[str]:
        return [_outcome(partial(acts.keys.revoke, key_id, ACTOR)) for key_id in key_ids[6:]]

    def sweep() -> list[str]:
        return [_outcome(acts.sweep.tick) for _ in range(4)]

    outcomes = together([tick_all, rotate_all, revoke_some, sweep, tick_all])

    assert {outcome for each in outcomes for outcome in each} <= {"done", "stale", "revoked"}
    assert sorted(acts.lapses()) == sorted((key_id, ended_at_ms) for key_id in key_ids)
    assert all(acts.keys.get(key_id).revoked_at_ms == acts.clock.now for key_id in key_ids[6:])


def test_after_a_revoke_no_edit_is_recorded_whoever_was_first(acts: Acts) -> None:
    """Revoking absorbs (SECURITY I8): the journal shows nothing but it from then on."""
    key_ids = acts.issue(6)

    def edit_all() -> None:
        for key_id in key_ids:
            _outcome(partial(acts.keys.edit, key_id, Wanted(label="late"), None, ACTOR))

    def revoke_all() -> None:
        for key_id in key_ids:
            acts.keys.revoke(key_id, ACTOR)

    together([edit_all, revoke_all, edit_all])

    for key_id in key_ids:
        tags = [
            event.change.tag for event in acts.journal.after(0) if event.change.key_id == key_id
        ]
        assert tags[-1] is events.Tag.KEY_REVOKED
        assert acts.keys.get(key_id).revoked_at_ms is not None


def test_keys_issued_at_once_stay_within_the_limit(acts: Acts) -> None:
    acts.issue(9)

    issue = partial(_outcome, partial(acts.keys.issue, acts.account_id, DRAFT, ACTOR))
    outcomes = together([issue] * 6)

    assert Counter(outcomes) == {"done": 3, "limit": 3}
