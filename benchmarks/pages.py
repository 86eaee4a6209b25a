"""Pages of figures under docs/reference: the tables of one run, and the same figures as JSON."""

import io
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

_HERE = Path(__file__).parent
_PAGES = _HERE.parent / "docs" / "reference"


def show(tables: Sequence[Table]) -> None:
    """Print *tables*."""
    for table in tables:
        Console(width=100).print(table)


def write(name: str, tables: Sequence[Table], measured: Mapping[str, object]) -> None:
    """Write docs/reference/*name*.md from the template beside this, and *name*.json."""
    console = Console(width=100, record=True, file=io.StringIO())
    for table in tables:
        console.print(table)
    page = (_HERE / f"{name}.md").read_text(encoding="utf-8")
    filled = {
        "machine": machine(),
        "arguments": " ".join(sys.argv[1:]),
        "tables": console.export_text().strip(),
    }
    for part, text in filled.items():
        page = page.replace(f"{{{part}}}", text)
    (_PAGES / f"{name}.md").write_text(page, encoding="utf-8")
    figures = json.dumps({"machine": machine(), **measured}, indent=1)
    (_PAGES / f"{name}.json").write_text(f"{figures}\n", encoding="utf-8")


def machine() -> str:
    """Return what this was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    cores = sum(line.startswith("processor") for line in lines)
    model = next(models, platform.machine())
    return f"{model}, {cores} cores, Python {platform.python_version()}"
