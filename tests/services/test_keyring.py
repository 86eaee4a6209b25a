"""
What a worker decides from: fresh or nothing, and one bad record is one key's misfortune.

How the keyring is followed and made anew is tried in `test_follower`.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tenure.domain import apikeys
from tenure.domain.errors import Unavailable
from tenure.domain.model import KeyType
from tenure.services.follower import Follower
from tenure.services.keyring import STALENESS_MS, Keyring
from tenure.services.sealing import SealingKey
from tests.builders import TRADING
from tests.fakes import FakeClock
from tests.processes import running
from tests.services.parts import ACTOR, Parts, a_sealing_key

UNKNOWN = apikeys.compose(b"nobody was ever issued this one!")


def _assert_stale(parts: Parts) -> None:
    with pytest.raises(Unavailable) as raised:
        parts.keyring.require_fresh()
    assert raised.value.code == "stale"
    with pytest.raises(Unavailable) as raised:
        parts.keyring.find(UNKNOWN)
    assert raised.value.code == "stale"


def test_a_key_is_found_ready_to_decide_on(parts: Parts) -> None:
    key = parts.issue(TRADING, key_type=KeyType.ED25519, ip_allowlist=("203.0.113.0/24",))

    found = parts.keyring.find(key.api_key)

    assert found is not None
    assert (found.key_id, found.account_id) == (key.key_id, key.account_id)
    assert (found.key_type, found.issued_at_ms) == (KeyType.ED25519, parts.clock.now)
    assert found.is_restricted
    assert set(found.grants) == {"reading", TRADING}
    assert found.version == 1


def test_a_key_nobody_was_issued_is_not_found(parts: Parts) -> None:
    for api_key in (UNKNOWN, "", "x", "\N{SNOWMAN}", "a" * 10_000, "\0" * 64):
        assert parts.keyring.find(api_key) is None


def test_a_key_found_twice_is_loaded_once_until_it_changes(parts: Parts) -> None:
    key = parts.issue(TRADING)
    first = parts.keyring.find(key.api_key)
    assert parts.keyring.find(key.api_key) is first

    parts.issue()  # Another key's event.
    assert parts.keyring.find(key.api_key) is first

    parts.rotate(key)
    again = parts.keyring.find(key.api_key)
    assert again is not first
    assert again is not None
    assert again.version == 2


def test_a_worker_keeps_only_so_many_keys_ready(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are in the keyring still: its memory does not grow with the keys there are."""
    monkeypatch.setattr("tenure.services.keyring._LOADED_MAX", 2)
    issued = [parts.issue(key_type=KeyType.ED25519) for _ in range(3)]
    found = [parts.keyring.find(key.api_key) for key in issued]

    assert parts.keyring.find(issued[2].api_key) is found[2]
    assert parts.keyring.find(issued[0].api_key) is not found[0]
    assert parts.keyring.find(issued[0].api_key) == found[0]


def test_the_seq_it_is_at_is_the_journals(parts: Parts) -> None:
    parts.issue()

    assert parts.keyring.require_fresh() == parts.journal.head()


def test_evidence_is_good_for_exactly_the_bound(parts: Parts) -> None:
    """From B + 1 on everything is refused, the same from known and unknown keys (BI-26, P6)."""
    key = parts.issue(TRADING)
    parts.clock.advance(STALENESS_MS)
    assert parts.ask(key) is None

    parts.clock.advance(1)
    _assert_stale(parts)
    with pytest.raises(Unavailable):
        parts.ask(key)

    parts.follower.tick()
    assert parts.ask(key) is None


def test_the_bound_is_a_setting(parts: Parts) -> None:
    patient = Keyring(
        parts.home, parts.clock, a_sealing_key(), staleness_ms=60_000, beside=parts.follower
    )
    parts.clock.advance(60_000)
    patient.require_fresh()

    parts.clock.advance(1)
    with pytest.raises(Unavailable):
        patient.require_fresh()


def test_evidence_is_stamped_when_the_poll_is_sent(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that took its time says what was true when it was asked for (P5)."""
    read = parts.store.read

    def read_slowly(fn: Callable[..., object]) -> object:
        answer = read(fn)
        parts.clock.advance(4_000)
        return answer

    monkeypatch.setattr(parts.store, "read", read_slowly)
    parts.follower.tick()
    parts.clock.advance(STALENESS_MS - 4_000)
    parts.keyring.require_fresh()

    parts.clock.advance(1)
    _assert_stale(parts)


def test_evidence_of_another_boot_is_none(parts: Parts) -> None:
    parts.clock.boot_id += 1
    _assert_stale(parts)

    parts.follower.tick()
    parts.keyring.require_fresh()


@pytest.mark.parametrize("jump_ms", [1_001, -1_001])
def test_wall_and_elapsed_time_that_part_by_over_a_second_mean_stale(
    parts: Parts, jump_ms: int
) -> None:
    """A machine that was paused, or set, does not know how old its evidence is (SECURITY D4)."""
    parts.clock.wall += jump_ms
    _assert_stale(parts)

    parts.follower.tick()
    parts.keyring.require_fresh()


@pytest.mark.parametrize("jump_ms", [1_000, -1_000])
def test_wall_and_elapsed_time_may_part_by_a_second(parts: Parts, jump_ms: int) -> None:
    parts.clock.wall += jump_ms

    parts.keyring.require_fresh()


def test_evidence_from_the_future_is_none(parts: Parts) -> None:
    parts.clock.elapsed -= 1

    _assert_stale(parts)


def test_damaged_evidence_is_none(parts: Parts) -> None:
    path = parts.home / "keyring-evidence"
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.write(bytes([whole[0] ^ 1]))
    _assert_stale(parts)

    parts.follower.tick()
    parts.keyring.require_fresh()


def test_without_evidence_nothing_is_decided(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path, FakeClock(), None)

    with pytest.raises(Unavailable) as raised:
        keyring.find(UNKNOWN)

    assert raised.value.code == "stale"


def test_a_keyring_that_is_away_is_stale_and_comes_back(parts: Parts) -> None:
    """A worker that starts while the files are being made waits for them, and does not guess."""
    key = parts.issue(TRADING, key_type=KeyType.RSA)
    away = parts.home / "away"
    parts.stop()
    (parts.home / "keyring").rename(away)
    worker = Keyring(parts.home, parts.clock, a_sealing_key())
    with pytest.raises(Unavailable) as raised:
        worker.find(key.api_key)
    assert raised.value.code == "stale"

    away.rename(parts.home / "keyring")
    found = worker.find(key.api_key)
    assert found is not None
    assert found.key_id == key.key_id
    worker.close()


def test_a_keyring_just_begun_anew_is_not_taken_for_an_empty_one(parts: Parts) -> None:
    """Else every key would be unknown until it is filled."""
    key = parts.issue(TRADING, key_type=KeyType.RSA)
    parts.stop()
    (parts.home / "keyring").rename(parts.home / "filled")
    Follower(parts.store, parts.home, parts.clock).close()

    worker = Keyring(parts.home, parts.clock, a_sealing_key())
    with pytest.raises(Unavailable) as raised:
        worker.find(key.api_key)
    assert raised.value.code == "stale"

    shutil.rmtree(parts.home / "keyring")
    (parts.home / "filled").rename(parts.home / "keyring")
    assert worker.find(key.api_key) is not None
    worker.close()


@pytest.mark.parametrize("sealing_key", [None, a_sealing_key("x")])
def test_without_the_right_sealing_key_hmac_and_unknown_keys_get_one_answer(
    parts: Parts, sealing_key: SealingKey | None
) -> None:
    """So that nobody learns which keys exist; public keys go on working (SECURITY section 7)."""
    hmac, rsa = parts.issue(TRADING), parts.issue(TRADING, key_type=KeyType.RSA)
    sealed = Keyring(parts.home, parts.clock, sealing_key, beside=parts.follower)

    answers = []
    for api_key in (hmac.api_key, UNKNOWN):
        with pytest.raises(Unavailable) as raised:
            sealed.find(api_key)
        answers.append((raised.value.code, raised.value.message))

    assert answers[0] == answers[1]
    assert answers[0][0] == "sealed"
    assert sealed.find("mistyped") is None, "that no such key can exist is no secret"
    found = sealed.find(rsa.api_key)
    assert found is not None
    assert found.key_id == rsa.key_id


def test_a_record_nobody_understands_refuses_that_key_alone(parts: Parts) -> None:
    """Here a type of key that only a newer Tenure knows (SECURITY D20, T38)."""
    bad, good = parts.issue(TRADING), parts.issue(TRADING)
    parts.spoil(bad.key_id, key_type="post-quantum")

    with pytest.raises(Unavailable) as raised:
        parts.ask(bad)
    assert raised.value.code == "keyring"
    assert parts.ask(good) is None


def test_a_revoke_reaches_a_worker_in_another_process(parts: Parts) -> None:
    """Read-only, opened on its own, while the follower goes on writing."""
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    with running(WORKER, parts.home, key.api_key, *_now(parts)) as worker:
        assert worker.hear() == "version 1, alive"
        parts.keys.revoke(key.key_id, ACTOR)
        worker.tell()
        assert worker.hear() == "version 2, revoked"
        for _ in range(20):
            parts.issue(key_type=KeyType.ED25519)
            worker.tell()
            assert worker.hear() == "version 2, revoked"


def test_a_worker_that_was_killed_leaves_nothing_behind(parts: Parts) -> None:
    """Its place among the readers is taken for ever, were it not for the follower."""
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    with running(WORKER, parts.home, key.api_key, *_now(parts)) as worker:
        assert worker.hear() == "version 1, alive"
        assert len(_readers(parts)) == 2
    parts.follower.tick()

    assert _readers(parts) == {os.getpid()}


def test_a_worker_turns_to_a_keyring_made_anew(parts: Parts) -> None:
    """Without a restart, and without ever taking the new one's beginnings for the whole."""
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    with running(WORKER, parts.home, key.api_key, *_now(parts)) as worker:
        assert worker.hear() == "version 1, alive"
        parts.stop()
        shutil.rmtree(parts.home / "keyring")
        worker.tell()
        assert worker.hear() == "version 1, alive", "until the evidence is too old"
        parts.restart()
        parts.keys.revoke(key.key_id, ACTOR)
        worker.tell()
        assert worker.hear() == "version 2, revoked"


WORKER = """
import pathlib, sys
from tenure.services.keyring import Keyring
class Still:
    def __init__(self, wall, elapsed, boot):
        self.wall_ms, self.elapsed_ns, self.boot = (lambda: wall), (lambda: elapsed), (lambda: boot)
home, api_key, *now = sys.argv[1:]
keyring = Keyring(pathlib.Path(home), Still(*map(int, now)), None)
while True:
    key = keyring.find(api_key)
    state = "alive" if key.revoked_at_ms is None else "revoked"
    print(f"version {key.version}, {state}", flush=True)
    input()
"""


def _readers(parts: Parts) -> set[int]:
    """Return the processes that have a place among the readers."""
    listed = parts.follower.environment[0].readers().splitlines()
    return {int(line.split()[0]) for line in listed if line.split()[0].isdigit()}


def _now(parts: Parts) -> tuple[int, int, int]:
    return parts.clock.wall_ms(), parts.clock.elapsed_ns(), parts.clock.boot()
