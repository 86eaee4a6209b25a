"""The README's tour does what it says, run as a newcomer runs it, against a real server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tenure.settings import load

ROOT = Path(__file__).parent.parent
TOUR = re.compile(r"<!-- tour -->\n```sh\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_tour_works_as_written_and_a_second_time(tmp_path: Path) -> None:
    steps = TOUR.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(steps) == 4
    home = tmp_path / "var"
    clock = SystemClock(tmp_path / "clock")
    with starting(load(home=home, listen="127.0.0.1:0"), clock) as url:
        script = "\n".join(steps * 2).replace("http://127.0.0.1:8080", url)
        done = subprocess.run(
            ["/bin/bash", "-e", "-c", script],
            cwd=tmp_path,
            env={
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "TENURE_SERVER": url,
                "TENURE_HOME": str(home),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    clock.close()
    assert done.returncode == 0, done.stderr
    for said in (
        "no end",
        '"enableSpotAndMarginTrading":true,"tradingAuthorityExpirationTime":1',
        '"allowed":true',
        '"reason":"permission_missing"',
        '"reason":"ip_not_allowed"',
    ):
        assert done.stdout.count(said) >= 2
