"""Processes that are forked, watched and ended: what happens when one goes, and which."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys, time
from tenure.domain.errors import Unavailable
from tenure.faces.http.forked import Processes

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # Whole, whoever else says something.

def part(name):
    def run():
        # Whoever is told to end says so; SIGINT is not for these.
        signal.signal(signal.SIGINT, lambda *_: say(name, "interrupted"))
        signal.signal(signal.SIGTERM, lambda *_: (say(name, "ended"), sys.exit(0)))
        say(name, "runs as", open("/proc/self/comm").read().strip(), os.getpid())
        while True:
            time.sleep(60)
    return run

ENOUGH = sys.argv[1] == "True"
with Processes() as processes:
    processes.start("tenure-one", part("one"))
    processes.start("tenure-vital", part("vital"), is_vital=True)
    try:
        if processes.watch_until(lambda: ENOUGH, 0.01):
            say("enough")
            processes.watch()
        say("told")
    except Unavailable as error:
        say(error.code, error.context)
"""
_WITHIN_S = 30


class Family:
    """The program, in a process group of its own, and what it has said so far."""

    def __init__(self, output: Path, *, is_enough: bool) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(is_enough)],
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, words: str, times: int = 1) -> list[str]:
        """Wait until a line that holds *words* was said so often; return these lines."""
        for _ in range(_WITHIN_S * 20):
            found = [line for line in self.lines() if words in line]
            if len(found) >= times:
                return found
            time.sleep(0.05)
        pytest.fail(f"{words!r} was not said {times} times: {self.lines()}")

    def pid(self, words: str, times: int = 1) -> int:
        """Return the number that ends the last of these lines."""
        return int(self.said(words, times)[-1].rpartition(" ")[2])

    def lines(self) -> list[str]:
        """Return what was said so far."""
        return self._output.read_text("utf-8").splitlines()


@pytest.fixture(params=[True, False], ids=["watching", "asking"])
def family(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Family]:
    """Yield one that has what it waited for, and one that still asks: both are watched."""
    with _begun(tmp_path / "output", is_enough=request.param) as begun:
        yield begun


@contextmanager
def _begun(output: Path, *, is_enough: bool) -> Iterator[Family]:
    family = Family(output, is_enough=is_enough)
    try:
        family.said("vital runs as tenure-vital")
        family.said("one runs as tenure-one")
        yield family
    finally:
        if family.process.poll() is None:
            os.killpg(family.process.pid, signal.SIGKILL)
            family.process.wait()


def test_what_dies_is_started_again(family: Family) -> None:
    dead = family.pid("one runs as")
    os.kill(dead, signal.SIGKILL)

    assert family.pid("one runs as tenure-one", times=2) != dead
    assert any("starting it again" in line and "-9" in line for line in family.lines())
    assert family.process.poll() is None


def test_where_the_vital_one_dies_all_end_and_it_is_no_success(family: Family) -> None:
    os.kill(family.pid("vital runs as"), signal.SIGKILL)

    family.process.wait(_WITHIN_S)
    assert family.lines()[-2:] == ["ended its exit code: -9", "one ended"]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_the_last_first_and_succeeds(
    family: Family, told: signal.Signals
) -> None:
    family.process.send_signal(told)

    assert family.process.wait(_WITHIN_S) == 0
    assert family.lines()[-3:] == ["told", "vital ended", "one ended"]


def test_a_terminals_ctrl_c_is_heard_by_the_first_alone(family: Family) -> None:
    os.killpg(family.process.pid, signal.SIGINT)

    assert family.process.wait(_WITHIN_S) == 0
    assert not any("interrupted" in line for line in family.lines())


def test_told_while_it_waits_to_start_one_again_it_ends(family: Family) -> None:
    os.kill(family.pid("one runs as"), signal.SIGKILL)
    family.said("starting it again")
    family.process.send_signal(signal.SIGTERM)

    assert family.process.wait(_WITHIN_S) == 0
    assert len([line for line in family.lines() if "one runs as" in line]) <= 2
