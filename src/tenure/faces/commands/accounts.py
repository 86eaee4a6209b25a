"""`tenure accounts`: create, list, freeze and unfreeze them, through the management API."""

from collections.abc import Iterator
from typing import Annotated

import typer

from tenure.domain.model import AccountKind
from tenure.faces.commands import client, shown
from tenure.faces.commands.client import Client, Json

app = typer.Typer(no_args_is_help=True, help="Create, list and freeze accounts.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its id, acct_…")]


@app.command()
@client.connected
def create(
    server: Client,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whose it is.")],
    kind: Annotated[AccountKind, typer.Option(help="A sub-account needs --master.")] = (
        AccountKind.NORMAL
    ),
    master: Annotated[str | None, typer.Option(metavar="ACCOUNT", help="Its master.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create an account that keys can be issued to."""
    wanted = {"email": email, "kind": str(kind)} | ({"master_id": master} if master else {})
    _show(server.post("/v1/accounts", wanted), as_json=as_json)


@app.command("list")
@client.connected
def list_(server: Client, *, as_json: AsJson = False) -> None:
    """List all accounts."""
    _list(every(server), "There is no account yet.", as_json=as_json)


@app.command()
@client.connected
def subs(server: Client, account: AccountId, *, as_json: AsJson = False) -> None:
    """List the sub-accounts of a master."""
    found = every(server, f"/v1/accounts/{client.of_path(account)}/sub-accounts")
    _list(found, "It has no sub-accounts.", as_json=as_json)


@app.command()
@client.connected
def invite(server: Client, account: AccountId, *, as_json: AsJson = False) -> None:
    """Make a link by which an account's owner joins the console, once."""
    answer = server.post(f"/v1/accounts/{client.of_path(account)}/invitations")
    show_link(answer, as_json=as_json)


@app.command()
@client.connected
def freeze(server: Client, account: AccountId, *, as_json: AsJson = False) -> None:
    """Refuse an account's keys, and with a master its sub-accounts' too, until it is unfrozen."""
    _show(server.post(f"/v1/accounts/{client.of_path(account)}/freeze"), as_json=as_json)


@app.command()
@client.connected
def unfreeze(server: Client, account: AccountId, *, as_json: AsJson = False) -> None:
    """Let a frozen account's keys act again; terms ran on meanwhile."""
    _show(server.post(f"/v1/accounts/{client.of_path(account)}/unfreeze"), as_json=as_json)


def every(server: Client, path: str = "/v1/accounts") -> Iterator[Json]:
    """Yield every account listed at *path*, page after page; raises TenureError."""
    after: str | None = ""
    while after is not None:
        page = server.get(path, **({"after": after} if after else {}))
        yield from page["accounts"]
        after = page["next_after"]


def show_link(answer: Json, *, as_json: bool) -> None:
    """Show an invitation, its link included: now, and never again."""
    if as_json:
        shown.as_json(answer)
        return
    shown.facts(
        [
            ("e-mail", answer["email"]),
            ("role", answer["role"]),
            ("good until", shown.instant(answer["ends_at_ms"])),
            ("link", answer["link"]),
        ]
    )
    shown.beside().print("The link works once, and is shown now and never again.")


def _list(accounts: Iterator[Json], none: str, *, as_json: bool) -> None:
    found = list(accounts)
    if as_json:
        shown.as_json({"accounts": found})
        return
    made = shown.table("account", "kind", "e-mail", "frozen (UTC)", whole=2)
    shown.listing(made, (_row(account) for account in found), none)


def _row(account: Json) -> tuple[str, ...]:
    master = f"\nof {account['master_id']}" if account["master_id"] else ""
    frozen = shown.short(account["frozen_at_ms"]) if account["frozen_at_ms"] else ""
    return f"{account['account_id']}{master}", account["kind"], account["email"], frozen


def _show(account: Json, *, as_json: bool) -> None:
    if as_json:
        shown.as_json(account)
        return
    shown.facts(
        [
            ("account", account["account_id"]),
            ("kind", account["kind"]),
            ("e-mail", account["email"]),
            *([("master", account["master_id"])] if account["master_id"] else []),
            ("created", shown.instant(account["created_at_ms"])),
            ("frozen", shown.instant(account["frozen_at_ms"], none="no")),
        ]
    )
