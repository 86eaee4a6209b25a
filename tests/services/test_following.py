"""The ticks in their process, and how others wait for them."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tenure.clock import SystemClock
from tenure.domain.errors import Unavailable
from tenure.services import sweep
from tenure.services.following import WORK_EVERY_MS, Ticks, Waiter
from tenure.services.keyring import STALENESS_MS, Evidence
from tenure.store import holds
from tenure.store.holds import Hold
from tests.builders import DAY_MS, MONTH_MS, TRADING
from tests.services.parts import ACTOR, Parts


class Kept:
    """A clock's keeper that counts how often it was asked, and fails as often as it is told."""

    def __init__(self) -> None:
        self.times = self.failures = 0

    def keep(self) -> None:
        """Count, or fail."""
        self.times += 1
        if self.times <= self.failures:
            raise OSError("the disk is full")


@pytest.fixture
def kept() -> Kept:
    """Return a keeper that never fails."""
    return Kept()


@pytest.fixture
def ticks(parts: Parts, kept: Kept) -> Iterator[Ticks]:
    """Return the ticks over the parts, which follow by nothing else any more."""
    parts.follows = False
    found = Ticks(parts.follower, {"sweep": parts.sweep.step}, parts.clock, kept, parts.home)
    yield found
    found.close()


def _rounds(count: int, between: Callable[[], object] = lambda: None) -> Callable[[], bool]:
    """Return what ends a run after *count* rounds, and does something before each."""
    left = iter(range(count))

    def until() -> bool:
        between()
        return next(left, None) is None

    return until


def _seq(home: Path) -> int:
    evidence = Evidence(home).read()
    assert evidence is not None
    return evidence[3]


def test_a_round_follows_and_sweeps(parts: Parts, ticks: Ticks) -> None:
    parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)

    ticks.run(_rounds(2))

    assert parts.tags()[-1] == "grant:swept"
    assert _seq(parts.home) == parts.journal.head()


def test_each_kind_of_work_goes_on_until_there_is_no_more_of_it(parts: Parts, kept: Kept) -> None:
    begun: list[str] = []

    def work(name: str, batches: int) -> Callable[[], bool]:
        left = iter(range(batches - 1, -1, -1))

        def step() -> bool:
            begun.append(name)
            return next(left, 0) > 0

        return step

    steps = {"much": work("much", 3), "little": work("little", 1)}
    found = Ticks(parts.follower, steps, parts.clock, kept, parts.home)
    found.run(_rounds(5))
    found.close()

    assert begun == ["much", "little", "much", "much"]


def test_a_store_that_is_held_is_not_swept_until_it_is_released(parts: Parts, ticks: Ticks) -> None:
    parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)
    parts.store.write(lambda tx: holds.place(tx, Hold(restored_at_ms=1, seq=1)))
    with capture_logs() as said:
        ticks.run(_rounds(2, lambda: parts.clock.advance(WORK_EVERY_MS)))
    assert said == [], "nothing was even tried"
    assert parts.tags()[-1] == "key:issued"

    parts.store.write(holds.release)
    ticks.run(_rounds(2, lambda: parts.clock.advance(WORK_EVERY_MS)))
    assert parts.tags()[-1] == "grant:swept"


def test_a_run_that_is_told_to_stop_at_once_does_nothing(parts: Parts, ticks: Ticks) -> None:
    parts.issue(TRADING)
    before = _seq(parts.home)

    ticks.run(lambda: True)

    assert _seq(parts.home) == before


def test_sweeping_and_keeping_are_done_now_and_then(parts: Parts, ticks: Ticks, kept: Kept) -> None:
    """At the first round, and a second later; not at every round."""
    ticks.run(_rounds(3))
    assert kept.times == 1

    elapsed = [0, WORK_EVERY_MS - 1, 1, 0]
    ticks.run(_rounds(4, lambda: parts.clock.advance(elapsed.pop(0) if elapsed else 0)))
    assert kept.times == 3


def test_the_keyring_is_followed_between_the_batches_of_a_sweep(
    parts: Parts, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a million terms end at once, sweeping them takes longer than the staleness bound."""
    monkeypatch.setattr(sweep, "BATCH", 2)
    account = parts.account()
    for _ in range(5):
        parts.issue(TRADING, account=account)
    parts.clock.advance(MONTH_MS)
    begun = parts.journal.head()
    seen: list[int] = []

    ticks.run(_rounds(5, lambda: seen.append(_seq(parts.home))))

    assert seen[1:] == [begun, begun + 2, begun + 4, begun + 5, begun + 5]


def test_a_tick_that_fails_stops_neither_the_others_nor_itself(
    parts: Parts, ticks: Ticks, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.failures = 1
    read = parts.store.read

    def fail(_: object) -> None:
        raise Unavailable("store", context="no route to host")

    monkeypatch.setattr(parts.store, "read", fail)
    with capture_logs() as logged:
        ticks.run(_rounds(2))
    assert kept.times == 1
    assert {(entry["tick"], entry.get("context")) for entry in logged} == {
        ("keyring", "no route to host"),
        ("clock", None),
    }

    monkeypatch.setattr(parts.store, "read", read)
    parts.clock.advance(WORK_EVERY_MS)
    parts.issue(TRADING)
    with capture_logs() as logged:
        ticks.run(_rounds(2))
    assert logged == []
    assert kept.times == 2
    assert _seq(parts.home) == parts.journal.head()


def test_a_file_in_the_pipes_place_makes_way_for_it(parts: Parts, kept: Kept) -> None:
    path = parts.home / "keyring-knock"
    path.write_text("left over from something else")

    for _ in range(2):  # The second finds the pipe of the first.
        Ticks(parts.follower, {"sweep": parts.sweep.step}, parts.clock, kept, parts.home).close()
        assert path.is_fifo()


def test_a_waiter_knocks_and_returns_at_once_where_the_event_is_there(
    parts: Parts, ticks: Ticks
) -> None:
    del ticks  # They made the pipe; nobody runs them.
    before = parts.clock.elapsed
    pipe = os.open(parts.home / "keyring-knock", os.O_RDONLY | os.O_NONBLOCK)

    Waiter(parts.home, parts.clock, STALENESS_MS).catch_up(_seq(parts.home))

    assert os.read(pipe, 100) == b"!"
    assert parts.clock.elapsed == before
    os.close(pipe)


def test_knocking_never_blocks(parts: Parts, ticks: Ticks) -> None:
    """The pipe of a follower that hangs is full at some time."""
    del ticks
    pipe = os.open(parts.home / "keyring-knock", os.O_RDWR | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while os.write(pipe, b"!" * 4096):
            pass

    Waiter(parts.home, parts.clock, STALENESS_MS).catch_up(_seq(parts.home))
    os.close(pipe)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_waiter_gives_up_once_nobody_decides_by_the_old_state(
    parts: Parts, *, is_there: bool
) -> None:
    """The follower is dead: the revoke holds all the same, because everything is refused."""
    key = parts.issue(TRADING)
    parts.follows = False
    if is_there:
        os.mkfifo(parts.home / "keyring-knock")
    parts.keys.revoke(key.key_id, ACTOR)
    assert parts.ask(key) is None

    begun = parts.clock.elapsed
    with capture_logs() as logged:
        Waiter(parts.home, parts.clock, STALENESS_MS).catch_up(parts.journal.head())

    assert parts.clock.elapsed >= begun + STALENESS_MS * 1_000_000
    assert [entry["log_level"] for entry in logged] == ["error"]
    parts.clock.advance(1)
    with pytest.raises(Unavailable) as raised:
        parts.ask(key)
    assert raised.value.code == "stale"


def test_evidence_of_another_boot_proves_nothing_to_a_waiter(parts: Parts) -> None:
    parts.clock.boot_id += 1
    begun = parts.clock.elapsed

    with capture_logs():
        Waiter(parts.home, parts.clock, 500).catch_up(1)

    assert parts.clock.elapsed >= begun + 500_000_000


def test_what_an_earlier_follower_left_is_no_tick_of_this_one(parts: Parts) -> None:
    """It would be fresh for a moment more, and whoever was ready by it would not be any longer."""
    begun = parts.clock.elapsed
    waiter = Waiter(parts.home, parts.clock, STALENESS_MS)

    parts.clock.elapsed = begun + STALENESS_MS * 1_000_000
    assert not waiter.has_ticked(begun)  # At the bound itself they still decide.
    parts.clock.elapsed += 1
    assert waiter.has_ticked(begun)
    with pytest.raises(Unavailable):
        parts.keyring.require_fresh()


@contextmanager
def _running(ticks: Ticks) -> Iterator[None]:
    """Run *ticks* in a thread of their own."""
    stop = threading.Event()
    thread = threading.Thread(target=ticks.run, args=(stop.is_set,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_waiter_returns_when_the_follower_has_the_event(shared: Parts, kept: Kept) -> None:
    """A bound of a day, and a real clock: it is the follower that ends the wait."""
    with closing(SystemClock(shared.home)) as clock:
        shared.clock.boot_id = clock.boot()
        shared.follows = False
        waiter = Waiter(shared.home, clock, DAY_MS)
        ticks = Ticks(shared.follower, {"sweep": shared.sweep.step}, clock, kept, shared.home)
        with closing(ticks), _running(ticks):
            for _ in range(5):
                shared.issue(TRADING)
                waiter.catch_up(shared.journal.head())
                assert _seq(shared.home) == shared.journal.head()


def test_the_first_tick_after_a_start_ends_the_wait(shared: Parts, kept: Kept) -> None:
    """A bound of a day, and a real clock: nothing but a tick ends it."""
    with closing(SystemClock(shared.home)) as clock:
        shared.clock.boot_id = clock.boot()
        shared.clock.elapsed = clock.elapsed_ns()
        shared.follower.tick()  # An earlier follower's.
        shared.clock.elapsed *= 2
        ticks = Ticks(shared.follower, {"sweep": shared.sweep.step}, clock, kept, shared.home)
        with closing(ticks), _running(ticks):
            waiter, begun_ns = Waiter(shared.home, clock, DAY_MS), clock.elapsed_ns()
            while not waiter.has_ticked(begun_ns):
                clock.sleep(0.001)
            evidence = Evidence(shared.home).read()

    assert evidence is not None
    assert evidence[0] == shared.clock.elapsed
