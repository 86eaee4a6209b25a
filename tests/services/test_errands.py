"""Errands: slow work in a thread of its own, tried again when it fails."""

import threading

from tenure.domain.errors import Unavailable
from tenure.services.errands import AFTER_FAILURE_S, EVERY_S, Errands


def nothing() -> None:
    """Let go of nothing."""


def test_every_errand_is_run_and_comes_again_in_a_while() -> None:
    ran: list[str] = []
    errands = Errands({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, nothing)
    assert errands.once() == EVERY_S
    assert ran == ["a", "b"]


def test_an_errand_with_more_to_do_comes_again_at_once() -> None:
    assert Errands({"a": lambda: True, "b": lambda: None}, nothing).once() == 0


def test_one_that_fails_keeps_no_other_from_its_turn_and_comes_again_later() -> None:
    ran: list[str] = []

    def fail() -> None:
        raise Unavailable("journal", "altered")

    def break_down() -> None:
        raise RuntimeError("a bug")

    for failing in (fail, break_down):
        ran.clear()
        errands = Errands({"a": failing, "b": lambda: ran.append("b")}, nothing)
        assert errands.once() == AFTER_FAILURE_S
        assert ran == ["b"]


def test_they_run_beside_until_they_are_stopped_and_then_let_go() -> None:
    ran, closed = threading.Event(), threading.Event()
    errands = Errands({"a": ran.set}, closed.set)
    errands.start()
    assert ran.wait(30)
    assert not closed.is_set()
    errands.stop()
    assert closed.is_set()
