"""`tenure demo`: the worked life, lived on a real server, and what it says where it is not so."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tenure.domain.model import AccountKind
from tenure.faces.commands import demo, life
from tenure.faces.commands.exits import Exit
from tenure.faces.commands.life import ROWS, Trading, ms


def test_the_rows_are_in_order_of_time() -> None:
    assert [row.number for row in ROWS] == list(range(1, 14))
    assert all(one.at_ms < next_one.at_ms for one, next_one in pairwise(ROWS))


def test_the_last_millisecond_and_the_end_itself_are_both_asked_about() -> None:
    by_number = {row.number: row for row in ROWS}

    assert by_number[4].trading.ends_at_ms == by_number[7].at_ms
    assert by_number[6].at_ms == by_number[7].at_ms - 1
    assert [row.number for row in ROWS if row.is_lapse] == [7]


def test_what_is_expected_ends_by_itself_at_its_end() -> None:
    trading = Trading(is_on=True, ends_at_ms=1000)

    assert trading.later(999) == trading
    assert trading.later(1000) == life.EXPIRED
    assert Trading(is_on=True).later(1000) == Trading(is_on=True)
    assert life.REVOKED.later(1000) == life.REVOKED


@pytest.mark.parametrize(
    ("trading", "words"),
    [
        (Trading(is_on=True), "on, no end"),
        (Trading(is_on=True, ends_at_ms=ms("2021-12-31 10:05")), "on until 2021-12-31 10:05"),
        (life.EXPIRED, "off, permission_expired"),
    ],
)
def test_trading_in_words(trading: Trading, words: str) -> None:
    assert str(trading) == words


@pytest.mark.slow
def test_all_three_kinds_of_account_live_the_thirteen_rows() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tenure", "demo", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    assert set(answer["lives"]) == {"normal", "master", "sub"}
    for lived in answer["lives"].values():
        assert [one["row"]["number"] for one in lived] == list(range(1, 14))
        assert [one["differences"] for one in lived] == [[]] * 13
        assert [bool(one["popups"]) for one in lived].count(True) == 3
        (until,) = lived[3]["popups"]
        assert "will be on until 2021-12-31 10:05:00 UTC" in until
        assert any("same order from 198.51.100.9: ip_not_allowed" in n for n in lived[8]["notes"])
        assert any("the very millisecond" in note for note in lived[6]["notes"])


@pytest.mark.slow
def test_a_row_that_differs_is_marked_and_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    # What surrounds it is about somebody's real Tenure, and not the demo's business.
    monkeypatch.setenv("TENURE_DATABASE", "sqlite:////nowhere/at/all.db")
    another_end = Trading(is_on=True, ends_at_ms=ms("2021-08-31 10:05"))
    wrong = {4: replace(ROWS[3], trading=another_end), 12: replace(ROWS[11], asks=True)}
    rows = [wrong.get(row.number, row) for row in ROWS]

    code = demo.run(rows, AccountKind.MASTER, as_json=False)

    shown = capsys.readouterr().out
    lines = shown.splitlines()
    marks = {line.split()[0]: line.rstrip()[-1] for line in lines if line[:1].isdigit()}
    # What row 5 finds at its start is what row 4 should have left behind.
    assert [number for number, mark in marks.items() if mark == "✗"] == ["4", "5", "12"]
    assert list(marks.values()).count("✓") == 10
    assert "DIFFERS no pop-up came" in shown
    assert "expected on until 2021-08-31 10:05, saw on until 2021-12-31 10:05" in " ".join(
        shown.split()
    )
    assert "✗ master account: 10 of 13 rows as written (shown above)" in shown
    assert "✗ normal account: 10 of 13 rows as written" in shown
    assert "DIFFERS row 12, no pop-up came" in shown
    assert "The rules do NOT hold here" in shown
    assert max(len(line) for line in lines) <= 80
    assert code is Exit.REFUSED


@pytest.mark.slow
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_leaves_neither_its_server_nor_its_directory(
    tmp_path: Path, told: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tenure", "demo", "--console"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        for _ in range(600):
            if list(tmp_path.glob("tenure-demo-*/home/operator-token")):
                break
            time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(told)

        assert process.wait(60) == Exit.INTERRUPTED
    assert len(children) == 1
    assert not Path(f"/proc/{children[0]}").exists()
    assert list(tmp_path.iterdir()) == []
