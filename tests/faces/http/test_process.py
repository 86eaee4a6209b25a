"""What runs beside a worker's requests, and its last round when the process ends."""

import subprocess
import sys

PROGRAM = """
import threading
from tenure.faces.http import process

ran = threading.Event()

def run(wait):
    rounds = 0
    while not wait():
        rounds += 1
        ran.set()
    print("rounds" if rounds else "none", "and a last one", flush=True)

process.run_beside(run, {every_s})
if {is_awaited}:
    assert ran.wait(30)
"""


def last_words(*, every_s: float, is_awaited: bool) -> str:
    program = PROGRAM.format(every_s=every_s, is_awaited=is_awaited)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_it_runs_every_few_moments_and_once_more_at_the_end() -> None:
    assert last_words(every_s=0.01, is_awaited=True) == "rounds and a last one"


def test_a_process_that_ends_early_does_not_wait_for_the_next_round() -> None:
    assert last_words(every_s=3600, is_awaited=False) == "none and a last one"
