"""Seeded lives of the whole house agree with the ledger, and each is the same when lived again."""

import pytest

from tests.simulation.__main__ import main
from tests.simulation.run import run

pytestmark = pytest.mark.slow

QUICK = range(40)
LIVED_TWICE = range(1_000, 1_002)


@pytest.mark.parametrize("seed", QUICK)
def test_a_life_goes_as_the_rules_foresee(seed: int) -> None:
    assert run(seed, steps=50).difference == ""


@pytest.mark.parametrize("seed", LIVED_TWICE)
def test_a_seed_lives_the_same_life_twice(seed: int) -> None:
    once, again = run(seed, steps=80), run(seed, steps=80)

    assert once.difference == ""
    assert once == again


def test_two_seeds_live_different_lives() -> None:
    assert run(0, steps=20).trace != run(1, steps=20).trace


@pytest.mark.soak
def test_a_thousand_lives_go_as_the_rules_foresee(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["--seeds", "1000", "--start", "0"])

    assert "differences = 0" in capsys.readouterr().out
    assert exit_code == 0
