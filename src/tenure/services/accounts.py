"""Creating, listing, freezing and unfreezing accounts; every change one transaction, one event."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tenure.clock import Clock, new_id
from tenure.domain import events, freezes, mailing
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.events import Change, Event, Tag
from tenure.domain.freezes import Freezer
from tenure.domain.model import Account, AccountId, AccountKind
from tenure.store import accounts, contacts, journal, people, subaccounts
from tenure.store.db import Store, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An account, how many of its *keys* are not revoked, and if it or its master is frozen."""

    account: Account
    keys: int
    is_frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some accounts by e-mail; *next_after* asks for the next ones, None after the last."""

    listed: tuple[Listed, ...]
    next_after: str | None


class Accounts:
    """The accounts keys are issued to."""

    def __init__(self, store: Store, clock: Clock, catch_up: Callable[[int], None]) -> None:
        """*catch_up* returns once the keyring holds the event it is given the seq of."""
        self._store, self._clock, self._catch_up = store, clock, catch_up

    def create(self, email: str, kind: AccountKind, master_id: str | None, actor: str) -> Account:
        """
        Create an account; a sub-account names the master it belongs to.

        Raises Invalid, Conflict `exists` where the e-mail is taken.
        """
        _require_sense(email, kind, master_id)

        def create(tx: Transaction) -> tuple[Account, Event]:
            now_ms = self._clock.now_ms()
            if master_id is not None:
                _require_master(tx, master_id)
            account = Account(
                account_id=AccountId(new_id(self._clock, "acct")),
                kind=kind,
                email=email,
                created_at_ms=now_ms,
                master_id=AccountId(master_id) if master_id else None,
            )
            accounts.add(tx, account)
            contacts.add_first(tx, account)
            return account, _record(tx, Tag.ACCOUNT_CREATED, account, actor, now_ms)

        account, event = self._store.write(create)
        self._catch_up(event.seq)
        return account

    def check(self, email: str, kind: AccountKind, master_id: str | None) -> None:
        """Raise what `create` would raise now, and change nothing."""
        _require_sense(email, kind, master_id)

        def check(tx: Transaction) -> None:
            if master_id is not None:
                _require_master(tx, master_id)
            if accounts.by_email(tx, email) is not None:
                raise Conflict("exists", "an account with this e-mail exists")

        self._store.read(check)

    def set_frozen(self, account_id: str, *, frozen: bool, actor: str) -> Account:
        """
        Freeze or unfreeze an account, and with a master all its sub-accounts (RULES R14).

        In force for every key when this returns; doing it twice changes nothing. What is frozen is
        frozen again by whoever counts for more: then it is his, and on record. Raises NotFound,
        Conflict `on_hold` while a recovery holds it (SECURITY T41), `house` for a master where the
        house froze.
        """

        def set_frozen(tx: Transaction) -> tuple[Account, Event | None]:
            now_ms = self._clock.now_ms()
            account, by = accounts.get(tx, account_id), freezes.freezer_of(actor)
            before = freezer(tx, account)
            if not frozen:
                _require_undoing(tx, account_id, before, by)
            if before is not None and frozen and by <= before:
                return account, None
            frozen_at_ms = (account.frozen_at_ms or now_ms) if frozen else None
            if not accounts.set_frozen(tx, account_id, frozen_at_ms) and not frozen:
                return account, None
            account = replace(account, frozen_at_ms=frozen_at_ms)
            tag = Tag.ACCOUNT_FROZEN if frozen else Tag.ACCOUNT_UNFROZEN
            return account, _record(tx, tag, account, actor, now_ms)

        account, event = self._store.write(set_frozen)
        if event is not None:
            self._catch_up(event.seq)
        return account

    def freezer(self, account_id: str) -> Freezer | None:
        """Return whose freeze an account is under, None where it is not frozen itself."""
        return self._store.read(lambda tx: freezer(tx, accounts.get(tx, account_id)))

    def get(self, account_id: str) -> Account:
        """Return one account; raises NotFound."""
        return self._store.read(lambda tx: accounts.get(tx, account_id))

    def every(self, after_id: str = "", most: int = 1000) -> list[Account]:
        """Return at *most* so many accounts whose id sorts after *after_id*, by id."""
        return self._store.read(lambda tx: list(accounts.every(tx, after_id, most)))

    def page(self, after_id: str, most: int) -> Page:
        """Return at *most* so many accounts by e-mail, after the one called *after_id*."""

        def listing(tx: Transaction) -> Page:
            found = list(accounts.by_emails(tx, after_id, most + 1))
            keys = subaccounts.count_alive(tx, [each.account_id for each, _ in found])
            listed = tuple(
                Listed(
                    account=account,
                    keys=keys[account.account_id],
                    is_frozen=is_masters or account.frozen_at_ms is not None,
                )
                for account, is_masters in found[:most]
            )
            more = len(found) > most
            return Page(listed=listed, next_after=listed[-1].account.account_id if more else None)

        return self._store.read(listing)

    def subs(self, master_id: str, after_id: str = "", most: int = 1000) -> list[Account]:
        """
        Return at *most* so many sub-accounts of *master_id* whose id sorts after *after_id*, by id.

        There are none of an account that is no master. Raises NotFound.
        """

        def listing(tx: Transaction) -> list[Account]:
            accounts.get(tx, master_id)
            return list(accounts.of_master(tx, master_id, after_id, most))

        return self._store.read(listing)


def freezer(tx: Transaction, account: Account) -> Freezer | None:
    """Return whose freeze *account* is under, None where it is not frozen itself."""
    if account.frozen_at_ms is None:
        return None
    event = journal.last_of(tx, account.account_id, Tag.ACCOUNT_FROZEN)
    return Freezer.HOUSE if event is None else freezes.froze(event.change)


def _require_undoing(tx: Transaction, account_id: str, before: Freezer | None, by: Freezer) -> None:
    if people.is_recovering(tx, account_id):
        raise Conflict("on_hold", "its owner is being let in again: complete or cancel that")
    if before is Freezer.HOUSE and by is Freezer.MASTER:
        raise Conflict("house", "the house froze this account: ask it to unfreeze it")


def _require_sense(email: str, kind: AccountKind, master_id: str | None) -> None:
    if not mailing.is_anybodys(email):
        raise Invalid("email", "must look like name@example.com")
    if (kind is AccountKind.SUB) is not (master_id is not None):
        raise Invalid("master_id", "a sub-account names its master, and only a sub-account")


def _require_master(tx: Transaction, master_id: str) -> None:
    try:
        master = accounts.get(tx, master_id)
    except NotFound as error:
        raise Invalid("master_id", "there is no such master account") from error
    if master.kind is not AccountKind.MASTER:
        raise Invalid("master_id", "there is no such master account")


def _record(tx: Transaction, tag: Tag, account: Account, actor: str, now_ms: int) -> Event:
    change = Change(
        tag=tag,
        actor=actor,
        happened_at_ms=now_ms,
        body={"account": events.account_state(account)},
        account_id=account.account_id,
    )
    return journal.append(tx, change, now_ms)
