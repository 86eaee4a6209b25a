"""Processes that write one SQLite file at once: each waits its turn, none is told to go away."""

from pathlib import Path

import pytest

from tenure.domain.model import AccountKind, KeyType
from tenure.services.accounts import Accounts
from tenure.services.journal import Journal
from tenure.services.keys import Draft, Keys, Limits
from tenure.services.rules import Rules
from tenure.store import db
from tests.builders import the_catalog, the_rulebook
from tests.fakes import FakeClock
from tests.processes import Process

pytestmark = pytest.mark.slow

ACTOR = "operator"

OWNER = """
import sys
from tenure.domain.errors import Conflict
from tenure.services.keys import Keys, Limits, Wanted
from tenure.store import db
from tests.builders import the_catalog
from tests.fakes import FakeClock
url, own, shared, count, reopens = sys.argv[1:]
clock, limits = FakeClock(), Limits(keys_per_account=9, addresses_per_key=3)
print("ready", flush=True)
input()
store = db.open_store(url)
edited = 0
for number in range(int(count)):
    if reopens == "True":
        store.close()
        store = db.open_store(url)
    keys = Keys(store, clock, the_catalog(), None, limits, lambda seq: None)
    for key_id in (own, shared):
        wanted = Wanted(label=f"{own[-4:]} {number}")
        stamp = keys.preview(key_id, wanted).stamp
        try:
            keys.edit(key_id, wanted, stamp, "owner")
            edited += 1
        except Conflict as conflict:
            assert key_id == shared and conflict.code == "stale", conflict
store.close()
print(edited)
"""


@pytest.mark.parametrize(
    ("processes", "count"),
    [pytest.param(3, 20, id="few"), pytest.param(6, 100, id="many", marks=pytest.mark.soak)],
)
@pytest.mark.parametrize("reopens", [False, True])
def test_processes_that_edit_at_once_are_all_served(
    tmp_path: Path, processes: int, count: int, *, reopens: bool
) -> None:
    """
    Whether their connections stay open or not: the last to leave takes the log away with it.

    Each edits a key of its own and one that all share. What a process is told it did, was done.
    """
    url = f"sqlite:///{tmp_path / 'tenure.db'}"
    store = db.open_store(url)
    db.migrate(store)
    clock = FakeClock()
    Rules(store, clock).adopt(the_rulebook())
    account = Accounts(store, clock, _nobody_waits).create("a@b.c", AccountKind.NORMAL, None, ACTOR)
    limits = Limits(keys_per_account=9, addresses_per_key=3)
    keys = Keys(store, clock, the_catalog(), None, limits, _nobody_waits)
    key_ids = [_issue(keys, account.account_id) for _ in range(processes + 1)]
    begun = Journal(store).head()
    store.close()

    owners = [Process(OWNER, url, own, key_ids[-1], count, reopens) for own in key_ids[:-1]]
    assert [owner.hear() for owner in owners] == ["ready"] * processes
    for owner in owners:
        owner.tell()
    edited = [int(owner.hear() or -1) for owner in owners]

    assert [owner.end() for owner in owners] == [0] * processes
    versions = [keys.get(key_id).version - 1 for key_id in key_ids]
    assert versions[:-1] == [count] * processes
    assert sum(versions) == sum(edited) == Journal(store).head() - begun
    store.close()


def _issue(keys: Keys, account_id: str) -> str:
    draft = Draft(label="my bot", key_type=KeyType.ED25519, public_key=PUBLIC_KEY)
    return keys.issue(account_id, draft, ACTOR).plan.after.key_id


def _nobody_waits(_: int) -> None:
    """Stand in for the follower."""


PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
"""
