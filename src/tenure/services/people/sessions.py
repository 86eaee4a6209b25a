"""
Sessions: who is signed in, in which browser, how far, and until when.

Server-side: the cookie holds 256 random bits, the store their SHA-256. Every stage and every
step-up gets a new id and ends the old one, so an id that somebody planted before is dead after
(SECURITY T24). Half of a sign-in lasts minutes, a whole one twelve hours, unused thirty minutes.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Final

from tenure.clock import new_id
from tenure.domain.errors import NotFound, Unauthenticated
from tenure.domain.model import Secret
from tenure.domain.people import SESSION_IDLE_MS, STAGE_MS, Person, PersonId, Session, Stage
from tenure.services.people import budgets
from tenure.services.people.register import Register
from tenure.store import holds, people, sessions
from tenure.store.db import Transaction

ID_BYTES: Final = 32
"""256 random bits (SECURITY section 7)."""
SEEN_EVERY_MS: Final = 60_000
"""How exactly it is noted when a session was used: reading a page is no reason to write."""
AGENT_CHARACTERS_MAX: Final = 200

_COOKIE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A session under a new id; *secret* is what its cookie holds, told once."""

    session: Session
    secret: Secret = field(repr=False)


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, register: Register) -> None:
        """Sessions are in the store, so that every worker knows them."""
        self._register = register

    def begin_in(self, tx: Transaction, person: Person, stage: Stage, agent: str) -> Begun:
        """
        Begin a session of somebody who proved as much as *stage* says, in the caller's transaction.

        Raises Unavailable in a held store.
        """
        now_ms = self._register.real.now_ms()
        secret = self._secret()
        session = Session(
            session_id=id_of(secret.reveal()),
            visit_id=new_id(self._register.real, "vis"),
            person=person,
            stage=stage,
            started_at_ms=now_ms,
            seen_at_ms=now_ms,
            ends_at_ms=now_ms + STAGE_MS[stage],
            agent=_shown(agent),
        )
        return self._add(tx, session, secret)

    def find(self, cookie: str) -> Session:
        """
        Return the session that *cookie* is of, and note that it is used.

        Raises Unauthenticated `expired` for one that is over, ended, or was none of ours.
        """
        if not _COOKIE.fullmatch(cookie):
            raise expired()
        session = self._register.store.read(lambda tx: sessions.get(tx, id_of(cookie)))
        now_ms = self._register.real.now_ms()
        if session is None or not _is_running(session, now_ms):
            raise expired()
        if now_ms - session.seen_at_ms >= SEEN_EVERY_MS:
            self._register.store.write(lambda tx: sessions.touch(tx, session.session_id, now_ms))
        return session

    def renew_in(self, tx: Transaction, session: Session, stage: Stage) -> Begun:
        """
        Let *session* go on at *stage* under a new id, in the caller's transaction.

        A new stage is a new visit: nothing that was asked in the one before counts in it. Raises
        Unauthenticated `expired` where it was ended, or renewed, by somebody else meanwhile.
        """
        if not sessions.end(tx, session.session_id):
            raise expired()
        person = people.get(tx, session.person.person_id)
        if stage is not session.stage:
            return self.begin_in(tx, person, stage, session.agent)
        secret = self._secret()
        same = replace(
            session,
            session_id=id_of(secret.reveal()),
            person=person,
            seen_at_ms=self._register.real.now_ms(),
        )
        return self._add(tx, same, secret)

    def end(self, session: Session) -> None:
        """Sign out."""
        self._register.store.write(lambda tx: sessions.end(tx, session.session_id))

    def end_one(self, person_id: PersonId, session_id: str) -> None:
        """End one of a person's sessions; raises NotFound."""

        def end(tx: Transaction) -> None:
            own = {found.session_id for found in sessions.of_person(tx, people.get(tx, person_id))}
            if session_id not in own or not sessions.end(tx, session_id):
                raise NotFound

        self._register.store.write(end)

    def end_all(self, person_id: PersonId, *, but: str | None = None) -> None:
        """End every session of a person, except the one with the id *but*."""
        self._register.store.write(lambda tx: sessions.end_all(tx, person_id, but))

    def of_person(self, person_id: PersonId) -> list[Session]:
        """Return a person's running sessions, the last used first."""
        found = self._register.store.read(
            lambda tx: sessions.of_person(tx, people.get(tx, person_id))
        )
        now_ms = self._register.real.now_ms()
        return [session for session in found if _is_running(session, now_ms)]

    def step(self) -> bool:
        """Forget what is over; a tick, which decides nothing."""
        now_ms = self._register.real.now_ms()

        def forget(tx: Transaction) -> None:
            budgets.forget_past(tx, now_ms)
            sessions.forget_past(tx, now_ms)

        self._register.store.write(forget)
        return False

    @staticmethod
    def _add(tx: Transaction, session: Session, secret: Secret) -> Begun:
        holds.require_released(tx)  # Who was removed since the backup must not come in.
        sessions.add(tx, session)
        return Begun(session=session, secret=secret)

    def _secret(self) -> Secret:
        raw = self._register.real.random_bytes(ID_BYTES)
        return Secret(base64.urlsafe_b64encode(raw).decode().rstrip("="))


def id_of(cookie: str) -> str:
    """Return the id of the session whose cookie holds *cookie*: its SHA-256, in hex."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def expired() -> Unauthenticated:
    """Return what somebody is told who is not signed in, or not any more."""
    return Unauthenticated("sign in again: this session is over", code="expired")


def _is_running(session: Session, now_ms: int) -> bool:
    return now_ms < session.ends_at_ms and now_ms - session.seen_at_ms < SESSION_IDLE_MS


def _shown(agent: str) -> str:
    return "".join(sign for sign in agent if sign.isprintable())[:AGENT_CHARACTERS_MAX]
