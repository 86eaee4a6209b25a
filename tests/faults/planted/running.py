"""
Running named tests on a copy of the source, in a process of its own.

The process is forked from one that has imported what is not ours already: that takes longer than
most of the tests. Nothing of Tenure may be imported here, or a copy would not be what is tested.
"""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_HEAVY: Final = (
    *("alembic", "argon2", "babel", "cryptography.x509", "httpx", "hypothesis", "icalendar"),
    *("jinja2", "litestar", "lmdb", "pydantic_settings", "pysqlite3", "sqlalchemy", "structlog"),
    *("typer", "webauthn", "xml.etree.ElementTree"),
)
_PLUGINS: Final = ("pytest_timeout", "_hypothesis_pytestplugin", "no:cacheprovider")
"""What the tests need, and no more: half the time of a short run goes into plugins."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: pytest's exit code, None where it was stopped; and what it said."""

    code: int | None
    said: str


def run(root: Path, copy: Path, selection: Sequence[str], report: Path, within_s: float) -> Ran:
    """Run *selection* of the tests in *root* on the source in *copy*; *report* is JUnit's."""
    forked = multiprocessing.get_context("forkserver")
    forked.set_forkserver_preload(list(_HEAVY))
    words = report.with_suffix(".txt")
    process = forked.Process(target=_run, args=(root, copy, tuple(selection), report, words))
    process.start()
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join()
        return Ran(None, f"no end within {within_s} s: {words.read_text('utf-8')[-4_000:]}")
    return Ran(process.exitcode, words.read_text("utf-8")[-6_000:])


def _run(root: Path, copy: Path, selection: tuple[str, ...], report: Path, words: Path) -> None:
    os.chdir(root)
    sys.path.insert(0, str(copy))
    # For the processes that tests start.
    os.environ |= {"PYTHONPATH": str(copy), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    os.environ.pop("PYTEST_XDIST_WORKER", None)
    arguments = ["-q", "--tb=short", f"--junitxml={report}", *selection]
    arguments += [argument for name in _PLUGINS for argument in ("-p", name)]
    with (
        words.open("w", encoding="utf-8") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        code = pytest.main(arguments)
    # Whatever threads the tests left behind: this process is done.
    os._exit(code)
