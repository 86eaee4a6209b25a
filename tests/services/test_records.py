"""A key's record in the keyring: there and back, and never an error of an unexpected kind."""

import contextlib

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from tenure.domain.decide import LoadedKey
from tenure.domain.errors import Unavailable
from tenure.domain.model import KeyType, Quarantine
from tenure.services import records
from tenure.services.records import Record
from tenure.store import keys
from tenure.store.key_rows import Stored
from tests import signers
from tests.builders import TRADING, an_address, end_of
from tests.services.parts import Parts

ANOTHER = signers.public_key(KeyType.ED25519)
RECORD = Record(
    key_id="key_1",
    account_id="acct_1",
    master_id="acct_2",
    account_kind="sub",
    key_type="hmac",
    issued_at_ms=1,
    version=2,
    revoked_at_ms=None,
    public_key=None,
    sealed_secret=b"\1\5dek_1nonce",
    allowlist=("203.0.113.7",),
    grants={TRADING: (5, "a-rule"), "reading": (None, None)},
    label_digest=b"\0" * 16,
    quarantine=None,
    old_until_ms=0,
    old_public_key=None,
    old_sealed_secret=None,
)


def _secret(record: Record) -> bytes:
    assert record.key_type == "hmac", "only these have one"
    return signers.SECRET.encode()


def _load_stored(stored: Stored) -> LoadedKey:
    return records.load(records.pack(stored.key, b"sealed", stored.master_id), _secret)


def _load(record: object) -> LoadedKey:
    return records.load(msgspec.msgpack.encode(record), _secret)


@pytest.mark.parametrize("key_type", KeyType)
def test_a_stored_key_is_loaded_as_it_is(parts: Parts, key_type: KeyType) -> None:
    key = parts.issue(TRADING, key_type=key_type, ip_allowlist=("203.0.113.7",))
    other = parts.issue(TRADING, key_type=key_type)
    stored, another = parts.store.read(lambda tx: [*keys.load(tx, [key.key_id, other.key_id])])
    if stored.key_id != key.key_id:
        stored, another = another, stored

    loaded = _load_stored(stored)
    unrestricted = _load_stored(another)

    assert (loaded.key_id, loaded.account_id, loaded.master_id) == (
        key.key_id,
        key.account_id,
        None,
    )
    assert (loaded.key_type, loaded.version, loaded.revoked_at_ms) == (key_type, 1, None)
    assert loaded.admits(an_address("203.0.113.7"))
    assert not loaded.admits(an_address("203.0.113.8"))
    assert (loaded.is_restricted, unrestricted.is_restricted) == (True, False)
    assert loaded.grants[TRADING] == (None, None)
    assert unrestricted.grants[TRADING] == (end_of(TRADING, other), "2021-07-09")


def test_a_record_says_who_the_master_is_and_since_when_it_is_revoked() -> None:
    loaded = _load(msgspec.structs.replace(RECORD, revoked_at_ms=7))

    assert (loaded.master_id, loaded.revoked_at_ms) == ("acct_2", 7)
    assert loaded.grants == {TRADING: (5, "a-rule"), "reading": (None, None)}


def test_a_record_says_of_a_quarantine_since_when_and_why() -> None:
    loaded = _load(msgspec.structs.replace(RECORD, quarantine=(7, "a leak")))

    assert loaded.quarantine == Quarantine(since_ms=7, cause="a leak")
    assert _load(RECORD).quarantine is None


def test_both_secrets_of_an_overlap_are_unsealed_each_from_its_own() -> None:
    asked: list[bytes | None] = []

    def unseal(record: Record) -> bytes:
        asked.append(record.sealed_secret)
        return b"secret"

    overlapping = msgspec.structs.replace(RECORD, old_until_ms=9, old_sealed_secret=b"old")
    loaded = records.load(msgspec.msgpack.encode(overlapping), unseal)

    assert asked == [RECORD.sealed_secret, b"old"]
    assert (loaded.old_until_ms, loaded.old_verifier is None) == (9, False)
    assert _load(RECORD).old_verifier is None


def test_the_note_of_the_marks_is_read_as_it_was_written() -> None:
    assert records.unpack_standing(records.pack_standing(3, 1_640_000_000_000)) == (
        3,
        1_640_000_000_000,
    )


@pytest.mark.parametrize(
    "raw",
    [
        records.UNREADABLE,
        b"\xc1",
        msgspec.msgpack.encode({}),
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode(["key_1"]),
        msgspec.msgpack.encode("key_1"),
        msgspec.msgpack.encode(RECORD) + b"\0",
        msgspec.msgpack.encode(RECORD)[:-1],
    ],
)
def test_what_is_no_record_refuses_its_key(raw: bytes) -> None:
    with pytest.raises(Unavailable) as raised:
        records.load(raw, _secret)

    assert raised.value.code == "keyring"


@pytest.mark.parametrize(
    "change",
    [
        {"key_type": "post-quantum"},
        {"account_kind": "robot"},
        {"key_type": "rsa"},
        {"key_type": "ed25519", "public_key": "no key"},
        {"key_type": "rsa", "public_key": signers.public_key(KeyType.ED25519)},
        {"allowlist": ("everywhere/0",)},
        {"allowlist": ("203.0.113.7/24",)},
        {"grants": {TRADING: ("never", None)}},
        {"grants": {TRADING: 5}},
        {"grants": None},
        {"issued_at_ms": "yesterday"},
        {"version": None},
        {"revoked_at_ms": 1.5},
        {"label_digest": None},
        {"quarantine": (1,)},
        {"quarantine": ("since", "then")},
        {"old_until_ms": None},
        {"key_type": "ed25519", "public_key": ANOTHER, "old_until_ms": 5},
        {"key_type": "ed25519", "public_key": ANOTHER, "old_until_ms": 5, "old_public_key": "x"},
    ],
)
def test_a_record_nobody_understands_refuses_its_key(change: dict[str, object]) -> None:
    with pytest.raises(Unavailable) as raised:
        _load(msgspec.structs.replace(RECORD, **change))

    assert raised.value.code == "keyring"


@hypothesis.given(st.integers(min_value=0), st.binary(min_size=1, max_size=4))
def test_a_record_overwritten_anywhere_is_understood_or_refused(place: int, bytes_: bytes) -> None:
    """Never another error: what is not Unavailable would be nobody's fault and everybody's 500."""
    raw = msgspec.msgpack.encode(RECORD)
    place %= len(raw)

    with contextlib.suppress(Unavailable):
        loaded = records.load(raw[:place] + bytes_ + raw[place + len(bytes_) :], _secret)
        assert isinstance(loaded, LoadedKey)
