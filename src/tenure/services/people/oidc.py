"""
Signing in through the platform's own users: OpenID Connect, for owners of accounts.

The provider says who somebody is, once; after that the subject it named counts and no longer the
e-mail, which may become somebody else's there. It stands in the place of the password: the second
factor is asked for here all the same, unless the settings take the provider's word for that too.
Operators come in by their own passwords alone (decision 0019).
"""

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tenure.clock import new_id
from tenure.domain.errors import Unauthenticated
from tenure.domain.events import Event, Tag
from tenure.domain.model import Secret
from tenure.domain.people import Person, PersonId, Role, Stage
from tenure.services.people.provider import Asked, Identity, Provider, Speaking
from tenure.services.people.proving import Proving
from tenure.services.people.register import Register, digest
from tenure.services.people.room import Room
from tenure.services.people.sessions import ID_BYTES, Begun, Sessions
from tenure.store import accounts, invitations, people, sessions
from tenure.store.db import Transaction

__all__ = ["Departure", "Oidc", "Provider"]

_PURPOSE: Final = "provider"
_MULTIPLE: Final = "mfa"
"""More than one factor was asked for (RFC 8176)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where to send the browser, and what its cookie has to bring back."""

    url: str
    browser: Secret = field(repr=False)


class Oidc:
    """Sends people to their provider and takes them back."""

    def __init__(
        self,
        register: Register,
        proving: Proving,
        sessions: Sessions,
        provider: Provider,
        room: Room,
    ) -> None:
        """One per worker; *room* is that of all who are coming in."""
        self._register, self._proving, self._sessions = register, proving, sessions
        self._provider, self._speaking = provider, Speaking(provider, register.real, room)

    def begin(self) -> Departure:
        """
        Return where to send the browser; raises Unavailable `oidc`.

        What it is sent with is kept here, under what its cookie alone knows: an answer that
        somebody else's browser brings is worth nothing.
        """
        browser = self._random()
        asked = Asked(state=self._random(), nonce=self._random(), verifier=self._random())
        url = self._speaking.address(asked)
        content = json.dumps([asked.state, asked.nonce, asked.verifier]).encode()
        self._register.store.write(
            lambda tx: self._proving.keep(tx, _PURPOSE, digest(browser), content)
        )
        return Departure(url=url, browser=Secret(browser))

    def finish(self, browser: str, answer: str, *, agent: str = "") -> Begun:
        """
        Take the browser back: *answer* is the whole address it came to, *browser* its cookie.

        Raises Unauthenticated `provider` where that proves nothing, `unknown` where nobody here is
        called so; Unavailable `oidc`.
        """
        asked = self._register.store.write(lambda tx: self._spend(tx, browser))
        code = _code(answer, asked, self._provider.issuer)
        identity = self._speaking.identity(code, asked)
        is_enough = self._provider.second_factor and _MULTIPLE in identity.methods

        def begin(tx: Transaction) -> tuple[Begun, Event | None]:
            person, event = self._linked(tx, identity)
            stage = person.stage_after_first_factor
            if is_enough and stage is Stage.PASSWORD:
                # Whoever has no factor here sets one up all the same: every change asks for it.
                stage = Stage.FULL
            return self._sessions.begin_in(tx, person, stage, agent), event

        return self._register.change(begin)

    def _spend(self, tx: Transaction, browser: str) -> Asked:
        now_ms = self._register.real.now_ms()
        kept = sessions.asked(tx, digest(browser), _PURPOSE, now_ms)
        if kept is None or not sessions.spend(tx, kept):
            raise _unproved("this browser was sent to no provider, or too long ago")
        state, nonce, verifier = json.loads(kept.content)
        return Asked(state=state, nonce=nonce, verifier=verifier)

    def _linked(self, tx: Transaction, identity: Identity) -> tuple[Person, Event | None]:
        """Return whom the provider means; the first time by e-mail, then by subject alone."""
        subject = digest(self._provider.issuer, identity.subject)
        known = people.by_subject(tx, subject)
        if known is not None:
            return known, None
        if not identity.is_verified or not identity.email.isascii():
            raise _unknown("no verified e-mail")
        person = people.by_name(tx, identity.email) or self._of_account(tx, identity.email)
        if person is None or person.account_id is None:
            raise _unknown("no owner has this e-mail")
        if person.oidc_subject is not None or person.recovery is not None:
            # Somebody else has this e-mail at the provider by now; or, of one who is being let in
            # again, this would be the quick way around the hold.
            raise _unknown("the owner with this e-mail is another subject, or held")
        linked = replace(person, oidc_subject=subject)
        people.save(tx, linked)
        # She has joined: a link that is still about would give a password to whoever has it, and
        # end a hold.
        invitations.withdraw(tx, person.person_id)
        return linked, self._register.record(tx, Tag.PERSON_LINKED, linked)

    def _of_account(self, tx: Transaction, email: str) -> Person | None:
        """Let the owner of an account join whom nobody had to invite: the provider knows him."""
        account = accounts.by_email(tx, email)
        if account is None or people.ever(tx, [account.account_id]):
            return None
        person = Person(
            person_id=PersonId(new_id(self._register.real, "psn")),
            email=account.email,
            role=Role.OWNER,
            created_at_ms=self._register.real.now_ms(),
            account_id=account.account_id,
        )
        people.add(tx, person)
        return person

    def _random(self) -> str:
        raw = self._register.real.random_bytes(ID_BYTES)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _code(answer: str, asked: Asked, issuer: str) -> str:
    """Return the code in the address that the browser came back to; raises Unauthenticated."""
    named: dict[str, list[str]] = {}
    with suppress(ValueError):
        named = parse_qs(urlsplit(answer).query, max_num_fields=32)
    if named.get("state") != [asked.state]:
        raise _unproved("another state")
    if named.get("iss", [issuer]) != [issuer]:
        raise _unproved("another issuer's answer (RFC 9207)")
    codes = named.get("code", [])
    if len(codes) != 1:
        raise _unproved(f"no code: {named.get('error')}")
    return codes[0]


def _unproved(context: str) -> Unauthenticated:
    return Unauthenticated(
        "the provider did not say who you are: try again", code="provider", context=context
    )


def _unknown(context: str) -> Unauthenticated:
    return Unauthenticated("no account here is known to be yours", code="unknown", context=context)
