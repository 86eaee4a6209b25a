"""
`tenure keys`: issue, list, show, rotate and revoke API keys, through the management API.

Editing, with its plan and its question, is in `edits`; what to do when one leaks in
`leaks`; when and whence keys are used in `usage`, and what they were refused in `refusals`.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from tenure.domain import documents
from tenure.domain.errors import Invalid
from tenure.domain.model import KeyType
from tenure.faces.commands import client, edits, leaks, refusals, shown, usage
from tenure.faces.commands.accounts import AccountId, AsJson
from tenure.faces.commands.client import Client, Json

app = typer.Typer(no_args_is_help=True, help="Issue, see, edit, rotate and revoke API keys.")

KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Its id, key_…")]
PublicKeyFile = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="The public key of an rsa or ed25519 key, PEM; - is stdin."),
]

_PUBLIC_KEY_BYTES_MAX: Final = 65_536
"""Many times the largest key that is admitted, and few enough to read whole."""


@app.command()
@client.connected
def create(  # noqa: PLR0913 - an argument an option
    server: Client,
    account: AccountId,
    *,
    label: Annotated[str, typer.Option(metavar="TEXT", help="What the owner calls it.")],
    key_type: Annotated[KeyType, typer.Option("--type", help="How it signs.")] = KeyType.HMAC,
    public_key_file: PublicKeyFile = None,
    ip: edits.Addresses = None,
    tick: edits.Permissions = None,
    as_json: AsJson = False,
) -> None:
    """Issue a key holding `reading` and what is ticked; an hmac secret is shown this once."""
    draft: dict[str, object] = {
        "label": label,
        "key_type": str(key_type),
        "permissions": edits.several(tick or ()),
        "ip_allowlist": edits.addresses(ip) if ip else [],
    }
    if public_key_file is not None:
        draft["public_key"] = _public_key(public_key_file)
    answer = server.post(f"/v1/accounts/{client.of_path(account)}/keys", draft)
    edits.warn(server, answer)
    _show_new(answer, as_json=as_json)


@app.command("list")
@client.connected
def list_(server: Client, account: AccountId, *, as_json: AsJson = False) -> None:
    """List all keys of an account, the oldest first."""
    answer = server.get(f"/v1/accounts/{client.of_path(account)}/keys")
    if as_json:
        shown.as_json(answer)
        return
    made = shown.table("key, label", "type", "permissions (UTC)", whole=1)
    shown.listing(made, (_row(key) for key in answer["keys"]), "This account has no key yet.")


@app.command()
@client.connected
def show(server: Client, key: KeyId, *, as_json: AsJson = False) -> None:
    """Show a key: its permissions, and until when each is on."""
    answer = server.get(f"/v1/keys/{client.of_path(key)}")
    if as_json:
        shown.as_json(answer)
    else:
        _show(answer)


app.command()(client.connected(edits.edit))


@app.command()
@client.connected
def rotate(
    server: Client,
    key: KeyId,
    public_key_file: PublicKeyFile = None,
    *,
    overlap: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long the old one works too: 24h, 7d.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give a key a new secret or public key; the old one stops at once, or after --overlap."""
    body: Json = {} if public_key_file is None else {"public_key": _public_key(public_key_file)}
    if overlap is not None:
        body["overlap_ms"] = _length_ms(overlap)
    answer = server.post(f"/v1/keys/{client.of_path(key)}/rotate", body)
    _show_new(answer, as_json=as_json)


@app.command()
@client.connected
def revoke(server: Client, key: KeyId, *, as_json: AsJson = False) -> None:
    """Revoke a key, at once and for good."""
    answer = server.post(f"/v1/keys/{client.of_path(key)}/revoke")
    if as_json:
        shown.as_json(answer)
    else:
        since = shown.instant(answer["revoked_at_ms"])
        shown.console().print(f"{answer['key_id']} was revoked {since}, for good.", soft_wrap=True)


app.command("revoke-all")(client.connected(leaks.revoke_all))
app.command()(client.connected(leaks.revocations))
app.command()(client.connected(leaks.quarantine))
app.command()(client.connected(leaks.release))
app.command()(client.connected(usage.usage))
app.command()(client.connected(usage.unused))
app.command()(client.connected(refusals.refusals))


def _length_ms(text: str) -> int:
    length_ms = documents.lifetime_ms(text)
    if length_ms is None:
        raise Invalid("--overlap", "must be a length such as 24h, 90m or 7d")
    return length_ms


def _public_key(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.read(_PUBLIC_KEY_BYTES_MAX)
        with Path(path).open(encoding="ascii") as file:
            return file.read(_PUBLIC_KEY_BYTES_MAX)
    except (OSError, UnicodeError) as error:
        raise Invalid("--public-key-file", f"{path} cannot be read as PEM text: {error}") from error


def _row(key: Json) -> tuple[str, ...]:
    held = "\n".join(
        f"{permission} {shown.end_of(state)}" for permission, state in key["permissions"].items()
    )
    return f"{key['key_id']}\n{key['label']}", f"{key['key_type']}\n{key['status']}", held


def _show_new(answer: Json, *, as_json: bool) -> None:
    if as_json:
        shown.as_json(answer)
        return
    _show(answer)
    console = shown.console()
    if answer["consequences"]:
        console.print()
    for item in answer["consequences"]:
        console.print(shown.consequence(item))
    if secret_key := answer.get("secret_key"):
        console.print(
            "\nThe secret key, shown now and never again: keep it where only you can read"
        )
        console.print("it, and disclose it to nobody, third-party platforms included.\n")
        console.print(f"  {secret_key}", style="bold", soft_wrap=True)


def _show(key: Json) -> None:
    ips = ", ".join(key["ip_allowlist"]) or "any address (unrestricted)"
    instants = (
        ("revoked", key["revoked_at_ms"], ""),
        ("quarantined", key["quarantined_at_ms"], f": {key['quarantine_cause']}"),
        ("old secret", key["old_until_ms"], ", then it stops working"),
    )
    marked = [(name, f"{shown.instant(at_ms)}{more}") for name, at_ms, more in instants if at_ms]
    shown.facts(
        [
            ("key", key["key_id"]),
            ("API key", key["api_key"]),
            ("account", key["account_id"]),
            ("label", key["label"]),
            ("type", key["key_type"]),
            ("status", key["status"]),
            *marked,
            ("IPs", ips),
            ("issued", shown.instant(key["issued_at_ms"])),
            ("version", str(key["version"])),
            *([("used", usage.last_used(key["last_used"]))] if "last_used" in key else []),
        ]
    )
    made = shown.table("permission", "state (UTC)", "since", "rule", whole=3)
    for permission, state in key["permissions"].items():
        made.add_row(
            permission,
            shown.end_of(state),
            shown.short(state["granted_at_ms"]),
            state["rule_id"] or "",
        )
    shown.console().print()
    shown.console().print(made)
