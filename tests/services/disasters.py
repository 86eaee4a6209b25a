"""A store that was backed up, went on, and was lost; and what is restored of it."""

import io
import shutil
from pathlib import Path

from tenure.domain import checkpoints as reading
from tenure.domain.checkpoints import Checkpoint
from tenure.domain.decide import Reason
from tenure.domain.errors import Unavailable
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.services import auditing, backups, logkey, restoring
from tenure.services.checkpoints import EVERY_MS, Checkpoints
from tenure.services.keys import Wanted
from tenure.services.restoring import Replayed
from tenure.store import db, journal, schema
from tests.builders import DAY_MS, HOME, TRADING
from tests.services import parts as building
from tests.services.parts import Parts


class Disaster:
    """
    A store that was backed up, went on, pushed a checkpoint, and was lost.

    *kept* and *revoked* are keys from before the backup; what came after it is in *export*.
    """

    def __init__(self, directory: Path) -> None:
        """Live through it."""
        self.directory = directory
        self.parts = building.opened(directory / "home")
        logkey.prepare(self.parts.store, self.parts.home, self.parts.clock)
        self.kept, self.revoked = self.parts.issue(TRADING), self.parts.issue(TRADING)
        self.rotated = self.parts.issue(TRADING)
        self.of_others = self.parts.issue(TRADING, key_type=KeyType.ED25519)
        self.begin()
        self.sign()
        self.backup = directory / "backup"
        backups.backup(self.parts.store, self.backup, self.parts.clock, lambda _: None)
        self.backed_up = self.parts.store.read(journal.head)[0]
        self.go_on()
        self.pushed = self.sign()
        self.export = self.exported()

    def begin(self) -> None:
        """Do what else is in the backup."""

    def go_on(self) -> None:
        """Do what the backup knows nothing of."""
        parts = self.parts
        parts.keys.revoke(self.revoked.key_id, "operator")
        parts.rotate(self.rotated)
        parts.keys.rotate(self.of_others.key_id, self.of_others.public_key, "operator")
        parts.edit(self.kept, Wanted(label="renamed", ip_allowlist=(HOME,)))
        sub = parts.account(AccountKind.SUB, parts.account(AccountKind.MASTER).account_id)
        parts.accounts.set_frozen(sub.account_id, frozen=True, actor="operator")
        parts.accounts.set_frozen(sub.account_id, frozen=False, actor="operator")
        self.late = parts.issue(TRADING, account=sub)
        gone = parts.issue(TRADING, account=sub)
        parts.keys.revoke(gone.key_id, "operator")
        parts.clock.advance(31 * DAY_MS)
        parts.sweep.tick()

    def sign(self) -> Checkpoint:
        """Sign a checkpoint of what there is, and return it."""
        self.parts.clock.advance(EVERY_MS)
        log = Checkpoints(self.parts.store, self.parts.home, self.parts.clock)
        log.step()
        return reading.read(log.latest().note.encode(), [log.key()])

    def exported(self, after: int = 0) -> bytes:
        """Export the journal as it is."""
        file = io.BytesIO()
        auditing.export(self.parts.store, file, after, lambda _: None)
        return file.getvalue()

    def restored(self, name: str = "restored", url: str = "") -> Parts:
        """Restore the backup into a store of its own, the home's keys with it."""
        home = self.directory / name
        home.mkdir(exist_ok=True)
        url = url or f"sqlite:///{home / 'tenure.db'}"
        store = db.open_store(url)
        restoring.restore(store, self.backup, self.parts.clock, lambda _: None)
        store.close()
        if not (home / "log-key").exists():
            shutil.copy2(self.parts.home / "log-key", home / "log-key")
        made = building.opened(home, clock=self.parts.clock, url=url)
        made.secrets = self.parts.secrets
        return made


def catch_up(
    parts: Parts, text: bytes | None, *signed: Checkpoint, pushed: Checkpoint | None = None
) -> Replayed:
    file = None if text is None else io.BytesIO(text)
    return restoring.catch_up(parts.store, parts.clock, file, signed, pushed)


def answer(parts: Parts, key: ApiKey) -> Reason | str | None:
    parts.follower.tick()
    try:
        return parts.ask(key)
    except Unavailable as error:
        return error.code


def rows(parts: Parts, table: str, *, but: set[str]) -> list[tuple[object, ...]]:
    found = schema.metadata.tables[table]
    columns = [column for column in found.columns if column.name not in but]
    chosen = found.select().with_only_columns(*columns)
    return sorted(
        (tuple(row) for row in parts.store.read(lambda tx: tx.execute(chosen).all())), key=repr
    )
