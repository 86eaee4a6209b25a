"""The hold: while it stands no change is recorded, whoever makes it."""

import pytest

from tenure.domain.errors import Unavailable
from tenure.domain.events import Change, Tag
from tenure.store import holds, journal, seals
from tenure.store.db import Store
from tenure.store.holds import Hold

HOLD = Hold(restored_at_ms=5, seq=7)
CHANGE = Change(tag=Tag.RULE_ADDED, actor="x", happened_at_ms=1, body={})


def test_a_store_is_not_held_until_somebody_holds_it(store: Store) -> None:
    assert store.read(holds.held) is None
    store.write(lambda tx: holds.place(tx, HOLD))
    assert store.read(holds.held) == HOLD
    store.write(holds.release)
    assert store.read(holds.held) is None


def test_while_it_is_held_nothing_is_recorded(store: Store) -> None:
    store.write(lambda tx: holds.place(tx, HOLD))
    with pytest.raises(Unavailable) as raised:
        store.write(lambda tx: journal.append(tx, CHANGE, 1))
    assert raised.value.code == "restored"
    assert store.read(journal.head)[0] == 0

    store.write(holds.release)
    store.write(lambda tx: journal.append(tx, CHANGE, 1))
    assert store.read(journal.head)[0] == 1


@pytest.mark.parametrize("mark", ["", "{", "[]", "{}", '{"seq": 1}', '{"odd": 1}'])
def test_a_mark_that_nobody_understands_holds_all_the_same(store: Store, mark: str) -> None:
    store.write(lambda tx: seals.set_mark(tx, holds.MARK, mark))
    assert store.read(holds.held) == Hold(restored_at_ms=0, seq=0)
