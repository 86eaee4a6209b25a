"""Key files: whole or not there, for their owner alone, and never written over."""

import stat
from pathlib import Path

import pytest

from tenure.services import keyfiles
from tests.fakes import FakeClock


def test_a_key_is_made_once_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert keyfiles.read(path) is None
    raw = keyfiles.make(path, FakeClock())
    assert keyfiles.read(path) == raw
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    with pytest.raises(FileExistsError):
        keyfiles.make(path, FakeClock(seed=2))
    assert keyfiles.read(path) == raw
    assert [item.name for item in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("text", [b"", b"00" * 31, b"00" * 33, b"not hex", b"\xff" * 64])
def test_what_is_no_key_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(text)
    path.chmod(0o400)
    with pytest.raises(ValueError, match="64 hex digits"):
        keyfiles.read(path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keyfiles.make(path, FakeClock())
    path.chmod(0o440)
    with pytest.raises(ValueError, match="chmod 0400"):
        keyfiles.read(path)


def test_a_directory_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="64 hex digits"):
        keyfiles.read(tmp_path)
