"""What a start says to whoever started it."""

from pathlib import Path

from tenure import settings, wiring
from tenure.domain.model import Secret
from tenure.faces.http import serving

LINK = Secret("http://localhost:8080/console/join/" + "x" * 43)


def test_a_start_says_where_the_console_is_and_how_to_become_its_first_administrator(
    tmp_path: Path,
) -> None:
    prepared = wiring.prepare(settings.load(home=tmp_path / "home"))

    first = serving._greeting(prepared, LINK)  # noqa: SLF001 - what is printed
    later = serving._greeting(prepared, None)  # noqa: SLF001 - as above

    assert "Console: http://localhost:8080/console" in first
    assert f"Become its first administrator: {LINK.reveal()}" in first
    assert "administrator" not in later
    assert "Console: http://localhost:8080/console" in later
