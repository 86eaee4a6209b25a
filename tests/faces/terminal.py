"""Typing commands: `tenure …` in process, against a server that really runs, on 80 columns."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tenure.faces import cli
from tenure.faces.commands import client
from tenure.faces.commands.client import Client


@dataclass(frozen=True, slots=True)
class Said:
    """What a command ended with, and what it wrote where."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - whatever was answered
        """Return the answer, of a command that was to succeed."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """What it wrote besides the answer, whatever the lines were broken at."""
        return " ".join(self.err.split())


def tenure(*words: str, typed: str = "", **environment: str | None) -> Said:
    """Run `tenure` with *words*, without a terminal; *typed* is its standard input."""
    surroundings: dict[str, str | None] = {
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TENURE_SERVER": None,
        "TENURE_HOME": None,
        "TENURE_OPERATOR_TOKEN": None,
        # As it was afterwards too: `serve` sets it, and whoever counts later would count there.
        "PROMETHEUS_MULTIPROC_DIR": None,
        **environment,
    }
    done = CliRunner().invoke(cli.app, words, input=typed, env=surroundings, prog_name="tenure")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Server:
    """A Tenure that runs at *url*, with its *home*; its clock stands in a sandbox."""

    url: str
    home: Path

    def tenure(self, *words: str, typed: str = "", **environment: str | None) -> Said:
        """Run `tenure` with *words* as its operator."""
        known = {"TENURE_SERVER": self.url, "TENURE_HOME": str(self.home)}
        return tenure(*words, typed=typed, **{**known, **environment})

    def client(self) -> Client:
        """Return an operator's way in, to be closed."""
        return client.connect(self.url, None, self.home)

    def account(self, email: str) -> str:
        """Create a normal account and return its id."""
        return str(self.tenure("accounts", "create", email, "--json").json()["account_id"])

    def key(self, email: str, *words: str) -> str:
        """Create an account with an hmac key, and return the key's id."""
        made = self.tenure(
            "keys", "create", self.account(email), "--label", "bot", "--json", *words
        )
        return str(made.json()["key_id"])

    def look(self, key_id: str) -> Any:  # noqa: ANN401 - the API's JSON
        """Return the state of a key."""
        return self.tenure("keys", "show", key_id, "--json").json()
