"""The journal is read again bit by bit, and what is not as it was recorded is named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.domain import lines
from tenure.services import logkey, rereading
from tenure.services.checkpoints import EVERY_MS, Checkpoints
from tenure.services.rereading import AGAIN_AFTER_MS, NEW_EVERY_MS, Reread, Rereading
from tenure.store import audits, checkpoints, holds, schema, seals
from tenure.store.db import Transaction
from tenure.store.holds import Hold
from tests.services import parts as building
from tests.services.parts import Parts
from tests.services.test_checkpoints import note, spoil


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return a store of 700 events, two adopted rules among them; nobody follows."""
    made = building.opened(tmp_path)
    logkey.prepare(made.store, made.home, made.clock)
    made.follows = False
    note(made, 698)
    yield from building.until_closed(made)


@pytest.fixture
def reading(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Rereading:
    """Return what reads it, three hundred events at a time."""
    monkeypatch.setattr(rereading, "PAGE", 300)
    return Rereading(parts.store, parts.clock)


def sign(parts: Parts) -> None:
    log = Checkpoints(parts.store, parts.home, parts.clock)
    while log.step():
        pass
    parts.clock.advance(EVERY_MS)


def read(reading: Rereading, steps: int = 3) -> Reread:
    for _ in range(steps):
        reading.step()
    state = reading.state()
    assert state is not None
    return state


def test_a_journal_is_read_page_by_page_to_its_end(parts: Parts, reading: Rereading) -> None:
    assert reading.state() is None
    begun = parts.clock.wall

    assert [read(reading, 1).seq, read(reading, 1).seq] == [300, 600]
    assert read(reading, 0).whole_at_ms == 0
    parts.clock.advance(5)
    state = read(reading, 1)

    assert (state.seq, state.whole_seq, state.is_flawed) == (700, 700, False)
    assert (state.begun_at_ms, state.read_at_ms, state.whole_at_ms) == (begun, begun + 5, begun + 5)


def test_an_empty_journal_is_not_read(tmp_path: Path) -> None:
    made = building.opened(tmp_path / "other")
    made.store.write(lambda tx: tx.execute(schema.events.delete()))
    made.store.write(lambda tx: tx.execute(schema.journal_head.update().values(seq=0)))
    reading = Rereading(made.store, made.clock)
    reading.step()
    assert reading.state() is None
    made.close()


def test_what_is_new_is_read_a_minute_later_and_the_rest_a_day_later(
    parts: Parts, reading: Rereading
) -> None:
    read(reading)
    note(parts, 5)

    assert read(reading, 5).seq == 700
    parts.clock.advance(NEW_EVERY_MS)
    assert read(reading, 1).whole_seq == 705
    begun = read(reading, 0).begun_at_ms
    parts.clock.advance(AGAIN_AFTER_MS - NEW_EVERY_MS - 1)
    assert read(reading, 1).begun_at_ms == begun
    parts.clock.advance(1)
    state = read(reading, 1)

    assert (state.seq, state.begun_at_ms, state.whole_seq) == (300, parts.clock.wall, 705)


def test_checkpoints_confirm_what_was_read(parts: Parts, reading: Rereading) -> None:
    sign(parts)
    note(parts, 5)

    state = read(reading)

    assert (state.seq, state.vouched, state.is_flawed) == (705, 700, False)


@pytest.mark.parametrize("seq", [1, 250, 301, 700])
def test_an_edited_event_is_named(parts: Parts, reading: Rereading, seq: int) -> None:
    spoil(parts, seq, actor="nobody")

    state = read(reading, 5)

    assert (state.flaw_seq, state.seq) == (seq, seq - 1)
    assert "was edited" in state.flaw
    assert (state.whole_seq, state.is_flawed) == (0, True)


def test_a_chain_that_was_redone_is_seen_by_a_checkpoint(parts: Parts, reading: Rereading) -> None:
    sign(parts)
    redo(parts, 400)

    state = read(reading)

    assert state.is_flawed
    assert "signed for" in state.flaw or "tree" in state.flaw


def redo(parts: Parts, seq: int) -> None:
    """Edit an event and make the chain after it anew, head and all."""

    def forge(tx: Transaction) -> None:
        records = list(audits.records(tx, seq - 1, 10_000))
        before = records[0].previous_hash
        for record in records:
            body = '{"forged":1}' if record.seq == seq else record.body
            forged = replace(record, body=body, previous_hash=before, hash="")
            before = lines.digest(forged)
            statement = schema.events.update().where(schema.events.c.seq == record.seq)
            values = {"body": body, "previous_hash": forged.previous_hash, "hash": before}
            tx.execute(statement.values(values))
        tx.execute(schema.journal_head.update().values(hash=before))

    parts.store.write(forge)


def test_a_tail_that_was_cut_off_is_seen(parts: Parts, reading: Rereading) -> None:
    cut = schema.events.delete().where(schema.events.c.seq > 650)
    parts.store.write(lambda tx: tx.execute(cut))

    assert read(reading, 4).flaw_seq == 651


def test_a_head_that_is_another_is_seen(parts: Parts, reading: Rereading) -> None:
    parts.store.write(lambda tx: tx.execute(schema.journal_head.update().values(hash="0" * 64)))

    assert (read(reading).flaw_seq, read(reading).whole_seq) == (700, 0)


def test_a_stored_checkpoint_that_is_no_longer_signed_is_told(
    parts: Parts, reading: Rereading
) -> None:
    sign(parts)
    note_of = schema.checkpoints.update().values(note="tenure\n700\nAAAA\n")
    parts.store.write(lambda tx: tx.execute(note_of))

    assert "checkpoint 700" in read(reading).flaw


def test_a_journal_that_was_mended_is_read_anew(parts: Parts, reading: Rereading) -> None:
    spoil(parts, 400, actor="nobody")
    assert read(reading).is_flawed
    spoil(parts, 400, actor=building.ACTOR)

    assert read(reading).is_flawed, "not looked at for a minute"
    parts.clock.advance(NEW_EVERY_MS)

    assert (read(reading).whole_seq, read(reading).is_flawed) == (700, False)


def test_a_store_that_went_back_is_read_anew(parts: Parts, reading: Rereading) -> None:
    read(reading)
    kept = parts.store.read(lambda tx: list(audits.records(tx, 499, 1)))[0]
    parts.store.write(
        lambda tx: tx.execute(schema.events.delete().where(schema.events.c.seq > 500))
    )
    head = schema.journal_head.update().values(seq=500, hash=kept.hash)
    parts.store.write(lambda tx: tx.execute(head))
    parts.clock.advance(NEW_EVERY_MS)

    assert (read(reading).whole_seq, read(reading).is_flawed) == (500, False)


def test_nothing_is_written_while_a_restored_store_is_held(
    parts: Parts, reading: Rereading
) -> None:
    parts.store.write(lambda tx: holds.place(tx, Hold(restored_at_ms=1, seq=700)))

    reading.step()

    assert reading.state() is None


def test_two_that_read_do_not_go_back_over_each_other(
    parts: Parts, reading: Rereading, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Rereading(parts.store, parts.clock)
    write = parts.store.write

    def overtaken(fn: Callable[[Transaction], object]) -> object:
        monkeypatch.setattr(parts.store, "write", write)
        read(other, 2)
        return write(fn)

    monkeypatch.setattr(parts.store, "write", overtaken)

    reading.step()

    assert read(reading, 0).seq == 600


@pytest.mark.parametrize("mark", ["{}", "no json", '{"reread":{},"head":"","hashes":[]}'])
def test_what_nobody_understands_in_its_place_begins_anew(
    parts: Parts, reading: Rereading, mark: str
) -> None:
    parts.store.write(lambda tx: seals.replace_mark(tx, "reread", mark))

    assert read(reading).whole_seq == 700


def test_the_stored_tree_is_compared_too(parts: Parts, reading: Rereading) -> None:
    sign(parts)
    assert parts.store.read(checkpoints.covered) == 512
    spoiled = schema.tree_nodes.update().where(schema.tree_nodes.c.position == 1)
    parts.store.write(lambda tx: tx.execute(spoiled.values(hash=b"\0" * 32)))

    assert "tree" in read(reading).flaw
