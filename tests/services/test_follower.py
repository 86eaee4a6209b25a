"""
Following the journal: what is in the store gets into the keyring, and nothing else stays in it.

A keyring that is damaged, or of another store, history or format, is made anew by itself.
"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from tenure.domain import apikeys
from tenure.domain.decide import Reason
from tenure.domain.errors import Unavailable
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.services import follower, keyring, records
from tenure.services.keyring import Evidence, Keyring
from tenure.services.keys import Wanted
from tenure.store import holds, keys, schema
from tenure.store.holds import Hold
from tests.builders import TRADING
from tests.fakes import FakeClock
from tests.processes import Process
from tests.services import parts as building
from tests.services.parts import ACTOR, Parts, a_sealing_key

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


def _making(parts: Parts) -> int:
    """Return which making of the keyring the evidence speaks of."""
    evidence = Evidence(parts.home).read()
    assert evidence is not None
    return evidence[4]


def _knows(parts: Parts, *known: ApiKey) -> bool:
    """Whether a worker finds all of *known*, each as it is in the store."""
    for key in known:
        found = parts.keyring.find(key.api_key)
        if found is None or found.version != parts.keys.get(key.key_id).version:
            return False
    return True


def test_what_happens_in_the_store_is_in_the_keyring_after_a_tick(parts: Parts) -> None:
    key = parts.issue(TRADING)
    seq = parts.follower.tick()

    assert seq == parts.journal.head()
    assert _knows(parts, key)


def test_a_tick_without_news_renews_the_evidence(parts: Parts) -> None:
    before = Evidence(parts.home).read()
    parts.clock.advance(1_000)
    parts.follower.tick()
    after = Evidence(parts.home).read()

    assert before is not None
    assert after is not None
    assert after[0] == parts.clock.elapsed == before[0] + 1_000_000_000
    assert after[1:] == (before[1], parts.clock.wall, *before[3:])


def test_a_restart_needs_no_reload(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = [parts.issue(TRADING) for _ in range(3)]
    making = _making(parts)
    monkeypatch.setattr(keys, "every", lambda *_: pytest.fail("the whole store was read again"))

    parts.restart()

    assert _making(parts) == making
    assert _knows(parts, *issued)


def test_what_happened_while_nobody_followed_is_caught_up_with(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pages, should it be much."""
    key = parts.issue(TRADING)
    parts.stop()
    monkeypatch.setattr(follower, "_PAGE", 3)
    parts.follows = False
    missed = [parts.issue(TRADING) for _ in range(5)]
    parts.keys.revoke(key.key_id, ACTOR)
    monkeypatch.setattr(keys, "every", lambda *_: pytest.fail("the whole store was read again"))

    parts.restart()

    assert _knows(parts, key, *missed)
    assert parts.ask(key) is Reason.KEY_REVOKED


def test_catching_up_with_what_is_not_in_the_journal_fails(parts: Parts) -> None:
    parts.follower.catch_up(parts.journal.head())

    with pytest.raises(Unavailable) as raised:
        parts.follower.catch_up(parts.journal.head() + 1)

    assert raised.value.code == "stale"


def test_while_the_store_is_away_the_evidence_grows_old(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Evidence(parts.home).read()
    parts.clock.advance(1)

    def fail(_: object) -> None:
        raise Unavailable("store")

    monkeypatch.setattr(parts.store, "read", fail)
    with pytest.raises(Unavailable) as raised:
        parts.follower.tick()

    assert raised.value.code == "store"
    assert Evidence(parts.home).read() == before


def _garbage(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))  # noqa: S311 - the same again


def _cut_to(size: Callable[[int], int]) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        with path.open("r+b") as file:
            file.truncate(size(path.stat().st_size))

    return cut


def _text(path: Path) -> None:
    path.write_text("no keyring at all")


def _inside(path: Path) -> None:
    # The first two pages tell where the tables are; the tables are gone.
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(bytes(path.stat().st_size - 8192))


def _away(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_garbage, id="garbage"),
        pytest.param(_text, id="a text"),
        pytest.param(_inside, id="its tables overwritten"),
        pytest.param(_away, id="removed"),
        pytest.param(_cut_to(lambda _: 0), id="emptied"),
        pytest.param(_cut_to(lambda _: 4096), id="cut to a page"),
        pytest.param(_cut_to(lambda size: size // 2), id="cut in half"),
        pytest.param(_cut_to(lambda size: size - 4096), id="cut by a page"),
    ],
)
def test_a_damaged_keyring_is_made_anew(parts: Parts, damage: Callable[[Path], None]) -> None:
    master = parts.account(AccountKind.MASTER)
    issued = [parts.issue(TRADING, key_type=key_type) for key_type in KeyType]
    frozen = parts.issue(account=parts.account(AccountKind.SUB, master.account_id))
    parts.accounts.set_frozen(master.account_id, frozen=True, actor=ACTOR)
    making = _making(parts)
    parts.stop()
    damage(parts.home / "keyring" / "data.mdb")

    parts.restart()

    assert _making(parts) != making
    assert _knows(parts, *issued, frozen)
    assert [parts.ask(key) for key in issued] == [None] * 3
    assert parts.ask(frozen, "reading") is Reason.ACCOUNT_FROZEN


def test_a_keyring_that_was_cut_short_ends_no_process(parts: Parts) -> None:
    """Reading a page that is not there is SIGBUS: for the follower, and for a worker too."""
    for _ in range(20):
        parts.issue(key_type=KeyType.ED25519)
    parts.stop()
    _cut_to(lambda size: size // 2)(parts.home / "keyring" / "data.mdb")

    for readonly in (True, False):
        code = f"""
import pathlib, sys
from tenure.services import keyring
try:
    env, databases = keyring.open_files(pathlib.Path(sys.argv[1]), readonly={readonly})
    with env.begin() as txn:
        print(sum(1 for database in databases.values() for _ in txn.cursor(db=database)))
except keyring.DAMAGED as error:
    print(error)
"""
        process = Process(code, parts.home)
        assert process.hear().endswith("was cut short")
        assert process.end() == 0


def test_damage_met_while_following_is_mended_too(parts: Parts) -> None:
    """Without a restart: the next tick makes the keyring anew, and workers turn to it."""
    key = parts.issue(TRADING)
    making = _making(parts)
    _inside(parts.home / "keyring" / "data.mdb")

    later = parts.issue(TRADING)

    assert _making(parts) != making
    assert _knows(parts, key, later)


def test_a_keyring_of_another_store_is_made_anew(parts: Parts, tmp_path: Path) -> None:
    """A home that was given another database: nobody's keys live on in it."""
    key = parts.issue(TRADING)
    making = _making(parts)
    parts.close()

    other = building.opened(tmp_path, clock=parts.clock)
    issued = other.issue(TRADING)

    assert other.keyring.find(key.api_key) is None
    assert _knows(other, issued)
    assert _making(other) != making
    other.close()


def test_a_keyring_of_another_store_with_the_same_history_is_made_anew(tmp_path: Path) -> None:
    """Two stores that have only adopted a rulebook; each is sealed with a key of its own."""
    building.opened(tmp_path).close()

    other = building.opened(tmp_path, clock=FakeClock(seed=2), sealing_key=a_sealing_key("x"))

    unknown = apikeys.compose(b"nobody was ever issued this one!")
    assert other.keyring.find(unknown) is None, "it is not sealed"
    other.close()


@pytest.fixture
def restored(shared: Parts) -> tuple[Parts, ApiKey]:
    """
    Return parts whose store has just been replaced by a backup of it, and a key that was in it.

    What happened since the backup, another key and an edit of the first, is undone.
    """
    key = shared.issue(TRADING)
    path = shared.home / "tenure.db"
    shared.store.close()
    backup = shared.home / "backup.db"
    shutil.copy(path, backup)
    lost = shared.issue(TRADING)
    shared.keys.edit(key.key_id, Wanted(label="lost"), None, ACTOR)
    assert _knows(shared, key, lost)
    shared.store.close()
    for leftover in shared.home.glob("tenure.db*"):
        leftover.unlink()
    shutil.copy(backup, path)
    return shared, key


def test_after_a_restore_only_what_the_store_holds_is_decided_on(
    restored: tuple[Parts, ApiKey],
) -> None:
    """The store is behind the keyring: what it does not know any more, nobody does."""
    parts, key = restored
    before = _making(parts)

    assert parts.follower.tick() == parts.journal.head()

    assert _making(parts) != before
    assert _knows(parts, key)
    assert len(parts.keys.of_account(key.account_id)) == 1


def test_after_a_restore_a_revoke_is_in_force_when_the_call_returns(
    restored: tuple[Parts, ApiKey],
) -> None:
    """Its seq is one the keyring has seen already, in another history."""
    parts, key = restored

    parts.keys.revoke(key.key_id, ACTOR)

    assert parts.ask(key) is Reason.KEY_REVOKED


def test_a_history_that_forked_is_followed_from_its_beginning(
    restored: tuple[Parts, ApiKey],
) -> None:
    """Also where it has come to the very seq the keyring was at, with nothing a worker noticed."""
    parts, key = restored
    evidence = Evidence(parts.home).read()
    assert evidence is not None
    held = parts.keyring.find(key.api_key)
    parts.follows = False
    while parts.journal.head() < evidence[3]:
        parts.keys.edit(key.key_id, Wanted(label=f"at {parts.journal.head()}"), None, ACTOR)
    assert parts.journal.head() == evidence[3]
    assert parts.keyring.find(key.api_key) is held

    parts.follower.tick()

    assert _making(parts) != evidence[4]
    assert _knows(parts, key)
    assert parts.keyring.find(key.api_key) is not held


def test_a_keyring_of_another_format_is_made_anew(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = parts.issue(TRADING)
    making = _making(parts)

    monkeypatch.setattr(records, "FORMAT", b"another")
    parts.restart()

    assert _making(parts) != making
    assert _knows(parts, key)


def test_a_keyring_at_no_seq_is_made_anew(parts: Parts) -> None:
    key = parts.issue(TRADING)
    environment, databases = parts.follower.environment
    for name, value in [(b"seq", b"-1"), (b"seq", b"x"), (b"making", b""), (b"hash", b"\xff")]:
        with environment.begin(write=True) as txn:
            txn.put(name, value, db=databases[b"about"])
        parts.follower.tick()
        assert _knows(parts, key)


def test_events_of_a_kind_that_only_a_newer_tenure_knows_are_followed(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a rolling upgrade the older node goes on, and refuses no more than it must (F25)."""
    key, other = parts.issue(TRADING), parts.issue(TRADING)
    monkeypatch.setattr(keys, "every", lambda *_: pytest.fail("the whole store was read again"))
    parts.follows = False
    parts.keys.revoke(key.key_id, ACTOR)
    newer = update(schema.events).where(schema.events.c.seq == parts.journal.head())
    parts.store.write(lambda tx: tx.execute(newer.values(tag="key:retired", body="null")))

    parts.follower.tick()

    assert parts.ask(key) is Reason.KEY_REVOKED
    assert parts.ask(other) is None


@pytest.mark.parametrize(
    "columns",
    [
        {"key_type": "post-quantum"},
        {"ip_allowlist": "everywhere"},
        {"ip_allowlist": "7"},
        {"ip_allowlist": '["everywhere/0"]'},
        {"issued_at_ms": "yesterday"},
        {"version": "first"},
        {"sealed_secret": b""},
        {"sealed_secret": b"\1\xff"},
        {"sealed_secret": None},
        {"sealed_secret": b"\2no version of ours"},
    ],
)
def test_a_row_nobody_understands_refuses_that_key_alone(
    parts: Parts, columns: dict[str, object]
) -> None:
    """When it is followed, and when the keyring is made anew from a store that holds it."""
    bad, good = parts.issue(TRADING), parts.issue(TRADING)
    parts.spoil(bad.key_id, **columns)

    for _ in range(2):
        with pytest.raises(Unavailable) as raised:
            parts.ask(bad)
        assert raised.value.code in {"keyring", "sealed"}
        assert parts.ask(good) is None
        later = parts.issue(TRADING)
        assert parts.ask(later) is None
        shutil.rmtree(parts.home / "keyring")
        parts.restart()


def test_an_account_nobody_understands_refuses_its_keys_alone(parts: Parts) -> None:
    bad, good = parts.issue(TRADING), parts.issue(TRADING)
    parts.accounts.set_frozen(bad.account_id, frozen=True, actor=ACTOR)
    spoilt = update(schema.accounts).where(schema.accounts.c.account_id == bad.account_id)
    parts.store.write(lambda tx: tx.execute(spoilt.values(kind="robot")))
    parts.note(bad.key_id)

    with pytest.raises(Unavailable) as raised:
        parts.ask(bad)
    assert raised.value.code == "keyring"
    assert parts.ask(good) is None


def test_a_journal_with_a_hole_in_it_is_not_followed_blindly(parts: Parts) -> None:
    """The rows are what counts: the keyring is made anew from them."""
    key = parts.issue(TRADING)
    making = _making(parts)
    parts.follows = False
    for number in range(3):
        parts.keys.edit(key.key_id, Wanted(label=f"number {number}"), None, ACTOR)
    hole = delete(schema.events).where(schema.events.c.seq == parts.journal.head() - 1)
    parts.store.write(lambda tx: tx.execute(hole))

    assert parts.follower.tick() == parts.journal.head()

    assert _making(parts) != making
    assert _knows(parts, key)


def test_a_full_disk_makes_the_keyring_stale_and_drops_nothing(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = parts.issue(TRADING)
    making = _making(parts)
    monkeypatch.setattr(keyring, "_BYTES_MAX", 128 * 1024)
    parts.restart()
    with pytest.raises(Unavailable) as raised:
        _fill(parts)

    assert raised.value.code == "stale"
    assert parts.ask(key) is None, "until the evidence is too old"
    monkeypatch.undo()
    parts.restart()
    assert _making(parts) == making
    assert _knows(parts, key)


def _fill(parts: Parts) -> None:
    while True:
        parts.issue(key_type=KeyType.RSA)


def test_sealing_keys_of_later_months_reach_the_workers(parts: Parts) -> None:
    worker = Keyring(parts.home, parts.clock, a_sealing_key(), beside=parts.follower)
    assert worker.find(parts.issue(TRADING).api_key) is not None
    parts.clock.advance(31 * 86_400_000)
    parts.follower.tick()

    assert worker.find(parts.issue(TRADING).api_key) is not None


def _is_held(parts: Parts) -> bool:
    parts.follower.tick()
    return parts.follower.is_held


def test_evidence_says_whether_the_store_is_held_and_workers_see_it_at_once(parts: Parts) -> None:
    key = parts.issue(TRADING)
    assert parts.ask(key) is None
    for _ in range(2):
        parts.store.write(lambda tx: holds.place(tx, Hold(restored_at_ms=1, seq=1)))
        assert _is_held(parts)
        for _ in range(3):
            with pytest.raises(Unavailable) as raised:
                parts.ask(key)
            assert raised.value.code == "restored"
        assert not parts.decider.is_ready()

        parts.store.write(holds.release)
        assert not _is_held(parts)
        assert parts.ask(key) is None
