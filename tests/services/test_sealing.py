"""
Sealing: a secret opens for its own key of its own account, under the right sealing key, or not.

The last tests look for secrets everywhere they must not be.
"""

import base64
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tenure.domain import events
from tenure.domain.errors import Unavailable
from tenure.domain.model import KeyType
from tenure.services import sealing
from tenure.services.keys import Wanted
from tenure.services.sealing import DATA_KEY_GOOD_FOR_MS, DataKey, SealingKey
from tenure.store import keys, seals
from tenure.store.db import Transaction
from tests.builders import MONTH_MS, TRADING
from tests.fakes import FakeClock
from tests.services import parts as building
from tests.services.parts import ACTOR, Parts, a_sealing_key

SECRET = b"the secret of somebody's bot"
NONCES = iter(number.to_bytes(12, "big") for number in range(1, 1_000))


def _wrapped(sealing_key: SealingKey, *data_key_ids: str) -> dict[str, bytes]:
    return {
        data_key_id: sealing_key.wrap(data_key_id, data_key_id.encode().ljust(32), next(NONCES))
        for data_key_id in data_key_ids
    }


def _seal(
    sealing_key: SealingKey,
    wrapped: dict[str, bytes],
    *,
    key_id: str = "key_1",
    account_id: str = "acct_1",
    data_key_id: str = "dek_1",
) -> bytes:
    data_key = DataKey(data_key_id, wrapped[data_key_id], next(NONCES))
    return sealing_key.seal(SECRET, key_id=key_id, account_id=account_id, data_key=data_key)


def _assert_sealed(
    sealing_key: SealingKey,
    sealed: bytes,
    wrapped: dict[str, bytes],
    *,
    key_id: str = "key_1",
    account_id: str = "acct_1",
) -> None:
    # By a fresh process, and by one that has unwrapped the data keys before.
    for each in (sealing_key, a_sealing_key()):
        with pytest.raises(Unavailable) as raised:
            each.open(sealed, key_id=key_id, account_id=account_id, wrapped=wrapped)
        assert raised.value.code == "sealed"


def test_a_sealed_secret_opens_for_its_key_and_account() -> None:
    wrapped = _wrapped(a_sealing_key(), "dek_1")
    sealed = _seal(a_sealing_key(), wrapped)

    opened = a_sealing_key().open(sealed, key_id="key_1", account_id="acct_1", wrapped=wrapped)

    assert opened == SECRET
    assert SECRET not in sealed


def test_a_secret_pasted_into_another_row_does_not_open() -> None:
    """Else whoever writes to the tables could give one owner's secret to another (P21)."""
    sealing_key = a_sealing_key()
    wrapped = _wrapped(sealing_key, "dek_1")
    sealed = _seal(sealing_key, wrapped)

    _assert_sealed(sealing_key, sealed, wrapped, key_id="key_2")
    _assert_sealed(sealing_key, sealed, wrapped, account_id="acct_2")
    _assert_sealed(sealing_key, sealed, wrapped, key_id="key_1|acct_1", account_id="")


def test_data_keys_that_were_swapped_open_nothing() -> None:
    sealing_key = a_sealing_key()
    wrapped = _wrapped(sealing_key, "dek_1", "dek_2")
    sealed = _seal(sealing_key, wrapped)
    swapped = {"dek_1": wrapped["dek_2"], "dek_2": wrapped["dek_1"]}

    _assert_sealed(sealing_key, sealed, swapped)
    _assert_sealed(sealing_key, sealed.replace(b"dek_1", b"dek_2"), swapped)
    _assert_sealed(sealing_key, sealed.replace(b"dek_1", b"dek_2"), wrapped)


def test_under_another_sealing_key_nothing_opens() -> None:
    wrapped = _wrapped(a_sealing_key(), "dek_1")
    sealed = _seal(a_sealing_key(), wrapped)

    with pytest.raises(Unavailable) as raised:
        a_sealing_key("x").open(sealed, key_id="key_1", account_id="acct_1", wrapped=wrapped)

    assert raised.value.code == "sealed"


def test_a_secret_altered_or_cut_anywhere_does_not_open() -> None:
    sealing_key = a_sealing_key()
    wrapped = _wrapped(sealing_key, "dek_1")
    sealed = _seal(sealing_key, wrapped)

    for place in range(len(sealed)):
        flipped = bytes([*sealed[:place], sealed[place] ^ 1, *sealed[place + 1 :]])
        _assert_sealed(sealing_key, flipped, wrapped)
        _assert_sealed(sealing_key, sealed[:place], wrapped)
    _assert_sealed(sealing_key, sealed + b"\0", wrapped)


def test_a_data_key_that_is_gone_or_altered_opens_nothing() -> None:
    sealing_key = a_sealing_key()
    wrapped = _wrapped(sealing_key, "dek_1")
    sealed = _seal(sealing_key, wrapped)

    _assert_sealed(sealing_key, sealed, {})
    _assert_sealed(sealing_key, sealed, {"dek_1": b""})
    _assert_sealed(sealing_key, sealed, {"dek_1": wrapped["dek_1"][:-1] + b"\0"})


def test_sealing_twice_gives_two_texts(parts: Parts) -> None:
    """The nonce is fresh each time, as GCM needs it to be."""
    assert parts.sealing_key is not None
    first, second = (parts.store.write(partial(_new_data_key, parts)) for _ in range(2))

    assert first.data_key_id == second.data_key_id
    assert first.nonce != second.nonce


def test_a_new_month_brings_a_new_data_key_and_the_old_one_goes_on_opening(parts: Parts) -> None:
    old = parts.issue(TRADING)
    parts.clock.advance(DATA_KEY_GOOD_FOR_MS - 1)
    last = parts.issue(TRADING)
    assert len(parts.store.read(seals.data_keys)) == 1

    parts.clock.advance(1)
    new = parts.issue(TRADING)
    assert len(parts.store.read(seals.data_keys)) == 2

    assert [parts.ask(key, "reading") for key in (old, last, new)] == [None, None, None]


def test_the_check_value_tells_sealing_keys_apart_and_nothing_else() -> None:
    assert a_sealing_key().check == a_sealing_key().check != a_sealing_key("x").check
    assert b"s" * 32 not in bytes.fromhex(a_sealing_key().check)


def test_a_sealing_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "sealing-key"
    assert sealing.read_key(path) is None

    made = sealing.make_key(path, FakeClock())

    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert [each.name for each in tmp_path.iterdir()] == ["sealing-key"]
    read = sealing.read_key(path)
    assert read is not None
    assert read.check == made.check


def test_a_sealing_key_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "sealing-key"
    made = sealing.make_key(path, FakeClock(seed=1))

    with pytest.raises(FileExistsError):
        sealing.make_key(path, FakeClock(seed=2))

    read = sealing.read_key(path)
    assert read is not None
    assert read.check == made.check
    assert [each.name for each in tmp_path.iterdir()] == ["sealing-key"]


def test_a_sealing_key_is_on_the_disk_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and its name: a secret sealed under a key that a power cut takes away is lost."""
    synced: list[str] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    sealing.make_key(tmp_path / "sealing-key", FakeClock())

    assert synced == ["file", "directory"]


@pytest.mark.parametrize(
    "text", ["", "x" * 64, "ab" * 31, "ab" * 33, "\N{LATIN SMALL LETTER A WITH ACUTE}" * 64]
)
def test_a_file_without_a_sealing_key_in_it_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sealing-key"
    path.write_text(text, "utf-8")
    path.chmod(0o400)

    with pytest.raises(Unavailable, match="holds no sealing key: 64 hex digits") as raised:
        sealing.read_key(path)

    assert raised.value.code == "sealed"


def test_a_directory_is_no_sealing_key(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="holds no sealing key"):
        sealing.read_key(tmp_path)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o420, 0o644, 0o410])
def test_a_sealing_key_that_others_may_read_is_refused_with_the_remedy(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "sealing-key"
    sealing.make_key(path, FakeClock())
    path.chmod(mode)

    with pytest.raises(Unavailable, match=f"chmod 0400 {path}") as raised:
        sealing.read_key(path)

    assert raised.value.code == "sealed"
    path.chmod(0o600)
    assert sealing.read_key(path) is not None


def test_a_secret_pasted_into_another_keys_row_refuses_that_key(parts: Parts) -> None:
    """P21 where it would hurt: the thief knows the first key's secret, and uses the second key."""
    thiefs, victims = parts.issue(TRADING), parts.issue(TRADING)

    def paste(tx: Transaction) -> None:
        (stored,) = keys.load(tx, [thiefs.key_id])
        keys.set_secret(tx, victims, stored.sealed_secret)

    parts.store.write(paste)
    parts.keys.edit(victims.key_id, Wanted(label="noticed by the follower"), None, ACTOR)

    with pytest.raises(Unavailable) as raised:
        parts.ask(victims, secret=parts.secrets[thiefs.key_id])
    assert raised.value.code == "sealed"
    assert parts.ask(thiefs) is None


def test_a_secret_is_nowhere_but_in_the_answer_to_issue_and_rotate(tmp_path: Path) -> None:
    """Nor is the sealing key, nor a data key: not in a file, not in an event (SECURITY T2, I13)."""
    parts = building.opened(tmp_path, url=f"sqlite:///{tmp_path / 'tenure.db'}")
    issued = [parts.issue(TRADING) for _ in range(3)]
    shown = []
    for key in issued:
        shown.append(parts.secrets[key.key_id])
        parts.rotate(key)
        shown.append(parts.secrets[key.key_id])
        assert parts.ask(key) is None  # So that a worker has opened it, too.
    parts.clock.advance(MONTH_MS)
    parts.sweep.tick()
    parts.issue(TRADING)
    parts.follower.tick()

    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in files} >= {"tenure.db", "tenure.db-wal", "data.mdb"}
    assert any(issued[0].api_key.encode() in content for content in files.values()), (
        "looked in vain"
    )
    journal = "".join(events.canonical(event.change.body) for event in parts.events()).encode()
    canaries = [secret.encode() for secret in shown] + [b"s" * 32, *_data_keys(parts)]
    for spelling in (spelling for canary in canaries for spelling in _spellings(canary)):
        assert spelling not in journal
        for path, content in files.items():
            assert spelling not in content, path.name
    parts.close()


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_a_public_key_has_nothing_to_seal(parts: Parts, key_type: KeyType) -> None:
    key = parts.issue(key_type=key_type)

    (stored,) = parts.store.read(lambda tx: list(keys.load(tx, [key.key_id])))
    assert stored.sealed_secret is None
    assert parts.store.read(seals.data_keys) == {}


def _new_data_key(parts: Parts, tx: Transaction) -> DataKey:
    assert parts.sealing_key is not None
    return sealing.data_key(tx, parts.sealing_key, parts.clock, parts.clock.now)


def _data_keys(parts: Parts) -> Iterator[bytes]:
    """Yield the data keys, unwrapped the long way round."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - here only

    for data_key_id, wrapped in parts.store.read(seals.data_keys).items():
        associated = f"v1|data-key|{data_key_id}".encode()
        yield AESGCM(b"s" * 32).decrypt(wrapped[:12], wrapped[12:], associated)


def _spellings(canary: bytes) -> Iterator[bytes]:
    yield canary
    yield canary.hex().encode()
    yield canary.hex().upper().encode()
    for start in range(3):
        # However the base64 of a longer text is aligned, this part of it would be in there.
        whole = base64.b64encode(b"\0" * start + canary)
        yield whole[4 if start else 0 : -4]
