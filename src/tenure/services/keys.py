"""
Issuing, editing, rotating and revoking API keys; every change one transaction, one event.

What an edit does is planned in the domain; here it is loaded, planned again at the commit, saved
and recorded. A call returns once the keyring holds its change, so no worker decides otherwise
afterwards. Who may ask for it is the faces' business; *actor* is whom the journal names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from tenure.clock import Clock, new_id
from tenure.domain import allowlist, apikeys, events, plans
from tenure.domain.catalog import Catalog
from tenure.domain.errors import Conflict, Gathered
from tenure.domain.events import Event, Tag
from tenure.domain.model import Account, ApiKey, KeyId, KeyType, Permission, Secret
from tenure.domain.plans import Edit, Plan, Wish
from tenure.domain.rules import Rulebook
from tenure.services import key_events, revoking, rotation, sealing, sweep
from tenure.services.key_events import record
from tenure.store import accounts, journal, keys, marks, rules
from tenure.store.db import Store, Transaction

_Answer = TypeVar("_Answer")

Find: TypeAlias = Callable[[Transaction], _Answer]
"""Looks up, inside the act's own transaction, what it is about; raises NotFound."""

_API_KEY_BYTES = 48
"""Random bytes handed to `apikeys.compose`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an account may have; a limit on everything (see `settings`)."""

    keys_per_account: int
    addresses_per_key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A key just issued or rotated; *secret_key* is shown now and never again (HMAC only)."""

    plan: Plan
    rulebook: Rulebook
    secret_key: Secret | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """A plan and the stamp that confirms it."""

    plan: Plan
    rulebook: Rulebook
    stamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody asks a new key to be; texts as they came."""

    label: str
    key_type: KeyType
    public_key: str | None = None
    permissions: tuple[str, ...] = ()
    ip_allowlist: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks an edit to do; texts as they came, None leaves alone."""

    label: str | None = None
    ip_allowlist: tuple[str, ...] | None = None
    permissions: Mapping[str, Wish] | None = None


class Keys:
    """The life of an API key."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it stands on, once each
        self,
        store: Store,
        clock: Clock,
        catalog: Catalog,
        sealing_key: sealing.SealingKey | None,
        limits: Limits,
        catch_up: Callable[[int], None],
    ) -> None:
        """*catch_up* returns once the keyring holds the event it is given the seq of."""
        self._store, self._clock, self._catalog = store, clock, catalog
        self._limits, self._catch_up = limits, catch_up
        self._proofs = rotation.Proofs(clock, sealing_key)

    def issue(self, account_id: str, draft: Draft, actor: str) -> Issued:
        """
        Issue a key to *account_id*; terms start now (RULES R3, R18).

        Raises NotFound, Invalid, Conflict `limit`, Unavailable `sealed`.
        """
        return self.issue_to(lambda tx: accounts.get(tx, account_id), draft, actor)

    def issue_to(self, find: Find[Account], draft: Draft, actor: str) -> Issued:
        """Issue a key to the account that *find* returns; all else as `issue`."""
        made = self._made(draft)

        def issue(tx: Transaction) -> tuple[Issued, Event]:
            # A mark covers all keys issued up to its millisecond; a new one comes after it.
            now_ms = max(self._clock.now_ms(), marks.reached_until_ms(tx))
            account = find(tx)
            self._require_room(tx, account)
            rulebook = rules.rulebook(tx)
            empty = made(account, now_ms)
            plan = plans.plan_issue(empty, draft.permissions, self._catalog, rulebook)
            secret, sealed = self._proofs.new_secret(tx, plan.after, now_ms)
            keys.add(tx, plan.after, sealed)
            event = record(tx, Tag.KEY_ISSUED, plan.after, actor, now_ms, events.planned(plan))
            return Issued(plan=plan, rulebook=rulebook, secret_key=secret), event

        return self._commit(issue)

    def preview_issue(self, account_id: str, draft: Draft) -> Issued:
        """
        Show what a key would be that is issued now; nothing is, and there is no secret.

        Raises as `issue`, but for what is sealed.
        """
        made = self._made(draft)

        def preview(tx: Transaction) -> Issued:
            account, rulebook = accounts.get(tx, account_id), rules.rulebook(tx)
            self._require_room(tx, account)
            empty = made(account, self._clock.now_ms())
            plan = plans.plan_issue(empty, draft.permissions, self._catalog, rulebook)
            return Issued(plan=plan, rulebook=rulebook, secret_key=None)

        return self._store.read(preview)

    def preview(self, key_id: str, wanted: Wanted) -> Previewed:
        """
        Show what an edit of *key_id* would do, and the stamp to confirm it with; changes nothing.

        Raises NotFound, Invalid, Conflict `revoked`.
        """
        edit = self._edit(wanted)

        def preview(tx: Transaction) -> Previewed:
            now_ms = self._clock.now_ms()
            rulebook = rules.rulebook(tx)
            plan = plans.plan_edit(keys.get(tx, key_id), edit, self._catalog, rulebook, now_ms)
            key_events.require_unmarked(tx, plan)
            return Previewed(plan=plan, rulebook=rulebook, stamp=plan.stamp(now_ms))

        return self._store.read(preview)

    def edit(self, key_id: str, wanted: Wanted, stamp: str | None, actor: str) -> Previewed:
        """
        Edit *key_id* as *wanted*; an edit that changes nothing is not recorded (RULES R5).

        Raises NotFound, Invalid, and Conflict: `confirmation_required` or `stale` with the plan as
        a Previewed, `revoked`.
        """
        edit = self._edit(wanted)
        return self.edit_found(lambda tx: keys.get(tx, key_id), lambda _: edit, stamp, actor)

    def edit_found(
        self,
        find: Find[ApiKey],
        edit_of: Callable[[ApiKey], Edit],
        stamp: str | None,
        actor: str,
        *,
        require_confirmed: Callable[[Plan, str | None, int], None] = Plan.require_confirmed,
    ) -> Previewed:
        """Edit the key that *find* returns, as *edit_of* says of it; all else as `edit`."""

        def commit(tx: Transaction) -> tuple[Previewed, Event | None]:
            now_ms = self._clock.now_ms()
            before = find(tx)
            # A term that has ended is recorded before an edit can write over it.
            event = sweep.record_lapses(tx, before.key_id, now_ms)
            rulebook = rules.rulebook(tx)
            plan = plans.plan_edit(before, edit_of(before), self._catalog, rulebook, now_ms)
            key_events.require_unmarked(tx, plan)
            shown = Previewed(plan=plan, rulebook=rulebook, stamp=plan.stamp(now_ms))
            try:
                require_confirmed(plan, stamp, now_ms)
            except Conflict as conflict:
                raise Conflict(conflict.code, conflict.message, plan=shown) from conflict
            if plan.changes_anything:
                keys.save(tx, before, plan.after)
                event = record(tx, Tag.KEY_EDITED, plan.after, actor, now_ms, events.planned(plan))
            return shown, event

        return self._commit(commit)

    def rotate(
        self, key_id: str, public_key: str | None, actor: str, *, overlap_ms: int = 0
    ) -> Issued:
        """
        Give *key_id* a new secret, or a new *public_key* of the same type.

        The old one works on for *overlap_ms* (0 to 7 days), or stops now. Grants, terms and
        addresses stay as they are. Raises NotFound, Invalid, Conflict `revoked`.
        """
        rotation.require_overlap(overlap_ms)

        def rotate(tx: Transaction) -> tuple[Issued, Event]:
            before, after, secret, event = rotation.rotate(
                tx,
                self._proofs,
                key_id,
                public_key,
                overlap_ms=overlap_ms,
                now_ms=self._clock.now_ms(),
                actor=actor,
            )
            plan = Plan(before=before, after=after, consequences=(), inputs="")
            return Issued(plan=plan, rulebook=Rulebook(), secret_key=secret), event

        return self._commit(rotate)

    def revoke(self, key_id: str, actor: str) -> ApiKey:
        """Revoke *key_id*, at once and for good (RULES R14), or raise NotFound; twice is once."""
        return self.revoke_found(lambda tx: keys.get(tx, key_id), actor)

    def revoke_found(self, find: Find[ApiKey], actor: str) -> ApiKey:
        """Revoke the key that *find* returns; all else as `revoke`."""

        def revoke(tx: Transaction) -> tuple[ApiKey, Event | None]:
            now_ms = self._clock.now_ms()
            before = find(tx)
            event = sweep.record_lapses(tx, before.key_id, now_ms)
            key, change = revoking.revoke(tx, before, actor, now_ms)
            return key, journal.append(tx, change, now_ms) if change else event

        return self._commit(revoke)

    def get(self, key_id: str) -> ApiKey:
        """Return one key; raises NotFound."""
        return self._store.read(lambda tx: keys.get(tx, key_id))

    def of_account(self, account_id: str) -> list[ApiKey]:
        """Return all keys of one account, the oldest first; raises NotFound."""

        def listing(tx: Transaction) -> list[ApiKey]:
            accounts.get(tx, account_id)
            return keys.of_account(tx, account_id)

        return self._store.read(listing)

    def _made(self, draft: Draft) -> Callable[[Account, int], ApiKey]:
        """Return what makes the key that *draft* asks for, without grants; raises Invalid."""
        gathered = Gathered()
        label = gathered.look(lambda: plans.label_of(draft.label), "")
        addresses = gathered.look(lambda: self._addresses(draft.ip_allowlist), ())
        public_key = gathered.look(
            lambda: self._proofs.public_key(draft.key_type, draft.public_key), None
        )
        gathered.settle()
        key_id = KeyId(new_id(self._clock, "key"))
        api_key = apikeys.compose(self._clock.random_bytes(_API_KEY_BYTES))

        def made(account: Account, now_ms: int) -> ApiKey:
            return ApiKey(
                key_id=key_id,
                api_key=api_key,
                account_id=account.account_id,
                account_kind=account.kind,
                label=label,
                key_type=draft.key_type,
                issued_at_ms=now_ms,
                edited_at_ms=now_ms,
                allowlist=addresses,
                public_key=public_key,
            )

        return made

    def _commit(self, act: Callable[[Transaction], tuple[_Answer, Event | None]]) -> _Answer:
        answer, event = self._store.write(act)
        if event is not None:
            self._catch_up(event.seq)
        return answer

    def _edit(self, wanted: Wanted) -> Edit:
        gathered, permissions = Gathered(), wanted.permissions or {}
        label, entries = wanted.label, wanted.ip_allowlist
        edit = Edit(
            label=None if label is None else gathered.look(lambda: plans.label_of(label), ""),
            allowlist=None
            if entries is None
            else gathered.look(lambda: self._addresses(entries), ()),
            permissions={Permission(name): wish for name, wish in permissions.items()},
        )
        gathered.settle()
        return edit

    def _addresses(self, entries: tuple[str, ...]) -> tuple[str, ...]:
        return allowlist.normalise(entries, entries_max=self._limits.addresses_per_key)

    def _require_room(self, tx: Transaction, account: Account) -> None:
        if keys.count_active(tx, account.account_id) >= self._limits.keys_per_account:
            raise Conflict(
                "limit",
                f"this account has {self._limits.keys_per_account} keys, the most it may; "
                "revoke one first",
            )
