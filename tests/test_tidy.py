"""The tree keeps the house rules, and each rule catches what is planted against it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tidy import check, habits

ROOT = Path(__file__).parents[1]
DOC = '"""What it holds."""\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One violation: *text* after the docstring of the module at *path*, found at *line*."""

    rule: str
    path: str
    text: str
    line: int = 2


def upwards(path: str, text: str) -> Planted:
    return Planted(rule="imports-point-down", path=path, text=text)


def impure(text: str, name: str = "rules") -> Planted:
    return Planted(rule="domain-is-pure", path=f"src/tenure/domain/{name}.py", text=text)


def stray(text: str, path: str = "src/tenure/services/sweep.py") -> Planted:
    return Planted(rule="one-home", path=path, text=text)


def banned(text: str, path: str = "src/tenure/services/keys.py", line: int = 2) -> Planted:
    return Planted(rule="banned-words", path=path, text=text, line=line)


def said(text: str, path: str = "docs/page.md") -> Planted:
    return Planted(rule="text-holds-everywhere", path=path, text=text)


PLANTED = (
    upwards("src/tenure/domain/rules.py", "from tenure.store import keys"),
    upwards("src/tenure/domain/rules.py", "from tenure import clock"),
    upwards("src/tenure/domain/rules.py", "import tenure.metrics"),
    upwards("src/tenure/domain/rules.py", "from ..services.keys import issue"),
    upwards("src/tenure/store/keys.py", "from tenure.services import keys"),
    upwards("src/tenure/store/keys.py", "from ..services import keys"),
    upwards("src/tenure/services/keys.py", "from tenure.faces.http import problems"),
    upwards("src/tenure/services/keys.py", "from tenure import wiring"),
    upwards("src/tenure/faces/http/journal.py", "from tenure.wiring import compose"),
    upwards("src/tenure/clock.py", "from tenure.store import db"),
    upwards("src/tenure/settings.py", "from tenure.services import keys"),
    upwards("src/tenure/metrics.py", "from tenure import settings"),
    impure("import logging"),
    impure("import os.path"),
    impure("from pathlib import Path"),
    impure("from urllib.request import urlopen"),
    impure("import msgspec"),
    impure("from cryptography.hazmat.primitives import hashes"),
    impure("import nacl.bindings", name="decide"),
    impure("RULEBOOK = open('rulebook.toml').read()"),
    impure("SETTLED = print('settled')", name="settling"),
    stray("from sqlalchemy import select", path="src/tenure/services/keys.py"),
    stray("import alembic.config", path="src/tenure/faces/cli_backup.py"),
    stray("from pysqlite3 import dbapi2", path="src/tenure/services/keys.py"),
    stray("import psycopg", path="src/tenure/wiring.py"),
    stray("import sqlite3", path="src/tenure/services/keys.py"),
    stray("import time"),
    stray("from time import sleep"),
    stray("import random"),
    stray("from secrets import token_bytes"),
    stray("import uuid", path="src/tenure/store/keys.py"),
    stray("from os import urandom", path="src/tenure/settings.py"),
    stray("NONCE = os.urandom(12)"),
    stray("NOW = datetime.now(UTC)", path="src/tenure/domain/rules.py"),
    stray("NOW = dt.datetime.utcnow()", path="src/tenure/faces/http/authorize.py"),
    stray("DAY = date.today", path="src/tenure/__main__.py"),
    stray("import lmdb", path="src/tenure/services/sweep.py"),
    stray("from lmdb import Environment", path="src/tenure/store/db.py"),
    stray("from litestar import get", path="src/tenure/services/keys.py"),
    stray("import granian", path="src/tenure/wiring.py"),
    stray("import typer", path="src/tenure/__main__.py"),
    stray("from rich.console import Console", path="src/tenure/store/db.py"),
    Planted(rule="module-length", path="src/tenure/wiring.py", text="\n" * 320, line=320),
    Planted(rule="module-length", path="tests/test_rules.py", text="\n" * 600, line=600),
    Planted(
        rule="function-length",
        path="src/tenure/wiring.py",
        text="def compose() -> None:\n" + "    pass\n" * 60,
    ),
    Planted(
        rule="function-length",
        path="benchmarks/__main__.py",
        text="class Run:\n    async def once(self) -> None:\n" + "        pass\n" * 60,
        line=3,
    ),
    banned("class KeyManager: ..."),
    banned("class HTTPHandler: ..."),
    banned("def parse_data() -> None: ..."),
    banned("async def key_info() -> None: ..."),
    banned("def is_in_scope() -> None: ..."),
    banned("def token() -> None: ..."),
    banned("def session_token() -> None: ..."),
    banned("class Outer:\n    def policy(self) -> None: ...", line=3),
    banned("", path="src/tenure/services/utils.py", line=1),
    banned("", path="examples/credential_check.py", line=1),
    banned("def helper() -> None: ...", path="tests/builders.py"),
    Planted(rule="no-bare-todo", path="src/tenure/wiring.py", text="# TO" + "DO: later"),
    Planted(rule="no-bare-todo", path="tests/test_rules.py", text="A = 1  # FIX" + "ME"),
    said("See /wor" + "k/notes for more."),
    said("Fixed in is" + "sue #12."),
    said("# from https://py" + "pi.org/simple", path="src/tenure/wiring.py"),
)

ALLOWED = {
    "src/tenure/__main__.py": "from tenure import wiring\nfrom tenure.faces import cli",
    "src/tenure/wiring.py": "from tenure.faces.http import app\nfrom tenure.store import db",
    "src/tenure/clock.py": "import time, random, secrets, uuid, os\n"
    "from datetime import datetime\nfrom tenure import mapped\n"
    "from tenure.domain.errors import Invalid\n"
    "NOW, SALT = datetime.now(), os.urandom(12)",
    "src/tenure/domain/__init__.py": "",
    "src/tenure/domain/verifying.py": "import hmac\nfrom cryptography import x509\nimport nacl",
    "src/tenure/domain/rules.py": "from . import errors\nfrom datetime import datetime\n"
    "from typing_extensions import override\nfrom urllib.parse import quote",
    "src/tenure/store/migrations/versions/0001_first.py": "import sqlalchemy\n"
    "def upgrade() -> None:\n" + "    pass\n" * 60,
    "src/tenure/mapped.py": "import mmap",
    "src/tenure/store/db.py": "from tenure import clock, settings\nfrom tenure.domain import rules",
    "src/tenure/services/keyring.py": "import lmdb\nfrom tenure.store import db",
    "src/tenure/faces/http/app.py": "import litestar\nimport tenure.wiring",
    "src/tenure/faces/middleware.py": "",
    "examples/exchange/app.py": "from tenure.faces.middleware import guard",
    "src/tenure/services/sealing.py": "def make_data_key(operator_token: str) -> None: ...\n"
    "class OperatorToken:\n    @override\n    def data(self) -> None: ...\n"
    "# TO" + "DO(the first release): name the file",
    "tests/test_rules.py": "\n" * 400,
    "tests/test_sealing.py": "def test_no_info_leaks() -> None: ...\nself.time.now()",
    "docs/page.md": "Call `https://exchange.example/work/orders`, then see #2.",
}


def checkout(root: Path, files: Mapping[str, str], *, wired: bool = True) -> Path:
    """Lay *files* out under *root*, with an entry point that, if *wired*, names each of them."""
    modules = [path.removeprefix("src/").removesuffix(".py").replace("/", ".") for path in files]
    wiring = f"PARTS = {' '.join(modules)!r}" if wired else ""
    project = '[project.scripts]\ntenure = "tenure.faces.cli:main"\n'
    for path, text in {"src/tenure/faces/cli.py": wiring, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(DOC + text + "\n", encoding="utf-8")
    (root / "pyproject.toml").write_text(project, encoding="utf-8")
    return root


def test_this_tree_keeps_the_house_rules() -> None:
    found = check.violations(ROOT)

    assert not found, "\n".join(found)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.rule}-{planted.path}")
def test_a_planted_violation_is_caught_where_it_is(planted: Planted, tmp_path: Path) -> None:
    found = check.violations(checkout(tmp_path, {planted.path: planted.text}))

    where = f"{planted.path}:{planted.line} {planted.rule} "
    assert any(violation.startswith(where) for violation in found), found


def test_a_module_without_a_docstring_is_caught(tmp_path: Path) -> None:
    checkout(tmp_path, {"tests/test_rules.py": ""})
    (tmp_path / "tests/test_rules.py").write_text("# Tests.\n", encoding="utf-8")

    expected = ["tests/test_rules.py:1 module-docstring opens without a docstring"]
    assert check.violations(tmp_path) == expected


def test_modules_that_only_import_each_other_are_dead(tmp_path: Path) -> None:
    circle = {
        "src/tenure/services/keys.py": "from tenure.domain import rules",
        "src/tenure/domain/rules.py": "",
        "tests/test_keys.py": "from tenure.services import keys",
    }

    found = check.violations(checkout(tmp_path, circle, wired=False))

    assert [violation.partition(" nothing")[0] for violation in found] == [
        "src/tenure/domain/rules.py:1 no-dead-modules",
        "src/tenure/services/keys.py:1 no-dead-modules",
    ]


def test_an_entry_point_that_leads_nowhere_is_caught(tmp_path: Path) -> None:
    checkout(tmp_path, {"src/tenure/domain/rules.py": ""})
    (tmp_path / "src/tenure/faces/cli.py").unlink()

    expected = ["pyproject.toml:1 no-dead-modules entry point tenure.faces.cli is not there"]
    assert check.violations(tmp_path) == expected


def test_what_the_rules_allow_is_not_reported(tmp_path: Path) -> None:
    assert check.violations(checkout(tmp_path, ALLOWED)) == []


def test_the_glossary_says_which_words_are_not_used() -> None:
    glossary = (ROOT / "docs/reference/glossary.md").read_text(encoding="utf-8")
    listed = glossary.partition("## Words not used")[2]

    assert [word for word in habits.BANNED if not re.search(rf"\b{word}\b", listed)] == []


def test_every_rule_and_every_banned_word_has_something_planted_against_it() -> None:
    own_tests = {"module-docstring", "no-dead-modules"}
    assert {planted.rule for planted in PLANTED} | own_tests == set(check.RULES)

    words = " ".join(f"{planted.path} {planted.text}" for planted in PLANTED).lower()
    assert [word for word in habits.BANNED if not re.search(rf"{word}(?![a-z])", words)] == []
