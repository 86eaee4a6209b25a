"""
The boxes of docs/reference/cli.md: the commands' own `--help`, as it is on 80 columns.

The prose around them is written by hand. `python -m tests.faces.cli_page` writes the boxes anew.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from tenure.faces import cli

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"

_SECTION = re.compile(
    r"^(#+ `(tenure[a-z -]*)`\n(?:(?!#|```).*\n)*```text\n)((?:(?!```).*\n)*)", re.MULTILINE
)


def paths() -> Iterator[tuple[str, ...]]:
    """Yield every command as the words it is called by, after `tenure`."""
    yield ()
    yield from _paths_in(typer.main.get_command(cli.app), ())


def help_of(path: tuple[str, ...]) -> str:
    """Return the `--help` of the command called *path*."""
    # The width is set, and so is what an environment could change about it.
    surroundings = {"COLUMNS": "80", "NO_COLOR": "1", "TERMINAL_WIDTH": None}
    shown = CliRunner().invoke(cli.app, [*path, "--help"], prog_name="tenure", env=surroundings)
    assert shown.exit_code == 0, shown.output
    return shown.output


def sections(page: str) -> dict[str, str]:
    """Return the boxes of *page* by the command in the heading above."""
    return {found.group(2): found.group(3) for found in _SECTION.finditer(page)}


def renewed(page: str) -> str:
    """Return *page* with every box as it should be now."""
    return _SECTION.sub(lambda found: found[1] + help_of(tuple(found[2].split()[1:])), page)


def _paths_in(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield (*path, name)
            yield from _paths_in(inner, (*path, name))


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
