"""
How answers look: tables that fit 80 columns, instants in UTC, or JSON for programs.

What is asked of the server is in the commands; the words of a consequence are the server's own.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tenure.domain import wording


def console() -> Console:
    """Return the terminal, or whatever the output goes to; without colours under NO_COLOR."""
    return Console(highlight=False, markup=False, emoji=False)


def beside() -> Console:
    """Return where goes what is not the answer itself: questions, plans, errors."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def is_a_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def as_json(answer: object) -> None:
    """Print *answer* for a program: nothing else goes to standard output then."""
    # Not through the console, which would break long lines.
    print(json.dumps(answer, indent=2))  # noqa: T201 - the answer of a command


def table(*titles: str, whole: int = 0) -> Table:
    """Return an empty table; the first *whole* columns are never broken, the others folded."""
    made = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    for index, title in enumerate(titles):
        made.add_column(title, overflow="fold", no_wrap=index < whole)
    return made


def listing(made: Table, found: Iterable[Sequence[str]], none: str) -> None:
    """Print the rows *found* in the table *made*, or *none* where there is nothing to list."""
    for row in found:
        made.add_row(*row)
    if made.row_count:
        console().print(made)
    else:
        console().print(none)


def facts(pairs: Iterable[tuple[str, str]], to: Console | None = None) -> None:
    """Print names and what they are, one a line; a long value is never broken, to be copied."""
    listed, to = list(pairs), to or console()
    width = max(len(name) for name, _ in listed)
    for name, value in listed:
        to.print(f"{name:<{width}}  {value}", soft_wrap=True)


@contextlib.contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs, on a terminal; yield what to tell how much was done."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=beside(),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.advance(task, done)


def instant(at_ms: int | None, *, none: str = "") -> str:
    """Return an instant (ms, UTC) in words; *none* where there is none."""
    return none if at_ms is None else wording.instant(at_ms)


def short(at_ms: int) -> str:
    """Return an instant (ms, UTC) in as few words as say it; the zone stands in the header."""
    return wording.instant(at_ms).removesuffix(" UTC").removesuffix(":00")


def end_of(permission: Mapping[str, Any] | None) -> str:
    """Say in a few words whether a *permission* of a key is on, and until when."""
    if permission is None:
        return "off"
    if permission["ends_at_ms"] is None:
        return "no end"
    return f"{'until' if permission['enabled'] else 'ended'} {short(permission['ends_at_ms'])}"


def consequence(item: Mapping[str, Any]) -> Text:
    """Return the sentence of one consequence, marked where it has to be confirmed."""
    asks = bool(item["needs_confirmation"])
    return Text.assemble(("! " if asks else "- ", "bold yellow" if asks else "dim"), item["text"])
