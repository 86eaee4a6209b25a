"""
The clients' own Python environments, in `.clients/<name>` of the checkout.

One each, because python-binance and binance-connector both bring a package `binance` and would
overwrite each other. What is in them is pinned by hash in `requirements/`; an environment is kept
until those change.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / ".clients"
REQUIREMENTS = Path(__file__).parent / "requirements"


class CannotInstallError(Exception):
    """A client cannot be installed on this machine; the message says what went wrong."""


def install(name: str) -> Path:
    """Return the Python that has the client *name*; raises CannotInstallError."""
    home, wanted = CLIENTS / name, REQUIREMENTS / f"{name}.txt"
    python, installed = home / "bin/python", home / "installed.txt"
    # Written last: an environment without it is half an environment.
    if installed.is_file() and installed.read_bytes() == _state(wanted):
        return python
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        raise CannotInstallError("there is no uv beside this Python; `make test` puts it there")
    _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, home)
    _run(uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", wanted)
    installed.write_bytes(_state(wanted))
    return python


def _state(wanted: Path) -> bytes:
    return f"# {sys.version}\n".encode() + wanted.read_bytes()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotInstallError(done.stderr.strip())
