"""Auditing a store and its exports, and each way to tamper with either."""

import copy
import io
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tenure.domain import checkpoints as reading
from tenure.domain import lines
from tenure.domain.auditing import Flaw
from tenure.domain.checkpoints import Checkpoint
from tenure.domain.errors import Invalid, NotFound
from tenure.domain.lines import Record
from tenure.services import auditing, logkey
from tenure.services.checkpoints import EVERY_MS, Checkpoints
from tenure.services.comparing import Verdict
from tenure.store import audits, checkpoints, schema
from tests.builders import TRADING
from tests.fakes import FakeClock
from tests.services import parts as building
from tests.services.parts import Parts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FakeClock]:
    """Return the home of a store with two checkpoints, of 202 and of 602 events, and its clock."""
    home = tmp_path_factory.mktemp("lived")
    made = building.opened(home, url=f"sqlite:///{home / 'tenure.db'}")
    logkey.prepare(made.store, made.home, made.clock)
    log = Checkpoints(made.store, made.home, made.clock)
    made.follows = False  # Nobody decides anything here, and syncing a keyring takes its time.
    account = made.account()
    made.issue(TRADING, account=account)
    for number in range(598):
        frozen = number % 2 == 0
        made.accounts.set_frozen(account.account_id, frozen=frozen, actor="operator")
        if number == 197:
            log.step()
    made.clock.advance(EVERY_MS)
    log.step()
    made.close()
    return home, made.clock


@pytest.fixture
def parts(tmp_path: Path, lived: tuple[Path, FakeClock]) -> Iterator[Parts]:
    """Return a copy of it, to tamper with."""
    home, clock = lived
    shutil.copytree(home, tmp_path / "home")
    url = f"sqlite:///{tmp_path / 'home' / 'tenure.db'}"
    yield from building.until_closed(
        building.opened(tmp_path / "home", clock=copy.copy(clock), url=url)
    )


def exported(parts: Parts, after: int = 0) -> bytes:
    file = io.BytesIO()
    auditing.export(parts.store, file, after, lambda _: None)
    return file.getvalue()


def held(parts: Parts) -> list[Checkpoint]:
    """Return the checkpoints, as somebody else keeps them."""
    key = parts.store.read(logkey.public)
    assert key is not None
    every = parts.store.read(lambda tx: checkpoints.every(tx, 0, 10))
    return [reading.read(item.note.encode(), [key]) for item in every]


def checked(text: bytes, signed: Sequence[Checkpoint] = ()) -> Verdict:
    return auditing.verify_lines(io.BytesIO(text), signed)


def audit(parts: Parts, signed: Sequence[Checkpoint] = ()) -> Verdict:
    key = parts.store.read(logkey.public)
    return auditing.verify_store(parts.store, signed, key, lambda _: None)


def spoil(parts: Parts, at: int, /, **columns: object) -> None:
    statement = schema.events.update().where(schema.events.c.seq == at).values(columns)
    parts.store.write(lambda tx: tx.execute(statement))


def redo(parts: Parts, at: int) -> None:
    """Edit an event and work out every hash after it anew, as whoever writes the tables can."""
    found = parts.store.read(lambda tx: list(audits.records(tx, at - 1, 1_000)))
    before = found[0].previous_hash
    for record in found:
        members = {name: getattr(record, name) for name in Record.__dataclass_fields__}
        members["previous_hash"] = before
        if record.seq == at:
            members["actor"] = "nobody"
        before = lines.digest(lines.of(members))
        spoil(parts, record.seq, **{**members, "hash": before})
    parts.store.write(lambda tx: tx.execute(schema.journal_head.update().values(hash=before)))


def test_a_whole_store_and_its_export_are_clean(parts: Parts) -> None:
    verdict, text = audit(parts, held(parts)), exported(parts)
    assert verdict.is_clean
    assert (verdict.seq, verdict.vouched, verdict.rows) == (602, 602, 2)
    again = checked(text, held(parts))
    assert again.is_clean
    assert (again.seq, again.vouched, again.root) == (602, 602, verdict.root)
    assert text.count(b"\n") == 602


def test_a_tail_is_exported_alone(parts: Parts) -> None:
    assert exported(parts, 600) == b"".join(exported(parts).splitlines(keepends=True)[600:])
    assert exported(parts, 602) == b""
    assert exported(parts, 9_999) == b""


def test_an_event_that_cannot_be_read_is_not_exported(parts: Parts) -> None:
    spoil(parts, 400, body="{")
    with pytest.raises(Invalid, match="event 400"):
        exported(parts)
    gone = schema.events.delete().where(schema.events.c.seq > 400)
    parts.store.write(lambda tx: tx.execute(gone))
    with pytest.raises(NotFound, match="event 401 is missing"):
        exported(parts, 400)


def test_a_thousand_flipped_bytes_are_found_each_in_its_event(parts: Parts) -> None:
    text = b"".join(exported(parts).splitlines(keepends=True)[:60])
    chance = random.Random(11)  # noqa: S311 - the same places for everybody
    for _ in range(1_000):
        at = chance.randrange(len(text))
        flipped = bytearray(text)
        flipped[at] ^= 1 << chance.randrange(8)
        flaw = checked(bytes(flipped)).flaw
        assert flaw is not None, at
        assert flaw.seq == text.count(b"\n", 0, at) + 1


@pytest.mark.soak
def test_a_thousand_flipped_bytes_are_found_in_a_long_journal_too(parts: Parts) -> None:
    text = exported(parts)
    chance = random.Random(12)  # noqa: S311 - the same places for everybody
    for _ in range(1_000):
        at = chance.randrange(len(text))
        flipped = bytearray(text)
        flipped[at] ^= 1 << chance.randrange(8)
        flaw = checked(bytes(flipped), held(parts)).flaw
        assert flaw is not None, at
        assert flaw.seq == text.count(b"\n", 0, at) + 1


def test_a_dropped_tail_is_found_by_a_checkpoint(parts: Parts) -> None:
    text = b"".join(exported(parts).splitlines(keepends=True)[:500])
    assert checked(text).is_clean
    assert checked(text, held(parts)).flaw == Flaw(
        501, "is missing: the journal ends at 500, and 602 events were signed for"
    )
    assert checked(text[:-1]).flaw == Flaw(500, "is cut short")
    assert checked(b"").is_clean
    flaw = checked(b"", held(parts)).flaw
    assert flaw is not None
    assert flaw.seq == 1


def test_two_swapped_lines_are_found(parts: Parts) -> None:
    found = exported(parts).splitlines(keepends=True)
    found[100], found[300] = found[300], found[100]
    flaw = checked(b"".join(found)).flaw
    assert flaw == Flaw(101, "is missing: event 301 stands in its place")


@pytest.mark.parametrize("at", [1, 150, 202, 203, 602])
def test_a_chain_that_was_redone_is_found_by_a_checkpoint(parts: Parts, at: int) -> None:
    signed = held(parts)
    redo(parts, at)
    assert checked(exported(parts)).is_clean
    for verdict in (checked(exported(parts), signed), audit(parts, signed), audit(parts)):
        assert verdict.flaw is not None
        assert verdict.flaw.seq == (1 if at <= 202 else 203)
        assert verdict.flaw.what.endswith("the chain was redone after an edit")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"actor": "nobody"}, "was edited: its hash is not that of what it says"),
        ({"recorded_at_ms": 1}, "was edited: its hash is not that of what it says"),
        ({"hash": "0" * 64}, "was edited: its hash is not that of what it says"),
        ({"body": "{}"}, "was edited: its hash is not that of what it says"),
        ({"body": "{ }"}, "is spoiled: its body is not spelled as it was recorded"),
        ({"happened_at_ms": "soon"}, "is spoiled: happened_at_ms is no number"),
        ({"seq": 9_999}, "is missing: event 301 stands in its place"),
    ],
)
def test_an_event_that_was_edited_in_the_store_is_named(
    parts: Parts, columns: dict[str, object], told: str
) -> None:
    spoil(parts, 300, **columns)
    assert audit(parts).flaw == Flaw(300, told)


def test_the_journals_head_has_to_be_its_last_event(parts: Parts) -> None:
    head = schema.journal_head
    parts.store.write(lambda tx: tx.execute(head.update().values(hash="0" * 64)))
    flaw = audit(parts).flaw
    assert flaw == Flaw(602, "is not what the journal's head says is the last")
    parts.store.write(lambda tx: tx.execute(head.update().values(seq=603)))
    assert audit(parts).flaw == Flaw(603, "is missing: the journal's head is further on")


def test_a_tail_cut_off_in_the_store_is_found_by_its_own_checkpoints(parts: Parts) -> None:
    gone = schema.events.delete().where(schema.events.c.seq > 500)
    last = parts.store.read(lambda tx: list(audits.records(tx, 499, 1)))[0]
    parts.store.write(lambda tx: tx.execute(gone))
    head = schema.journal_head.update().values(seq=500, hash=last.hash)
    parts.store.write(lambda tx: tx.execute(head))
    flaw = audit(parts).flaw
    assert flaw is not None
    assert flaw.seq == 501


def test_a_row_that_was_written_by_hand_is_found(parts: Parts) -> None:
    statement = schema.keys.update().values(ip_allowlist='["198.51.100.9"]')
    parts.store.write(lambda tx: tx.execute(statement))
    verdict = audit(parts, held(parts))
    assert verdict.flaw is None
    assert [item.kind for item in verdict.differences] == ["key"]
    assert not verdict.is_clean


NODES, SIGNED = schema.tree_nodes, schema.checkpoints


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (lambda: NODES.update().where(NODES.c.level == 9).values(hash=b"\0" * 32), "tree"),
        (lambda: NODES.delete().where(NODES.c.level == 9), "tree"),
        (lambda: SIGNED.update().where(SIGNED.c.size == 602).values(note="none\n"), "checkpoint"),
        (lambda: SIGNED.update().where(SIGNED.c.size == 602).values(root=b"\0" * 32), "checkpoint"),
    ],
)
def test_a_tree_or_a_checkpoint_that_was_altered_is_found(
    parts: Parts, statement: Callable[[], object], kind: str
) -> None:
    parts.store.write(lambda tx: tx.execute(statement()))  # type: ignore[call-overload]  # a statement
    assert [item.kind for item in audit(parts).differences] == [kind]


def test_without_a_log_key_the_chain_and_the_rows_are_checked_all_the_same(tmp_path: Path) -> None:
    parts = building.opened(tmp_path)
    verdict = auditing.verify_store(parts.store, [], None, lambda _: None)
    assert verdict.is_clean
    assert (verdict.seq, verdict.vouched) == (2, 0)
    parts.close()
