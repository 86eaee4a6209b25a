"""Backups: whole, checked once written, without a key that opens anything, and hard to fool."""

import hashlib
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.domain.errors import Conflict, Invalid, Unavailable
from tenure.domain.lines import canonical
from tenure.services import backups, logkey
from tenure.services.backups import Manifest
from tenure.services.checkpoints import Checkpoints
from tenure.store import journal, schema
from tests.builders import TRADING
from tests.services import parts as building
from tests.services.parts import Parts, a_sealing_key

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return a store with a key and a checkpoint in it."""
    made = building.opened(tmp_path / "home")
    logkey.prepare(made.store, made.home, made.clock)
    made.issue(TRADING)
    Checkpoints(made.store, made.home, made.clock).step()
    yield from building.until_closed(made)


def save(parts: Parts, path: Path) -> Manifest:
    return backups.backup(parts.store, path, parts.clock, lambda _: None)


def test_a_backup_says_what_it_is_of_and_is_its_owners_alone(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    manifest = save(parts, path)
    seq, head, _ = parts.store.read(journal.head)
    assert (manifest.seq, manifest.hash) == (seq, head)
    assert [item.size for item in manifest.signed()] == [seq]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert backups.check(path, lambda _: None) == manifest
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def test_a_store_without_a_checkpoint_is_saved_too(tmp_path: Path) -> None:
    parts = building.opened(tmp_path / "home")
    assert save(parts, tmp_path / "backup").signed() == []
    parts.close()


def test_neither_keys_nor_secrets_are_in_a_backup(parts: Parts, tmp_path: Path) -> None:
    save(parts, tmp_path / "backup")
    text = (tmp_path / "backup").read_bytes()
    (secret,) = parts.secrets.values()
    sealing_key = b"s" * 32
    assert a_sealing_key("s").check.encode() in text, "the check value tells keys apart, no more"
    for hidden in (
        *(secret.encode(), sealing_key, sealing_key.hex().encode()),
        (parts.home / "log-key").read_bytes().strip(),
    ):
        assert hidden not in text


def test_nothing_is_written_over(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_text("precious")
    with pytest.raises(Conflict) as raised:
        save(parts, path)
    assert raised.value.code == "exists"
    assert path.read_text() == "precious"


def test_a_backup_that_is_not_what_was_read_is_not_left_behind(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "check", lambda *_: None)
    with pytest.raises(Unavailable, match="is not what was read"):
        save(parts, tmp_path / "backup")
    assert [item.name for item in tmp_path.iterdir()] == ["home"]


def refused(path: Path, text: bytes) -> str:
    path.write_bytes(text)
    with pytest.raises(Invalid) as raised:
        backups.check(path, lambda _: None)
    assert raised.value.field == "backup"
    return raised.value.message


def test_no_byte_of_a_backup_can_be_another(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    save(parts, path)
    text = path.read_bytes()
    for at in range(0, len(text), 7):
        refused(path, text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])


def test_a_backup_that_was_cut_short_is_refused(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    save(parts, path)
    whole = path.read_bytes().splitlines(keepends=True)
    for count in range(len(whole)):
        refused(path, b"".join(whole[:count]))
    refused(path, b"".join(whole)[:-2])
    assert "does not end" in refused(path, b"".join(whole) + b"\n")


@pytest.mark.parametrize(
    "text", [b"", b"{}\n", b"[]\n", b"7\n", b"\xff\n", b'{"tenure_backup": {}}\n', b"[" * 100_000]
)
def test_what_is_no_backup_is_refused(tmp_path: Path, text: bytes) -> None:
    refused(tmp_path / "backup", text)


def rewritten(path: Path, old: bytes, new: bytes) -> bytes:
    """Return the backup with *old* replaced and its digest redone, as somebody with time would."""
    backup = json.loads(path.read_bytes().splitlines()[-1])
    body = b"".join(path.read_bytes().replace(old, new).splitlines(keepends=True)[:-1])
    backup["sha256"] = hashlib.sha256(body).hexdigest()
    return body + canonical(backup).encode() + b"\n"


def test_a_backup_whose_digest_was_redone_is_found_by_its_journal(
    parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    save(parts, path)
    assert rewritten(path, b"no such text", b"") == path.read_bytes()
    said = refused(path, rewritten(path, b"operator", b"somebody"))
    assert said == "event 3 was edited: its hash is not that of what it says"


def test_a_backup_of_a_newer_format_is_refused(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    save(parts, path)
    assert "a newer Tenure" in refused(path, rewritten(path, b'"format":1', b'"format":2'))


def test_the_journal_of_a_backup_has_to_end_where_the_manifest_says(
    parts: Parts, tmp_path: Path
) -> None:
    statement = schema.journal_head.update().values(seq=9)
    parts.store.write(lambda tx: tx.execute(statement))
    with pytest.raises(Invalid, match="its journal ends at 4, not at 9"):
        save(parts, tmp_path / "backup")
    spoiled = schema.events.update().where(schema.events.c.seq == 2).values(body="{")
    parts.store.write(lambda tx: tx.execute(spoiled))
    with pytest.raises(Invalid, match="event 2 is no JSON"):
        save(parts, tmp_path / "backup")
    last = schema.events.delete().where(schema.events.c.seq >= 2)
    parts.store.write(lambda tx: tx.execute(last))
    with pytest.raises(Invalid, match="event 2 is missing: the journal ends at 1, and 4"):
        save(parts, tmp_path / "backup")
