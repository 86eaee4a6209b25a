"""
`tenure keys edit`: show what an edit would do, ask, commit exactly what was shown.

The plan, its sentences and its stamp are the server's; here they are shown, and the question is
asked. A plan that is stale at the commit is shown anew, and asked about again.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import typer

from tenure.domain import allowlist
from tenure.domain.errors import Conflict, Invalid
from tenure.faces.commands import client, shown
from tenure.faces.commands.client import Client, Json

ATTEMPTS_MAX: Final = 5
"""Plans shown before giving up: a key that moves each time is being edited by somebody else."""

Addresses = Annotated[
    list[str] | None,
    typer.Option(
        "--ip",
        metavar="IP",
        help="Address or network it may be used from; repeat it, or separate by commas.",
    ),
]
Permissions = Annotated[
    list[str] | None,
    typer.Option("--tick", metavar="P", help="Permission to tick, such as spot_margin_trading."),
]


def edit(  # noqa: PLR0913 - an argument an option
    server: Client,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, key_…")],
    *,
    label: Annotated[str | None, typer.Option(metavar="TEXT", help="A new label.")] = None,
    ip: Addresses = None,
    tick: Permissions = None,
    untick: Annotated[
        list[str] | None, typer.Option(metavar="P", help="Permission to untick.")
    ] = None,
    renew: Annotated[
        list[str] | None, typer.Option(metavar="P", help="Permission whose term starts afresh.")
    ] = None,
    no_ips: Annotated[
        bool, typer.Option("--no-ips", help="Let any address use it; ends may follow from that.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Confirm without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the key as JSON.")] = False,
) -> None:
    """
    Edit a key: show the consequences first, ask where they need it, then commit just that.

    The addresses given with --ip replace those it has.
    """
    wanted: Json = {"label": label} if label is not None else {}
    if ip and no_ips:
        raise Invalid("--no-ips", "give it or --ip, not both")
    if ip or no_ips:
        wanted["ip_allowlist"] = addresses(ip) if ip else []
    if wishes := _wishes(tick or (), untick or (), renew or ()):
        wanted["permissions"] = wishes
    if not wanted:
        raise Invalid("edit", "nothing to change: see `tenure keys edit --help`")
    answer = confirm(server, f"/v1/keys/{client.of_path(key)}/edits", wanted, yes=yes)
    if as_json:
        shown.as_json(answer)
    else:
        shown.console().print(f"{answer['key_id']} is at version {answer['version']}.")


def confirm(server: Client, path: str, wanted: Json, *, yes: bool) -> Json:
    """
    Preview *wanted* at *path*, ask where it needs confirmation, commit, and return the answer.

    Raises Conflict `confirmation_required` where nobody confirms, `stale` where the key keeps
    moving, and whatever the server refuses.
    """
    for _ in range(ATTEMPTS_MAX):
        plan = server.post(f"{path}/preview", wanted)
        show(plan)
        if plan["before"]["version"] == plan["after"]["version"]:
            return {**plan["after"], "consequences": []}  # Nothing would be recorded (RULES R5).
        warn(server, plan)
        if plan["confirmation_required"] and not yes:
            ask()
        try:
            return server.post(path, {**wanted, "stamp": plan["stamp"]})
        except Conflict as conflict:
            if conflict.code != "stale":
                raise
            shown.beside().print("Something changed meanwhile; this is what it would do now:")
    raise Conflict("stale", "it changes faster than it can be confirmed: nothing was changed")


def show(plan: Json) -> None:
    """Show the *plan* beside the answer: sentences, and every end as it is and as it would be."""
    console = shown.beside()
    before, after = plan["before"], plan["after"]
    if not plan["consequences"]:
        same = before["version"] == after["version"]
        console.print("Nothing changes." if same else "No permission changes.")
        return
    for item in plan["consequences"]:
        console.print(shown.consequence(item))
    made = shown.table("permission", "now (UTC)", "then (UTC)")
    for permission in sorted(before["permissions"].keys() | after["permissions"].keys()):
        old = shown.end_of(before["permissions"].get(permission))
        new = shown.end_of(after["permissions"].get(permission))
        made.add_row(permission, old, new, style="" if old != new else "dim")
    console.print()
    console.print(made)


def warn(server: Client, outcome: Json) -> None:
    """Show what the venue warns of with each permission that *outcome* switches on (S11)."""
    granted = {
        item["permission"]
        for item in outcome["consequences"]
        if item["kind"] in {"granted", "term_starts"} and item["is_asked"]
    }
    if not granted:
        return
    offers = server.get("/v1/catalog")["permissions"]
    warnings = [offer["warning"] for offer in offers if offer["id"] in granted]
    for warning in dict.fromkeys(filter(None, warnings)):
        shown.beside().print(f"Warning: {warning}", style="yellow")


def several(texts: Iterable[str]) -> list[str]:
    """Take permissions apart at commas and blanks, as owners write them; each once."""
    return list(dict.fromkeys(part for text in texts for part in allowlist.split(text)))


def addresses(texts: Sequence[str]) -> list[str]:
    """Take addresses apart at commas and blanks; raises Invalid where there is none in *texts*."""
    found = several(texts)
    if not found:
        raise Invalid("--ip", "names no address; --no-ips lets any address use the key")
    return found


def _wishes(
    tick: Iterable[str], untick: Iterable[str], renew: Iterable[str]
) -> dict[str, bool | str]:
    wishes: dict[str, bool | str] = {}
    groups: tuple[tuple[str, Iterable[str], Any], ...] = (
        ("--tick", tick, True),
        ("--untick", untick, False),
        ("--renew", renew, "renew"),
    )
    for option, texts, wish in groups:
        for permission in several(texts):
            if permission in wishes:
                raise Invalid(option, f"{permission} is named twice, with different wishes")
            wishes[permission] = wish
    return wishes


def ask() -> None:
    """Ask whether to go on; raises Conflict `confirmation_required` where nobody says yes."""
    if not shown.is_a_terminal():
        raise Conflict(
            "confirmation_required",
            "this needs confirmation, and there is nobody to ask: look at it, then add --yes",
        )
    if not typer.confirm("Go on?", default=False, err=True):
        raise Conflict("confirmation_required", "not confirmed: nothing was changed")
