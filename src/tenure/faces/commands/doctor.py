"""
`tenure doctor`: is this a place where Tenure can run, and if not, what to do about it.

What is looked at is in `checkup` and `machine`; here it is asked for and shown.
"""

from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.text import Text

from tenure.faces.commands import exits, serve, shown
from tenure.faces.commands.checks import Check, Outcome
from tenure.settings import Settings

_MARKS: Final = {
    Outcome.OK: ("ok", "green"),
    Outcome.FAILED: ("FAILED", "bold red"),
    Outcome.UNKNOWN: ("unknown", "yellow"),
}


@serve.with_settings("home", "database", "listen", "rulebook", "catalog", "sandbox")
def doctor(
    settings: Settings,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """
    Check this machine, the home and the store; changes nothing.

    Also the files a venue writes. Needs no server. Ends with 1 if any check failed; what cannot be
    seen is unknown, not failed.
    """
    found = list(checks(settings))
    is_well = all(check.outcome is not Outcome.FAILED for check in found)
    if as_json:
        shown.as_json({"ok": is_well, "checks": [_as_json(check) for check in found]})
    else:
        _show(found)
    raise typer.Exit(exits.Exit.DONE if is_well else exits.Exit.REFUSED)


def checks(settings: Settings) -> Iterator[Check]:
    """Look at everything, one after the other."""
    # Here, so that the commands that only ask a server need not load the store first.
    from tenure.faces.commands import checkup, machine  # noqa: PLC0415 - as said above

    yield machine.python()
    yield machine.sqlite(settings)
    yield machine.clock(settings)
    yield machine.disk(settings)
    yield checkup.home(settings)
    yield checkup.operator_token(settings)
    yield checkup.sealing_key(settings)
    yield checkup.store(settings)
    yield checkup.log(settings)
    yield machine.keyring(settings)
    yield checkup.catalog(settings)
    yield checkup.rulebook(settings)


def _as_json(check: Check) -> dict[str, str | None]:
    return {
        "name": check.name,
        "outcome": str(check.outcome),
        "found": check.found,
        "mend": check.mend or None,
    }


def _show(found: list[Check]) -> None:
    console = shown.console()
    for check in found:
        word, style = _MARKS[check.outcome]
        mend = [f"-> {check.mend}"] if check.mend else []
        first, *rest = [*check.found.splitlines(), *mend]
        # Not a table: a command to mend something with is never broken, so it can be copied.
        heading = Text.assemble((f"{word:<9}", style), f"{check.name:<16}{first}")
        console.print(heading, soft_wrap=True)
        for line in rest:
            console.print(f"{'':<25}{line}", soft_wrap=True)
    failures = sum(check.outcome is Outcome.FAILED for check in found)
    console.print()
    console.print(f"{failures} of {len(found)} checks failed." if failures else "All is well.")
