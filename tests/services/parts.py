"""
The services of one process, on a clock that is told: what `wiring` builds, without a machine.

A real SQLite, a real keyring, real signatures; ticks run when called.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tenure.domain import allowlist
from tenure.domain.decide import Allowed, Reason
from tenure.domain.events import Change, Event, Tag
from tenure.domain.model import Account, AccountKind, ApiKey, KeyId, KeyType
from tenure.services.accounts import Accounts
from tenure.services.deciding import Decider
from tenure.services.follower import Follower
from tenure.services.journal import Journal
from tenure.services.keyring import Keyring
from tenure.services.keys import Draft, Issued, Keys, Limits, Previewed, Wanted
from tenure.services.quarantine import Quarantine
from tenure.services.refusals import Refusals, TurnedAway
from tenure.services.revocations import Revocations
from tenure.services.rules import Rules
from tenure.services.sealing import CHECK_MARK, SealingKey
from tenure.services.sweep import Sweep
from tenure.services.usage import Usage, Uses
from tenure.store import journal, schema, seals
from tenure.store.db import Store
from tests import migrated, signers
from tests.builders import HOME, TRADING, the_catalog, the_rulebook
from tests.fakes import FakeClock

ACTOR = "operator"
LIMITS = Limits(keys_per_account=5, addresses_per_key=3)


def a_sealing_key(sign: str = "s") -> SealingKey:
    """Return the sealing key made of 32 times *sign*."""
    return SealingKey(sign.encode() * 32)


class Parts:
    """
    What a worker stands on, and its ticks, over a *store*; without *sealing_key* it is sealed.

    *secrets* are those shown when keys were issued. While it *follows*, an act returns once the
    keyring holds it.
    """

    def __init__(
        self, home: Path, clock: FakeClock, store: Store, sealing_key: SealingKey | None
    ) -> None:
        """Use `opened`."""
        self.home, self.clock, self.store, self.sealing_key = home, clock, store, sealing_key
        self.secrets: dict[KeyId, str] = {}
        self.follows = True
        self.keys = Keys(store, clock, the_catalog(), sealing_key, LIMITS, self._catch_up)
        self.revocations = Revocations(store, clock, self._catch_up)
        self.quarantine = Quarantine(store, clock, self._catch_up)
        self.accounts = Accounts(store, clock, self._catch_up)
        self.rules = Rules(store, clock, self._catch_up)
        self.journal = Journal(store)
        self.sweep = Sweep(store, clock)
        self.uses = Uses()
        self.usage = Usage(store, clock, self.uses, addresses_per_key=LIMITS.addresses_per_key)
        self.turned_away = TurnedAway()
        self.refusals = Refusals(store, clock, self.turned_away)
        self._follow()

    def _follow(self) -> None:
        self.follower = Follower(self.store, self.home, self.clock)
        self.follower.tick()
        self.keyring = Keyring(self.home, self.clock, self.sealing_key, beside=self.follower)
        self.decider = Decider(
            self.keyring,
            self.clock,
            the_catalog(),
            decoded_retry=True,
            sandbox=False,
            uses=self.uses,
            turned_away=self.turned_away,
        )

    def _catch_up(self, seq: int) -> None:
        if self.follows:
            self.follower.catch_up(seq)

    def stop(self) -> None:
        """End the follower and the worker, and touch nothing they left."""
        self.keyring.close()
        self.follower.close()

    def restart(self) -> None:
        """Start a follower and a worker again, over the same store and in the same home."""
        self.stop()
        self.follows = True
        self._follow()

    def account(self, kind: AccountKind = AccountKind.NORMAL, master: str | None = None) -> Account:
        """Create an account with an e-mail of its own."""
        email = f"owner{len(self.accounts.every())}@example.com"
        return self.accounts.create(email, kind, master, ACTOR)

    def issue(
        self,
        *permissions: str,
        account: Account | None = None,
        key_type: KeyType = KeyType.HMAC,
        ip_allowlist: tuple[str, ...] = (),
    ) -> ApiKey:
        """Issue a key to *account*, or to a new one."""
        draft = Draft(
            label="my bot",
            key_type=key_type,
            public_key=signers.public_key(key_type),
            permissions=permissions,
            ip_allowlist=ip_allowlist,
        )
        return self._keep(self.keys.issue((account or self.account()).account_id, draft, ACTOR))

    def rotate(self, key: ApiKey) -> ApiKey:
        """Give an HMAC *key* a new secret."""
        return self._keep(self.keys.rotate(key.key_id, None, ACTOR))

    def edit(self, key: ApiKey, wanted: Wanted) -> Previewed:
        """Preview and confirm."""
        stamp = self.keys.preview(key.key_id, wanted).stamp
        return self.keys.edit(key.key_id, wanted, stamp, ACTOR)

    def ask(
        self, key: ApiKey, permission: str = TRADING, *, secret: str | None = None
    ) -> Reason | None:
        """Send a signed request now; return why it is refused, None where it is allowed."""
        query = f"symbol=BTCUSDT&timestamp={self.clock.now}"
        if key.key_type is KeyType.HMAC:
            secret = self.secrets[key.key_id] if secret is None else secret
            signature = signers.hmac_sign(secret.encode(), query.encode())
        else:
            signature = signers.sign(key.key_type, query.encode())
            signature = signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        address = allowlist.parse_address(HOME)
        assert address is not None
        sent = f"{query}&signature={signature}".encode()
        outcome = self.decider.decide_raw(key.api_key, sent, b"", address, permission)
        return None if isinstance(outcome, Allowed) else outcome.reason

    def events(self, after: int = 0) -> list[Event]:
        """Return the journal after a seq, however long it is."""
        found = self.journal.after(after)
        return found + self.events(found[-1].seq) if found else []

    def tags(self, after: int = 0) -> list[str]:
        """Return what happened after a seq, in order."""
        return [str(event.change.tag) for event in self.events(after)]

    def note(self, key_id: str) -> None:
        """Record something about a key that says nothing, and let it be followed."""
        change = Change(
            tag=Tag.KEY_EDITED, actor=ACTOR, happened_at_ms=self.clock.now, body={}, key_id=key_id
        )
        self.store.write(partial(journal.append, change=change, now_ms=self.clock.now))
        self.follower.tick()

    def spoil(self, key_id: str, **columns: object) -> None:
        """Write *columns* into the row of a key, past everything that would refuse them."""
        statement = schema.keys.update().where(schema.keys.c.key_id == key_id).values(columns)
        self.store.write(lambda tx: tx.execute(statement))
        self.note(key_id)

    def close(self) -> None:
        """Let go of every file."""
        self.stop()
        self.store.close()

    def _keep(self, issued: Issued) -> ApiKey:
        if issued.secret_key is not None:
            self.secrets[issued.plan.after.key_id] = issued.secret_key.reveal()
        return issued.plan.after


def opened(
    home: Path,
    *,
    clock: FakeClock | None = None,
    url: str = "sqlite://",
    sealing_key: SealingKey | None = None,
    is_sealed: bool = False,
) -> Parts:
    """
    Return the parts in *home*, over a new store or the one at *url*, followed up to now.

    Without the sealing key it was made with, a store *is_sealed*.
    """
    clock = clock or FakeClock()
    sealing_key = None if is_sealed else sealing_key or a_sealing_key()
    store = migrated.opened(url)
    if store.read(partial(seals.mark, name="store_id")) is None:
        store_id = clock.random_bytes(8).hex()
        store.write(partial(seals.set_mark, name="store_id", value=store_id))
        check = (sealing_key or a_sealing_key()).check
        store.write(partial(seals.set_mark, name=CHECK_MARK, value=check))
    Rules(store, clock).adopt(the_rulebook())
    return Parts(home, clock, store, sealing_key)


def until_closed(parts: Parts) -> Iterator[Parts]:
    """Hand out *parts* and close them afterwards: the body of a fixture."""
    yield parts
    parts.close()
