"""
Adding, changing and removing contacts; every change one transaction, one event.

A webhook gets a signing secret, shown once and kept sealed. Rotated, the former one signs beside
the new one for a day, so that a receiver can change over without missing a message.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from tenure.clock import Clock, new_id
from tenure.domain.contacts import (
    OLD_SECRET_GOOD_FOR_MS,
    Channel,
    Contact,
    address_of,
    contact_state,
    language_of,
    muted_of,
)
from tenure.domain.errors import Conflict, Invalid, Problem, Unavailable
from tenure.domain.events import Change, Event, Tag
from tenure.domain.model import Secret
from tenure.services import languages, sealing
from tenure.services.outbound import webhooks
from tenure.services.sealing import SealingKey
from tenure.store import accounts, contacts, journal, seals
from tenure.store.contacts import SealedSecrets
from tenure.store.db import Store, Transaction

CONTACTS_MAX = 20
"""Contacts an account may have: each notice is sent to every one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What a contact is to be; texts as they came, None leaves alone.

    A new one takes the house's language and time zone where none is named; so does any where they
    are named as nothing.
    """

    address: str | None = None
    language: str | None = None
    time_zone: str | None = None
    muted: tuple[str, ...] | None = None
    confirmed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A contact just added or rotated; the *secret* of a webhook is shown now and never again."""

    contact: Contact
    secret: Secret | None


class Contacts:
    """Where accounts are told things."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sealing_key: SealingKey | None,
        catch_up: Callable[[int], None],
        check_url: Callable[[str], None] | None = None,
    ) -> None:
        """
        Keep secrets under *sealing_key*; *catch_up* returns once the keyring holds an event.

        *check_url*, where given, raises Invalid for a webhook that must not be sent to.
        """
        self._store, self._clock, self._sealing_key = store, clock, sealing_key
        self._catch_up, self._check_url = catch_up, check_url

    def check(self, channel: Channel, wish: Wish) -> None:
        """
        Return if a contact of *channel* may be as *wish* says; changes nothing.

        Raises Invalid: every problem there is, each by its field.
        """
        problems: list[Problem] = []
        for name in ("address", "language", "time_zone", "muted"):
            given = replace(Wish(), **{name: getattr(wish, name)})
            blank = Contact(
                contact_id="", account_id="", channel=channel, address="", added_at_ms=0
            )
            try:
                self._changed(blank, given, 0)
            except Invalid as error:
                problems += error.problems
        if problems:
            raise Invalid.of(problems)

    def add(self, account_id: str, channel: Channel, wish: Wish, actor: str) -> Added:
        """
        Add a contact to an account, confirmed unless *wish* says otherwise.

        Raises NotFound, Invalid, Conflict `limit`, Unavailable `sealed`.
        """
        if wish.address is None:
            raise Invalid("address", "is missing")
        address = self._address(channel, wish.address)
        contact_id = new_id(self._clock, "ctc")

        def add(tx: Transaction) -> tuple[Added, Event]:
            now_ms = self._clock.now_ms()
            account = accounts.get(tx, account_id)
            if contacts.count(tx, account_id) >= CONTACTS_MAX:
                raise Conflict("limit", f"an account may have {CONTACTS_MAX} contacts, no more")
            contact = Contact(
                contact_id=contact_id,
                account_id=account.account_id,
                channel=channel,
                address=address,
                added_at_ms=now_ms,
            )
            contact = self._changed(contact, replace(wish, address=None), now_ms)
            if wish.confirmed is None:
                contact = replace(contact, confirmed_at_ms=now_ms)
            secret, sealed = self._new_secret(tx, contact, now_ms)
            contacts.add(tx, contact, SealedSecrets(sealed=sealed))
            event = _record(tx, Tag.CONTACT_ADDED, contact, actor, now_ms)
            return Added(contact=contact, secret=secret), event

        added, event = self._store.write(add)
        self._catch_up(event.seq)
        return added

    def change(self, account_id: str, contact_id: str, wish: Wish, actor: str) -> Contact:
        """Change a contact as *wish* says; nothing is recorded where it says nothing new."""

        def change(tx: Transaction) -> tuple[Contact, Event | None]:
            now_ms = self._clock.now_ms()
            before = contacts.get(tx, account_id, contact_id)
            after = self._changed(before, wish, now_ms)
            if after == before:
                return before, None
            contacts.save(tx, after)
            return after, _record(tx, Tag.CONTACT_CHANGED, after, actor, now_ms)

        contact, event = self._store.write(change)
        if event is not None:
            self._catch_up(event.seq)
        return contact

    def rotate(self, account_id: str, contact_id: str, actor: str) -> Added:
        """Give a webhook a new signing secret; the former one signs too for a day."""

        def rotate(tx: Transaction) -> tuple[Added, Event]:
            now_ms = self._clock.now_ms()
            contact = contacts.get(tx, account_id, contact_id)
            if contact.channel is not Channel.WEBHOOK:
                raise Invalid("contact_id", "only a webhook has a secret to rotate")
            held = contacts.secrets(tx, contact_id)
            secret, sealed = self._new_secret(tx, contact, now_ms)
            until_ms = self._clock.wall_ms() + OLD_SECRET_GOOD_FOR_MS
            rotated = SealedSecrets(sealed=sealed, sealed_old=held.sealed, old_until_ms=until_ms)
            contacts.set_secrets(tx, contact_id, rotated)
            event = _record(tx, Tag.CONTACT_CHANGED, contact, actor, now_ms)
            return Added(contact=contact, secret=secret), event

        added, event = self._store.write(rotate)
        self._catch_up(event.seq)
        return added

    def remove(self, account_id: str, contact_id: str, actor: str) -> Contact:
        """Send nothing more to a contact; what was sent to it stays on record."""

        def remove(tx: Transaction) -> tuple[Contact, Event]:
            now_ms = self._clock.now_ms()
            before = contacts.get(tx, account_id, contact_id)
            contact = replace(before, removed_at_ms=now_ms)
            contacts.save(tx, contact)
            contacts.set_secrets(tx, contact_id, SealedSecrets())
            return contact, _record(tx, Tag.CONTACT_REMOVED, contact, actor, now_ms)

        contact, event = self._store.write(remove)
        self._catch_up(event.seq)
        return contact

    def get(self, account_id: str, contact_id: str) -> Contact:
        """Return a contact of an account that was not removed; raises NotFound."""
        return self._store.read(lambda tx: contacts.get(tx, account_id, contact_id))

    def of_account(self, account_id: str) -> list[Contact]:
        """Return the contacts of an account, the oldest first; raises NotFound."""

        def listing(tx: Transaction) -> list[Contact]:
            accounts.get(tx, account_id)
            return contacts.of_account(tx, account_id)

        return self._store.read(listing)

    def _changed(self, contact: Contact, wish: Wish, now_ms: int) -> Contact:
        if wish.address is not None:
            contact = replace(contact, address=self._address(contact.channel, wish.address))
        if wish.language is not None:
            contact = replace(
                contact, language=language_of(wish.language) if wish.language else None
            )
        if wish.time_zone is not None:
            zone = languages.require_time_zone(wish.time_zone) if wish.time_zone else None
            contact = replace(contact, time_zone=zone)
        if wish.muted is not None:
            contact = replace(contact, muted=muted_of(wish.muted))
        if wish.confirmed is False:
            contact = replace(contact, confirmed_at_ms=None)
        elif wish.confirmed and contact.confirmed_at_ms is None:
            contact = replace(contact, confirmed_at_ms=now_ms)
        return contact

    def _address(self, channel: Channel, text: str) -> str:
        address = address_of(channel, text)
        if channel is Channel.WEBHOOK and self._check_url is not None:
            try:
                self._check_url(address)
            except Invalid as error:
                raise Invalid("address", error.message) from error
        return address

    def _new_secret(
        self, tx: Transaction, contact: Contact, now_ms: int
    ) -> tuple[Secret | None, bytes | None]:
        if contact.channel is not Channel.WEBHOOK:
            return None, None
        if self._sealing_key is None:
            raise Unavailable("sealed", "secrets are sealed: the sealing key is missing or wrong")
        secret = webhooks.make_secret(self._clock)
        sealed = self._sealing_key.seal(
            secret.reveal().encode(),
            key_id=contact.contact_id,
            account_id=contact.account_id,
            data_key=sealing.data_key(tx, self._sealing_key, self._clock, now_ms),
        )
        return secret, sealed


def secrets_of(
    sealing_key: SealingKey | None, tx: Transaction, contact_id: str, now_ms: int
) -> tuple[Secret, ...]:
    """Return what signs a contact's webhooks at *now_ms*, the newest first; none if sealed."""
    held = contacts.secrets(tx, contact_id)
    if sealing_key is None or held.sealed is None:
        return ()
    found = [held.sealed]
    if held.sealed_old is not None and now_ms < (held.old_until_ms or 0):
        found.append(held.sealed_old)
    account_id = contacts.account_of(tx, contact_id)
    opened = partial(
        sealing_key.open, key_id=contact_id, account_id=account_id, wrapped=seals.data_keys(tx)
    )
    try:
        return tuple(Secret(opened(sealed).decode()) for sealed in found)
    except Unavailable:
        return ()


def _record(tx: Transaction, tag: Tag, contact: Contact, actor: str, now_ms: int) -> Event:
    change = Change(
        tag=tag,
        actor=actor,
        happened_at_ms=now_ms,
        body={"contact": contact_state(contact)},
        account_id=contact.account_id,
    )
    return journal.append(tx, change, now_ms)
