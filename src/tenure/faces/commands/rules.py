"""`tenure rules`: the rulebook of a running Tenure, as it decides by it."""

from typing import Any, Final

import typer

from tenure.faces.commands import client, shown
from tenure.faces.commands.accounts import AsJson
from tenure.faces.commands.client import Client

app = typer.Typer(no_args_is_help=True, help="See the rulebook.")

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


def _show(rule: dict[str, Any]) -> None:
    types, kinds = ", ".join(rule["key_types"]), ", ".join(rule["account_kinds"])
    shown.console().print(rule["title"], style="bold")
    shown.facts(
        [
            ("  rule", rule["id"]),
            ("  in force from", shown.instant(rule["effective_from_ms"])),
            ("  permissions", ", ".join(rule["permissions"])),
            ("  without trusted IPs", lifetime(rule["unrestricted"])),
            ("  with trusted IPs", lifetime(rule["restricted"])),
            ("  for", f"{types} keys of {kinds} accounts"),
            ("  source", rule["source"]),
        ]
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
