"""
`tenure keys revoke-all, revocations, quarantine, release`: what to do when a key leaks.

What would be revoked is counted by the server; here it is shown, and asked about.
"""

import datetime
from typing import Annotated, Final

import typer

from tenure.domain import documents
from tenure.domain.errors import Conflict, Invalid
from tenure.faces.commands import client, edits, shown
from tenure.faces.commands.accounts import AsJson
from tenure.faces.commands.client import Client, Json

_PATH: Final = "/v1/revocations"
_KINDS: Final = ("normal", "master", "sub")

KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Its id, key_…")]


def revoke_all(  # noqa: PLR0913 - an argument an option
    server: Client,
    *,
    label: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Keys that are called exactly so.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="Keys of this account and its sub-accounts."),
    ] = None,
    issued_before: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Keys issued earlier, as in 2021-07-09T00:00:00Z."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Confirm without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Revoke many keys at once and for good: all that meet everything that is given.

    They are counted and shown first, then asked about. Keys issued later are not touched, whatever
    they are called.
    """
    wanted: Json = {}
    if label is not None:
        wanted["label"] = label
    if account is not None:
        wanted["account_id"] = account
    if issued_before is not None:
        wanted["issued_before_ms"] = _instant_ms(issued_before)
    if not wanted:
        raise Invalid("revoke-all", "name --label, --account or --issued-before, or several")
    answer = _confirmed(server, wanted, yes=yes)
    if as_json:
        shown.as_json(answer)
    elif answer["revocation"] is None:
        shown.console().print("No such key is left to revoke.")
    else:
        since = shown.instant(answer["revocation"]["made_at_ms"])
        keys = _keys(answer["keys"])
        shown.console().print(f"{keys} revoked {since}, for good.", soft_wrap=True)


def revocations(server: Client, *, as_json: AsJson = False) -> None:
    """List every time that keys were revoked together, the oldest first."""
    answer = server.get(_PATH)
    if as_json:
        shown.as_json(answer)
        return
    made = shown.table("revoked (UTC)", "issued before (UTC)", "label", "account", whole=2)
    shown.listing(
        made,
        (
            (
                shown.short(mark["made_at_ms"]),
                shown.short(mark["issued_before_ms"]),
                mark["label"] or "any",
                mark["account_id"] or "any",
            )
            for mark in answer["revocations"]
        ),
        "Keys were never revoked together.",
    )


def quarantine(
    server: Client,
    key: KeyId,
    *,
    cause: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; whoever uses the key is told so.")
    ],
    as_json: AsJson = False,
) -> None:
    """Let a key only read and cancel until it is released; a rotation's overlap ends."""
    answer = server.post(f"/v1/keys/{client.of_path(key)}/quarantine", {"cause": cause})
    if as_json:
        shown.as_json(answer)
        return
    since = shown.instant(answer["quarantined_at_ms"])
    shown.console().print(
        f"{answer['key_id']} is in quarantine since {since}: {answer['quarantine_cause']}",
        soft_wrap=True,
    )


def release(server: Client, key: KeyId, *, as_json: AsJson = False) -> None:
    """Take a key out of quarantine; its terms ran on meanwhile."""
    answer = server.post(f"/v1/keys/{client.of_path(key)}/release")
    if as_json:
        shown.as_json(answer)
    else:
        shown.console().print(f"{answer['key_id']} may act again.", soft_wrap=True)


def _confirmed(server: Client, wanted: Json, *, yes: bool) -> Json:
    """
    Show what *wanted* would revoke, ask, revoke it, and return the answer.

    Raises Conflict `confirmation_required` where nobody confirms, `stale` where more keys keep
    coming.
    """
    for _ in range(edits.ATTEMPTS_MAX):
        plan = server.post(f"{_PATH}/preview", wanted)
        _show(plan)
        if plan["confirmation_required"] and not yes:
            edits.ask()
        try:
            return server.post(_PATH, {**wanted, "stamp": plan["stamp"]})
        except Conflict as conflict:
            if conflict.code != "stale":
                raise
            shown.beside().print("More keys were issued meanwhile; this is what it would do now:")
    raise Conflict("stale", "keys are issued faster than this can be confirmed: --issued-before")


def _show(plan: Json) -> None:
    console = shown.beside()
    kinds = ", ".join(f"{plan['by_kind'].get(kind, 0)} of {kind} accounts" for kind in _KINDS)
    console.print(f"This revokes {_keys(plan['keys'])}, for good: {kinds}.", soft_wrap=True)
    if not plan["examples"]:
        return
    made = shown.table("for example", "label", "account", "issued (UTC)", whole=1)
    for item in plan["examples"]:
        issued = shown.short(item["issued_at_ms"])
        made.add_row(item["key_id"], item["label"], item["account_id"], issued)
    console.print(made)


def _keys(count: int) -> str:
    return f"{count:,} key{'' if count == 1 else 's'}"


def _instant_ms(text: str) -> int:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid("--issued-before", "must be an instant with its zone: 2021-07-09T00:00:00Z")
    return documents.instant_ms(moment)
