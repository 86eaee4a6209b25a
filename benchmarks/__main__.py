"""
`python -m benchmarks`: measure, print the tables, and write them down if asked.

Every figure is a ratio within the run it stands in: compare the columns, not two machines.
"""

import argparse
import dataclasses
import io
import json
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import deciding, forwarding, memory
from tenure.domain.errors import Unavailable

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "benchmarks"
_SIZES = (10_000, 1_000_000)


def main() -> None:
    """Measure as the arguments say."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="keys in the keyring")
    options.add_argument("--rounds", type=int, default=9, help="rounds of every measurement")
    options.add_argument("--calls", type=int, default=20_000, help="decisions a round")
    options.add_argument("--seconds", type=int, default=5, help="seconds of load a round")
    options.add_argument("--no-http", action="store_true", help="leave forward-auth out")
    options.add_argument("--write-docs", action="store_true", help=f"write {PAGE.name}.md, .json")
    given = options.parse_args()

    decided = deciding.measure(given.sizes, rounds=given.rounds, calls=given.calls)
    memories = memory.measure(given.sizes)
    forwarded: list[forwarding.Row] = []
    if not given.no_http:
        try:
            forwarded = forwarding.measure(rounds=given.rounds, seconds=given.seconds)
        except Unavailable as error:
            Console(stderr=True).print(f"forward-auth was not measured: {error}")
    tables = [
        _decided(decided),
        _memories(memories),
        *([_forwarded(forwarded)] if forwarded else []),
    ]
    for table in tables:
        Console(width=100).print(table)
    measured = {
        "machine": _machine(),
        "deciding": [_row(row) for row in decided],
        "memory": [dataclasses.asdict(row) for row in memories],
        "forwarding": [dataclasses.asdict(row) for row in forwarded],
    }
    if given.write_docs:
        PAGE.with_suffix(".json").write_text(json.dumps(measured, indent=1) + "\n")
        PAGE.with_suffix(".md").write_text(_page(tables))
    else:
        Console().print_json(json.dumps(measured))


def _decided(rows: list[deciding.Row]) -> Table:
    table = Table(title="A whole decision over its bare signature check")
    for name in ("key", "keys held", "bare µs", "hot µs", "ratio", "random µs", "ratio", "target"):
        table.add_column(name, justify="left" if name == "key" else "right")
    for row in rows:
        table.add_row(
            row.kind,
            f"{row.keys:,}",
            f"{row.bare.median_us:.2f}",
            f"{row.hot.median_us:.2f}",
            f"{row.hot_ratio:.2f}",
            f"{row.spread_over_all.median_us:.2f}",
            f"{row.all_ratio:.2f}",
            f"≤ {row.target}",
        )
    return table


def _forwarded(rows: list[forwarding.Row]) -> Table:
    table = Table(title="Forward-auth over HTTP, one worker, one core for the load")
    for name in ("server", "requests/s", "p50 µs", "p99 µs", "of bare granian"):
        table.add_column(name, justify="left" if name == "server" else "right")
    granian = next(row for row in rows if "granian" in row.server)
    for row in rows:
        table.add_row(
            row.server,
            f"{row.per_second:,.0f}",
            f"{row.p50_us:,.0f}",
            f"{row.p99_us:,.0f}",
            f"{row.per_second / granian.per_second:.2f}",
        )
    return table


def _memories(rows: list[memory.Row]) -> Table:
    table = Table(title="Memory of a process that decides (its own, not the mapped keyring)")
    for name in ("keys held", "before MiB", "after deciding MiB"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(f"{row.keys:,}", f"{row.before_mib:.1f}", f"{row.after_mib:.1f}")
    return table


def _row(row: deciding.Row) -> dict[str, object]:
    ratios = {"hot_ratio": row.hot_ratio, "all_ratio": row.all_ratio}
    return dataclasses.asdict(row) | ratios


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = sum(
        line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines()
    )
    return f"{cpu}, {cores} cores, Python {platform.python_version()}"


def _page(tables: list[Table]) -> str:
    console = Console(width=100, record=True, file=io.StringIO())
    for table in tables:
        console.print(table)
    template = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    filled = template.replace("{machine}", _machine()).replace(
        "{arguments}", " ".join(sys.argv[1:])
    )
    return filled.replace("{tables}", console.export_text().strip())


if __name__ == "__main__":
    main()
