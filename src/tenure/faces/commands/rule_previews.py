"""
What new rules would bring to today's keys: asked for slice by slice, added up, and shown.

The counting is the server's; here slices are put together, with a progress bar where somebody
watches. Reading, showing and scheduling rules is in `rules`.
"""

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from tenure import settings
from tenure.domain.errors import Invalid
from tenure.faces.commands import shown
from tenure.faces.commands.client import Client, Json

SLICE: Final = 20_000
"""Keys asked about at a time: about a second, so that the bar moves and no request runs long."""
_EXAMPLES_MAX: Final = 3
_SUMS: Final = ("held", "keeps", "term_starts", "lost", "ended", "anyway")
_BYTES_MAX: Final = 200_000
"""What the server takes, with room for the JSON around it; a rulebook has a few thousand."""


def read(file: str) -> str:
    """Return the text of the rulebook *file*, or of the shipped one called so; raises Invalid."""
    try:
        text = settings.rulebook_path(file).read_text(encoding="utf-8")
    except ValueError as error:  # A file that is no text too: UnicodeDecodeError is one.
        raise Invalid("FILE", str(error)) from error
    if len(text.encode()) > _BYTES_MAX:
        raise Invalid("FILE", f"is too long: a rulebook has at most {_BYTES_MAX} bytes")
    return text


def ask(server: Client, text: str) -> Json:
    """Preview *text* over all keys; return the answer as if it had come in one."""
    columns = (
        *(TextColumn("looking at keys"), BarColumn()),
        *(MofNCompleteColumn(), TimeRemainingColumn()),
    )
    # On a terminal alone, and beside the answer, which may go into a file.
    with Progress(*columns, console=shown.beside(), transient=True, disable=_is_unseen()) as bar:
        whole = server.post("/v1/rules/preview", {"rulebook": text, "limit": SLICE})
        task = bar.add_task("", total=whole["keys_total"], completed=whole["keys"])
        after = whole["next_after"]
        while after is not None:
            body = {"rulebook": text, "limit": SLICE, "after": after}
            more = server.post("/v1/rules/preview", body)
            _join(whole, more)
            bar.update(task, completed=whole["keys"])
            after = more["next_after"]
    return {**whole, "next_after": None}


def show(answer: Json, console: Console) -> None:
    """Show what a preview found: nothing happens by itself, and what an edit would bring."""
    if not answer["added"]:
        console.print("There is no new rule in it: every one is in the rulebook already.")
        return
    active = answer["keys"] - answer["revoked"]
    console.print(
        f"{_keys(active)} looked at. Nothing happens to any when the rules take effect:",
        "only an owner's act brings a permission under them.",
        f"{answer['untouched']:,} hold nothing that their next edit of permissions would change.",
        sep="\n",
        soft_wrap=True,
    )
    if answer["counts"]:
        console.print("What it would do to the others, by the permissions they hold today:\n")
        console.print(_table(answer["counts"]))
    anyway = sum(count["anyway"] for count in answer["counts"])
    if anyway:
        console.print(f"Of these changes {anyway:,} would come under today's rules just the same.")
    for permission, words, key_id in _examples(answer["counts"]):
        said = f"{permission} {words}, for example: {key_id}"
        console.print(said, style="dim", soft_wrap=True)


def _examples(counts: list[Json]) -> Iterator[tuple[str, str, str]]:
    """Yield a key for each permission and what would happen to it; --json has more of them."""
    told = set()
    for count in counts:
        for outcome, words in (("term_starts", "gets a term"), ("lost", "is lost")):
            key_ids = count["examples"].get(outcome)
            if key_ids and (count["permission"], outcome) not in told:
                told.add((count["permission"], outcome))
                yield count["permission"], words, key_ids[0]


def _table(counts: list[Json]) -> Table:
    made = shown.table("permission", "accounts", whole=2)
    for title in ("held", "kept as is", "gets a term", "lost", "ended by then"):
        made.add_column(title, justify="right")
    for count in counts:
        made.add_row(
            count["permission"],
            count["account_kind"],
            f"{count['held']:,}",
            _number(count["keeps"], "green"),
            _number(count["term_starts"], "yellow"),
            _number(count["lost"], "bold red"),
            _number(count["ended"], "dim"),
        )
    return made


def _number(count: int, style: str) -> Text:
    return Text(f"{count:,}" if count else "·", style=style if count else "dim")


def _keys(count: int) -> str:
    return f"{count:,} key{'s' if count != 1 else ''}"


def _is_unseen() -> bool:
    return not shown.beside().is_terminal


def _join(whole: Json, more: Json) -> None:
    for name in ("keys", "revoked", "untouched"):
        whole[name] += more[name]
    known = {(count["permission"], count["account_kind"]): count for count in whole["counts"]}
    for count in more["counts"]:
        held = known.get((count["permission"], count["account_kind"]))
        if held is None:
            whole["counts"].append(count)
            continue
        for name in _SUMS:
            held[name] += count[name]
        for outcome, key_ids in count["examples"].items():
            examples = held["examples"].setdefault(outcome, [])
            examples += key_ids[: _EXAMPLES_MAX - len(examples)]
    whole["counts"].sort(key=lambda count: (count["permission"], count["account_kind"]))
