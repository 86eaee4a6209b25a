"""The store's marks and its wrapped data keys, on each database."""

from functools import partial

import pytest
from sqlalchemy import exc

from tenure.store import seals
from tenure.store.db import Store
from tenure.store.seals import WrappedDataKey


def test_a_mark_is_set_for_good(store: Store) -> None:
    assert store.read(lambda tx: seals.mark(tx, "sandbox")) is None

    store.write(lambda tx: seals.set_mark(tx, "sandbox", "yes"))
    with pytest.raises(exc.IntegrityError):
        store.write(lambda tx: seals.set_mark(tx, "sandbox", "no"))

    assert store.read(lambda tx: seals.mark(tx, "sandbox")) == "yes"


def test_data_keys_are_bytes_by_id_and_the_newest_is_found(store: Store) -> None:
    assert store.read(seals.newest_data_key) is None

    wrapped = {"dek_b": bytes(range(256)), "dek_a": b"\0\xff", "dek_A": b""}
    for created_at_ms, (data_key_id, each) in enumerate(wrapped.items()):
        add = partial(seals.add_data_key, data_key_id=data_key_id, wrapped=each)
        store.write(partial(add, now_ms=created_at_ms))

    assert store.read(seals.data_keys) == wrapped
    assert store.read(seals.newest_data_key) == WrappedDataKey("dek_A", b"", 2)
