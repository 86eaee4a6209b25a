"""The thread that writes down what was noted: each time it may, and once more at its end."""

import pytest

from tenure.domain.errors import Unavailable
from tenure.services.noting import Noting
from tests.builders import TRADING
from tests.services.parts import Parts
from tests.services.test_usage import note


def test_a_run_flushes_each_time_and_once_more_at_its_end(parts: Parts) -> None:
    key, refused = parts.issue(TRADING), parts.issue()
    rounds = iter([False, True])

    def wait() -> bool:
        parts.clock.advance(1)
        note(parts, key)
        assert parts.ask(refused) is not None
        return next(rounds)

    Noting(parts.usage, parts.refusals).run(wait)

    assert parts.usage.last_used([key.key_id])[key.key_id].at_ms == parts.clock.now
    assert parts.refusals.of_key(refused.key_id)[0].times == 2
    assert not parts.uses.take()
    assert not parts.turned_away.take()
    assert parts.usage.unused(30).noted_since_ms is not None


def test_a_run_goes_on_when_something_fails(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    key = parts.issue(TRADING)
    failures = iter([Unavailable("store"), ValueError("a bug")])
    write = parts.store.write

    def fail_twice(act: object) -> object:
        for failure in failures:
            raise failure
        return write(act)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(parts.store, "write", fail_twice)
    rounds = iter([False, False, True])

    def wait() -> bool:
        note(parts, key)
        return next(rounds)

    Noting(parts.usage, parts.refusals).run(wait)

    assert parts.usage.of_key(key.key_id) is not None
