"""
`tenure backup` and `tenure restore`: the store as one file, and back, without reviving a key.

What they are made of is in `services.backups` and `services.restoring`.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tenure.domain.checkpoints import LogKey
from tenure.domain.errors import Invalid
from tenure.faces.commands import audit, serve, shown, standing
from tenure.settings import Settings

_WHERE: Final = ("home", "database", "sandbox")
_NEXT: Final = (
    "Put sealing-key and log-key back into the home; then bring it up to date:",
    "  tenure restore --events EXPORT --checkpoint LAST-ONE-PUSHED",
    "or release it as it is, on record:",
    "  tenure restore --accept REASON",
)


@serve.with_settings(*_WHERE)
def backup(
    settings: Settings,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
    as_json: audit.AsJson = False,
) -> None:
    """
    Save the store to FILE, beside a running server or not, and check what was written.

    Neither the sealing key nor the log key is in it: keep copies of them apart from it.
    """
    from tenure.services import backups  # noqa: PLC0415 - a command that needs no store waits for none

    with (
        standing.opened(settings) as store,
        standing.clock(settings) as clock,
        shown.progress("saving") as tell,
    ):
        manifest = backups.backup(store, file, clock, tell)
    _show(manifest, f"Saved to {file}, and read back.", as_json=as_json)


@serve.with_settings(*_WHERE)
def restore(  # noqa: PLR0913 - options
    settings: Settings,
    *,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A backup, into an empty store.")
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="EXPORT", help="Replay what came after the backup."),
    ] = None,
    checkpoint: audit.Held = None,
    key: audit.Key = "",
    accept: Annotated[
        str, typer.Option("--accept", metavar="REASON", help="Release it as it is, on record.")
    ] = "",
    as_json: audit.AsJson = False,
) -> None:
    """
    Fill an empty store from a backup, which holds it; then bring it up to date, or accept it.

    A held store answers everything with 503 `restored`, so that no key comes back that was revoked
    after the backup. It is released once its journal reaches the last checkpoint that was pushed.
    Where TENURE_CHECKPOINT_FILE is set that one is found, and need not be named.
    """
    is_known = settings.checkpoint_file is not None and file is None and not accept
    catches_up = events is not None or bool(checkpoint) or is_known
    if [file is not None, catches_up, bool(accept)].count(True) != 1:
        raise Invalid("FILE", "name a backup, or --events and --checkpoint, or --accept a reason")
    if file is not None:
        _fill(settings, file, as_json=as_json)
    elif accept:
        _accept(settings, accept, as_json=as_json)
    else:
        _catch_up(settings, events, audit.trusted(settings, key), checkpoint, as_json=as_json)


def _fill(settings: Settings, file: Path, *, as_json: bool) -> None:
    from tenure.services import restoring  # noqa: PLC0415 - as above
    from tenure.store import db  # noqa: PLC0415 - as above

    if not file.is_file():
        raise Invalid("FILE", f"{file} is not there")
    with standing.clock(settings) as clock, shown.progress("restoring") as tell:
        store = db.open_store(settings.database_url)
        try:
            manifest = restoring.restore(store, file, clock, tell)
        finally:
            store.close()
    _show(manifest, "Restored, and held: everything is 503 until it is released.", as_json=as_json)
    if not as_json:
        for line in _NEXT:
            shown.console().print(line, soft_wrap=True)


def _catch_up(
    settings: Settings,
    events: Path | None,
    keys: list[LogKey],
    files: list[Path] | None,
    *,
    as_json: bool,
) -> None:
    from tenure.services import pushing, restoring  # noqa: PLC0415 - as above

    signed = audit.signed(files or [], keys)
    pushed = pushing.furthest(settings.checkpoint_file, keys[0])
    with standing.opened(settings) as store, standing.clock(settings) as clock:
        if events is None:
            done = restoring.catch_up(store, clock, None, signed, pushed)
        else:
            with events.open("rb") as opened:
                done = restoring.catch_up(store, clock, opened, signed, pushed)
    if as_json:
        shown.as_json(
            {
                "seq": done.seq,
                "replayed": done.replayed,
                "checkpoint": done.checkpoint,
                "without_secret": list(done.without_secret),
                "without_factors": list(done.without_factors),
                "removed_webhooks": list(done.removed_webhooks),
            }
        )
        return
    shown.console().print(f"Released: {done.replayed} events replayed, up to {done.seq}.")
    _list("These hmac keys have lost their secret; rotate them:", done.without_secret)
    _list("These people cannot sign in any more; invite them again:", done.without_factors)
    _list("These webhooks are gone with their secret; add them again:", done.removed_webhooks)


def _list(title: str, names: tuple[str, ...]) -> None:
    if names:
        shown.console().print(title)
    for name in names:
        shown.console().print(f"  {name}")


def _accept(settings: Settings, reason: str, *, as_json: bool) -> None:
    from tenure.services import restoring  # noqa: PLC0415 - as above

    with standing.opened(settings) as store, standing.clock(settings) as clock:
        renamed = restoring.accept(store, clock, reason)
    if as_json:
        shown.as_json({"log_key": renamed.text if renamed else None})
        return
    shown.console().print("Released as it is, on record. What was revoked after the backup is not.")
    if renamed is not None:
        shown.console().print("The log goes on under another name. Its key, for whoever checks:")
        shown.console().print(renamed.text, soft_wrap=True)


def _show(manifest: Any, done: str, *, as_json: bool) -> None:  # noqa: ANN401 - a Manifest, of a module loaded late
    if as_json:
        shown.as_json(
            {"seq": manifest.seq, "hash": manifest.hash, "revision": manifest.revision}
            | {"store_id": manifest.store_id, "made_at_ms": manifest.made_at_ms}
        )
        return
    shown.console().print(done)
    shown.facts(
        [
            ("journal", f"up to event {manifest.seq}"),
            ("made", shown.instant(manifest.made_at_ms)),
            ("checkpoint", "in it" if manifest.checkpoint else "none yet"),
        ]
    )
