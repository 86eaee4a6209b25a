"""
The ends of running terms as a calendar feed, for whoever lives by a calendar.

A feed is read at an address nobody can guess, without an operator token, by programs that can show
none. The address is shown once and kept as a hash; renewing it ends the former one.
"""

import base64
import datetime
import hashlib
from collections.abc import Callable

import icalendar

from tenure.clock import Clock
from tenure.domain.errors import NotFound
from tenure.domain.events import Change, Tag
from tenure.domain.model import Secret
from tenure.domain.warnings import Running
from tenure.services.languages import Language
from tenure.services.rendering import Rendering
from tenure.store import accounts, calendars, contacts, journal, warnings
from tenure.store.db import Store, Transaction

TERMS_MAX = 5_000
"""Terms shown in one feed: more than an account and its sub-accounts hold keys for by default."""
_SECRET_BYTES = 32


class Calendars:
    """Calendar feeds."""

    def __init__(
        self, store: Store, clock: Clock, rendering: Rendering, catch_up: Callable[[int], None]
    ) -> None:
        """*catch_up* returns once the keyring holds the event it is given the seq of."""
        self._store, self._clock = store, clock
        self._rendering, self._catch_up = rendering, catch_up

    def renew(self, account_id: str, actor: str) -> Secret:
        """Return the new secret part of the feed's address; the former one is gone."""
        raw = self._clock.random_bytes(_SECRET_BYTES)
        secret = base64.urlsafe_b64encode(raw).decode().rstrip("=")

        def renew(tx: Transaction) -> int:
            now_ms = self._clock.now_ms()
            accounts.get(tx, account_id)
            calendars.put(tx, account_id, _hash(secret), now_ms)
            change = Change(
                tag=Tag.CALENDAR_RENEWED,
                actor=actor,
                happened_at_ms=now_ms,
                body={},
                account_id=account_id,
            )
            return journal.append(tx, change, now_ms).seq

        self._catch_up(self._store.write(renew))
        return Secret(secret)

    def made_at_ms(self, account_id: str) -> int | None:
        """Return since when an account's feed has its address (ms, UTC), None where it has none."""
        return self._store.read(lambda tx: calendars.made_at_ms(tx, [account_id]).get(account_id))

    def of_secret(self, secret: str) -> bytes:
        """Return the feed whose address ends in *secret*; raises NotFound."""

        def read(tx: Transaction) -> bytes:
            account_id = calendars.owner_of(tx, _hash(secret))
            if account_id is None:
                raise NotFound("there is no such calendar")
            return self._feed(tx, account_id)

        return self._store.read(read)

    def of_account(self, account_id: str) -> bytes:
        """Return the feed of an account, and of its sub-accounts; raises NotFound."""
        return self._store.read(lambda tx: self._feed(tx, account_id))

    def _feed(self, tx: Transaction, account_id: str) -> bytes:
        accounts.get(tx, account_id)
        known = contacts.of_account(tx, account_id)
        language = self._rendering.language_of(known[0] if known else None)
        feed = icalendar.Calendar()
        feed.add("prodid", "-//Tenure//terms//EN")
        feed.add("version", "2.0")
        feed.add("method", "PUBLISH")
        feed.add("x-wr-calname", language.say("calendar.name"))
        feed.add("refresh-interval", datetime.timedelta(hours=1), parameters={"value": "DURATION"})
        for term in warnings.terms_of(tx, account_id, self._clock.now_ms(), TERMS_MAX):
            feed.add_component(self._entry(term, language))
        return bytes(feed.to_ical())

    def _entry(self, term: Running, language: Language) -> icalendar.Event:
        permission = self._rendering.permission(term.permission, language)
        entry = icalendar.Event()
        # Of the grant, not of its end: a term that is renewed moves, it does not stand there twice.
        entry.add("uid", f"{term.key_id}.{term.permission}@tenure")
        entry.add("dtstamp", _instant(term.starts_at_ms))
        entry.add("dtstart", _instant(term.ends_at_ms))
        entry.add(
            "summary", language.say("calendar.summary", permission=permission, label=term.label)
        )
        entry.add(
            "description",
            language.say("calendar.description", end=language.instant(term.ends_at_ms)),
        )
        entry.add("transp", "TRANSPARENT")
        if self._rendering.house.public_url:
            entry.add("url", f"{self._rendering.house.public_url}/keys/{term.key_id}")
        return entry


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _instant(at_ms: int) -> datetime.datetime:
    # Whole seconds are what a calendar has; the earlier one, so that nobody comes too late.
    return datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC)
