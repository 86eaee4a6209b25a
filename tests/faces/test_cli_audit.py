"""`tenure audit`: exporting, verifying and proving, on a store and on files alone."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tenure import settings, wiring
from tenure.domain import checkpoints as reading
from tenure.domain.checkpoints import LogKey
from tenure.domain.model import AccountKind
from tenure.store import db, schema
from tests.faces.terminal import Said, tenure

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a home of 3 events, a checkpoint of them, and a fourth event."""
    directory = tmp_path_factory.mktemp("audited")
    given = settings.load(home=directory / "home")
    with closing(wiring.open_alone(given)) as worker:
        account = worker.accounts.create("a@example.com", AccountKind.NORMAL, None, "operator")
        worker.checkpoints.step()
        (directory / "checkpoint").write_text(worker.checkpoints.latest().note)
        worker.accounts.set_frozen(account.account_id, frozen=True, actor="operator")
    return directory


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a copy of it, to be spoiled."""
    copied = tmp_path / "copied"
    shutil.copytree(made, copied)
    yield copied
    shutil.rmtree(copied)


def audit(place: Path, *words: str) -> Said:
    return tenure("audit", *words, "--home", str(place / "home"))


def exported(place: Path) -> Path:
    file = place / "export"
    assert audit(place, "export", str(file)).code == 0
    return file


def key_of(place: Path) -> str:
    return audit(place, "key").out.strip()


def test_an_export_is_written_for_its_owner_alone_and_over_nothing(place: Path) -> None:
    file = exported(place)
    assert file.read_bytes().count(b"\n") == 4
    assert file.stat().st_mode & 0o777 == 0o600
    again = audit(place, "export", str(file))
    assert again.code == 5
    assert "is there already" in again.words
    assert sorted(item.name for item in place.iterdir()) == ["checkpoint", "export", "home"]


def test_a_tail_can_be_exported_and_printed(place: Path) -> None:
    whole = exported(place).read_text().splitlines()
    assert audit(place, "export", "-", "--after", "2").out.splitlines() == whole[2:]


def test_an_export_that_fails_leaves_nothing_behind(place: Path) -> None:
    spoil(place, body="{")
    said = audit(place, "export", str(place / "export"))
    assert said.code == 2
    assert "event 1" in said.words
    assert not (place / "export").exists()
    assert sorted(item.name for item in place.iterdir()) == ["checkpoint", "home"]


def test_a_clean_export_is_said_to_be_so_without_any_store(place: Path) -> None:
    file, key = exported(place), key_of(place)
    shutil.rmtree(place / "home")
    checkpoint = str(place / "checkpoint")
    words = ("verify", str(file), "--key", key, "--checkpoint", checkpoint)

    said, answer = audit(place, *words), audit(place, *words, "--json").json()

    assert said.code == 0
    assert "4 as they were recorded" in said.out
    assert "vouches for 3" in said.out
    assert answer["ok"] is True
    assert (answer["events"], answer["vouched"], answer["flaw"]) == (4, 3, None)
    assert "No --checkpoint was given" in audit(place, "verify", str(file)).err
    without_key = audit(place, "verify", str(file), "--checkpoint", checkpoint)
    assert without_key.code == 2
    assert "name the public half of the log key" in without_key.words


def test_the_first_bad_event_is_named_and_the_command_fails(place: Path) -> None:
    file = exported(place)
    file.write_bytes(file.read_bytes().replace(b"a@example.com", b"b@example.com", 1))
    said = audit(place, "verify", str(file))
    assert said.code == 1
    assert "event 3 was edited" in said.out
    answer = audit(place, "verify", str(file), "--json")
    assert answer.code == 1
    assert '"seq": 3' in answer.out


def test_a_checkpoint_that_is_none_is_refused_by_its_name(place: Path) -> None:
    file = exported(place)
    bad = place / "bad"
    bad.write_text((place / "checkpoint").read_text().replace("\n3\n", "\n2\n"))
    said = audit(place, "verify", str(file), "--checkpoint", str(bad))
    assert said.code == 2
    assert str(bad) in said.words
    assert audit(place, "verify", str(place / "not there")).code == 2


def test_a_store_is_audited_rows_and_all(place: Path) -> None:
    said = audit(place, "verify", "--store", "--checkpoint", str(place / "checkpoint"))
    assert said.code == 0
    assert "1, as the journal has them" in said.out

    spoil(place, "accounts", frozen_at_ms=None)
    said = audit(place, "verify", "--store")
    assert said.code == 1
    assert "frozen_at_ms is null; by the journal:" in said.out
    assert "1 differ" in said.out
    spoil(place, actor="nobody")
    assert "event 1 was edited" in audit(place, "verify", "--store", "--key", key_of(place)).out


def test_more_differences_than_anybody_reads_are_counted(place: Path) -> None:
    with closing(db.open_store(f"sqlite:///{place / 'home' / 'tenure.db'}")) as store:
        rows = [
            {"account_id": f"acct_{n}", "kind": "normal", "email": f"{n}", "created_at_ms": 1}
            for n in range(150)
        ]
        store.write(lambda tx: tx.execute(schema.accounts.insert(), rows))
    assert "and 50 more" in audit(place, "verify", "--store").out


def test_an_export_or_the_store_has_to_be_named_not_both(place: Path) -> None:
    assert audit(place, "verify").code == 2
    assert audit(place, "verify", str(exported(place)), "--store").code == 2


def test_a_proof_is_printed_and_checked_without_any_store(place: Path) -> None:
    key = key_of(place)
    proof = audit(place, "prove", "2").out
    assert reading.read_proof(proof.encode(), [LogKey.parse(key)]).seq == 2
    file = place / "proof"
    file.write_text(proof)
    shutil.rmtree(place / "home")

    said = audit(place, "verify", str(file), "--key", key)
    assert said.code == 0
    assert "Event 2 is in tenure/store_" in said.out
    assert audit(place, "verify", str(file), "--key", key, "--json").json()["seq"] == 2
    file.write_text(proof.replace("index 1", "index 0"))
    assert audit(place, "verify", str(file), "--key", key).code == 2


def test_the_manuals_commands_check_a_proof_with_openssl_alone(place: Path) -> None:
    if missing := [name for name in ("openssl", "xxd", "awk") if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    page = (Path(__file__).parents[2] / "docs" / "howto" / "audit.md").read_text("utf-8")
    (commands,) = re.findall(r"```sh\n(# The event is.*?)```", page, re.DOTALL)
    proof = place / "event-4711.tlog-proof"

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", commands],
            cwd=place,
            env={**os.environ, "LOG_KEY": key_of(place)},
            capture_output=True,
            text=True,
            check=False,
        )

    proof.write_text(audit(place, "prove", "3").out)
    done = run()
    assert '"email":"a@example.com"' in done.stdout
    assert done.stdout.endswith("Signature Verified Successfully\n")
    proof.write_text(proof.read_text().replace("\n3\n", "\n2\n"))
    assert run().returncode != 0


def test_what_is_not_signed_yet_cannot_be_proved(place: Path) -> None:
    assert audit(place, "prove", "4").code == 5
    assert audit(place, "prove", "5").code == 5


def test_where_there_is_no_store_it_says_so_and_makes_none(tmp_path: Path) -> None:
    for words in (("export", "-"), ("verify", "--store"), ("prove", "1")):
        said = audit(tmp_path, *words)
        assert said.code == 5, words
        assert "is not there" in said.words
    assert audit(tmp_path, "key").code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tables", "code"), [("none", 5), ("older", 5), ("newer", 4), ("current", 0)]
)
def test_a_store_of_another_version_is_left_alone(
    place: Path, monkeypatch: pytest.MonkeyPatch, tables: str, code: int
) -> None:
    monkeypatch.setattr("tenure.store.condition.tables", lambda _: tables)
    assert audit(place, "export", "-").code == code


def test_a_store_without_a_log_key_has_none_to_show(place: Path) -> None:
    with closing(db.open_store(f"sqlite:///{place / 'home' / 'tenure.db'}")) as store:
        gone = schema.marks.delete().where(schema.marks.c.name == "log_key")
        store.write(lambda tx: tx.execute(gone))
    said = audit(place, "key")
    assert said.code == 2
    assert "no log key yet" in said.words


def spoil(place: Path, table: str = "events", **columns: object) -> None:
    with closing(db.open_store(f"sqlite:///{place / 'home' / 'tenure.db'}")) as store:
        statement = schema.metadata.tables[table].update().values(columns)
        store.write(lambda tx: tx.execute(statement))
