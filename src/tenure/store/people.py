"""
People as rows: who they are. What they prove it with is in `factors`.

A person who was removed keeps the row, for the journal names it; e-mail and account are free again.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Row, Select, exc, func, insert, select, update

from tenure.domain.errors import Conflict, NotFound
from tenure.domain.model import AccountId
from tenure.domain.people import Hold, Passkey, Person, PersonId, Role, sign_in_name
from tenure.store import factors
from tenure.store import schema_people as tables
from tenure.store.db import Transaction

_TABLE = tables.people
_STANDS = _TABLE.c.removed_at_ms.is_(None)


def add(tx: Transaction, person: Person) -> None:
    """Store a new *person*; raises Conflict `exists` where another one has the e-mail."""
    try:
        tx.execute(
            insert(_TABLE).values(
                person_id=person.person_id,
                account_id=person.account_id,
                created_at_ms=person.created_at_ms,
                totp_last_step=0,
                **_editable(person),
            )
        )
    except exc.IntegrityError as error:
        raise Conflict("exists", "somebody with this e-mail signs in already") from error


def save(tx: Transaction, person: Person) -> None:
    """Save what may change of *person*; raises as `add`."""
    chosen = update(_TABLE).where(_TABLE.c.person_id == person.person_id)
    try:
        tx.execute(chosen.values(**_editable(person)))
    except exc.IntegrityError as error:
        raise Conflict("exists", "somebody else signs in so already") from error


def get(tx: Transaction, person_id: str) -> Person:
    """Return one person who was not removed; raises NotFound."""
    found = _one(tx, (_TABLE.c.person_id == person_id) & _STANDS)
    if found is None:
        raise NotFound("there is no such person")
    return found


def find(tx: Transaction, person_id: str) -> Person | None:
    """Return one person, removed or not, None where there never was one."""
    return _one(tx, _TABLE.c.person_id == person_id)


def by_name(tx: Transaction, email: str) -> Person | None:
    """Return who signs in by *email*, however it is written."""
    return _one(tx, (_TABLE.c.sign_in_name == sign_in_name(email)) & _STANDS)


def by_subject(tx: Transaction, subject: str) -> Person | None:
    """Return whom the OIDC provider calls *subject*."""
    return _one(tx, (_TABLE.c.oidc_subject == subject) & _STANDS)


def owner_of(tx: Transaction, account_id: str) -> Person | None:
    """Return who signs in for an account."""
    return _one(tx, (_TABLE.c.account_id == account_id) & _STANDS)


def operators(tx: Transaction) -> list[Person]:
    """Return the people of the house who were not removed, the oldest first."""
    return _people(tx, _chosen(_TABLE.c.account_id.is_(None) & _STANDS))


def administrators(tx: Transaction) -> list[Person]:
    """Return the administrators who can sign in."""
    return [
        person
        for person in operators(tx)
        if person.role is Role.ADMINISTRATOR and person.has_joined
    ]


def has_anybody(tx: Transaction) -> bool:
    """Whether there is anybody who has joined, of the house or an owner."""
    column = _TABLE.c.password_set_at_ms
    joined = column.is_not(None) | _TABLE.c.oidc_subject.is_not(None)
    return (
        tx.execute(select(_TABLE.c.person_id).where(joined & _STANDS).limit(1)).first() is not None
    )


def ever(tx: Transaction, account_ids: Sequence[str] | None) -> list[Person]:
    """Return all who ever signed in for some accounts, or for the house; removed ones too."""
    column = _TABLE.c.account_id
    return _people(
        tx, _chosen(column.is_(None) if account_ids is None else column.in_(account_ids))
    )


def is_recovering(tx: Transaction, account_id: str) -> bool:
    """Whether the owner of an account is being let in again (SECURITY T41)."""
    owner = owner_of(tx, account_id)
    return owner is not None and owner.recovery is not None


def warn(tx: Transaction, person_id: str, now_ms: int, since_ms: int) -> bool:
    """Note that a person is told of wrong passwords now; False if it was told after *since_ms*."""
    column = _TABLE.c.warned_at_ms
    changed = tx.execute(
        update(_TABLE)
        .where(_TABLE.c.person_id == person_id)
        .where(column.is_(None) | (column <= since_ms))
        .values(warned_at_ms=now_ms)
    )
    return changed.rowcount == 1


def _chosen(condition: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return select(_TABLE).where(condition).order_by(_TABLE.c.created_at_ms, _TABLE.c.person_id)


def _one(tx: Transaction, condition: ColumnElement[bool]) -> Person | None:
    found = _people(tx, _chosen(condition).limit(1))
    return found[0] if found else None


def _people(tx: Transaction, chosen: Select[tuple[object, ...]]) -> list[Person]:
    rows = list(tx.execute(chosen))
    ids = [row.person_id for row in rows]
    held, left = factors.passkeys(tx, ids), _codes_left(tx, ids)
    return [_person(row, held.get(row.person_id, ()), left.get(row.person_id, 0)) for row in rows]


def _codes_left(tx: Transaction, person_ids: Iterable[str]) -> dict[str, int]:
    column = tables.recovery_codes.c.person_id
    counted = select(column, func.count()).where(column.in_(person_ids)).group_by(column)
    return {str(person_id): int(count) for person_id, count in tx.execute(counted).all()}


def _person(row: Row[tuple[object, ...]], held: Iterable[Passkey], left: int) -> Person:
    hold = None
    if row.recovery_begun_at_ms is not None:
        hold = Hold(
            begun_at_ms=row.recovery_begun_at_ms,
            until_ms=row.recovery_until_ms,
            has_frozen=bool(row.recovery_has_frozen),
        )
    return Person(
        person_id=PersonId(row.person_id),
        email=row.email,
        role=Role(row.role),
        created_at_ms=row.created_at_ms,
        account_id=AccountId(row.account_id) if row.account_id else None,
        language=row.language,
        time_zone=row.time_zone,
        password_set_at_ms=row.password_set_at_ms,
        totp_added_at_ms=row.totp_added_at_ms,
        passkeys=tuple(held),
        recovery_codes_left=left,
        oidc_subject=row.oidc_subject,
        locked_at_ms=row.locked_at_ms,
        recovery=hold,
        removed_at_ms=row.removed_at_ms,
    )


def _editable(person: Person) -> dict[str, object]:
    hold = person.recovery
    return {
        "email": person.email,
        "sign_in_name": sign_in_name(person.email),
        "role": str(person.role),
        "language": person.language,
        "time_zone": person.time_zone,
        "password_set_at_ms": person.password_set_at_ms,
        "totp_added_at_ms": person.totp_added_at_ms,
        "oidc_subject": person.oidc_subject,
        "locked_at_ms": person.locked_at_ms,
        "recovery_begun_at_ms": hold.begun_at_ms if hold else None,
        "recovery_until_ms": hold.until_ms if hold else None,
        "recovery_has_frozen": int(hold.has_frozen) if hold else None,
        "removed_at_ms": person.removed_at_ms,
    }
