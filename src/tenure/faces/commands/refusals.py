"""
`tenure keys refusals`: which requests of a key were refused, why, from where and when.

What the server noted is a lower bound, and what was refused before proof may be anybody's.
"""

from typing import Annotated

import typer

from tenure.faces.commands import client, shown
from tenure.faces.commands.client import Client, Json


def refusals(
    server: Client,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, key_…")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show which requests of a key were refused: why, from where, how often, when."""
    answer = server.get(f"/v1/keys/{client.of_path(key)}/refusals")
    if as_json:
        shown.as_json(answer)
        return
    made = shown.table("reason", "permission", "from", "times", "last (UTC)", whole=1)
    none = "No request of this key was refused in 90 days, as far as was noted."
    shown.listing(made, (_row(row) for row in answer["refusals"]), none)
    if any(not row["is_proved"] for row in answer["refusals"]):
        shown.beside().print(
            "Those marked ? did not prove that they came from the key's holder: a wrong secret or "
            "clock of its own, or a stranger's try.",
            style="yellow",
            soft_wrap=True,
        )


def _row(row: Json) -> tuple[str, ...]:
    return (
        f"{row['reason']}{'' if row['is_proved'] else ' ?'}",
        row["permission"] or "",
        row["address"] or "other addresses",
        str(row["times"]),
        shown.short(row["last_at_ms"]),
    )
