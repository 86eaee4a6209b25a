"""`tenure people`: who of the house signs in to the console, through the management API."""

from typing import Annotated

import typer

from tenure.domain.people import Role
from tenure.faces.commands import client, shown
from tenure.faces.commands.accounts import AsJson, show_link
from tenure.faces.commands.client import Client, Json

app = typer.Typer(no_args_is_help=True, help="See, invite and remove the people of the house.")


@app.command("list")
@client.connected
def list_(server: Client, *, as_json: AsJson = False) -> None:
    """List the people of the house; owners are named by their accounts."""
    answer = server.get("/v1/people")
    if as_json:
        shown.as_json(answer)
        return
    made = shown.table("person", "e-mail", "role", "signs in with", whole=2)
    shown.listing(made, (_row(each) for each in answer["people"]), "Nobody was invited yet.")


@app.command()
@client.connected
def invite(
    server: Client,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whom to invite.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    *,
    as_json: AsJson = False,
) -> None:
    """Invite somebody of the house: a viewer, an operator or an administrator."""
    show_link(server.post("/v1/people", {"email": email, "role": str(role)}), as_json=as_json)


@app.command()
@client.connected
def remove(
    server: Client,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The id, psn_…")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let somebody in no more: of the house, or the owner of an account."""
    answer = server.delete(f"/v1/people/{client.of_path(person)}")
    if as_json:
        shown.as_json(answer)
        return
    removed = shown.instant(answer["removed_at_ms"])
    shown.facts(
        [("person", answer["person_id"]), ("e-mail", answer["email"]), ("removed", removed)]
    )


def _row(person: Json) -> tuple[str, ...]:
    return person["person_id"], person["email"], person["role"], _ways(person)


def _ways(person: Json) -> str:
    if not person["has_joined"]:
        return "has not joined yet"
    ways = ["app"] if person["has_totp"] else []
    if person["passkeys"]:
        ways.append("passkey" if person["passkeys"] == 1 else f"{person['passkeys']} passkeys")
    return ", ".join(ways) or "no second factor yet"
