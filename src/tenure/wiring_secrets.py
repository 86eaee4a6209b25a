"""
The part of the composition root that finds the sealing key, made at the first start.

Without it, or with another store's, secrets stay sealed and everything else goes on.
"""

import structlog

from tenure.clock import Clock
from tenure.domain.errors import Unavailable
from tenure.services import sealing
from tenure.settings import Settings
from tenure.store import seals
from tenure.store.db import Store, Transaction

log = structlog.get_logger()


def prepare_sealing_key(tx: Transaction, settings: Settings, clock: Clock) -> None:
    """Bind a new store to its sealing key, made if need be; one process at a time comes here."""
    if seals.mark(tx, sealing.CHECK_MARK) is not None:
        return  # Missing or wrong by now, it leaves secrets sealed; it does not stop a start.
    path = settings.sealing_key_path
    try:
        sealing_key = sealing.read_key(path) or sealing.make_key(path, clock)
    except OSError as error:
        raise Unavailable("sealed", f"no sealing key can be made: {error}") from error
    seals.set_mark(tx, sealing.CHECK_MARK, sealing_key.check)


def read_sealing_key(settings: Settings) -> sealing.SealingKey | None:
    """Return the sealing key, None where there is none that may be read."""
    try:
        return sealing.read_key(settings.sealing_key_path)
    except Unavailable as error:
        log.warning("no sealing key", reason=error.message)
        return None


def matching_sealing_key(settings: Settings, store: Store) -> sealing.SealingKey | None:
    """Return the sealing key, None where it is missing or not the one this store was made with."""
    sealing_key = read_sealing_key(settings)
    held = store.read(lambda tx: seals.mark(tx, sealing.CHECK_MARK))
    return sealing_key if sealing_key is not None and sealing_key.check == held else None
