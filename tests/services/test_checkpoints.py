"""Signing checkpoints: when, over what, and never over a journal that was altered."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tenure import metrics
from tenure.domain import checkpoints as reading
from tenure.domain import lines, merkle
from tenure.domain.errors import Conflict, NotFound, Unavailable
from tenure.domain.events import Change, Tag
from tenure.services import checkpoints as signing
from tenure.services import logkey
from tenure.services.checkpoints import EVERY_MS, PAGE, Checkpoints
from tenure.store import audits, checkpoints, holds, journal, schema
from tenure.store.holds import Hold
from tests.services import parts as building
from tests.services.parts import ACTOR, Parts


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return the services over a new store with its log key; nobody follows."""
    made = building.opened(tmp_path)
    logkey.prepare(made.store, made.home, made.clock)
    yield from building.until_closed(made)


@pytest.fixture
def log(parts: Parts) -> Checkpoints:
    """Return the log of that store."""
    return Checkpoints(parts.store, parts.home, parts.clock)


def note(parts: Parts, count: int = 1) -> None:
    """Record so many events that say little."""
    changes = [
        Change(
            tag=Tag.KEY_EDITED,
            actor=ACTOR,
            happened_at_ms=parts.clock.now,
            body={"n": number},
            key_id="key_1",
        )
        for number in range(count)
    ]
    parts.store.write(partial(journal.append_all, changes=changes, now_ms=parts.clock.now))


def spoil(parts: Parts, at: int, /, **columns: object) -> None:
    """Write into the row of an event."""
    statement = schema.events.update().where(schema.events.c.seq == at).values(columns)
    parts.store.write(lambda tx: tx.execute(statement))


def root(parts: Parts, size: int) -> bytes:
    """Work the root out anew, from all events."""
    frontier = merkle.Frontier()
    for record in parts.store.read(lambda tx: list(audits.records(tx, 0, size))):
        frontier.append(merkle.leaf_hash(record.line.encode()))
    return frontier.root()


def minute(parts: Parts) -> None:
    parts.clock.advance(EVERY_MS)


def test_before_the_first_checkpoint_there_is_none(log: Checkpoints) -> None:
    with pytest.raises(NotFound):
        log.latest()
    with pytest.raises(Conflict) as raised:
        log.proof(1)
    assert raised.value.code == "not_signed_yet"


def test_a_checkpoint_is_signed_of_all_there_is(parts: Parts, log: Checkpoints) -> None:
    note(parts, 5)
    assert not log.step()

    signed = reading.read(log.latest().note.encode(), [log.key()])
    assert signed == reading.Checkpoint(log.key().name, 7, root(parts, 7))


def test_a_checkpoint_is_signed_once_a_minute_and_only_where_the_journal_grew(
    parts: Parts, log: Checkpoints
) -> None:
    log.step()
    first = log.latest()
    minute(parts)
    log.step()
    assert log.latest() == first

    note(parts)
    log.step()
    assert log.latest().size == 3
    note(parts)
    parts.clock.advance(EVERY_MS - 1)
    log.step()
    assert log.latest().size == 3
    parts.clock.advance(1)
    log.step()
    assert log.latest().size == 4


@pytest.mark.parametrize("count", [253, 254, 255, 2 * 256, PAGE - 3, PAGE - 2, PAGE - 1, 3_000])
def test_the_tree_grows_page_by_page_and_stays_the_one_it_is(
    parts: Parts, log: Checkpoints, count: int
) -> None:
    log.step()
    note(parts, count)
    minute(parts)
    while log.step():
        pass
    size = count + 2
    assert (log.latest().size, log.latest().root) == (size, root(parts, size))

    note(parts, 300)
    minute(parts)
    while log.step():
        pass
    assert log.latest().root == root(parts, size + 300)
    assert parts.store.read(checkpoints.covered) == (size + 300) // 256 * 256


def test_blocks_are_kept_before_it_is_time_to_sign(parts: Parts, log: Checkpoints) -> None:
    log.step()
    note(parts, 600)
    log.step()
    assert parts.store.read(checkpoints.covered) == 512
    assert log.latest().size == 2


def test_every_event_is_proved_under_the_latest_checkpoint(parts: Parts, log: Checkpoints) -> None:
    note(parts, 700)
    log.step()
    records = parts.store.read(lambda tx: list(audits.records(tx, 0, 1_000)))
    for seq in (1, 2, 255, 256, 257, 512, 513, 701, 702):
        proved = reading.read_proof(log.proof(seq).encode(), [log.key()])
        assert (proved.seq, proved.checkpoint.size) == (seq, 702)
        assert lines.read(proved.entry) == records[seq - 1]

    with pytest.raises(NotFound):
        log.proof(703)
    with pytest.raises(NotFound):
        log.proof(0)
    note(parts)
    with pytest.raises(Conflict) as raised:
        log.proof(703)
    assert raised.value.code == "not_signed_yet"


@pytest.mark.parametrize("seq", [1, 3, 256, 300])
def test_an_event_that_was_altered_has_no_proof_any_more(
    parts: Parts, log: Checkpoints, seq: int
) -> None:
    note(parts, 300)
    log.step()
    spoil(parts, seq, actor="nobody")
    with pytest.raises(Unavailable, match="is not what was signed for"):
        log.proof(seq)
    spoil(parts, seq, body="{")
    with pytest.raises(Unavailable, match="is not what was signed for"):
        log.proof(seq)


def contradicted(log: Checkpoints) -> str:
    with pytest.raises(Unavailable, match="tenure audit verify --store") as raised:
        log.step()
    assert raised.value.code == "journal"
    return raised.value.message


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"actor": "nobody"}, "event 5 is not as it was recorded"),
        ({"previous_hash": "0" * 64}, "event 5 is not as it was recorded"),
        ({"body": "{"}, "is no JSON"),
        ({"seq": 50}, "event 5 is not as it was recorded"),
    ],
)
def test_nothing_is_signed_over_an_event_that_was_altered(
    parts: Parts, log: Checkpoints, columns: dict[str, object], told: str
) -> None:
    note(parts, 5)
    spoil(parts, 5, **columns)
    assert told in contradicted(log)
    with pytest.raises(NotFound):
        log.latest()


def test_nothing_is_signed_over_another_beginning_than_was_signed_before(
    parts: Parts, log: Checkpoints
) -> None:
    """The chain was redone from event 3 on, as whoever writes the tables can."""
    note(parts, 5)
    log.step()
    redone = parts.store.read(lambda tx: list(audits.records(tx, 0, 10)))
    before = redone[1].hash
    for record in redone[2:]:
        members = {name: getattr(record, name) for name in lines.Record.__dataclass_fields__}
        members |= {"actor": "nobody", "previous_hash": before}
        before = lines.digest(lines.of(members))
        spoil(
            parts, record.seq, actor="nobody", previous_hash=members["previous_hash"], hash=before
        )
    parts.store.write(lambda tx: tx.execute(schema.journal_head.update().values(hash=before)))
    note(parts)
    minute(parts)
    assert "the first 7 events are not those that were signed for" in contradicted(log)


def test_an_altered_event_behind_a_whole_block_still_breaks_the_chain(
    parts: Parts, log: Checkpoints
) -> None:
    note(parts, 254)
    log.step()
    assert parts.store.read(checkpoints.covered) == 256
    spoil(parts, 256, actor="nobody")
    note(parts)
    minute(parts)
    assert "event 257 is not as it was recorded" in contradicted(log)


def test_a_tree_that_was_altered_under_what_was_signed_is_told_though_it_ends_on_a_block(
    parts: Parts, log: Checkpoints
) -> None:
    note(parts, 256 - parts.store.read(journal.head)[0])
    assert not log.step()
    assert log.latest().size == 256
    altered = schema.tree_nodes.update().values(hash=b"\0" * 32)
    parts.store.write(lambda tx: tx.execute(altered))
    note(parts, 3)
    minute(parts)
    with pytest.raises(Unavailable, match="the first 256 events") as raised:
        log.step()
    assert raised.value.code == "journal"
    assert log.latest().size == 256


def test_a_journal_that_was_cut_off_is_told(parts: Parts, log: Checkpoints) -> None:
    note(parts, 5)
    log.step()
    gone = schema.events.delete().where(schema.events.c.seq > 4)
    parts.store.write(lambda tx: tx.execute(gone))
    minute(parts)
    note(parts)
    assert "event 5 is not as it was recorded" in contradicted(log)
    head = schema.journal_head.update().values(seq=4)
    parts.store.write(lambda tx: tx.execute(head))
    assert "it ends at 4, and 7 events were signed for" in contradicted(log)


def test_an_event_that_is_missing_at_the_end_is_told(parts: Parts, log: Checkpoints) -> None:
    note(parts, 5)
    gone = schema.events.delete().where(schema.events.c.seq == 7)
    parts.store.write(lambda tx: tx.execute(gone))
    assert "event 7 is missing" in contradicted(log)


def test_a_tree_that_lost_a_node_is_told(parts: Parts, log: Checkpoints) -> None:
    note(parts, 600)
    log.step()
    lost = schema.tree_nodes.delete().where(schema.tree_nodes.c.level == 9)
    parts.store.write(lambda tx: tx.execute(lost))
    note(parts)
    minute(parts)
    assert "the tree has no node 0 at level 9" in contradicted(log)


def test_without_the_log_key_nothing_is_signed(parts: Parts, log: Checkpoints) -> None:
    (parts.home / "log-key").unlink()
    with pytest.raises(Unavailable) as raised:
        log.step()
    assert raised.value.code == "log_key"


def test_a_store_that_is_held_signs_nothing(parts: Parts, log: Checkpoints) -> None:
    parts.store.write(lambda tx: holds.place(tx, Hold(restored_at_ms=1, seq=2)))
    assert not log.step()
    with pytest.raises(NotFound):
        log.latest()


def test_whoever_comes_second_leaves_it_at_that(
    parts: Parts, log: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines may sign for one store."""
    note(parts, 300)
    counted: list[str] = []
    other = Checkpoints(parts.store, parts.home, parts.clock)
    grow = signing._grow  # noqa: SLF001 - the moment between looking and writing

    def overtaken(found: object) -> object:
        monkeypatch.setattr(signing, "_grow", grow)
        other.step()
        return grow(found)  # type: ignore[arg-type]  # what it is

    monkeypatch.setattr(signing, "_grow", overtaken)
    monkeypatch.setattr(metrics, "count_checkpoint", counted.append)
    log.step()
    assert log.latest().size == 302
    assert counted == ["signed"]


def test_before_a_start_there_is_no_log_key(tmp_path: Path) -> None:
    bare = building.opened(tmp_path)
    with pytest.raises(NotFound):
        Checkpoints(bare.store, bare.home, bare.clock).key()
    bare.close()
