"""
`tenure keys unused` and `tenure keys usage`: which keys nobody uses, and from where one is used.

What the server noted of use is a lower bound; both commands say so where it matters.
"""

from typing import Annotated, Final

import typer

from tenure.faces.commands import client, shown
from tenure.faces.commands.client import Client, Json

Days = Annotated[int, typer.Option(metavar="N", min=1, max=3650, help="So many days back.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

_DAYS: Final = 30


def unused(server: Client, *, days: Days = _DAYS, as_json: AsJson = False) -> None:
    """List keys that are older than so many days and were not used in them."""
    answer = _every_unused(server, days)
    if as_json:
        shown.as_json(answer)
        return
    if not answer["is_conclusive"]:
        since = shown.instant(answer["noted_since_ms"], none="not yet")
        shown.beside().print(
            f"Use is noted since: {since}. That is less than {days} days, so keys that were used "
            "before then may be listed too.",
            style="yellow",
        )
    made = shown.table("key, label", "account", "last used (UTC)", whole=1)
    none = f"No key that is older than {days} days is unused."
    shown.listing(made, (_row(key) for key in answer["keys"]), none)


def usage(
    server: Client,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, key_…")],
    *,
    days: Days = _DAYS,
    as_json: AsJson = False,
) -> None:
    """Show when and from where a key was used, and suggest an allowlist from that."""
    path = f"/v1/keys/{client.of_path(key)}"
    answer = server.get(f"{path}/usage")
    suggestion = server.get(f"{path}/allowlist-suggestion", days=days)
    if as_json:
        shown.as_json({**answer, "suggestion": suggestion})
        return
    shown.facts([("key", answer["key_id"]), ("last used", last_used(answer["last_used"]))])
    console = shown.console()
    if answer["addresses"]:
        made = shown.table("address", "first (UTC)", "last (UTC)", whole=1)
        for seen in answer["addresses"]:
            instants = (seen["first_used_at_ms"], seen["last_used_at_ms"])
            made.add_row(seen["address"], *(shown.short(at_ms) for at_ms in instants))
        console.print()
        console.print(made)
    console.print()
    if suggestion["ip_allowlist"]:
        entries = ",".join(suggestion["ip_allowlist"])
        console.print(f"To allow what was used in {days} days, and nothing else:")
        console.print(f"  tenure keys edit {answer['key_id']} --ip {entries}", soft_wrap=True)
    for caution in suggestion["cautions"]:
        shown.beside().print(f"Caution: {caution['text']}.", style="yellow", soft_wrap=True)


def last_used(seen: Json | None) -> str:
    """Say when, from where and under which permission a key was last used, if ever."""
    if seen is None:
        return "never, as far as was noted"
    return f"{shown.instant(seen['at_ms'])} from {seen['address']}, {seen['permission']}"


def _every_unused(server: Client, days: int) -> Json:
    whole = page = server.get("/v1/keys/unused", days=days)
    while page["next_after"] is not None:
        page = server.get("/v1/keys/unused", days=days, after=page["next_after"])
        whole["keys"] += page["keys"]
    return {**whole, "next_after": None}


def _row(key: Json) -> tuple[str, ...]:
    last = key["last_used"]
    seen = "never" if last is None else f"{shown.short(last['at_ms'])}\nfrom {last['address']}"
    return f"{key['key_id']}\n{key['label']}", key["account_id"], seen
