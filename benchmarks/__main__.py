"""
`python -m benchmarks`: measure, print the tables, and write them down if asked.

Every figure is a ratio within the run it stands in: compare the columns, not two machines.
"""

import argparse
import dataclasses

from rich.table import Table

from benchmarks import deciding, forwarding, memory, pages

_SIZES = (10_000, 1_000_000)


def main() -> None:
    """Measure as the arguments say."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="keys in the keyring")
    options.add_argument("--rounds", type=int, default=9, help="rounds of every measurement")
    options.add_argument("--calls", type=int, default=20_000, help="decisions a round")
    options.add_argument("--seconds", type=int, default=5, help="seconds of load a round")
    options.add_argument("--no-http", action="store_true", help="leave forward-auth out")
    options.add_argument(
        "--write-docs", action="store_true", help="write the pages in docs/reference"
    )
    given = options.parse_args()

    decided = deciding.measure(given.sizes, rounds=given.rounds, calls=given.calls)
    memories = memory.measure(given.sizes)
    tables = [_decided(decided), _memories(memories)]
    measured = {
        "deciding": [_row(row) for row in decided],
        "memory": [dataclasses.asdict(row) for row in memories],
    }
    pages.show(tables)
    if given.write_docs:
        pages.write("benchmarks", tables, measured)
    if not given.no_http:
        forwarding.report(given.rounds, given.seconds, write_docs=given.write_docs)


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


if __name__ == "__main__":
    main()
