"""
`tenure audit`: the journal as a file, its checkpoints, its proofs, and whether all of it is so.

Works on the store, or on files alone: none of it needs a server, or believes one. What an audit is
made of is in `services.auditing`.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from tenure.domain import checkpoints as reading
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.faces.commands import exits, serve, shown, standing
from tenure.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Export, verify and prove the journal.")

_WHERE: Final = ("home", "database")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Key = Annotated[
    str,
    typer.Option("--key", metavar="KEY", help="Public half of the log key; default: the store's."),
]
Held = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint", metavar="FILE", help="A checkpoint that was kept elsewhere; repeatable."
    ),
]


@app.command()
@serve.with_settings(*_WHERE)
def export(
    settings: Settings,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; - prints it.")],
    after: Annotated[int, typer.Option(min=0, metavar="SEQ", help="Leave out up to SEQ.")] = 0,
) -> None:
    """
    Write the journal to FILE, one event a line, in the form that checkpoints are made of.

    May run beside a server. An export has the owners' e-mail addresses in it, and no secrets.
    """
    from tenure.services import auditing  # noqa: PLC0415 - a command that needs no store waits for none

    if file.exists():
        raise Conflict("exists", f"{file} is there already: name another file")
    with standing.opened(settings) as store, shown.progress("exporting") as tell:
        if str(file) == "-":
            auditing.export(store, sys.stdout.buffer, after, tell)
            return
        unfinished = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with _private(unfinished) as written:
                last = auditing.export(store, written, after, tell)
            file.hardlink_to(unfinished)
        finally:
            unfinished.unlink(missing_ok=True)
    shown.console().print(f"{last - min(after, last)} events, up to {last}: {file}")


@app.command()
@serve.with_settings(*_WHERE)
def verify(  # noqa: PLR0913 - options
    settings: Settings,
    *,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An export, or a proof.")
    ] = None,
    the_store: Annotated[
        bool, typer.Option("--store", help="The store itself, rows and all.")
    ] = False,
    checkpoint: Held = None,
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """
    Check an export, a proof or the store; name the first event that is not as it was recorded.

    A checkpoint that somebody else kept also shows what was redone or cut off as a whole. Ends with
    1 where anything is wrong.
    """
    if the_store is (file is not None):
        raise Invalid("FILE", "name an export or a proof, or say --store")
    if file is not None and _is_proof(file):
        _verify_proof(file, trusted(settings, key), as_json=as_json)
        return
    held = checkpoint or []
    believed = signed(held, trusted(settings, key)) if held else []
    if file is not None:
        found = _verify_file(file, believed)
    else:
        found = _verify_store(settings, believed, key)
    if as_json:
        shown.as_json(_as_json(found))
    else:
        _show(found, is_store=the_store, is_held=bool(held))
    raise typer.Exit(exits.Exit.DONE if found.is_clean else exits.Exit.REFUSED)


@app.command()
@serve.with_settings(*_WHERE)
def prove(
    settings: Settings,
    *,
    seq: Annotated[int, typer.Argument(min=1, metavar="SEQ", help="Which event.")],
) -> None:
    """
    Print a proof that event SEQ is in the journal: a C2SP tlog-proof with the event in it.

    Whoever has it and the public half of the log key can check it, without Tenure.
    """
    from tenure.services import checkpoints  # noqa: PLC0415 - as above

    with standing.opened(settings) as store:
        proof = store.read(lambda tx: checkpoints.prove(tx, seq))
    sys.stdout.write(proof)


@app.command()
@serve.with_settings(*_WHERE)
def key(settings: Settings) -> None:
    """Print the public half of the log key, as C2SP verifiers take it, for whoever checks."""
    shown.console().print(trusted(settings, "")[0].text, soft_wrap=True)


def trusted(settings: Settings, given: str) -> list[LogKey]:
    """Return the log key to believe: the one *given*, else that of the store; raises Invalid."""
    if given:
        return [LogKey.parse(given)]
    from tenure.services import logkey  # noqa: PLC0415 - as above

    try:
        with standing.opened(settings) as store:
            found = store.read(logkey.public)
    except NotFound as error:
        raise Invalid("--key", "name the public half of the log key: no store is here") from error
    if found is None:
        raise Invalid("--key", "this store has no log key yet: `tenure serve` makes it")
    return [found]


def signed(files: Sequence[Path], keys: Sequence[LogKey]) -> list[Checkpoint]:
    """Return the checkpoints in *files*, signed by one of *keys*; raises Invalid by its file."""
    found = []
    for file in files:
        try:
            with file.open("rb") as opened:
                raw = opened.read(reading.NOTE_BYTES_MAX + 1)
            found.append(reading.read(raw, keys))
        except Invalid as error:
            raise Invalid(str(file), error.message) from error
    return found


def _is_proof(file: Path) -> bool:
    with file.open("rb") as opened:
        return reading.is_proof(opened.read(64))


def _verify_proof(file: Path, keys: Sequence[LogKey], *, as_json: bool) -> None:
    with file.open("rb") as opened:
        proved = reading.read_proof(opened.read(64 * 2**20), keys)
    event, under = proved.entry.decode("ascii", "replace"), proved.checkpoint
    if as_json:
        shown.as_json({"ok": True, "seq": proved.seq, "size": under.size, "event": event})
        return
    shown.console().print(f"Event {proved.seq} is in {under.origin}, under {under.size} events:")
    shown.console().print(event, soft_wrap=True)


def _verify_file(file: Path, signed: Sequence[Checkpoint]) -> Any:  # noqa: ANN401 - a Verdict, of a module loaded late
    from tenure.services import auditing  # noqa: PLC0415 - as above

    with file.open("rb") as opened, shown.progress("checking") as tell:
        return auditing.verify_lines(opened, signed, tell)


def _verify_store(settings: Settings, signed: Sequence[Checkpoint], given: str) -> Any:  # noqa: ANN401 - as above
    from tenure.services import auditing, logkey  # noqa: PLC0415 - as above

    with standing.opened(settings) as store, shown.progress("checking") as tell:
        log_key = LogKey.parse(given) if given else store.read(logkey.public)
        return auditing.verify_store(store, signed, log_key, tell)


def _as_json(found: Any) -> dict[str, object]:  # noqa: ANN401 - as above
    flaw = found.flaw
    return {
        "ok": found.is_clean,
        "events": found.seq,
        "root": found.root.hex(),
        "vouched": found.vouched,
        "flaw": None if flaw is None else {"seq": flaw.seq, "what": flaw.what},
        "rows": found.rows,
        "differing": found.differing,
        "differences": [
            {"kind": item.kind, "subject": item.subject, "what": item.what}
            for item in found.differences
        ],
    }


def _show(found: Any, *, is_store: bool, is_held: bool) -> None:  # noqa: ANN401 - as above
    console = shown.console()
    if found.flaw is not None:
        console.print(f"event {found.flaw.seq} {found.flaw.what}", style="bold", soft_wrap=True)
    for item in found.differences:
        console.print(f"{item.kind} {item.subject}: {item.what}", soft_wrap=True)
    if found.differing > len(found.differences):
        console.print(f"and {found.differing - len(found.differences)} more")
    facts = [("events", f"{found.seq:,} as they were recorded"), ("root", found.root.hex())]
    if is_store and found.flaw is None:
        same = "as the journal has them" if not found.differing else f"{found.differing} differ"
        facts.append(("rows", f"{found.rows:,}, {same}"))
    facts.append(("checkpoint", f"vouches for {found.vouched:,}" if found.vouched else "none"))
    shown.facts(facts)
    if found.is_clean and not is_held:
        # Whoever can write the store can also write its own checkpoints, if he has the log key.
        note = "No --checkpoint was given: a journal that was redone as a whole would not show."
        shown.beside().print(note)


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
