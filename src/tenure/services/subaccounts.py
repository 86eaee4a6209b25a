"""
What a master does to its sub-accounts' keys: the acts of `keys`, on what a master may name.

Each is one transaction with one event, and the key is looked up inside it. A signed call confirms
what it names (RULES R11, `confirming`). How calls look on a wire is the faces' business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from tenure.domain import allowlist, apikeys, confirming
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.model import ApiKey, Permission
from tenure.domain.plans import Edit
from tenure.domain.rights import Owner
from tenure.services.keys import Draft, Find, Issued, Keys
from tenure.store import subaccounts
from tenure.store.db import Store, Transaction

_EMAIL_LENGTH_MAX = 254
"""The longest that `accounts` takes (RFC 5321 4.5.3.1): no longer one is looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A sub-account's key as *master* names it: by the sub-account's *email* and its *api_key*."""

    master: Owner
    email: str
    api_key: str


class SubAccounts:
    """
    The keys of sub-accounts, for their masters.

    Every method raises NotFound, without saying what of it, for an e-mail or key that is unknown or
    another master's, for a revoked key, and for a caller who is no master (RULES R16).
    """

    def __init__(self, store: Store, keys: Keys, addresses_max: int) -> None:
        """*addresses_max* is how many entries an IP allowlist may have."""
        self._store, self._keys, self._addresses_max = store, keys, addresses_max

    def show(self, named: Named) -> ApiKey:
        """Return the key."""
        return self._store.read(_alive(named))

    def listing(
        self, master: Owner, email: str, *, api_key: str | None, skip: int, most: int
    ) -> tuple[int, list[ApiKey]]:
        """
        Return how many keys the sub-account has, and at *most* so many after *skip*, oldest first.

        With *api_key*, that one alone, if it is there.
        """

        def listing(tx: Transaction) -> tuple[int, list[ApiKey]]:
            account = subaccounts.account(tx, master.account_id, _email(email))
            if api_key is not None and not apikeys.is_well_formed(api_key):
                return 0, []
            return subaccounts.live_keys(
                tx, account.account_id, api_key=api_key, skip=skip, most=most
            )

        return self._store.read(listing)

    def issue(self, master: Owner, email: str, draft: Draft) -> Issued:
        """
        Issue a key to the sub-account; terms start now (RULES R3, R18).

        Raises Invalid, Conflict `limit` for too many keys or addresses, Unavailable `sealed`.
        """
        self._require_few(self._read_addresses(draft.ip_allowlist))
        return self._keys.issue_to(
            lambda tx: subaccounts.account(tx, master.account_id, _email(email)),
            draft,
            master.actor,
        )

    def add_addresses(self, named: Named, entries: tuple[str, ...], stamp: str | None) -> ApiKey:
        """
        Restrict the key to the addresses it has and these *entries*.

        Raises Invalid: `ip_allowlist` where there is none at all, `ip_allowlist.<index>` for bad
        ones; Conflict `limit`, `confirmation_required` or `stale` with the plan as a Previewed.
        """
        added = self._read_addresses(entries)

        def add(key: ApiKey) -> Edit:
            if not added and not key.is_restricted:
                raise Invalid(allowlist.FIELD, "name an address: this key has none yet")
            if set(added) <= set(key.allowlist):
                return Edit()
            union = tuple(dict.fromkeys((*key.allowlist, *added)))
            self._require_few(union)
            return Edit(allowlist=allowlist.normalise(union, entries_max=len(union)))

        return self._edit(named, add, stamp)

    def remove_addresses(self, named: Named, entries: tuple[str, ...], stamp: str | None) -> ApiKey:
        """
        Take *entries* off the key's allowlist, those that are not on it passed over.

        The last one taken off makes the key unrestricted, which *stamp* has to confirm where terms
        start. Raises as `add_addresses`.
        """
        self._require_few(entries, spellings=allowlist.RAW_PER_ENTRY_MAX)
        # One by one: what they would add up to, were they let in, is not asked here.
        removed = {name for entry in entries for name in allowlist.normalise((entry,))}
        return self._edit(
            named,
            lambda key: Edit(
                allowlist=tuple(entry for entry in key.allowlist if entry not in removed)
            ),
            stamp,
        )

    def unrestrict(self, named: Named, stamp: str | None) -> ApiKey:
        """
        Empty the key's allowlist; the terms which that starts are named by saying so (RULES R9).

        Raises Conflict `confirmation_required` or `stale` where a permission would be lost.
        """
        return self._edit(named, lambda _: Edit(allowlist=()), stamp, names_unrestricted=True)

    def permit(self, named: Named, wishes: Mapping[Permission, bool], stamp: str | None) -> ApiKey:
        """
        Tick and untick permissions; those not among *wishes* are left alone.

        Raises Invalid, Conflict `confirmation_required` or `stale` with the plan as a Previewed.
        """
        return self._edit(named, lambda _: Edit(permissions=wishes), stamp)

    def revoke(self, named: Named) -> None:
        """Revoke the key, for good (RULES R14); one that was revoked before is revoked."""
        self._keys.revoke_found(_key(named), named.master.actor)

    def _edit(
        self,
        named: Named,
        edit_of: Callable[[ApiKey], Edit],
        stamp: str | None,
        *,
        names_unrestricted: bool = False,
    ) -> ApiKey:
        committed = self._keys.edit_found(
            _alive(named),
            edit_of,
            stamp,
            named.master.actor,
            require_confirmed=partial(
                confirming.require_confirmed, names_unrestricted=names_unrestricted
            ),
        )
        return committed.plan.after

    def _read_addresses(self, entries: tuple[str, ...]) -> tuple[str, ...]:
        self._require_few(entries, spellings=allowlist.RAW_PER_ENTRY_MAX)
        return allowlist.normalise(entries, entries_max=len(entries))

    def _require_few(self, addresses: tuple[str, ...], *, spellings: int = 1) -> None:
        if len(addresses) > self._addresses_max * spellings:
            raise Conflict(
                "limit",
                f"a key may name {self._addresses_max} addresses at most; remove some, or name a"
                " network",
            )


def _key(named: Named) -> Find[ApiKey]:
    def find(tx: Transaction) -> ApiKey:
        if not apikeys.is_well_formed(named.api_key):
            raise NotFound
        return subaccounts.key(tx, named.master.account_id, _email(named.email), named.api_key)

    return find


def _alive(named: Named) -> Find[ApiKey]:
    def find(tx: Transaction) -> ApiKey:
        key = _key(named)(tx)
        if key.revoked_at_ms is not None:
            raise NotFound
        return key

    return find


def _email(text: str) -> str:
    # What no account can have is not worth a look; PostgreSQL would not even take a NUL.
    if len(text) > _EMAIL_LENGTH_MAX or not text.isprintable():
        raise NotFound
    return text
