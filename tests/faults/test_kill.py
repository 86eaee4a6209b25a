"""F1: `kill -9` of the whole server at random moments, under edits: nothing answered is lost."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy

from tenure.domain.events import Event, Tag
from tenure.services.journal import Journal
from tenure.store import db
from tests.faults.killing import Owner, Server, Told, View, client_of, expect_decided, get, post
from tests.simulation import audit

OWNERS = 3
KILLED_AFTER_MS = (20, 900)
PAGE = 1_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_few_kills_lose_nothing_that_was_answered(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, rounds=3, seed=1)


@pytest.mark.soak
def test_a_hundred_kills_lose_nothing_that_was_answered(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, rounds=100, seed=2)


def kill_again_and_again(home: Path, *, rounds: int, seed: int) -> None:
    """Let owners act, kill, look into the store, start again on the same home, and ask."""
    dice = random.Random(seed)  # noqa: S311 - to be repeatable, as far as the machine lets it be
    with Server(home, _free_port()) as server:
        owners = [open_account(server, number, dice) for number in range(OWNERS)]
        for number in range(rounds):
            known = answered(owners)
            acting = [
                threading.Thread(target=owner.act_until_killed, args=(server.url,))
                for owner in owners
            ]
            for thread in acting:
                thread.start()
            # Every other time enough was answered before: a busy machine may take longer for it.
            while number % 2 == 0 and answered(owners) < known + OWNERS:
                assert any(thread.is_alive() for thread in acting)
                time.sleep(0.01)
            time.sleep(dice.randint(*KILLED_AFTER_MS) / 1000)
            server.kill()
            for thread in acting:
                thread.join()
            assert [owner.failure for owner in owners] == [None] * OWNERS

            expect_the_store_holds(home, owners)
            server.start()
            expect_the_server_says(server, owners)
    assert answered(owners) > rounds


def answered(owners: Sequence[Owner]) -> int:
    return sum(len(owner.acknowledged) for owner in owners)


def open_account(server: Server, number: int, dice: random.Random) -> Owner:
    with client_of(server.url) as client:
        wanted = {"email": f"owner{number}@example.com", "kind": "normal"}
        account = post(client, "/v1/accounts", wanted)
    return Owner(account["account_id"], random.Random(dice.random()))  # noqa: S311 - as above


def expect_the_store_holds(home: Path, owners: Sequence[Owner]) -> None:
    """Find the files sound, one event a change in an unbroken chain, and the rows it leads to."""
    store = db.open_store(f"sqlite:///{home / 'tenure.db'}")
    try:
        with store.engine.connect() as connection:
            for check in ("integrity_check", "foreign_key_check"):
                found = connection.execute(sqlalchemy.text(f"PRAGMA {check}")).scalars().all()
                assert found in ([], ["ok"])
        journal = _whole_journal(Journal(store))
        audit.verify_chain(journal)
        audit.verify_replay(store)
    finally:
        store.close()

    of_keys = [event.change for event in journal if event.change.key_id is not None]
    recorded = {(change.key_id, _version(change.body)): change for change in of_keys}
    newest = Counter(change.key_id for change in of_keys)
    # Versions count from 1 without a gap, each recorded once: exactly one event a change.
    assert recorded.keys() == {(key, n + 1) for key, count in newest.items() for n in range(count)}
    assert len(recorded) == len(of_keys)
    for view in (view for owner in owners for view in owner.acknowledged):
        body = recorded[view["key_id"], view["version"]].body["key"]
        assert isinstance(body, dict)
        for name in ("label", "ip_allowlist", "revoked_at_ms", "edited_at_ms", "api_key"):
            assert body[name] == view[name]
        assert body["grants"].keys() == view["permissions"].keys()


def expect_the_server_says(server: Server, owners: Sequence[Owner]) -> None:
    """Ask the server that was started again for every key, and have requests decided by it."""
    with client_of(server.url) as client:
        for owner in owners:
            there: dict[str, View] = {
                # Use is noted beside everything else, and a kill may lose it.
                view["key_id"]: {name: view[name] for name in view if name != "last_used"}
                for view in get(client, f"/v1/accounts/{owner.account_id}/keys")["keys"]
            }
            unheard_of = there.keys() - owner.keys.keys()
            assert len(unheard_of) <= owner.issuing
            assert owner.keys.keys() <= there.keys()
            for key_id, told in owner.keys.items():
                told.learn(there[key_id])
                expect_decided(client, told)
            owner.keys |= {key_id: Told(there[key_id], None) for key_id in unheard_of}
            owner.issuing = False


def _whole_journal(journal: Journal) -> list[Event]:
    events: list[Event] = []
    while page := journal.after(len(events), PAGE):
        events += page
    assert all(event.change.tag is not Tag.GRANT_SWEPT for event in events)
    return events


def _version(body: object) -> int:
    assert isinstance(body, dict)
    version = body["key"]["version"]
    assert isinstance(version, int)
    return version


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
