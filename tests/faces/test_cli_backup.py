"""`tenure backup` and `tenure restore`: the store as a file, and what releases it afterwards."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tenure import settings, wiring
from tenure.domain.model import AccountKind, KeyType
from tenure.faces.commands import checkup
from tenure.faces.commands.checks import Outcome
from tenure.services.keys import Draft
from tenure.settings import Settings
from tenure.store import db, holds, journal
from tests.faces.terminal import Said, tenure

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_other_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the shell that runs the tests has set."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TENURE_{name.upper()}", raising=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a backup, the export and the checkpoint of what came after it."""
    directory = tmp_path_factory.mktemp("saved")
    given = settings.load(home=directory / "home")
    with closing(wiring.open_alone(given)) as worker:
        account = worker.accounts.create("a@example.com", AccountKind.NORMAL, None, "operator")
        worker.checkpoints.step()
        (directory / "older").write_text(worker.checkpoints.latest().note)
    assert tenure("backup", str(directory / "backup"), "--home", str(directory / "home")).code == 0
    given = settings.load(home=directory / "home", checkpoint_every_ms=1_000)
    with closing(wiring.open_alone(given)) as worker:
        worker.keys.issue(account.account_id, Draft(label="x", key_type=KeyType.HMAC), "operator")
        worker.clock.sleep(1.0)
        worker.checkpoints.step()
        (directory / "newer").write_text(worker.checkpoints.latest().note)
    export = tenure("audit", "export", str(directory / "export"), "--home", str(directory / "home"))
    assert export.code == 0
    return directory


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a home into which the backup was restored, with the keys put back."""
    path = tmp_path / "restored"
    assert restore(path, str(made / "backup")).code == 0
    for name in ("sealing-key", "log-key"):
        shutil.copy2(made / "home" / name, path / name)
    yield path
    shutil.rmtree(path)


def restore(home: Path, *words: str, **environment: str) -> Said:
    return tenure("restore", *words, "--home", str(home), **environment)


def seq_in(home: Path) -> int:
    with closing(db.open_store(f"sqlite:///{home / 'tenure.db'}")) as store:
        return store.read(journal.head)[0]


def is_held(home: Path) -> bool:
    with closing(db.open_store(f"sqlite:///{home / 'tenure.db'}")) as store:
        return store.read(holds.held) is not None


def test_a_backup_says_what_it_holds(made: Path, tmp_path: Path) -> None:
    at = ("--home", str(made / "home"))
    said = tenure("backup", str(tmp_path / "one"), *at)
    assert said.code == 0
    assert "up to event 4" in said.out
    answer = tenure("backup", str(tmp_path / "two"), *at, "--json").json()
    assert (answer["seq"], answer["revision"]) == (4, "0014")
    again = tenure("backup", str(tmp_path / "one"), *at)
    assert again.code == 5
    assert "is there already" in again.words


def test_a_restore_is_held_and_the_doctor_says_so(made: Path, home: Path) -> None:
    assert is_held(home)
    check = checkup.store(settings.load(home=home))
    assert check.outcome is Outcome.FAILED
    assert "restored to event 3, and held until released" in check.found
    assert "tenure restore" in check.mend
    again = restore(home, str(made / "backup"))
    assert again.code == 5
    assert "there is a store already" in again.words


def test_a_held_store_starts_and_adopts_no_rule(home: Path) -> None:
    prepared = wiring.prepare(settings.load(home=home))
    assert prepared.rulebook.rules
    assert is_held(home)
    assert seq_in(home) == 3


def test_the_export_brings_it_up_to_the_checkpoint(made: Path, home: Path) -> None:
    said = restore(home, "--events", str(made / "export"), "--checkpoint", str(made / "newer"))
    assert said.code == 0, said.err
    assert "1 events replayed, up to 4" in said.out
    assert "rotate them:\n  key_" in said.out
    assert not is_held(home)
    assert seq_in(home) == 5


def test_where_checkpoints_are_pushed_to_they_are_found(made: Path, home: Path) -> None:
    at = {"TENURE_CHECKPOINT_FILE": str(made / "newer")}
    answer = restore(home, "--events", str(made / "export"), "--json", **at).json()
    assert (answer["seq"], answer["replayed"], answer["checkpoint"]) == (4, 1, 4)


def test_where_nothing_came_after_the_backup_that_is_enough(made: Path, home: Path) -> None:
    at = {"TENURE_CHECKPOINT_FILE": str(made / "newer")}
    behind = restore(home, **at)
    assert behind.code == 5
    assert "is missing: the journal ends at 3" in behind.words
    at = {"TENURE_CHECKPOINT_FILE": str(made / "older")}
    assert "0 events replayed, up to 3" in restore(home, **at).out
    assert not is_held(home)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--events", "export"), 2, "name the last one that was pushed"),
        (("--events", "export", "--checkpoint", "older"), 2, "name the last one"),
        (("--checkpoint", "newer"), 5, "is missing: the journal ends at 3"),
        (("--events", "older", "--checkpoint", "newer"), 2, "is no JSON"),
        (("--events", "export", "--checkpoint", "newer", "--key", "none"), 2, "public half"),
        ((), 2, "name a backup"),
        (("--accept", "x", "--events", "export"), 2, "name a backup"),
        (("--accept", " "), 2, "say why"),
    ],
)
def test_what_does_not_bring_it_up_to_date_leaves_it_held(
    made: Path, home: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    files = {"export", "older", "newer"}
    said = restore(home, *(str(made / word) if word in files else word for word in words))
    assert said.code == code, said
    assert told in said.words
    assert is_held(home)


def test_it_is_released_as_it_is_only_with_a_reason(home: Path) -> None:
    said = restore(home, "--accept", "nothing else is left")
    assert said.code == 0
    assert "under another name" in said.out
    assert not is_held(home)
    again = restore(home, "--accept", "once more", "--json")
    assert again.code == 5


def test_the_new_key_of_the_log_is_told(home: Path) -> None:
    answer = restore(home, "--accept", "nothing else is left", "--json").json()
    assert "/4-" in answer["log_key"]


def test_a_file_that_is_no_backup_makes_no_store(made: Path, tmp_path: Path) -> None:
    for file in (made / "export", made / "nowhere"):
        said = restore(tmp_path / "new", str(file))
        assert said.code == 2, said
    answer = restore(tmp_path / "new", str(made / "backup"), "--json")
    assert answer.json()["seq"] == 3
