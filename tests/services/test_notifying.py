"""The process that tells: makes and sends until it is told to stop, whatever goes wrong."""

import threading

import pytest
from structlog.testing import capture_logs

from tenure.domain.errors import Unavailable
from tenure.services import notifying
from tenure.services.channels import Outgoing
from tenure.services.notifying import Notifying
from tenure.services.outbound.outcome import Outcome, Sent
from tests.services.parts import Parts
from tests.services.telling import Teller

WITHIN_S = 60


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "EVERY_S", 0.02)
    monkeypatch.setattr(notifying, "_WAKE_S", 0.01)


def run(teller: Teller, until: threading.Event) -> threading.Thread:
    teller.parts.store.close()
    found = Notifying(teller.notify, teller.sending, lambda: None)
    thread = threading.Thread(target=found.run, args=(until.is_set,))
    thread.start()
    return thread


def test_what_happens_is_made_and_sent_until_it_is_told_to_stop(shared: Parts) -> None:
    teller, stop, sent = Teller(shared), threading.Event(), threading.Event()

    def answer(_: Outgoing) -> Outcome:
        sent.set()
        return Sent()

    teller.mail.answer = answer
    thread = run(teller, stop)
    shared.issue()
    assert sent.wait(WITHIN_S)
    stop.set()
    thread.join(WITHIN_S)

    assert not thread.is_alive()
    assert teller.mail.subjects == ["API key “my bot” was issued"]


def test_notices_are_made_while_a_receiver_hangs(shared: Parts) -> None:
    teller, stop = Teller(shared), threading.Event()
    hangs, let_go = threading.Event(), threading.Event()

    def answer(_: Outgoing) -> Outcome:
        hangs.set()
        let_go.wait(WITHIN_S)
        return Sent()

    teller.mail.answer = answer
    thread = run(teller, stop)
    first = shared.issue()
    assert hangs.wait(WITHIN_S)
    second = shared.issue()
    name = teller.told(second.account_id)[0].notice.notice_id
    pause = threading.Event()
    for _ in range(WITHIN_S * 100):
        if teller.notices.deliveries(second.account_id, name):
            break
        pause.wait(0.01)
    assert teller.notices.deliveries(second.account_id, name), "made, while the first still hangs"
    assert teller.told(first.account_id)
    let_go.set()
    stop.set()
    thread.join(WITHIN_S)


@pytest.mark.parametrize("error", [Unavailable("store"), KeyError("a bug")])
def test_an_error_is_logged_and_the_next_round_tries_again(
    shared: Parts, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    teller, stop, again = Teller(shared), threading.Event(), threading.Event()
    failed: list[int] = []

    def step() -> bool:
        failed.append(1)
        if len(failed) == 1:
            raise error
        again.set()
        return False

    monkeypatch.setattr(teller.notify, "step", step)
    with capture_logs() as logs:
        thread = run(teller, stop)
        assert again.wait(WITHIN_S)
        stop.set()
        thread.join(WITHIN_S)

    assert [log["event"] for log in logs][:1] == ["notices late"]


def test_closing_lets_go_of_what_it_stands_on(shared: Parts) -> None:
    teller, closed = Teller(shared), threading.Event()

    Notifying(teller.notify, teller.sending, closed.set).close()

    assert closed.is_set()
