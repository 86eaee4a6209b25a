"""The benchmarks run, on a small scale; what they say of speed is not judged here."""

import pytest

from benchmarks import deciding, measuring, memory

pytestmark = pytest.mark.slow


def test_every_candidate_runs_every_round_and_is_refreshed_before() -> None:
    log: list[str] = []

    def run(name: str) -> int:
        log.append(name)
        return 10

    costs = measuring.interleaved(
        {"one": lambda: run("one"), "two": lambda: run("two")}, 3, lambda: log.append("fresh")
    )
    assert log == ["fresh", "one", "fresh", "two"] * 3
    assert costs["one"].median_us > 0


def test_a_decision_is_measured_for_every_kind_of_key() -> None:
    rows = deciding.measure([20], rounds=2, calls=20)
    assert [row.kind for row in rows] == ["hmac", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519"]
    assert all(row.hot_ratio > 0 and row.all_ratio > 0 for row in rows)


def test_a_deciding_process_says_what_it_keeps() -> None:
    (row,) = memory.measure([20])
    assert 0 < row.before_mib <= row.after_mib + 1
