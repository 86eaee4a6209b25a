"""
Issuing, editing, rotating and revoking API keys; every change one transaction, one event.

What an edit does is planned in the domain; here it is loaded, planned again at the commit, saved
and recorded. A call returns once the keyring holds its change, so no worker decides otherwise
afterwards. Who may ask for it is the faces' business; *actor* is whom the journal names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from tenure.clock import Clock, new_id
from tenure.domain import admission, allowlist, apikeys, events, plans
from tenure.domain.catalog import Catalog
from tenure.domain.errors import Conflict, Invalid, Unavailable
from tenure.domain.events import Change, Event, Tag
from tenure.domain.model import Account, ApiKey, KeyId, KeyType, Permission, Secret
from tenure.domain.plans import Edit, Plan, Wish
from tenure.domain.rules import Rulebook
from tenure.services import revoking, sealing, sweep
from tenure.store import accounts, journal, keys, rules
from tenure.store.db import Store, Transaction

_Answer = TypeVar("_Answer")

_API_KEY_BYTES = 48
"""Random bytes handed to `apikeys.compose` and `apikeys.secret_text`."""


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
        self._sealing_key, self._limits, self._catch_up = sealing_key, limits, catch_up

    def issue(self, account_id: str, draft: Draft, actor: str) -> Issued:
        """
        Issue a key to *account_id*; terms start now (RULES R3, R18).

        Raises NotFound, Invalid, Conflict `limit`, Unavailable `sealed`.
        """
        label = plans.label_of(draft.label)
        addresses = self._addresses(draft.ip_allowlist)
        public_key = self._public_key(draft.key_type, draft.public_key)
        key_id = KeyId(new_id(self._clock, "key"))
        api_key = apikeys.compose(self._clock.random_bytes(_API_KEY_BYTES))

        def issue(tx: Transaction) -> tuple[Issued, Event]:
            now_ms = self._clock.now_ms()
            account = accounts.get(tx, account_id)
            self._require_room(tx, account)
            rulebook = rules.rulebook(tx)
            empty = ApiKey(
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
            plan = plans.plan_issue(empty, draft.permissions, self._catalog, rulebook)
            secret, sealed = self._new_secret(tx, plan.after, now_ms)
            keys.add(tx, plan.after, sealed)
            event = _record(tx, Tag.KEY_ISSUED, plan.after, actor, now_ms, events.planned(plan))
            return Issued(plan=plan, rulebook=rulebook, secret_key=secret), event

        return self._commit(issue)

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
            return Previewed(plan=plan, rulebook=rulebook, stamp=plan.stamp(now_ms))

        return self._store.read(preview)

    def edit(self, key_id: str, wanted: Wanted, stamp: str | None, actor: str) -> Previewed:
        """
        Edit *key_id* as *wanted*; an edit that changes nothing is not recorded (RULES R5).

        Raises NotFound, Invalid, and Conflict: `confirmation_required` or `stale` with the plan as
        a Previewed, `revoked`.
        """
        edit = self._edit(wanted)

        def commit(tx: Transaction) -> tuple[Previewed, Event | None]:
            now_ms = self._clock.now_ms()
            # A term that has ended is recorded before an edit can write over it.
            event = sweep.record_lapses(tx, key_id, now_ms)
            rulebook = rules.rulebook(tx)
            before = keys.get(tx, key_id)
            plan = plans.plan_edit(before, edit, self._catalog, rulebook, now_ms)
            shown = Previewed(plan=plan, rulebook=rulebook, stamp=plan.stamp(now_ms))
            try:
                plan.require_confirmed(stamp, now_ms)
            except Conflict as conflict:
                raise Conflict(conflict.code, conflict.message, plan=shown) from conflict
            if plan.changes_anything:
                keys.save(tx, before, plan.after)
                event = _record(tx, Tag.KEY_EDITED, plan.after, actor, now_ms, events.planned(plan))
            return shown, event

        return self._commit(commit)

    def rotate(self, key_id: str, public_key: str | None, actor: str) -> Issued:
        """
        Give *key_id* a new secret, or a new *public_key* of the same type; the old stops now.

        Grants, terms and addresses stay as they are. Raises NotFound, Invalid, Conflict `revoked`.
        """

        def rotate(tx: Transaction) -> tuple[Issued, Event]:
            now_ms = self._clock.now_ms()
            before = keys.get(tx, key_id)
            _require_alive(before)
            after = replace(
                before,
                public_key=self._public_key(before.key_type, public_key),
                version=before.version + 1,
                edited_at_ms=now_ms,
            )
            secret, sealed = self._new_secret(tx, after, now_ms)
            keys.save(tx, before, after)
            keys.set_secret(tx, after, sealed)
            body = {"key": events.key_state(after)}
            event = _record(tx, Tag.KEY_ROTATED, after, actor, now_ms, body)
            plan = Plan(before=before, after=after, consequences=(), inputs="")
            return Issued(plan=plan, rulebook=Rulebook(), secret_key=secret), event

        return self._commit(rotate)

    def revoke(self, key_id: str, actor: str) -> ApiKey:
        """
        Revoke *key_id*, at once and for good (RULES R14); a second time changes nothing.

        Raises NotFound.
        """

        def revoke(tx: Transaction) -> tuple[ApiKey, Event | None]:
            now_ms = self._clock.now_ms()
            event = sweep.record_lapses(tx, key_id, now_ms)
            key, change = revoking.revoke(tx, keys.get(tx, key_id), actor, now_ms)
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

    def _commit(self, act: Callable[[Transaction], tuple[_Answer, Event | None]]) -> _Answer:
        answer, event = self._store.write(act)
        if event is not None:
            self._catch_up(event.seq)
        return answer

    def _edit(self, wanted: Wanted) -> Edit:
        permissions = wanted.permissions or {}
        return Edit(
            label=None if wanted.label is None else plans.label_of(wanted.label),
            allowlist=None if wanted.ip_allowlist is None else self._addresses(wanted.ip_allowlist),
            permissions={Permission(name): wish for name, wish in permissions.items()},
        )

    def _addresses(self, entries: tuple[str, ...]) -> tuple[str, ...]:
        return allowlist.normalise(entries, entries_max=self._limits.addresses_per_key)

    def _public_key(self, key_type: KeyType, text: str | None) -> str | None:
        if key_type is KeyType.HMAC:
            if text is not None:
                raise Invalid("public_key", "an hmac key has none; leave it out")
            return None
        if text is None:
            raise Invalid("public_key", f"an {key_type} key needs the public key, as PEM text")
        return admission.admit(key_type, text)

    def _new_secret(
        self, tx: Transaction, key: ApiKey, now_ms: int
    ) -> tuple[Secret | None, bytes | None]:
        if key.key_type is not KeyType.HMAC:
            return None, None
        if self._sealing_key is None:
            raise Unavailable("sealed", "secrets are sealed: the sealing key is missing or wrong")
        text = apikeys.secret_text(self._clock.random_bytes(_API_KEY_BYTES))
        sealed = self._sealing_key.seal(
            text.encode(),
            key_id=key.key_id,
            account_id=key.account_id,
            data_key=sealing.data_key(tx, self._sealing_key, self._clock, now_ms),
        )
        return Secret(text), sealed

    def _require_room(self, tx: Transaction, account: Account) -> None:
        if keys.count_active(tx, account.account_id) >= self._limits.keys_per_account:
            raise Conflict(
                "limit",
                f"this account has {self._limits.keys_per_account} keys, the most it may; "
                "revoke one first",
            )


def _require_alive(key: ApiKey) -> None:
    if key.revoked_at_ms is not None:
        raise Conflict("revoked", "this key was revoked, for good; issue another")


def _record(  # noqa: PLR0913, PLR0917 - an event is made of these
    tx: Transaction, tag: Tag, key: ApiKey, actor: str, now_ms: int, body: Mapping[str, object]
) -> Event:
    change = Change(
        tag=tag,
        actor=actor,
        happened_at_ms=now_ms,
        body=body,
        account_id=key.account_id,
        key_id=key.key_id,
    )
    return journal.append(tx, change, now_ms)
