"""
A journal of a million events, audited whole, and each way to tamper with it found (SECURITY D16).

`tenure audit` itself is run on the whole of it. Of a thousand flipped bytes each is judged by what
that command judges lines with, going on from where the line stands: what is before it is the same
every time, and reading it a thousand times would take half a day.
"""

import copy
import io
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import select

from benchmarks import auditing as filling
from tenure import settings, wiring
from tenure.domain import lines
from tenure.domain.auditing import Audit
from tenure.services import auditing
from tenure.store import db, schema

pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]

EVENTS = int(os.environ.get("TENURE_SOAK_EVENTS", "1000000"))
FLIPS = 1_000


@dataclass(frozen=True, slots=True)
class Filled:
    """A home whose journal has so many events, its export, and a checkpoint kept elsewhere."""

    home: Path
    export: Path
    kept: Path
    count: int


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Fill a store, sign, and export."""
    directory = tmp_path_factory.mktemp("million")
    home, kept = directory / "home", directory / "kept.txt"
    made = Filled(home, directory / "export", kept, filling.fill(home, EVENTS))
    with closing(wiring.open_alone(settings.load(home=home))) as worker:
        while worker.checkpoints.step():
            pass
        kept.write_text(worker.checkpoints.latest().note)
    done = run("export", str(made.export), "--home", str(home))
    assert done.returncode == 0, done.stderr
    return made


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `tenure audit`."""
    program = "from tenure.faces import cli; cli.main()"
    command = [sys.executable, "-c", program, "audit", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def verify(filled: Filled, *what: str) -> tuple[int, dict[str, Any]]:
    """Verify against the checkpoint that was kept; return the exit code and what was found."""
    home = ("--home", str(filled.home), "--checkpoint", str(filled.kept))
    done = run("verify", *what, *home, "--json")
    return done.returncode, json.loads(done.stdout)


def test_as_it_was_recorded_it_is_clean(filled: Filled) -> None:
    assert filled.count >= EVENTS
    for what in (str(filled.export), "--store"):
        code, found = verify(filled, what)
        assert (code, found["events"], found["vouched"]) == (0, filled.count, filled.count), found


def test_a_thousand_flipped_bytes_are_found_each_in_its_event(filled: Filled) -> None:
    chance = random.Random(13)  # noqa: S311 - the same places for everybody
    size = filled.export.stat().st_size
    places = sorted(chance.randrange(size) for _ in range(FLIPS))
    audit, begun, found = Audit(), 0, 0
    with filled.export.open("rb") as file:
        for line, rest in with_next(file):
            while found < FLIPS and places[found] < begun + len(line):
                flipped = bytearray(line)
                flipped[places[found] - begun] ^= 1 << chance.randrange(8)
                judged = copy.deepcopy(audit)
                flaw = auditing.take_lines(judged, io.BytesIO(bytes(flipped) + rest))
                assert flaw is not None, places[found]
                assert flaw.seq == audit.seq + 1
                found += 1
            assert audit.take(lines.read(line[:-1])) is None
            begun += len(line)
    assert (found, audit.seq) == (FLIPS, filled.count)


def with_next(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each line, and the two after it: a line feed that is none any more joins lines."""
    here, after, later = (file.readline() for _ in range(3))
    while here:
        yield here, after + later
        here, after, later = after, later, file.readline()


def test_a_dropped_tail_is_found(filled: Filled, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    shutil.copyfile(filled.export, cut)
    with filled.export.open("rb") as file:
        file.seek(-100_000, os.SEEK_END)
        os.truncate(cut, filled.export.stat().st_size - len(file.read().partition(b"\n")[2]))
    code, found = verify(filled, str(cut))
    assert (code, found["ok"]) == (1, False)
    assert "is missing" in found["flaw"]["what"]
    assert filled.count - 300 < found["flaw"]["seq"] <= filled.count


def test_two_swapped_records_are_found(filled: Filled, tmp_path: Path) -> None:
    first, second = filled.count // 3, 2 * filled.count // 3
    with filled.export.open("rb") as file:
        every = file.readlines()
    every[first - 1], every[second - 1] = every[second - 1], every[first - 1]
    swapped = tmp_path / "swapped"
    with swapped.open("wb") as file:
        file.writelines(every)
    code, found = verify(filled, str(swapped))
    assert (code, found["flaw"]["seq"]) == (1, first)


def test_a_recomputed_chain_is_found(filled: Filled, tmp_path: Path) -> None:
    """Whoever can write the tables can work out every hash anew; he cannot sign the root."""
    edited, before = 7 * filled.count // 10, ""
    redone = tmp_path / "redone"
    with filled.export.open("rb") as source, redone.open("wb") as target:
        for seq, line in enumerate(source, start=1):
            if seq < edited:
                target.write(line)
                continue
            record = lines.read(line[:-1])
            if seq == edited:
                record = replace(record, actor="nobody")
            else:
                record = replace(record, previous_hash=before)
            before = lines.digest(record)
            target.write(replace(record, hash=before).line.encode() + b"\n")
    with redone.open("rb") as file:
        assert auditing.verify_lines(file, []).is_clean, "nothing in it is wrong by itself"
    code, found = verify(filled, str(redone))
    assert code == 1
    assert "the chain was redone after an edit" in found["flaw"]["what"]


def test_a_row_that_was_changed_by_hand_is_found(filled: Filled) -> None:
    store = db.open_store(f"sqlite:///{filled.home / 'tenure.db'}")
    keys = schema.keys.c
    with closing(store):
        chosen = select(keys.key_id).order_by(keys.key_id).offset(filled.count // 20).limit(1)
        key_id = store.read(lambda tx: tx.execute(chosen).scalar_one())
        changed = schema.keys.update().where(keys.key_id == key_id)
        store.write(lambda tx: tx.execute(changed.values(ip_allowlist='["198.51.100.9"]')))
        code, found = verify(filled, "--store")
        store.write(lambda tx: tx.execute(changed.values(ip_allowlist="[]")))
    assert (code, found["ok"], found["flaw"]) == (1, False, None)
    (different,) = found["differences"]
    assert (different["kind"], different["subject"]) == ("key", key_id)
