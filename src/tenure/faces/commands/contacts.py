"""`tenure contacts`: where accounts are told things."""

from typing import Annotated

import typer

from tenure.domain.contacts import Channel
from tenure.faces.commands import client, shown
from tenure.faces.commands.accounts import AccountId, AsJson
from tenure.faces.commands.client import Client, Json

app = typer.Typer(no_args_is_help=True, help="See and change where accounts are told things.")


@app.command()
@client.connected
def add(  # noqa: PLR0913 - a contact has that many sides
    server: Client,
    account: AccountId,
    channel: Annotated[Channel, typer.Argument(metavar="CHANNEL", help="email or webhook.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where to send.")],
    *,
    language: Annotated[
        str | None, typer.Option(metavar="TAG", help="en, es, ja, zh-CN; others get English.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="For dates, such as Asia/Tokyo.")
    ] = None,
    mute: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="A kind not to send; repeat it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a contact; the secret that signs a webhook is shown now and never again."""
    wanted: Json = {"channel": str(channel), "address": address, "muted": mute or []}
    wanted |= {"language": language} if language else {}
    wanted |= {"time_zone": time_zone} if time_zone else {}
    _show(server.post(_path(account), wanted), as_json=as_json)


@app.command("list")
@client.connected
def list_(server: Client, account: AccountId, *, as_json: AsJson = False) -> None:
    """List the contacts of an account; it begins with its own e-mail."""
    answer = server.get(_path(account))
    if as_json:
        shown.as_json(answer)
        return
    made = shown.table("contact", "channel", "address", "language", whole=2)
    shown.listing(made, (_row(each) for each in answer["contacts"]), "There is no contact.")


@app.command()
@client.connected
def remove(
    server: Client,
    account: AccountId,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="Its id, ctc_…")],
    *,
    as_json: AsJson = False,
) -> None:
    """Send nothing more to a contact."""
    _show(server.delete(f"{_path(account)}/{client.of_path(contact)}"), as_json=as_json)


def _path(account: str) -> str:
    return f"/v1/accounts/{client.of_path(account)}/contacts"


def _row(contact: Json) -> tuple[str, ...]:
    zone = f"\n{contact['time_zone']}" if contact["time_zone"] else ""
    language = f"{contact['language'] or 'default'}{zone}"
    return contact["contact_id"], contact["channel"], contact["address"], language


def _show(contact: Json, *, as_json: bool) -> None:
    if as_json:
        shown.as_json(contact)
        return
    secret = contact.get("secret")
    shown.facts(
        [
            ("contact", contact["contact_id"]),
            ("channel", contact["channel"]),
            ("address", contact["address"]),
            ("language", contact["language"] or "the house's default"),
            ("time zone", contact["time_zone"] or "the house's default"),
            ("muted", ", ".join(contact["muted"]) or "nothing"),
            *([("secret", secret)] if secret else []),
        ]
    )
    if secret:
        shown.beside().print("The secret is shown now and never again.")
