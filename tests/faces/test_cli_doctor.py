"""`tenure doctor`: what is well, what is not, what cannot be seen, and how to mend it."""

import contextlib
import ctypes
import json
import os
import shutil
import socket
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tenure import settings, wiring
from tenure.clock import SystemClock
from tenure.domain.errors import Unavailable
from tenure.faces.commands import checkup, machine
from tenure.faces.commands.checks import Check, Outcome
from tenure.services import pushing
from tenure.services.keyring import Evidence
from tenure.settings import Settings
from tenure.store import condition, db
from tests.faces.terminal import Said, tenure

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN
NAMES = (
    *("python", "sqlite", "clock", "disk", "home", "operator token", "sealing key"),
    *("store", "log", "keyring", "catalog", "rulebook"),
)


@pytest.fixture(autouse=True)
def _synchronised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernel say that the clock is right, whatever it says on this machine."""
    kernel(monkeypatch, 0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home that was started once, and stopped again."""
    path = tmp_path / "home"
    wiring.prepare(settings.load(home=path))
    return path


@pytest.fixture
def answering() -> Iterator[str]:
    """Yield an address at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


class Libc(NamedTuple):
    """A C library whose kernel answers so."""

    state: int

    def adjtimex(self, _asked: object) -> int:
        """Answer what was told, whatever is asked."""
        return self.state


def kernel(monkeypatch: pytest.MonkeyPatch, state: int) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc(state))


def given(home: Path, **more: object) -> Settings:
    return settings.load(home=home, **more)


def doctor(home: Path, *words: str) -> Said:
    return tenure("doctor", "--home", str(home), *words)


def answer_of(said: Said) -> Any:  # noqa: ANN401 - the JSON of a command that may have failed
    return json.loads(said.out)


def test_after_a_start_all_is_well(home: Path) -> None:
    said = doctor(home)

    assert "All is well." in said.out
    assert said.code == 0


def test_before_a_start_the_home_is_missing_and_the_rest_unknown(tmp_path: Path) -> None:
    said = doctor(tmp_path / "home", "--json")

    found = {check["name"]: check["outcome"] for check in answer_of(said)["checks"]}
    assert tuple(found) == NAMES
    assert [name for name in NAMES if found[name] == FAILED] == ["home"]
    assert [name for name in NAMES if found[name] == UNKNOWN] == [
        *("operator token", "sealing key", "store", "log", "keyring"),
    ]
    assert said.code == 1


def test_looking_makes_nothing(tmp_path: Path) -> None:
    doctor(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_says_how_to_mend_it(home: Path) -> None:
    (home / "operator-token").chmod(0o644)

    said = doctor(home)

    assert said.code == 1
    assert "FAILED   operator token  others may get at" in said.out
    assert f"-> run: chmod 0600 {home / 'operator-token'};" in said.out
    assert "1 of 12 checks failed." in said.out


def test_the_json_says_what_was_found_and_how_to_mend_it(home: Path) -> None:
    (home / "sealing-key").chmod(0o444)

    said = doctor(home, "--json")

    answer = answer_of(said)
    (failed,) = (check for check in answer["checks"] if check["outcome"] == FAILED)
    assert answer["ok"] is False
    assert failed == {
        "name": "sealing key",
        "outcome": "failed",
        "found": f"{home / 'sealing-key'} has mode 0444",
        "mend": f"run: chmod 0400 {home / 'sealing-key'}",
    }


def test_a_home_that_others_may_read_fails(home: Path) -> None:
    home.chmod(0o755)

    check = checkup.home(given(home))

    assert check.outcome is FAILED
    assert check.mend == f"run: chmod 0700 {home}"


def test_a_home_that_is_a_file_fails(tmp_path: Path) -> None:
    path = tmp_path / "home"
    path.touch()

    assert checkup.home(given(path)).found == f"{path} is no directory"


def test_a_home_that_cannot_be_written_to_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # Root may write anywhere.

    assert checkup.home(given(home)).found == f"{home} cannot be written to"


def test_an_operator_token_from_the_settings_needs_no_file(tmp_path: Path) -> None:
    token = "an-operator-token-of-some-length"
    check = checkup.operator_token(given(tmp_path, operator_token=token))

    assert (check.outcome, check.found) == (OK, "from the settings")


def test_a_sealing_key_that_its_owner_may_write_fails(home: Path) -> None:
    (home / "sealing-key").chmod(0o600)
    assert checkup.sealing_key(given(home)).outcome is FAILED


def test_a_sealing_key_that_is_none_fails(home: Path) -> None:
    path = home / "sealing-key"
    path.chmod(0o600)
    path.write_text("not sixty-four hex digits\n")
    path.chmod(0o400)

    check = checkup.sealing_key(given(home))

    assert check.outcome is FAILED
    assert "64 hex digits" in check.found


def test_a_store_whose_secrets_the_sealing_key_does_not_open_fails(home: Path) -> None:
    path = home / "sealing-key"
    path.unlink()

    without = checkup.store(given(home))
    path.write_text("00" * 32)
    path.chmod(0o400)
    with_another = checkup.store(given(home))

    for check in (without, with_another):
        assert check.outcome is FAILED
        assert "sealing key does not open" in check.found


def test_a_store_without_tables_is_unknown(home: Path) -> None:
    store = db.open_store(f"sqlite:///{home / 'other.db'}")
    store.read(lambda _: None)
    store.close()

    check = checkup.store(given(home, database=f"sqlite:///{home / 'other.db'}"))

    assert (check.outcome, check.found) == (UNKNOWN, "sqlite, without tables")


@pytest.mark.parametrize(
    ("tables", "told"),
    [("older", "to be migrated to this version"), ("newer", "made by a newer Tenure")],
)
def test_a_store_of_another_version_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch, tables: str, told: str
) -> None:
    monkeypatch.setattr(condition, "tables", lambda _: tables)

    check = checkup.store(given(home))

    assert check.outcome is FAILED
    assert told in check.found


def test_a_store_that_is_damaged_fails(home: Path) -> None:
    (home / "tenure.db").write_bytes(b"no longer a database at all" * 100)

    check = checkup.store(given(home))

    assert check.outcome is FAILED
    assert "not a database" in check.found


def test_a_real_store_is_not_opened_in_a_sandbox_nor_the_reverse(
    home: Path, tmp_path: Path
) -> None:
    sandbox = given(tmp_path / "sandbox", sandbox=True)
    wiring.prepare(sandbox)

    real_in_sandbox = checkup.store(given(home, sandbox=True))
    sandbox_as_real = checkup.store(given(tmp_path / "sandbox"))

    assert real_in_sandbox.mend == "leave out --sandbox"
    assert sandbox_as_real.mend == "add --sandbox"
    assert checkup.store(sandbox).outcome is OK


def test_checkpoints_that_nobody_else_holds_are_told(home: Path) -> None:
    check = checkup.log(given(home))
    assert (check.outcome, check.found) == (UNKNOWN, "nobody else holds a checkpoint")
    assert "TENURE_CHECKPOINT_FILE" in check.mend


def test_a_checkpoint_is_followed_until_it_is_out(home: Path) -> None:
    found = given(home, checkpoint_file=home.parent / "pushed.txt")
    assert checkup.log(found).found == "no checkpoint yet"
    with contextlib.closing(wiring.open_alone(found)) as worker:
        worker.checkpoints.step()
        assert checkup.log(found).found == "the checkpoint of 2 events is not out yet"
        pushing.Pusher(worker.store, worker.clock, pushing.places(found, lambda _: True)).step()
    check = checkup.log(found)
    assert (check.outcome, check.found) == (OK, "the checkpoint of 2 events is signed and pushed")


def test_a_log_key_that_is_not_this_stores_fails(home: Path) -> None:
    path = home / "log-key"
    path.unlink()
    without = checkup.log(given(home))
    path.write_text("00" * 32)
    path.chmod(0o400)
    with_another = checkup.log(given(home))
    for check, told in ((without, "is not there"), (with_another, "not the log key of this store")):
        assert check.outcome is FAILED
        assert told in check.found


def test_a_log_of_a_store_to_be_migrated_is_unknown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(condition, "tables", lambda _: "older")
    assert checkup.log(given(home)).outcome is UNKNOWN


def test_each_line_of_a_rulebook_that_will_not_do_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rulebook.toml"
    path.write_text('[[rule]]\nid = "x"\nunrestricted = "soon"\npermisions = []\n')

    check = checkup.rulebook(given(tmp_path, rulebook=path))

    assert check.outcome is FAILED
    assert "line 3: rule: `unrestricted`" in check.found
    assert "line 4: rule: `permisions` is not known here" in check.found


def test_each_line_of_a_catalog_that_will_not_do_is_named(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text('[[permission]]\nid = "x"\nlable = "X"\n')

    check = checkup.catalog(given(tmp_path, catalog=path))

    assert check.outcome is FAILED
    assert "line 3: permission: `lable` is not known here" in check.found


@pytest.mark.parametrize("name", ["catalog", "rulebook"])
def test_a_file_that_is_no_text_fails(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file.toml"
    path.write_bytes(b"\xff\xfe")

    check = getattr(checkup, name)(given(tmp_path, **{name: path}))

    assert check.outcome is FAILED
    assert f"--{name}" in check.mend


def test_a_rulebook_that_alters_a_rule_of_the_store_fails(home: Path) -> None:
    shipped = Path(str(resources.files("tenure") / "rulebooks" / "2021-07-09.toml"))
    path = home / "rulebook.toml"
    path.write_text(shipped.read_text().replace('"30d"', '"90d"'))

    check = checkup.rulebook(given(home, rulebook=path))

    assert check.outcome is FAILED
    assert check.found == "the store has another 2021-07-09"


def test_an_old_or_threadless_sqlite_fails(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for flaw in ({"is_new_enough": False}, {"is_thread_safe": False}):
        fine = {"is_new_enough": True, "is_thread_safe": True}
        found = condition.Sqlite(version="3.40.1", version_min="3.51.3", **{**fine, **flaw})
        monkeypatch.setattr(condition, "sqlite", lambda found=found: found)
        assert machine.sqlite(given(home)).outcome is FAILED


def test_the_sqlite_does_not_matter_where_it_is_not_in_use(home: Path) -> None:
    check = machine.sqlite(given(home, database="postgresql://db.example/tenure"))
    assert (check.outcome, check.found) == (OK, "not in use: another database is")


@pytest.mark.parametrize(
    ("state", "said", "outcome"),
    [
        (0, "no", OK),
        (5, "yes", FAILED),
        (-1, "yes", OK),
        (-1, "no", FAILED),
        (-1, "n/a", UNKNOWN),
    ],
)
def test_the_kernel_is_asked_about_the_clock_and_then_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: int, said: str, outcome: Outcome
) -> None:
    program = tmp_path / "timedatectl"
    program.write_text(f"#!/bin/sh\necho {said}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    kernel(monkeypatch, state)

    assert machine.clock(given(tmp_path / "home")).outcome is outcome


def test_where_nobody_can_be_asked_the_clock_is_unknown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_call(*_: object, **__: object) -> object:
        raise AttributeError

    monkeypatch.setattr(ctypes, "CDLL", no_such_call)
    monkeypatch.setattr(shutil, "which", lambda _: None)

    assert machine.clock(given(home)).outcome is UNKNOWN


def test_a_clock_that_went_back_fails(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def behind(_self: SystemClock) -> int:
        raise Unavailable("clock", "the machine's clock is 9000 ms behind what it said before")

    monkeypatch.setattr(SystemClock, "now_ms", behind)

    check = machine.clock(given(home))

    assert check.outcome is FAILED
    assert "9000 ms behind" in check.found


def test_a_full_disk_fails(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(home)._replace(free=machine.FREE_BYTES_MIN - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    assert machine.disk(given(home)).outcome is FAILED


def test_the_disk_is_that_of_the_home_to_be(tmp_path: Path) -> None:
    check = machine.disk(given(tmp_path / "not" / "yet"))
    assert check.found.endswith(f"free at {tmp_path}")


def followed(home: Path, *, ago_ms: int, other_boot: bool = False) -> None:
    clock = SystemClock(home)
    boot = clock.boot() + other_boot
    sent_ns = clock.elapsed_ns() - ago_ms * 1_000_000
    Evidence(home).write(sent_ns, boot, clock.wall_ms(), 12, 0)
    clock.close()


def keyring_of(home: Path, listen: str = "127.0.0.1:1") -> Check:
    return machine.keyring(given(home, listen=listen))


def test_a_keyring_that_is_followed_is_well(home: Path) -> None:
    followed(home, ago_ms=0)

    check = keyring_of(home)

    assert check.outcome is OK
    assert check.found.endswith("at event 12")


@pytest.mark.parametrize("other_boot", [False, True])
def test_an_old_keyring_fails_only_where_a_server_answers(
    home: Path, answering: str, *, other_boot: bool
) -> None:
    followed(home, ago_ms=60_000, other_boot=other_boot)

    assert keyring_of(home).outcome is UNKNOWN
    assert keyring_of(home, answering).outcome is FAILED
