"""What else the row of a key says: its quarantine, and what it was proved with before."""

from dataclasses import replace
from functools import partial

from tenure.domain.model import ApiKey, KeyType, Overlap, Quarantine
from tenure.store import accounts, keys
from tenure.store.db import Store
from tenure.store.key_rows import Stored
from tests.builders import a_key, an_account

HELD = Quarantine(since_ms=7, cause="seen in a public repository")
OVERLAP = Overlap(until_ms=9, public_key="the old one")


def _stored(store: Store) -> Stored:
    (item,) = store.read(lambda tx: keys.every(tx, "", 9))
    return item


def _change(store: Store, before: ApiKey, **changes: object) -> ApiKey:
    after = replace(before, version=before.version + 1, **changes)  # type: ignore[arg-type]  # fields of a key
    store.write(lambda tx: keys.save(tx, before, after))
    return after


def test_quarantine_and_overlap_are_read_as_they_were_saved(store: Store) -> None:
    store.write(partial(accounts.add, account=an_account()))
    key = a_key(key_type=KeyType.ED25519)
    store.write(partial(keys.add, key=key, sealed_secret=None))
    assert _stored(store).key == key

    key = _change(store, key, quarantine=HELD, overlap=OVERLAP)
    assert _stored(store).key == key

    key = _change(store, key, quarantine=None, overlap=None)
    assert _stored(store).key == key
    assert (key.quarantine, key.overlap) == (None, None)


def test_a_replaced_secret_is_kept_for_its_overlap_and_no_longer(store: Store) -> None:
    store.write(partial(accounts.add, account=an_account()))
    key = a_key()
    store.write(partial(keys.add, key=key, sealed_secret=b"first"))

    key = _change(store, key, overlap=Overlap(until_ms=9))
    store.write(lambda tx: keys.set_secret(tx, key, b"second"))
    assert (_stored(store).sealed_secret, _stored(store).old_sealed_secret) == (b"second", b"first")

    key = _change(store, key, overlap=Overlap(until_ms=12))
    store.write(lambda tx: keys.set_secret(tx, key, b"third"))
    assert (_stored(store).sealed_secret, _stored(store).old_sealed_secret) == (b"third", b"second")

    _change(store, key, overlap=None)
    assert (_stored(store).sealed_secret, _stored(store).old_sealed_secret) == (b"third", None)


def test_the_latest_end_of_all_overlaps_is_known(store: Store) -> None:
    assert store.read(keys.overlaps_until_ms) == 0
    for number, until_ms in ((1, 7), (2, 9), (3, 8)):
        store.write(partial(accounts.add, account=an_account(number=number)))
        key = replace(a_key(number=number), overlap=Overlap(until_ms=until_ms))
        store.write(partial(keys.add, key=key, sealed_secret=b"sealed"))

    assert store.read(keys.overlaps_until_ms) == 9
