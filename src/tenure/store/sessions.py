"""
Sessions as rows, with what is under way in them: challenges, and second factors asked for an act.

None of this is in the journal or in a backup (`schema_people.FLEETING`). Ids are digests: whoever
reads these tables can sign in by nothing he finds.
"""

import contextlib
from dataclasses import dataclass

from sqlalchemy import Row, delete, insert, select, update

from tenure.domain.errors import NotFound
from tenure.domain.people import Person, Session, Stage
from tenure.store import people
from tenure.store import schema_people as tables
from tenure.store.db import Transaction

_SESSIONS, _CHALLENGES, _STEP_UPS = tables.sessions, tables.challenges, tables.step_ups


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """
    Something that is answered once, and soon.

    *bound_to* is the visit it was asked in, or empty where its id alone is known to whoever was
    asked; *purpose* says what an answer may be used for.
    """

    challenge_id: str
    purpose: str
    bound_to: str
    content: bytes
    ends_at_ms: int


def add(tx: Transaction, session: Session) -> None:
    """Store a new session."""
    tx.execute(
        insert(_SESSIONS).values(
            session_id=session.session_id,
            visit_id=session.visit_id,
            person_id=session.person.person_id,
            stage=str(session.stage),
            agent=session.agent,
            started_at_ms=session.started_at_ms,
            seen_at_ms=session.seen_at_ms,
            ends_at_ms=session.ends_at_ms,
        )
    )


def get(tx: Transaction, session_id: str) -> Session | None:
    """Return a session with whose it is, whether it is over or not."""
    row = tx.execute(select(_SESSIONS).where(_SESSIONS.c.session_id == session_id)).one_or_none()
    if row is None:
        return None
    with contextlib.suppress(NotFound):  # Somebody removed is signed in nowhere.
        return _session(row, people.get(tx, row.person_id))
    return None


def of_person(tx: Transaction, person: Person) -> list[Session]:
    """Return a person's sessions, the last used first, whether they are over or not."""
    chosen = select(_SESSIONS).where(_SESSIONS.c.person_id == person.person_id)
    rows = tx.execute(chosen.order_by(_SESSIONS.c.seen_at_ms.desc(), _SESSIONS.c.session_id))
    return [_session(row, person) for row in rows]


def touch(tx: Transaction, session_id: str, now_ms: int) -> None:
    """Note that a session is used."""
    own = _SESSIONS.c.session_id == session_id
    tx.execute(update(_SESSIONS).where(own).values(seen_at_ms=now_ms))


def end(tx: Transaction, session_id: str) -> bool:
    """End one session; False where there is none."""
    return tx.execute(delete(_SESSIONS).where(_SESSIONS.c.session_id == session_id)).rowcount == 1


def end_all(tx: Transaction, person_id: str, but: str | None = None) -> None:
    """End every session of a person, except that called *but*."""
    own = (_SESSIONS.c.person_id == person_id) & (_SESSIONS.c.session_id != (but or ""))
    tx.execute(delete(_SESSIONS).where(own))


def ask(tx: Transaction, challenge: Challenge) -> None:
    """Store a challenge; within a visit it takes the place of those for the same purpose."""
    if challenge.bound_to:
        same = (_CHALLENGES.c.bound_to == challenge.bound_to) & (
            _CHALLENGES.c.purpose == challenge.purpose
        )
        tx.execute(delete(_CHALLENGES).where(same))
    tx.execute(
        insert(_CHALLENGES).values(
            challenge_id=challenge.challenge_id,
            purpose=challenge.purpose,
            bound_to=challenge.bound_to,
            content=challenge.content,
            ends_at_ms=challenge.ends_at_ms,
        )
    )


def asked(tx: Transaction, bound_to: str, purpose: str, now_ms: int) -> Challenge | None:
    """Return what was asked in a visit for a purpose, if it can still be answered."""
    chosen = select(_CHALLENGES).where(
        (_CHALLENGES.c.bound_to == bound_to) & (_CHALLENGES.c.purpose == purpose)
    )
    row = tx.execute(chosen.where(_CHALLENGES.c.ends_at_ms > now_ms)).one_or_none()
    return None if row is None else _challenge(row)


def called(tx: Transaction, challenge_id: str, purpose: str, now_ms: int) -> Challenge | None:
    """Return the challenge with an id, if it is for this purpose and can still be answered."""
    chosen = select(_CHALLENGES).where(
        (_CHALLENGES.c.challenge_id == challenge_id) & (_CHALLENGES.c.purpose == purpose)
    )
    row = tx.execute(chosen.where(_CHALLENGES.c.ends_at_ms > now_ms)).one_or_none()
    return None if row is None else _challenge(row)


def spend(tx: Transaction, challenge: Challenge) -> bool:
    """Use a challenge up; False where somebody else did."""
    own = _CHALLENGES.c.challenge_id == challenge.challenge_id
    return tx.execute(delete(_CHALLENGES).where(own)).rowcount == 1


def approve(tx: Transaction, visit_id: str, act: str, ends_at_ms: int) -> None:
    """Note that in a visit *act* was approved by a second factor."""
    own = (_STEP_UPS.c.visit_id == visit_id) & (_STEP_UPS.c.act == act)
    tx.execute(delete(_STEP_UPS).where(own))
    tx.execute(insert(_STEP_UPS).values(visit_id=visit_id, act=act, ends_at_ms=ends_at_ms))


def spend_approval(tx: Transaction, visit_id: str, act: str, now_ms: int) -> int | None:
    """Use up the approval of *act*; return when it would end, None for none that still holds."""
    own = (_STEP_UPS.c.visit_id == visit_id) & (_STEP_UPS.c.act == act)
    spent = delete(_STEP_UPS).where(own & (_STEP_UPS.c.ends_at_ms > now_ms))
    # One statement, so that of many who ask at once one alone is told a number.
    return tx.execute(spent.returning(_STEP_UPS.c.ends_at_ms)).scalar_one_or_none()


def is_approved(tx: Transaction, visit_id: str, act: str, now_ms: int) -> bool:
    """Whether *act* is approved still; nothing is used up by asking."""
    own = (_STEP_UPS.c.visit_id == visit_id) & (_STEP_UPS.c.act == act)
    found = select(_STEP_UPS.c.act).where(own & (_STEP_UPS.c.ends_at_ms > now_ms))
    return tx.execute(found).first() is not None


def forget_everything(tx: Transaction) -> None:
    """End everything that is under way, of everybody: what a restore does."""
    for table in (tables.attempts, tables.invitations, _SESSIONS, _CHALLENGES, _STEP_UPS):
        tx.execute(delete(table))


def forget_past(tx: Transaction, now_ms: int) -> int:
    """Delete the rows of what is over; return how many."""
    forgotten = 0
    for table in (_SESSIONS, _CHALLENGES, _STEP_UPS, tables.invitations):
        forgotten += tx.execute(delete(table).where(table.c.ends_at_ms <= now_ms)).rowcount
    return forgotten


def _session(row: Row[tuple[object, ...]], person: Person) -> Session:
    return Session(
        session_id=row.session_id,
        visit_id=row.visit_id,
        person=person,
        stage=Stage(row.stage),
        started_at_ms=row.started_at_ms,
        seen_at_ms=row.seen_at_ms,
        ends_at_ms=row.ends_at_ms,
        agent=row.agent,
    )


def _challenge(row: Row[tuple[object, ...]]) -> Challenge:
    return Challenge(
        challenge_id=row.challenge_id,
        purpose=row.purpose,
        bound_to=row.bound_to,
        content=bytes(row.content),
        ends_at_ms=row.ends_at_ms,
    )
