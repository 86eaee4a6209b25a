"""The clocks on a machine whose time the test sets: forward only, over restarts and processes."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from tenure import clock as clocks
from tenure.clock import BACKWARDS_MS_MAX, SandboxClock, SystemClock, new_id
from tenure.domain.errors import Invalid, Unavailable
from tests.builders import ms
from tests.fakes import FakeClock
from tests.processes import running

NOON = ms("2021-12-01 12:00")


class Machine:
    """What `clock` reads: *wall_ms*, *elapsed_ns* and *boot* are the test's to set."""

    def __init__(self) -> None:
        self.wall_ms = NOON
        self.elapsed_ns = 10**12
        self.boot = 1

    def advance(self, ms: int) -> None:
        """Let *ms* pass."""
        self.wall_ms += ms
        self.elapsed_ns += ms * 1_000_000


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Put a machine under every clock of the test."""
    found = Machine()
    source = SimpleNamespace(
        time_ns=lambda: found.wall_ms * 1_000_000 + 999_999,
        clock_gettime_ns=lambda which: {time.CLOCK_BOOTTIME: found.elapsed_ns}[which],
        CLOCK_BOOTTIME=time.CLOCK_BOOTTIME,
    )
    monkeypatch.setattr(clocks, "time", source)
    monkeypatch.setattr(clocks, "_boot", lambda: found.boot)
    return found


@pytest.fixture
def system(machine: Machine, tmp_path: Path) -> Iterator[SystemClock]:
    """Return a system clock on that machine."""
    assert machine.wall_ms == NOON
    with closing(SystemClock(tmp_path)) as found:
        yield found


@pytest.fixture
def sandbox(machine: Machine, tmp_path: Path) -> Iterator[SandboxClock]:
    """Return a sandbox clock that stands at noon, on that machine."""
    with closing(SandboxClock(tmp_path)) as found:
        found.raise_to(machine.wall_ms)
        yield found


def test_the_system_clock_tells_whole_milliseconds(system: SystemClock, machine: Machine) -> None:
    assert system.now_ms() == system.wall_ms() == NOON

    machine.advance(1)
    assert system.now_ms() == NOON + 1


def test_the_system_clock_stands_still_while_the_machines_is_a_little_behind(
    system: SystemClock, machine: Machine
) -> None:
    system.now_ms()

    machine.wall_ms = NOON - BACKWARDS_MS_MAX
    assert system.now_ms() == NOON
    assert system.wall_ms() == NOON - BACKWARDS_MS_MAX

    machine.wall_ms = NOON + 1
    assert system.now_ms() == NOON + 1


def test_nothing_is_decided_while_the_machines_clock_is_over_a_second_behind(
    system: SystemClock, machine: Machine
) -> None:
    """Until it has caught up, not until somebody asks again (BI-25)."""
    system.now_ms()
    machine.wall_ms = NOON - BACKWARDS_MS_MAX - 1

    for _ in range(2):
        with pytest.raises(Unavailable, match="1001 ms behind") as raised:
            system.now_ms()
        assert raised.value.code == "clock"

    machine.advance(1)
    assert system.now_ms() == NOON


def test_time_seen_before_a_restart_has_been_seen(machine: Machine, tmp_path: Path) -> None:
    with closing(SystemClock(tmp_path)) as before:
        before.now_ms()
        before.keep()
    machine.wall_ms -= 3_600_000

    with closing(SystemClock(tmp_path)) as after, pytest.raises(Unavailable) as raised:
        after.now_ms()

    assert raised.value.code == "clock"


def test_another_home_knows_nothing_of_it(
    system: SystemClock, machine: Machine, tmp_path: Path
) -> None:
    system.now_ms()
    machine.wall_ms -= 3_600_000

    with closing(SystemClock(tmp_path / "elsewhere")) as other:
        assert other.now_ms() == NOON - 3_600_000


def test_the_journals_last_instant_has_been_seen_too(system: SystemClock, machine: Machine) -> None:
    system.raise_to(NOON + 500)
    assert system.now_ms() == NOON + 500

    system.raise_to(NOON + 2_000)
    with pytest.raises(Unavailable):
        system.now_ms()
    machine.advance(1_000)
    assert system.now_ms() == NOON + 2_000


def test_processes_share_what_was_seen(system: SystemClock, tmp_path: Path) -> None:
    """Whatever one process has decided as of, no other decides as of an earlier instant."""
    code = """
import pathlib, sys
from tenure.clock import SystemClock
clock = SystemClock(pathlib.Path(sys.argv[1]))
while True:
    clock.raise_to(int(input()))
    print("seen", flush=True)
"""
    with running(code, tmp_path) as other:
        for seen_ms in (NOON + 300, NOON + 200, NOON + 900):
            other.tell(str(seen_ms))
            assert other.hear() == "seen"
            assert system.now_ms() >= seen_ms
        other.tell(str(NOON + 1_001))
        assert other.hear() == "seen"
        with pytest.raises(Unavailable):
            system.now_ms()

    with pytest.raises(Unavailable):
        system.now_ms()


def test_elapsed_time_counts_on_in_suspend_and_boots_are_told_apart(system: SystemClock) -> None:
    """CLOCK_BOOTTIME, not `monotonic` (SECURITY D4): the machine here knows no other."""
    assert system.elapsed_ns() == 10**12
    assert system.boot() == 1


def test_a_real_machine_has_an_elapsed_time_a_boot_and_a_wall_clock(tmp_path: Path) -> None:
    with closing(SystemClock(tmp_path)) as system, closing(SystemClock(tmp_path)) as other:
        before = system.elapsed_ns()
        system.sleep(0.001)
        assert other.elapsed_ns() - before >= 1_000_000
        assert 0 < system.boot() == other.boot() < 2**63
        assert ms("2026-01-01 00:00") < system.now_ms() < ms("2100-01-01 00:00")


def test_random_bytes_are_as_many_as_asked_for_and_never_the_same(system: SystemClock) -> None:
    assert len(system.random_bytes(48)) == 48
    assert system.random_bytes(16) != system.random_bytes(16)


def test_an_id_is_120_bits_in_letters_nobody_mistakes() -> None:
    clock = FakeClock()
    found = {new_id(clock, "key") for _ in range(200)}

    assert len(found) == 200
    assert all(re.fullmatch(r"key_[0-9a-hjkmnp-tv-z]{24}", each) for each in found)
    assert len({each[-1] for each in found}) == 32
    assert new_id(FakeClock(), "key") == new_id(FakeClock(), "key"), "of the clock, nothing else"


def test_a_sandbox_clock_stands_still(sandbox: SandboxClock, machine: Machine) -> None:
    machine.advance(60_000)

    assert sandbox.now_ms() == NOON
    assert sandbox.wall_ms() == NOON + 60_000
    assert not sandbox.is_running


def test_a_sandbox_clock_is_moved_forward_only(sandbox: SandboxClock) -> None:
    assert sandbox.move(NOON + 5) == NOON + 5
    assert sandbox.move(NOON + 5) == NOON + 5

    with pytest.raises(Invalid, match=f"forward only; it stands at {NOON + 5}") as raised:
        sandbox.move(NOON + 4)
    assert raised.value.field == "now_ms"
    sandbox.raise_to(NOON)
    assert sandbox.now_ms() == NOON + 5


def test_a_sandbox_clock_runs_when_told_to_and_stops_where_it_is(
    sandbox: SandboxClock, machine: Machine
) -> None:
    sandbox.run(running=True)
    machine.advance(1_500)
    assert (sandbox.is_running, sandbox.now_ms()) == (True, NOON + 1_500)

    sandbox.run(running=False)
    machine.advance(1_500)
    assert (sandbox.is_running, sandbox.now_ms()) == (False, NOON + 1_500)


def test_a_running_sandbox_clock_goes_on_running_from_where_it_is_moved_to(
    sandbox: SandboxClock, machine: Machine
) -> None:
    sandbox.run(running=True)
    machine.advance(1_000)
    sandbox.move(NOON + 86_400_000)
    machine.advance(7)

    assert sandbox.now_ms() == NOON + 86_400_007
    assert sandbox.is_running


def test_a_running_sandbox_clock_cares_for_no_wall(sandbox: SandboxClock, machine: Machine) -> None:
    sandbox.run(running=True)
    machine.advance(1_000)
    machine.wall_ms -= 86_400_000

    assert sandbox.now_ms() == NOON + 1_000


def test_after_a_reboot_a_sandbox_clock_stands_where_it_was_last_seen(
    sandbox: SandboxClock, machine: Machine, tmp_path: Path
) -> None:
    sandbox.run(running=True)
    machine.advance(1_000)
    assert sandbox.now_ms() == NOON + 1_000
    sandbox.keep()
    machine.boot = 2
    machine.advance(60_000)  # Up for longer than before, so that its elapsed time says nothing.

    with closing(SandboxClock(tmp_path)) as after:
        assert after.now_ms() == NOON + 1_000
        assert not after.is_running
        after.run(running=True)
        machine.advance(3)
        assert after.now_ms() == NOON + 1_003


def test_a_sandbox_clock_survives_a_restart(
    sandbox: SandboxClock, machine: Machine, tmp_path: Path
) -> None:
    sandbox.move(NOON + 5)
    sandbox.run(running=True)
    machine.advance(10)

    with closing(SandboxClock(tmp_path)) as after:
        assert after.is_running
        assert after.now_ms() == NOON + 15


def test_a_sandbox_clock_without_its_record_stands_where_it_was_last_seen(
    sandbox: SandboxClock, tmp_path: Path
) -> None:
    sandbox.move(NOON + 5)
    (tmp_path / "sandbox-clock").write_bytes(b"torn")

    with closing(SandboxClock(tmp_path)) as after:
        assert after.now_ms() == NOON + 5


def test_processes_share_a_sandbox_clock(sandbox: SandboxClock, tmp_path: Path) -> None:
    code = """
import pathlib, sys
from tenure.clock import SandboxClock
clock = SandboxClock(pathlib.Path(sys.argv[1]))
print(clock.now_ms(), flush=True)
while True:
    print(clock.move(int(input())), flush=True)
"""
    with running(code, tmp_path) as other:
        assert other.hear() == str(NOON)
        other.tell(str(NOON + 5))
        assert other.hear() == str(NOON + 5)
        assert sandbox.now_ms() == NOON + 5
        sandbox.move(NOON + 9)
        other.tell(str(NOON + 9))
        assert other.hear() == str(NOON + 9)


def test_a_home_tells_whether_it_is_a_sandbox(tmp_path: Path) -> None:
    with closing(SystemClock(tmp_path / "real")):
        assert not SandboxClock.stands_in(tmp_path / "real")
    with closing(SandboxClock(tmp_path / "sandbox")):
        assert SandboxClock.stands_in(tmp_path / "sandbox")
