"""F18: whoever makes notices and sends them is cut off anywhere, and nothing is lost or renamed."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tenure import settings, wiring
from tenure.domain.model import AccountKind
from tenure.domain.notices import Kind
from tenure.services import sending
from tenure.services.channels import Outgoing
from tenure.services.outbound.outcome import Failed, Outcome, Sent
from tenure.services.rendering import Message
from tenure.store.db import Transaction
from tests.builders import DAY_MS, MONTH_MS, TRADING
from tests.services import parts as building
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

pytestmark = pytest.mark.slow

_Answer = TypeVar("_Answer")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return the services over a new SQLite in memory; it is 2021-12-01 10:00."""
    yield from building.until_closed(building.opened(tmp_path))


class Killed(BaseException):
    """Whoever was at work is gone, in the middle of it."""


class Fate:
    """Cuts off at random: before a transaction, inside it, after its commit, around a message."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - to be repeatable
        self.struck = 0
        self.is_awake = True

    def strike(self) -> None:
        """Cut off, now and then."""
        if self.is_awake and self._dice.random() < 0.1:
            self.struck += 1
            raise Killed


class FatefulStore:
    """A store whose transactions may be cut off at any of their borders."""

    def __init__(self, parts: Parts, fate: Fate) -> None:
        self._store, self._fate = parts.store, fate
        self.engine = parts.store.engine

    def read(self, fn: Callable[[Transaction], _Answer]) -> _Answer:
        """Read."""
        return self._store.read(fn)

    def write(self, fn: Callable[[Transaction], _Answer]) -> _Answer:
        """Write, or be cut off."""
        self._fate.strike()

        def inside(tx: Transaction) -> _Answer:
            answer = fn(tx)
            self._fate.strike()
            return answer

        answer = self._store.write(inside)
        self._fate.strike()
        return answer


@pytest.mark.parametrize("times", [80, pytest.param(250, marks=pytest.mark.soak)])
def test_a_sender_that_is_cut_off_anywhere_loses_nothing(parts: Parts, times: int) -> None:
    """At least once each, under one id and with the same words; the journal says what there is."""
    fate, teller = Fate(7), Teller(parts)
    sent: dict[str, list[Outgoing]] = defaultdict(list)
    dice = random.Random(8)  # noqa: S311 - as above

    def answer(outgoing: Outgoing) -> Outcome:
        fate.strike()
        if fate.is_awake and dice.random() < 0.1:
            return Failed(reason="not now")
        sent[outgoing.message_id].append(outgoing)
        fate.strike()
        return Sent()

    teller.mail.answer = answer
    parts.follows = False  # Nobody decides anything here.
    accounts = [parts.account() for _ in range(4)]
    real, fateful = parts.store, FatefulStore(parts, fate)
    acts = 0
    while fate.struck < times:
        for account in accounts:
            parts.accounts.set_frozen(account.account_id, frozen=acts % 2 == 0, actor=ACTOR)
        acts += 1
        parts.store = fateful  # type: ignore[assignment]  # it reads and writes as one
        try:
            restarted = Teller(parts)
            restarted.mail = teller.mail
            restarted.sending = restarted.sender()
            restarted.sending.tick()
            restarted.notify.tick()
            restarted.sending.tick()
        except Killed:
            pass
        finally:
            parts.store = real
        parts.clock.advance(sending.CLAIMED_FOR_MS if acts % 3 == 0 else 1_000)
    settle(teller, fate)

    told = [
        (account, listed.notice)
        for account in accounts
        for listed in teller.told(account.account_id)
    ]
    assert len(told) == acts * len(accounts)
    for account, notice in told:
        (delivery,) = teller.notices.deliveries(account.account_id, notice.notice_id)
        assert delivery.delivered_at_ms is not None
    assert len(sent) == len(told), "each at least once, and nothing else"
    assert {len(set(map(words, outgoings))) for outgoings in sent.values()} == {1}
    assert any(len(outgoings) > 1 for outgoings in sent.values()), "or it was not cut off there"


def settle(teller: Teller, fate: Fate) -> None:
    """Let everything be done that is left to do, with nobody cut off any more."""
    fate.is_awake = False
    for _ in range(20):
        teller.tick()
        teller.parts.clock.advance(sending.CLAIMED_FOR_MS)


def words(outgoing: Outgoing) -> tuple[str, Message]:
    """Return to whom which words went."""
    return outgoing.contact.contact_id, outgoing.message


def test_a_warning_cut_off_anywhere_is_written_once(parts: Parts) -> None:
    fate, teller = Fate(9), Teller(parts)
    keys = [parts.issue(TRADING) for _ in range(20)]
    parts.clock.advance(MONTH_MS - DAY_MS)
    real, rounds = parts.store, 0
    while fate.struck < 30 or rounds < 40:
        rounds += 1
        parts.store = FatefulStore(parts, fate)  # type: ignore[assignment]  # as above
        try:
            Teller(parts).notify.tick()
        except Killed:
            pass
        finally:
            parts.store = real
    settle(teller, fate)

    for key in keys:
        kinds = teller.kinds(key.account_id)
        assert kinds == [Kind.KEY_ISSUED, Kind.TERM_ENDS_SOON]


SENDER = """
import pathlib, sys
from tenure import settings, wiring
home = pathlib.Path(sys.argv[1])
found = settings.load(home=home, notice_file=home / "notices.jsonl")
notifying = wiring.open_notifying(found)
print("running", flush=True)
notifying.run(lambda: False)
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_a_process_that_is_killed_loses_nothing(tmp_path: Path, kills: int) -> None:
    """`kill -9` of the real process at random moments, while accounts are frozen and unfrozen."""
    code = f"import tenure.services.sending as s\ns.CLAIMED_FOR_MS = 1_000\n{SENDER}"
    home, dice = tmp_path / "home", random.Random(10)  # noqa: S311 - as above
    worker = wiring.open_alone(settings.load(home=home))
    accounts = [
        worker.accounts.create(f"o{number}@example.com", AccountKind.NORMAL, None, ACTOR)
        for number in range(5)
    ]
    expected: set[str] = set()
    for kill in range(kills + 1):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "running\n"
            for account in accounts:
                worker.accounts.set_frozen(account.account_id, frozen=kill % 2 == 0, actor=ACTOR)
            for account in accounts:
                listed = worker.telling.notices.of_account(account.account_id)
                expected |= {each.notice.notice_id for each in listed}
            if kill == kills:
                await_all(home, expected)
            else:
                time.sleep(dice.random() * 0.3)
            process.send_signal(signal.SIGKILL)
    worker.close()

    lines = read(home)
    assert {line["body"]["data"]["notice_id"] for line in lines} == expected
    assert len(expected) == (kills + 1) * len(accounts)
    by_notice: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        by_notice[line["body"]["data"]["notice_id"]].add(line["message_id"])
    assert {len(ids) for ids in by_notice.values()} == {1}


def read(home: Path) -> list[dict[str, Any]]:
    """Return what was sent; a line that a kill cut short is not there: it was one write."""
    path = home / "notices.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def await_all(home: Path, expected: set[str]) -> None:
    """Wait until everything was sent; the test's own time limit ends a wait in vain."""
    while {line["body"]["data"]["notice_id"] for line in read(home)} != expected:
        time.sleep(0.2)
