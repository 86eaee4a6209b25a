"""The how-to about sub-accounts' keys does what it says: its commands, its Python, its output."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tenure.settings import load
from tests.clients import installing

pytestmark = pytest.mark.clients

PAGE = (installing.ROOT / "docs/howto/manage-sub-account-keys.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"


def blocks(language: str) -> str:
    """Return what the page has in *language*, one block after the other."""
    return "".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    try:
        python = installing.install("binance-connector")
    except installing.CannotInstallError as error:
        pytest.skip(f"binance-connector cannot be installed here: {error}")
    assert ADDRESS in blocks("python")
    home, clock = tmp_path / "var", SystemClock(tmp_path / "clock")
    with starting(load(home=home, listen="127.0.0.1:0", staleness_ms=60_000), clock) as url:
        (tmp_path / "page.py").write_text(blocks("python").replace(ADDRESS, url), encoding="utf-8")
        done = subprocess.run(
            ["/bin/bash", "-e", "-c", f"{{\n{blocks('sh')}}} >/dev/null\n{python} page.py"],
            cwd=tmp_path,
            env={
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
                "NO_PROXY": "*",
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
    expected = re.escape(blocks("text")).replace(re.escape("…"), ".+")
    assert re.fullmatch(expected, done.stdout), done.stdout
