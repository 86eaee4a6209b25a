"""Restoring: held until the journal is where it was, and a revoked key never comes back (I19)."""

import io
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog.testing

from tenure import settings
from tenure.domain import checkpoints as reading
from tenure.domain import lines
from tenure.domain.checkpoints import Checkpoint
from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, Invalid, Unavailable
from tenure.domain.events import Change, Tag
from tenure.services import auditing, backups, logkey, records, redoing, restoring
from tenure.services.checkpoints import EVERY_MS, Checkpoints, leads_to
from tenure.services.pushing import Files, PushError
from tenure.services.restoring import Replayed
from tenure.store import checkpoints, db, holds, journal, schema, seals
from tests import postgresql
from tests.services import parts as building
from tests.services.disasters import Disaster, answer, catch_up, rows
from tests.services.parts import Parts

pytestmark = pytest.mark.slow


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[Disaster]:
    """Return a disaster."""
    disaster = Disaster(tmp_path)
    yield disaster
    disaster.parts.close()


@pytest.fixture
def restored(lost: Disaster) -> Iterator[Parts]:
    """Return the store that its backup gave, held."""
    yield from building.until_closed(lost.restored())


def is_held(parts: Parts) -> bool:
    held = parts.store.read(holds.held) is not None
    parts.follower.tick()
    with pytest.raises(Unavailable) as raised:
        parts.keyring.require_fresh()
    assert raised.value.code == "restored"
    return held


def test_a_key_revoked_after_the_backup_never_comes_back(lost: Disaster, restored: Parts) -> None:
    assert answer(lost.parts, lost.revoked) is Reason.KEY_REVOKED
    assert answer(restored, lost.revoked) == "restored"
    assert answer(restored, lost.kept) == "restored"

    catch_up(restored, lost.export, lost.pushed)

    assert answer(restored, lost.revoked) is Reason.KEY_REVOKED
    assert answer(restored, lost.kept) is None


def test_while_it_is_held_everything_is_refused_on_every_worker_and_over_restarts(
    lost: Disaster, restored: Parts
) -> None:
    assert is_held(restored)
    restored.restart()
    assert is_held(restored)
    for act in (
        restored.account,
        lambda: restored.keys.revoke(lost.kept.key_id, "operator"),
        restored.sweep.tick,
    ):
        with pytest.raises(Unavailable) as raised:
            act()
        assert raised.value.code == "restored"
    assert restored.store.read(journal.head)[0] == lost.backed_up


def test_replaying_what_came_after_gives_the_very_rows_that_were_lost(
    lost: Disaster, restored: Parts
) -> None:
    done = catch_up(restored, lost.export, lost.pushed)

    head = lost.parts.store.read(journal.head)[0]
    assert done == Replayed(
        seq=head,
        replayed=head - lost.backed_up,
        checkpoint=lost.pushed.size,
        without_secret=tuple(sorted([lost.rotated.key_id, lost.late.key_id])),
        without_factors=(),
        removed_webhooks=(),
    )
    for table in ("accounts", "keys", "grants", "rules", "contacts"):
        secret = {"sealed_secret"}
        assert rows(restored, table, but=secret) == rows(lost.parts, table, but=secret)
    verdict = auditing.verify_store(restored.store, [lost.pushed], None, lambda _: None)
    assert verdict.is_clean
    assert restored.tags()[-1] == "store:restored"
    assert restored.events()[-1].change.body == {
        "backup_seq": lost.backed_up,
        "replayed": head - lost.backed_up,
        "checkpoint": lost.pushed.size,
    }


def test_a_secret_that_the_backup_does_not_know_is_not_made_up(
    lost: Disaster, restored: Parts
) -> None:
    """The one before a rotation must not work again, the one after it is in no journal."""
    catch_up(restored, lost.export, lost.pushed)
    assert answer(restored, lost.rotated) == "sealed"
    assert answer(restored, lost.late) == "sealed"
    restored.secrets = dict(lost.parts.secrets)
    restored.rotate(restored.keys.get(lost.late.key_id))
    assert answer(restored, lost.late) != "sealed"


def test_only_the_tail_is_needed(lost: Disaster, restored: Parts) -> None:
    done = catch_up(restored, lost.exported(lost.backed_up), lost.pushed)
    assert done.seq == lost.parts.store.read(journal.head)[0]


def test_events_after_the_last_checkpoint_are_replayed_too(lost: Disaster, restored: Parts) -> None:
    lost.parts.keys.revoke(lost.kept.key_id, "operator")
    catch_up(restored, lost.exported(), lost.pushed)
    assert answer(restored, lost.kept) is Reason.KEY_REVOKED


def test_events_that_end_before_the_checkpoint_do_not_release(
    lost: Disaster, restored: Parts
) -> None:
    cut = b"".join(lost.export.splitlines(keepends=True)[:-1])
    for text in (cut, None):
        with pytest.raises(Conflict, match="is missing: the journal ends at") as raised:
            catch_up(restored, text, lost.pushed)
        assert raised.value.code == "not_reached"
        assert is_held(restored)
    assert restored.store.read(journal.head)[0] == lost.backed_up


def test_an_export_that_is_not_what_was_recorded_does_not_release(
    lost: Disaster, restored: Parts
) -> None:
    found = lost.export.splitlines(keepends=True)
    begun = lost.backed_up
    another = found[begun].replace(b'"operator"', b'"somebody"')
    for altered in (
        [*found[:begun], another, *found[begun + 1 :]],
        [*found[:begun], *found[begun + 1 :]],
        [*found[:begun], b"nothing\n", *found[begun:]],
        found[begun + 1 :],
    ):
        with pytest.raises(Invalid):
            catch_up(restored, b"".join(altered), lost.pushed)
        assert is_held(restored)


def test_another_history_than_was_signed_for_does_not_release(
    lost: Disaster, restored: Parts
) -> None:
    """Whoever writes an export of his own leaves the revocation out, and keeps the size."""
    with_hashes = lost.export.splitlines(keepends=True)[: lost.backed_up]
    last = lines.read(with_hashes[-1][:-1])
    forged = list(with_hashes)
    for seq in range(lost.backed_up + 1, lost.pushed.size + 1):
        members = {name: getattr(last, name) for name in lines.Record.__dataclass_fields__}
        members |= {"seq": seq, "previous_hash": last.hash, "tag": "store:restored", "body": "{}"}
        members |= {"account_id": None, "key_id": None}
        last = lines.of({**members, "hash": lines.digest(lines.of(members))})
        forged.append(last.line.encode() + b"\n")
    with pytest.raises(Invalid, match="is not what was signed for"):
        catch_up(restored, b"".join(forged), lost.pushed)
    assert is_held(restored)


def test_a_checkpoint_that_the_backup_reaches_by_itself_does_not_release(
    lost: Disaster, restored: Parts
) -> None:
    own = restored.store.read(checkpoints.latest)
    assert own is not None
    older = Checkpoint(lost.pushed.origin, own.size, own.root)
    for signed in ([], [older]):
        with pytest.raises(Invalid, match="name the last one that was pushed"):
            catch_up(restored, lost.export, *signed)
        assert is_held(restored)


def test_a_place_older_than_the_backup_itself_does_not_release(
    lost: Disaster, restored: Parts
) -> None:
    """Something is mounted over the real one, or nothing is."""
    own = restored.store.read(checkpoints.latest)
    assert own is not None
    restored.store.write(lambda tx: checkpoints.mark_pushed(tx, own.size, 1))
    older = Checkpoint(lost.pushed.origin, own.size - 1, b"\0" * 32)
    with pytest.raises(Invalid, match="was pushed before the backup"):
        catch_up(restored, None, pushed=older)
    assert is_held(restored)


def test_a_key_is_not_revived_by_an_export(lost: Disaster, restored: Parts) -> None:
    """The chain has no key: whoever writes the export may go on with it as he likes."""
    last = lines.read(lost.export.splitlines()[-1])
    revoked = next(
        line
        for line in map(lines.read, lost.export.splitlines())
        if line.tag == Tag.KEY_REVOKED and line.key_id == lost.revoked.key_id
    )
    state = {**revoked.content["key"], "revoked_at_ms": None}
    members = {name: getattr(last, name) for name in lines.Record.__dataclass_fields__}
    members |= {"seq": last.seq + 1, "previous_hash": last.hash, "tag": str(Tag.KEY_EDITED)}
    members |= {"account_id": revoked.account_id, "key_id": revoked.key_id}
    members["body"] = lines.canonical({"key": state, "consequences": []})
    forged = lines.of({**members, "hash": lines.digest(lines.of(members))})
    with pytest.raises(Invalid, match="changes a key that was revoked"):
        catch_up(restored, lost.export + forged.line.encode() + b"\n", lost.pushed)
    assert is_held(restored)


def test_while_it_is_held_workers_keys_are_left_as_they_are(lost: Disaster) -> None:
    """Else a revoked key would be back until they see that it is held."""
    lost.parts.follower.tick()
    lost.parts.stop()
    shutil.copytree(lost.parts.home, lost.directory / "old")
    restored = lost.restored("old")
    with restored.follower.environment[0].begin() as txn:
        raw = txn.get(lost.revoked.api_key.encode(), db=restored.follower.environment[1][b"keys"])
    assert raw is not None
    assert records.load(raw, lambda _: b"x").revoked_at_ms is not None
    restored.close()
    lost.parts.restart()


def test_where_nothing_came_after_the_backup_the_place_it_was_pushed_to_says_so(
    lost: Disaster, restored: Parts
) -> None:
    own = restored.store.read(checkpoints.latest)
    assert own is not None
    done = catch_up(restored, None, pushed=Checkpoint(lost.pushed.origin, own.size, own.root))
    assert (done.replayed, done.seq) == (0, lost.backed_up)


def test_an_event_that_nobody_here_can_replay_does_not_release(
    lost: Disaster, restored: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {tag: apply for tag, apply in redoing._APPLIED.items() if tag != Tag.KEY_REVOKED}  # noqa: SLF001 - a kind taken out
    monkeypatch.setattr(redoing, "_APPLIED", known)
    with pytest.raises(Conflict, match="is a key:revoked, which cannot be replayed") as raised:
        catch_up(restored, lost.export, lost.pushed)
    assert raised.value.code == "unknown_event"
    assert is_held(restored)


def test_every_kind_of_event_can_be_replayed() -> None:
    assert set(redoing._APPLIED) == set(Tag)  # noqa: SLF001 - the table is the point


def test_a_row_that_the_journal_does_not_explain_does_not_release(
    lost: Disaster, restored: Parts
) -> None:
    spoiled = schema.accounts.update().values(created_at_ms=7)
    restored.store.write(lambda tx: tx.execute(spoiled))
    with pytest.raises(Conflict, match="rows are not what the journal says") as raised:
        catch_up(restored, lost.export, lost.pushed)
    assert raised.value.code == "not_explained"


def test_an_operator_releases_it_on_record_and_the_log_goes_on_under_another_name(
    lost: Disaster, restored: Parts
) -> None:
    before = restored.store.read(logkey.public)
    renamed = restoring.accept(restored.store, restored.clock, " the export is lost too ")

    assert answer(restored, lost.revoked) is Reason.PERMISSION_EXPIRED, "it is back, as was said"
    event = restored.events()[-1]
    assert (event.change.tag, event.change.actor) == (Tag.STORE_RESTORED_ACCEPTED, "operator")
    assert renamed is not None
    assert before is not None
    assert event.change.body == {
        "reason": "the export is lost too",
        "backup_seq": lost.backed_up,
        "log_key": renamed.text,
    }
    assert renamed.name.startswith(f"{before.name}/{lost.backed_up + 1}-")
    restored.clock.advance(EVERY_MS)
    log = Checkpoints(restored.store, restored.home, restored.clock)
    log.step()
    signed = reading.read(log.latest().note.encode(), [renamed])
    assert signed.size == lost.backed_up + 1
    assert auditing.verify_store(restored.store, [signed], renamed, lambda _: None).is_clean


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501])
def test_a_reason_that_says_nothing_does_not_release(restored: Parts, reason: str) -> None:
    with pytest.raises(Invalid):
        restoring.accept(restored.store, restored.clock, reason)
    assert is_held(restored)


def test_a_store_that_is_not_held_has_nothing_to_be_released_from(lost: Disaster) -> None:
    with pytest.raises(Conflict) as raised:
        restoring.accept(lost.parts.store, lost.parts.clock, "a reason")
    assert raised.value.code == "not_held"
    with pytest.raises(Conflict) as raised:
        catch_up(lost.parts, lost.export, lost.pushed)
    assert raised.value.code == "not_held"


def test_a_store_that_was_accepted_can_be_backed_up_and_replayed_again(
    lost: Disaster, restored: Parts
) -> None:
    renamed = restoring.accept(restored.store, restored.clock, "a reason")
    assert renamed is not None
    tail = io.BytesIO()
    auditing.export(restored.store, tail, 0, lambda _: None)
    restored.clock.advance(EVERY_MS)
    log = Checkpoints(restored.store, restored.home, restored.clock)
    log.step()
    pushed = reading.read(log.latest().note.encode(), [renamed])

    again = lost.restored("again")
    catch_up(again, tail.getvalue(), pushed)
    assert again.store.read(logkey.public) == renamed
    again.close()


def test_a_store_that_is_not_empty_is_not_written_over(lost: Disaster, restored: Parts) -> None:
    before = rows(lost.parts, "keys", but=set())
    for parts in (lost.parts, restored):
        with pytest.raises(Conflict) as raised:
            restoring.restore(parts.store, lost.backup, parts.clock, lambda _: None)
        assert raised.value.code == "not_empty"
    assert rows(lost.parts, "keys", but=set()) == before


def test_a_backup_that_was_altered_leaves_nothing(lost: Disaster) -> None:
    text = lost.backup.read_bytes()
    lost.backup.write_bytes(text.replace(b'"operator"', b'"0perator"', 1))
    with pytest.raises(Invalid):
        lost.restored()
    blank = db.open_store(f"sqlite:///{lost.directory / 'restored' / 'tenure.db'}")
    lost.backup.write_bytes(text)
    restoring.restore(blank, lost.backup, lost.parts.clock, lambda _: None)
    blank.close()


def test_a_store_that_was_backed_up_while_held_is_held_as_it_was(
    lost: Disaster, restored: Parts
) -> None:
    hold = restored.store.read(holds.held)
    second = lost.directory / "second"
    backups.backup(restored.store, second, restored.clock, lambda _: None)
    lost.backup = second
    lost.parts.clock.advance(5_000)
    again = lost.restored("again")
    assert again.store.read(holds.held) == hold
    again.close()


def test_in_the_home_of_old_the_keyring_is_made_anew(lost: Disaster) -> None:
    """It is of the same store and further on: a history that is no more."""
    lost.parts.follower.tick()
    ahead = lost.parts.store.read(journal.head)[0]
    lost.parts.stop()
    shutil.copytree(lost.parts.home, lost.directory / "old")
    restored = lost.restored("old")
    assert restored.follower.tick() == lost.backed_up < ahead
    assert answer(restored, lost.kept) == "restored"
    restoring.accept(restored.store, restored.clock, "a reason")
    assert answer(restored, lost.kept) is Reason.PERMISSION_EXPIRED
    assert answer(restored, lost.late) is Reason.KEY_UNKNOWN
    restored.close()
    lost.parts.restart()


def test_a_copy_of_the_file_that_was_put_back_is_held_too(lost: Disaster, tmp_path: Path) -> None:
    """No `tenure restore` was there; what was pushed tells that the journal went back."""
    given = settings.load(home=lost.parts.home, checkpoint_file=tmp_path / "pushed.txt")
    store, clock = lost.parts.store, lost.parts.clock
    pushed = store.read(checkpoints.latest)
    assert pushed is not None
    Files(tmp_path / "pushed.txt").push(pushed)
    restoring.begin(store, given, clock)
    assert store.read(holds.held) is None

    gone = schema.events.delete().where(schema.events.c.seq > 6)
    store.write(lambda tx: tx.execute(gone))
    store.write(lambda tx: tx.execute(schema.journal_head.update().values(seq=6)))
    with structlog.testing.capture_logs() as said:
        restoring.begin(store, given, clock)
        restoring.begin(store, given, clock)
    hold = store.read(holds.held)
    assert hold is not None
    assert hold.seq == 6
    assert [entry["event"] for entry in said] == [
        "the journal has gone back: everything is refused"
    ]


def test_a_journal_that_went_back_and_grew_again_is_held(lost: Disaster, tmp_path: Path) -> None:
    """By then it is as long as what was pushed, and another history."""
    place = tmp_path / "pushed.txt"
    given = settings.load(home=lost.parts.home, checkpoint_file=place)
    store, clock = lost.parts.store, lost.parts.clock
    pushed = store.read(checkpoints.latest)
    assert pushed is not None
    Files(place).push(pushed)
    back = lost.restored()
    restoring.accept(back.store, clock, "as it was")
    key = store.read(logkey.public)
    assert key is not None
    back.store.write(lambda tx: seals.replace_mark(tx, logkey.MARK, key.text))
    while back.store.read(journal.head)[0] < pushed.size + 3:
        back.account()

    clock.advance(EVERY_MS)
    log = Checkpoints(back.store, back.home, clock)
    while log.step():
        pass
    with pytest.raises(PushError, match="another history"):
        Files(place, lambda held: back.store.read(partial(leads_to, held=held))).push(log.latest())
    assert place.read_text() == pushed.note
    restoring.begin(back.store, given, clock)
    assert back.store.read(holds.held) is not None
    back.close()


def test_between_databases_of_two_kinds(lost: Disaster) -> None:
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.start() as server:
        there = lost.restored("there", server.empty())
        catch_up(there, lost.export, lost.pushed)
        assert answer(there, lost.revoked) is Reason.KEY_REVOKED
        there.clock.advance(EVERY_MS)
        log = Checkpoints(there.store, there.home, there.clock)
        log.step()
        signed = [reading.read(log.latest().note.encode(), [log.key()])]
        assert reading.read_proof(log.proof(3).encode(), [log.key()]).seq == 3
        verdict = auditing.verify_store(there.store, signed, log.key(), lambda _: None)
        assert verdict.is_clean
        assert (verdict.vouched, verdict.rows) == (signed[0].size, 12)
        lost.backup = lost.directory / "from PostgreSQL"
        backups.backup(there.store, lost.backup, there.clock, lambda _: None)
        back = lost.restored("back")
        for table in ("accounts", "keys", "grants", "events", "checkpoints"):
            assert rows(back, table, but=set()) == rows(there, table, but=set())
        back.close()
        there.close()


def test_the_journal_goes_on_without_a_gap(lost: Disaster, restored: Parts) -> None:
    catch_up(restored, lost.export, lost.pushed)
    change = Change(tag=Tag.KEY_EDITED, actor="x", happened_at_ms=1, body={})
    event = restored.store.write(lambda tx: journal.append(tx, change, restored.clock.now))
    assert event.seq == lost.parts.store.read(journal.head)[0] + 2
