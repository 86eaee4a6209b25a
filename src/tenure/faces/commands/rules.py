"""
`tenure rules`: the rulebook of a running Tenure, and changing it without a cliff.

A preview of new rules, and how it is shown, is in `rule_previews`.
"""

from typing import Annotated, Any, Final

import typer

from tenure.faces.commands import client, edits, rule_previews, shown
from tenure.faces.commands.accounts import AsJson
from tenure.faces.commands.client import Client

app = typer.Typer(no_args_is_help=True, help="See the rulebook; preview and schedule new rules.")

RulebookFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A rulebook file, TOML; or the name of a shipped one."),
]

_UNITS_MS: Final = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"))


@app.command()
@client.connected
def show(server: Client, *, as_json: AsJson = False) -> None:
    """Show every rule, also those that take effect later; none is ever altered."""
    answer = server.get("/v1/rules")
    if as_json:
        shown.as_json(answer)
        return
    for index, rule in enumerate(answer["rules"]):
        if index:
            shown.console().print()
        _show(rule)
    if not answer["rules"]:
        shown.console().print("There is no rule: no permission ends.")


@app.command()
@client.connected
def preview(server: Client, file: RulebookFile, *, as_json: AsJson = False) -> None:
    """Show what new rules would bring to today's keys; changes nothing."""
    answer = rule_previews.ask(server, rule_previews.read(file))
    if as_json:
        shown.as_json(answer)
        return
    for rule in answer["added"]:
        _show(rule)
        shown.console().print()
    rule_previews.show(answer, shown.console())
    if answer["added"]:
        shown.console().print(f"\nStamp, good for 10 minutes: {answer['stamp']}", soft_wrap=True)


@app.command()
@client.connected
def schedule(
    server: Client,
    file: RulebookFile,
    *,
    stamp: Annotated[
        str | None, typer.Option(metavar="TEXT", help="That of a preview: commit just what it saw.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Confirm without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Add the new rules of a file, for the future instants they name.

    Without a stamp it previews them first, and asks.
    """
    text = rule_previews.read(file)
    if stamp is None:
        stamp = _confirmed(server, text, yes=yes)
    answer = server.post("/v1/rules", {"rulebook": text, "stamp": stamp})
    if as_json:
        shown.as_json(answer)
        return
    for rule in answer["rules"]:
        since = shown.instant(rule["effective_from_ms"])
        shown.console().print(f"{rule['id']} takes effect {since}.", soft_wrap=True)
    if not answer["rules"]:
        shown.console().print("There is no new rule in it: nothing was changed.")


@app.command()
@client.connected
def withdraw(
    server: Client,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Its id, as in `tenure rules show`.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Withdraw a rule before it takes effect, for good; its id is not used again."""
    answer = server.post(f"/v1/rules/{client.of_path(rule)}/withdraw")
    if as_json:
        shown.as_json(answer)
    else:
        since = shown.instant(answer["withdrawn_at_ms"])
        shown.console().print(f"{answer['id']} was withdrawn {since}, for good.", soft_wrap=True)


def _confirmed(server: Client, text: str, *, yes: bool) -> str:
    answer = rule_previews.ask(server, text)
    for rule in answer["added"]:
        _show(rule, beside=True)
        shown.beside().print()
    rule_previews.show(answer, shown.beside())
    if answer["added"] and not yes:
        edits.ask()
    return str(answer["stamp"])


def _show(rule: dict[str, Any], *, beside: bool = False) -> None:
    types, kinds = ", ".join(rule["key_types"]), ", ".join(rule["account_kinds"])
    withdrawn = rule["withdrawn_at_ms"]
    console = shown.beside() if beside else shown.console()
    console.print(rule["title"], style="bold" if withdrawn is None else "dim strike")
    shown.facts(
        [
            ("  rule", rule["id"]),
            ("  in force from", shown.instant(rule["effective_from_ms"])),
            *([("  withdrawn", shown.instant(withdrawn))] if withdrawn is not None else []),
            ("  permissions", ", ".join(rule["permissions"])),
            ("  without trusted IPs", lifetime(rule["unrestricted"])),
            ("  with trusted IPs", lifetime(rule["restricted"])),
            ("  for", f"{types} keys of {kinds} accounts"),
            ("  source", rule["source"]),
        ],
        console,
    )


def lifetime(value: int | str) -> str:
    """Return a lifetime (ms, or `unlimited`, or `not_allowed`) in words."""
    if isinstance(value, str):
        return {"unlimited": "no end", "not_allowed": "not allowed"}.get(value, value)
    for unit_ms, name in _UNITS_MS:
        if value % unit_ms == 0:
            count = value // unit_ms
            return f"{count} {name}{'s' if count != 1 else ''}"
    return f"{value} ms"
