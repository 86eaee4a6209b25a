"""
What somebody signs in with: second factors added and removed, codes renewed, the password changed.

Whoever is signed in approves each of these with a factor he has (`stepups.Change`); whoever has
none yet, at Stage.ENROLLING, sets his first one up and is let in by it. Every change is one event
and is told, and all but new codes, which let nobody in by themselves, end all other sessions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tenure.clock import new_id
from tenure.domain.errors import Conflict, Forbidden, NotFound
from tenure.domain.events import Event, Tag
from tenure.domain.model import Secret
from tenure.domain.people import (
    PASSKEYS_MAX,
    Passkey,
    PasskeyAnswer,
    Person,
    Session,
    Stage,
    require_label,
)
from tenure.services import sealing
from tenure.services.people import codes, totp
from tenure.services.people.budgets import Budgets, wrong
from tenure.services.people.passwords import Passwords
from tenure.services.people.proving import SEALED_FOR, Proving
from tenure.services.people.register import Register
from tenure.services.people.sessions import Begun, Sessions, expired
from tenure.services.people.stepups import Change, StepUps
from tenure.store import factors, people, sessions
from tenure.store.db import Transaction
from tenure.store.factors import StoredPasskey

_TOTP: Final = "set up an app"
_PASSKEY: Final = "make a passkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpSetup:
    """What an authenticator app is set up with: as address, as text to type, as picture (SVG)."""

    uri: Secret = field(repr=False)
    seed: Secret = field(repr=False)

    @property
    def picture(self) -> Secret:
        """The address as a picture, drawn only for a page that shows it."""
        return Secret(totp.picture(self.uri.reveal()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A factor added: the session goes on as *begun*; *recovery_codes*, if new, are shown once."""

    person: Person
    begun: Begun
    recovery_codes: tuple[Secret, ...] = field(default=(), repr=False)


class Factors:
    """What somebody signs in with; a full session needs a step-up for each `Change` first."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it stands on, once each
        self,
        register: Register,
        budgets: Budgets,
        passwords: Passwords,
        proving: Proving,
        sessions: Sessions,
        step_ups: StepUps,
    ) -> None:
        """One per worker."""
        self._register, self._budgets, self._passwords = register, budgets, passwords
        self._proving, self._sessions, self._step_ups = proving, sessions, step_ups

    def begin_totp(self, session: Session) -> TotpSetup:
        """
        Return a new seed; nothing changes until a code of it is shown (`confirm_totp`).

        Raises Forbidden `step_up`, Conflict `exists`, Unavailable `sealed`.
        """
        seed = totp.make_seed(self._register.real)

        def begin(tx: Transaction) -> None:
            self._require(tx, session, Change.ADD_APP)
            person = people.get(tx, session.person.person_id)
            if person.has_totp:
                raise Conflict("exists", "an app is set up already: remove that one first")
            key = self._proving.key()
            sealed = key.seal(
                seed,
                key_id=person.person_id,
                account_id=SEALED_FOR,
                data_key=sealing.data_key(
                    tx, key, self._register.real, self._register.clock.now_ms()
                ),
            )
            self._proving.keep(tx, _TOTP, session.visit_id, sealed)

        self._register.store.write(begin)
        return _setup(seed, session.person)

    def totp_setup(self, session: Session) -> TotpSetup:
        """Show the seed of `begin_totp` again, after a typing error; raises Conflict `expired`."""

        def look(tx: Transaction) -> bytes:
            asked = self._pending(tx, session)
            return self._proving.open(tx, session.person, asked)

        return _setup(self._register.store.read(look), session.person)

    def confirm_totp(self, session: Session, code: str) -> Enrolled:
        """
        Set up the app with the seed shown last, proved by a *code* of it.

        Raises Unauthenticated `wrong`, after which it can be tried again; Conflict `expired`.
        """

        def confirm(tx: Transaction) -> tuple[Enrolled, Event]:
            sealed = self._pending(tx, session)
            seed = self._proving.open(tx, session.person, sealed)
            now_ms = self._register.real.now_ms()
            step = totp.step_of(seed, code, now_ms, 0)
            if step is None:
                raise wrong()
            self._spend(tx, session, _TOTP)
            factors.set_totp(tx, session.person.person_id, sealed, now_ms, step)
            return self._added(tx, session, factor="totp", label="")

        return self._register.change(confirm)

    def passkey_options(self, session: Session) -> str:
        """Return the options (JSON) for making a passkey; raises Forbidden `step_up`, Conflict."""
        challenge = self._proving.verifier.challenge(self._register.real)

        def ask(tx: Transaction) -> list[StoredPasskey]:
            self._require(tx, session, Change.ADD_PASSKEY)
            held = factors.stored_passkeys(tx, session.person.person_id)
            if len(held) >= PASSKEYS_MAX:
                raise Conflict("limit", f"{PASSKEYS_MAX} passkeys are the most: remove one first")
            self._proving.keep(tx, _PASSKEY, session.visit_id, challenge)
            return held

        held = self._register.store.write(ask)
        return self._proving.verifier.creation(session.person, held, challenge)

    def add_passkey(self, session: Session, answer: PasskeyAnswer, label: str) -> Enrolled:
        """
        Add the passkey that the browser made, under a *label*.

        Raises Invalid `label`, Unauthenticated `wrong`, Conflict `exists` or `expired`.
        """
        label = require_label(label)
        challenge = self._register.store.write(lambda tx: self._spend(tx, session, _PASSKEY))
        made = self._proving.verifier.made(answer.text, challenge)

        def add(tx: Transaction) -> tuple[Enrolled, Event]:
            stored = StoredPasskey(
                passkey=Passkey(
                    passkey_id=new_id(self._register.real, "psk"),
                    label=label,
                    added_at_ms=self._register.real.now_ms(),
                ),
                person_id=session.person.person_id,
                credential_id=made.credential_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                transports=made.transports,
            )
            factors.add_passkey(tx, stored)
            return self._added(tx, session, factor="passkey", label=label)

        return self._register.change(add)

    def remove_totp(self, session: Session) -> Begun:
        """Remove the app; raises NotFound, Forbidden `step_up`, Conflict `last_factor`."""

        def remove(tx: Transaction, person: Person) -> str:
            if not person.has_totp:
                raise NotFound
            factors.set_totp(tx, person.person_id, None, None, 0)
            return ""

        return self._remove(session, Change.REMOVE_APP, "totp", remove)

    def remove_passkey(self, session: Session, passkey_id: str) -> Begun:
        """Remove a passkey; raises as `remove_totp`."""

        def remove(tx: Transaction, person: Person) -> str:
            if not factors.remove_passkey(tx, person.person_id, passkey_id):
                raise NotFound
            return next(
                passkey.label for passkey in person.passkeys if passkey.passkey_id == passkey_id
            )

        act = Change.REMOVE_PASSKEY.of(passkey_id)
        return self._remove(session, act, "passkey", remove)

    def renew_recovery_codes(self, session: Session) -> tuple[Secret, ...]:
        """Return ten new codes; the old ones are void. Raises Forbidden `step_up`."""

        def renew(tx: Transaction) -> tuple[tuple[Secret, ...], Event]:
            self._require(tx, session, Change.RENEW_CODES)
            made = self._new_codes(tx, session.person)
            person = people.get(tx, session.person.person_id)
            return made, self._register.record(tx, Tag.PERSON_CODES_RENEWED, person)

        return self._register.change(renew)

    def change_password(self, session: Session, current: str, new: str) -> Begun:
        """
        Change the password; every other session ends.

        Raises Invalid `password`, Unauthenticated `wrong` or `locked`, Forbidden `step_up`.
        """
        self._passwords.require(new, session.person.email)
        if session.stage is not Stage.FULL:
            raise expired()
        person_id = session.person.person_id
        hashed = self._register.store.read(lambda tx: factors.password_of(tx, person_id))
        # Whoever comes by a provider alone has none; a second factor is asked of him all the same.
        if hashed is not None and not self._budgets.judge(
            session.person.email, lambda: self._passwords.verify(hashed, current)
        ):
            raise wrong()
        fresh = self._passwords.hash(new)

        def change(tx: Transaction) -> tuple[Begun, Event]:
            self._require(tx, session, Change.PASSWORD)
            factors.set_password(tx, person_id, fresh, self._register.real.now_ms())
            event = self._register.record(
                tx, Tag.PERSON_PASSWORD_CHANGED, people.get(tx, person_id)
            )
            return self._go_on(tx, session), event

        return self._register.change(change)

    def _require(self, tx: Transaction, session: Session, act: str) -> None:
        """Let pass who sets up his first factor, and who just approved *act* with one he has."""
        if session.stage is Stage.ENROLLING:
            # By now he may have one, set up in another window: then that one is asked for.
            if people.get(tx, session.person.person_id).factors:
                raise expired()
            return
        if session.stage is not Stage.FULL:
            raise Forbidden
        self._step_ups.require_in(tx, session, act)

    def _pending(self, tx: Transaction, session: Session) -> bytes:
        now_ms = self._register.real.now_ms()
        asked = sessions.asked(tx, session.visit_id, _TOTP, now_ms)
        if asked is None:
            raise _too_late()
        return asked.content

    def _spend(self, tx: Transaction, session: Session, purpose: str) -> bytes:
        asked = sessions.asked(tx, session.visit_id, purpose, self._register.real.now_ms())
        if asked is None or not sessions.spend(tx, asked):
            raise _too_late()
        return asked.content

    def _added(
        self, tx: Transaction, session: Session, *, factor: str, label: str
    ) -> tuple[Enrolled, Event]:
        made: tuple[Secret, ...] = ()
        is_first = session.stage is Stage.ENROLLING
        if is_first:
            made = self._new_codes(tx, session.person)
        person = people.get(tx, session.person.person_id)
        event = self._register.record(
            tx,
            Tag.PERSON_FACTOR_ADDED,
            person,
            factor=factor,
            label=label,
            is_first=is_first,
        )
        begun = self._go_on(tx, session)
        return Enrolled(person=person, begun=begun, recovery_codes=made), event

    def _remove(
        self, session: Session, act: str, factor: str, remove: Callable[[Transaction, Person], str]
    ) -> Begun:
        def change(tx: Transaction) -> tuple[Begun, Event]:
            self._require(tx, session, act)
            person = people.get(tx, session.person.person_id)
            label = remove(tx, person)
            after = people.get(tx, person.person_id)
            if not after.factors:
                raise Conflict("last_factor", "this is the last one: set another one up first")
            event = self._register.record(
                tx, Tag.PERSON_FACTOR_REMOVED, after, factor=factor, label=label
            )
            return self._go_on(tx, session), event

        return self._register.change(change)

    def _new_codes(self, tx: Transaction, person: Person) -> tuple[Secret, ...]:
        made = codes.make(self._register.real)
        digests = [codes.digest_of(person.person_id, code.reveal()) for code in made]
        factors.set_codes(tx, person.person_id, digests)
        return made

    def _go_on(self, tx: Transaction, session: Session) -> Begun:
        begun = self._sessions.renew_in(tx, session, Stage.FULL)
        sessions.end_all(tx, session.person.person_id, begun.session.session_id)
        return begun


def _setup(seed: bytes, person: Person) -> TotpSetup:
    return TotpSetup(uri=Secret(totp.uri(seed, person.email)), seed=Secret(totp.shown(seed)))


def _too_late() -> Conflict:
    return Conflict("expired", "this took too long: begin again")
