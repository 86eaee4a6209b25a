"""What a start says to whoever started it, what runs then, and what ends it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure import settings, wiring
from tenure.domain.model import Secret
from tenure.faces.http import serving

LINK = Secret("http://localhost:8080/console/join/" + "x" * 43)


def test_a_start_says_where_the_console_is_and_how_to_become_its_first_administrator(
    tmp_path: Path,
) -> None:
    prepared = wiring.prepare(settings.load(home=tmp_path / "home"))

    first = serving._greeting(prepared, LINK)  # noqa: SLF001 - what is printed
    later = serving._greeting(prepared, None)  # noqa: SLF001 - as above

    assert "Console: http://localhost:8080/console" in first
    # The last line, for it is what a newcomer goes on with.
    assert first.endswith(f"\nBecome its first administrator: {LINK.reveal()}")
    assert "administrator" not in later
    assert "Console: http://localhost:8080/console" in later


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a real server that has said it is ready, in a process group of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    words = ["serve", "--home", str(tmp_path / "home"), "--listen", listen, "--workers", "1"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tenure", *words],
            env={name: value for name, value in os.environ.items() if "TENURE_" not in name},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("Become its first administrator"):
                    break
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _called(group: int) -> dict[str, int]:
    """Return the processes of *group* by what they are called."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(path.name)) == group:
                found[(path / "comm").read_text().strip()] = int(path.name)
    return found


@pytest.mark.slow
def test_its_processes_have_names_and_where_nobody_listens_any_more_all_end(
    started: subprocess.Popen[str], tmp_path: Path
) -> None:
    names = {"tenure-ticks", "tenure-notices", "tenure-http", "tenure-worker"}
    called = _called(started.pid)
    assert names <= called.keys()

    os.kill(called["tenure-http"], signal.SIGKILL)

    assert started.wait(60) == 4
    assert "tenure: tenure-http ended" in (tmp_path / "log").read_text()
    for _ in range(100):
        if not names & _called(started.pid).keys():
            break
        time.sleep(0.1)
    assert not names & _called(started.pid).keys()


@pytest.mark.slow
def test_the_ticks_and_the_notices_end_with_the_first_process_however_it_goes(
    started: subprocess.Popen[str],
) -> None:
    started.kill()
    started.wait()

    for _ in range(200):
        if not _called(started.pid):
            break
        time.sleep(0.1)
    assert _called(started.pid) == {}
