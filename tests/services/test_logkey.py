"""The log key: made once, bound to its store, and under another name where history parts."""

import stat
from functools import partial

import pytest

from tenure.domain.checkpoints import Checkpoint, LogKey, read
from tenure.domain.errors import Unavailable
from tenure.services import keyfiles, logkey
from tenure.store import seals
from tests.services.parts import Parts


def public(parts: Parts) -> LogKey:
    key = parts.store.read(logkey.public)
    assert key is not None
    return key


def signer(parts: Parts) -> logkey.Signer:
    return parts.store.read(partial(logkey.signer, home=parts.home))


def test_the_first_start_makes_a_key_that_only_its_owner_may_read(parts: Parts) -> None:
    assert parts.store.read(logkey.public) is None
    logkey.prepare(parts.store, parts.home, parts.clock)

    path = parts.home / "log-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert public(parts).name.startswith("tenure/")
    checkpoint = Checkpoint(public(parts).name, 3, b"r" * 32)
    assert read(signer(parts).sign(checkpoint).encode(), [public(parts)]) == checkpoint


def test_starting_again_changes_nothing(parts: Parts) -> None:
    logkey.prepare(parts.store, parts.home, parts.clock)
    before = public(parts), (parts.home / "log-key").read_text()
    logkey.prepare(parts.store, parts.home, parts.clock)
    assert (public(parts), (parts.home / "log-key").read_text()) == before


def test_a_key_that_a_start_left_before_it_was_cut_off_is_taken(parts: Parts) -> None:
    raw = keyfiles.make(logkey.path_in(parts.home), parts.clock)
    logkey.prepare(parts.store, parts.home, parts.clock)
    assert public(parts) == logkey.Signer(raw, public(parts).name).key


def test_nothing_is_signed_without_the_key_of_this_store(parts: Parts) -> None:
    path = parts.home / "log-key"
    with pytest.raises(Unavailable, match="is not there"):
        signer(parts)
    logkey.prepare(parts.store, parts.home, parts.clock)

    path.unlink()
    with pytest.raises(Unavailable, match="is not there"):
        signer(parts)
    logkey.prepare(parts.store, parts.home, parts.clock)
    assert not path.exists(), "another key would sign under the name of the first"

    keyfiles.make(path, parts.clock)
    with pytest.raises(Unavailable, match="is not the log key of this store"):
        signer(parts)
    path.chmod(0o644)
    with pytest.raises(Unavailable, match="others may read it"):
        signer(parts)


def test_where_no_key_can_be_made_the_start_says_so(parts: Parts) -> None:
    with pytest.raises(Unavailable, match="no log key can be made") as raised:
        logkey.prepare(parts.store, parts.home / "nowhere", parts.clock)
    assert raised.value.code == "log_key"


def test_a_history_that_parts_has_another_name_and_the_same_key(parts: Parts) -> None:
    assert parts.store.write(lambda tx: logkey.rename(tx, 7, parts.clock)) is None
    logkey.prepare(parts.store, parts.home, parts.clock)
    before = public(parts)

    renamed = parts.store.write(lambda tx: logkey.rename(tx, 7, parts.clock))

    assert renamed == public(parts)
    assert renamed is not None
    assert renamed.name.startswith(f"{before.name}/8-")
    assert renamed.public_key == before.public_key
    assert signer(parts).key == renamed
    assert parts.store.read(lambda tx: seals.mark(tx, logkey.MARK)) == renamed.text
    again = parts.store.write(lambda tx: logkey.rename(tx, 7, parts.clock))
    assert again is not None
    assert again.name.removeprefix(renamed.name).startswith("/8-"), "never the same twice"
