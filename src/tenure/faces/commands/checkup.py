"""
What `tenure doctor` makes of the home and the store; nothing is changed, and no server is needed.

A check says what it found and, where something is wrong, what to do. What cannot be seen from
here is said to be unknown. What it makes of the machine is in `machine`.
"""

import os
import stat
from collections.abc import Sized
from pathlib import Path
from typing import Final

from tenure import wiring
from tenure.domain.errors import Invalid, TenureError
from tenure.domain.rules import Rulebook, rule_state
from tenure.faces.commands import exits
from tenure.faces.commands.checks import Check, failed, ok, unknown
from tenure.services import kinds, logkey, sealing
from tenure.settings import Settings
from tenure.store import checkpoints, condition, db, holds, rules, seals
from tenure.store.db import Store

_FIRST_START: Final = "run `tenure serve`: the first start makes it"


def home(settings: Settings) -> Check:
    """Whether the home is there, ours to write, and nobody else's to read."""
    path = settings.home
    if not path.is_dir():
        what = "is no directory" if path.exists() else "is not there"
        mend = f"name another with --home or TENURE_HOME, or {_FIRST_START}"
        return failed("home", f"{path} {what}", mend)
    if not os.access(path, os.W_OK | os.X_OK):
        mend = f"run as its owner, or: chown -R {os.getuid()} {path}"
        return failed("home", f"{path} cannot be written to", mend)
    if others := _others(path):
        return failed("home", f"others may get at {path} ({others})", f"run: chmod 0700 {path}")
    return ok("home", str(path))


def operator_token(settings: Settings) -> Check:
    """Whether there is an operator token that only its owner may read."""
    name, path = "operator token", settings.operator_token_path
    if settings.operator_token:
        return ok(name, "from the settings")
    if not path.is_file():
        return unknown(name, f"{path} is not there", _FIRST_START)
    if others := _others(path):
        mend = f"run: chmod 0600 {path}; then replace it, for it may have been read"
        return failed(name, f"others may get at {path} ({others})", mend)
    return ok(name, f"{path}, for its owner alone")


def sealing_key(settings: Settings) -> Check:
    """Whether the sealing key is there, whole, and for its owner alone to read."""
    name, path = "sealing key", settings.sealing_key_path
    if not path.is_file():
        return unknown(name, f"{path} is not there", _FIRST_START)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~stat.S_IRUSR:
        return failed(name, f"{path} has mode {mode:04o}", f"run: chmod 0400 {path}")
    try:
        sealing.read_key(path)
    except TenureError as error:
        return failed(name, str(error), "put the right file back, from where it was saved")
    return ok(name, f"{path}, for its owner alone")


def store(settings: Settings) -> Check:
    """Whether the store can be read, is migrated, and goes with the sealing key and the sandbox."""
    file = condition.file_of(settings.database_url)
    if file is not None and not file.is_file():
        return unknown("store", f"{file} is not there", _FIRST_START)
    try:
        opened = db.open_store(settings.database_url)
        try:
            return _look_into(opened, settings)
        finally:
            opened.close()
    except TenureError as error:
        found = "; ".join(exits.lines_of(error))
        return failed("store", found, "start the database, or mend --database")


def log(settings: Settings) -> Check:
    """Whether checkpoints of the journal are signed, and held by somebody else too (D16)."""
    file = condition.file_of(settings.database_url)
    if file is not None and not file.is_file():
        return unknown("log", "no journal yet", _FIRST_START)
    try:
        opened = db.open_store(settings.database_url)
        try:
            if condition.tables(opened) != "current":
                return unknown("log", "no checkpoint yet", _FIRST_START)
            latest = opened.read(checkpoints.latest)
            opened.read(lambda tx: logkey.signer(tx, settings.home))
        finally:
            opened.close()
    except TenureError as error:
        mend = "put the log key back, from where it was saved"
        return failed("log", "; ".join(exits.lines_of(error)), mend)
    return _pushed(settings, latest)


def catalog(settings: Settings) -> Check:
    """Whether the catalog file can be read and makes sense."""
    try:
        read = wiring.read_catalog(settings)
    except (TenureError, OSError, UnicodeError) as error:
        return _unreadable("catalog", error)
    where = settings.catalog or "the shipped one"
    return ok(
        "catalog", f"{where}: {_count(read.offers, 'permission')}, {_count(read.routes, 'route')}"
    )


def rulebook(settings: Settings) -> Check:
    """Whether the rulebook file makes sense, and alters no rule that the store has (RULES R13)."""
    try:
        read = wiring.read_rulebook(settings, wiring.read_catalog(settings))
    except (TenureError, OSError, UnicodeError) as error:
        return _unreadable("rulebook", error)
    if altered := _altered(settings, read):
        mend = "a rule is never altered: give the new one its own id and date"
        return failed("rulebook", f"the store has another {', '.join(altered)}", mend)
    where = settings.rulebook or "the shipped one"
    return ok("rulebook", f"{where}: {_count(read.rules, 'rule')}")


def _look_into(opened: Store, settings: Settings) -> Check:
    kind = settings.database_url.partition(":")[0]
    match condition.tables(opened):
        case "none":
            return unknown("store", f"{kind}, without tables", _FIRST_START)
        case "older":
            mend = "run `tenure serve`: a start migrates it; save a copy first"
            return failed("store", f"{kind}, to be migrated to this version", mend)
        case "newer":
            return failed("store", f"{kind}, made by a newer Tenure", "run that version, or later")
        case "current":
            pass
    marks = opened.read(
        lambda tx: (seals.mark(tx, kinds.SANDBOX_MARK), seals.mark(tx, sealing.CHECK_MARK))
    )
    is_sandbox = marks[0] == "yes"
    if is_sandbox is not settings.sandbox:
        return failed(
            "store",
            f"{kind}, {'made in a sandbox' if is_sandbox else 'a real one, not a sandbox'}",
            "add --sandbox" if is_sandbox else "leave out --sandbox",
        )
    if not _goes_with(settings, marks[1]):
        mend = f"put the sealing key it was made with at {settings.sealing_key_path}"
        return failed("store", f"{kind}, whose secrets the sealing key does not open", mend)
    return _released(opened, f"{kind}, migrated{', a sandbox' if is_sandbox else ''}")


def _released(opened: Store, found: str) -> Check:
    hold = opened.read(holds.held)
    if hold is None:
        return ok("store", found)
    mend = "run `tenure restore --events …`, or `tenure restore --accept REASON`"
    return failed("store", f"{found}; restored to event {hold.seq}, and held until released", mend)


def _pushed(settings: Settings, latest: checkpoints.Signed | None) -> Check:
    if not (settings.checkpoint_file or settings.checkpoint_url):
        mend = "name a place elsewhere: TENURE_CHECKPOINT_FILE or TENURE_CHECKPOINT_URL"
        return unknown("log", "nobody else holds a checkpoint", mend)
    if latest is None:
        return ok("log", "no checkpoint yet")
    if latest.pushed_at_ms is None:
        return unknown("log", f"the checkpoint of {latest.size} events is not out yet")
    return ok("log", f"the checkpoint of {latest.size} events is signed and pushed")


def _goes_with(settings: Settings, check: str | None) -> bool:
    try:
        sealing_key = sealing.read_key(settings.sealing_key_path)
    except TenureError:
        return True  # Told by its own check; what it would open cannot be known.
    return check is None or (sealing_key is not None and sealing_key.check == check)


def _altered(settings: Settings, read: Rulebook) -> list[str]:
    file = condition.file_of(settings.database_url)
    if file is not None and not file.is_file():
        return []
    try:
        opened = db.open_store(settings.database_url)
        try:
            known = opened.read(rules.rulebook) if condition.tables(opened) == "current" else None
        finally:
            opened.close()
    except TenureError:
        return []  # Told by the store's own check.
    held = {rule.rule_id: rule_state(rule) for rule in (known.rules if known else ())}
    return [
        rule.rule_id
        for rule in read.rules
        if held.get(rule.rule_id, rule_state(rule)) != rule_state(rule)
    ]


def _unreadable(name: str, error: Exception) -> Check:
    if isinstance(error, Invalid):
        return failed(
            name, "\n".join(exits.lines_of(error)), "mend these lines; nothing took effect"
        )
    return failed(name, str(error), f"name a file that can be read with --{name}")


def _others(path: Path) -> str:
    """Return the mode of *path* where anybody but its owner may do anything, else nothing."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"mode {mode:04o}" if mode & (stat.S_IRWXG | stat.S_IRWXO) else ""


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'s' if len(things) != 1 else ''}"
