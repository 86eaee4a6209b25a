"""The manual of the command line says what the commands say themselves."""

import pytest

from tenure.faces.commands import exits
from tenure.settings import Settings
from tests.faces import cli_page

HOW = "run `python -m tests.faces.cli_page` to write the boxes anew"


def test_the_manual_holds_the_help_of_every_command() -> None:
    commands = [" ".join(("tenure", *path)) for path in cli_page.paths()]
    assert list(cli_page.sections(cli_page.PAGE.read_text("utf-8"))) == commands


@pytest.mark.parametrize("path", list(cli_page.paths()), ids=" ".join)
def test_the_manual_is_current(path: tuple[str, ...]) -> None:
    boxes = cli_page.sections(cli_page.PAGE.read_text("utf-8"))
    assert boxes[" ".join(("tenure", *path))] == cli_page.help_of(path), HOW


def test_writing_the_manual_anew_brings_an_old_box_up_to_date() -> None:
    page = cli_page.PAGE.read_text("utf-8")
    old = page.replace("--trusted-proxies", "--proxies-trusted")

    assert old != page
    assert cli_page.renewed(old) == page


@pytest.mark.parametrize("code", exits.Exit)
def test_the_manual_lists_every_exit_code(code: exits.Exit) -> None:
    row = f"| {code.value} | {exits.MEANINGS[code]} |"
    assert row in cli_page.PAGE.read_text("utf-8")


@pytest.mark.parametrize("name", ["home", "listen", "workers"])
def test_an_options_words_and_default_are_those_of_the_setting(name: str) -> None:
    field = Settings.model_fields[name]
    said = " ".join(cli_page.help_of(("serve",)).split())

    assert f"--{name}" in said
    assert field.description is not None
    assert field.description in said
    assert f"[default: {field.default}]" in said
    assert f"[env var: TENURE_{name.upper()}]" in said


def test_help_fits_80_columns() -> None:
    for path in cli_page.paths():
        assert max(len(line) for line in cli_page.help_of(path).splitlines()) <= 80
