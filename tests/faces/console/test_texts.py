"""Every text that a page or a route asks for by name is there."""

import re
from importlib import resources
from pathlib import Path

from tenure.services import languages

CONSOLE = Path(str(resources.files("tenure.faces.console")))
_ASKED = re.compile(r"""say\(\s*["']([a-z_.0-9]+)["']\s*[,)]""")


def test_no_page_asks_for_a_text_that_is_not_there() -> None:
    there = languages.language("en", "UTC").texts
    files = [*CONSOLE.rglob("*.j2"), *CONSOLE.rglob("*.py")]
    asked = {
        (file.name, name) for file in files for name in _ASKED.findall(file.read_text("utf-8"))
    }

    assert len(asked) > 100
    assert sorted((file, name) for file, name in asked if name not in there) == []
