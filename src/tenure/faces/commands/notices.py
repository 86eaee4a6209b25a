"""`tenure notices`: what an account was told, and what it has read."""

from typing import Annotated

import typer

from tenure.faces.commands import client, shown
from tenure.faces.commands.accounts import AccountId, AsJson
from tenure.faces.commands.client import Client, Json

app = typer.Typer(no_args_is_help=True, help="See what accounts were told.")


@app.command("list")
@client.connected
def list_(
    server: Client,
    account: AccountId,
    *,
    unread: Annotated[bool, typer.Option("--unread", help="Only what was not read.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what an account was told, the oldest first; * marks what it has not read."""
    found = _every(server, account, unread=unread)
    if as_json:
        shown.as_json({"notices": found})
        return
    made = shown.table("", "when (UTC)", "urgency", "notice", whole=3)
    shown.listing(made, (_row(notice) for notice in found), "There is no notice.")


@app.command()
@client.connected
def read(
    server: Client,
    account: AccountId,
    notice: Annotated[str, typer.Argument(metavar="NOTICE", help="Its id, ntc_…")],
    *,
    as_json: AsJson = False,
) -> None:
    """Mark a notice as read by the account it was for."""
    path = f"/v1/accounts/{client.of_path(account)}/notices/{client.of_path(notice)}/read"
    answer = server.post(path)
    if as_json:
        shown.as_json(answer)
        return
    shown.facts([("notice", answer["subject"]), ("read", shown.instant(answer["read_at_ms"]))])


def _every(server: Client, account: str, *, unread: bool) -> list[Json]:
    found: list[Json] = []
    after: int | None = 0
    while after is not None:
        path = f"/v1/accounts/{client.of_path(account)}/notices"
        page = server.get(path, after=after, unread="true" if unread else "false")
        found += page["notices"]
        after = page["next_after"] if page["notices"] else None
    return found


def _row(notice: Json) -> tuple[str, ...]:
    mark = "" if notice["read_at_ms"] else "*"
    what = f"{notice['subject']}\n{notice['notice_id']}"
    return mark, shown.short(notice["happened_at_ms"]), notice["urgency"], what
