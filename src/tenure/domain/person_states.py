"""
What the journal says of a person: everything but what somebody could sign in by.

No event holds a password or a second factor, only that there is one and since when. So a person who
comes from the journal alone has to be invited anew (`without_factors`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tenure.domain.model import AccountId
from tenure.domain.people import Hold, Passkey, Person, PersonId, Role

_SIGNED_IN_BY: Final = (
    *("password_set_at_ms", "totp_added_at_ms", "passkeys"),
    *("recovery_codes_left", "oidc_subject"),
)
"""Of a person's state, what lets somebody in."""


def person_state(person: Person) -> Mapping[str, object]:
    """Return *person* as JSON values, the shape of an event's body: what there is, no secret."""
    return {
        "person_id": person.person_id,
        "email": person.email,
        "role": str(person.role),
        "created_at_ms": person.created_at_ms,
        "language": person.language,
        "time_zone": person.time_zone,
        "password_set_at_ms": person.password_set_at_ms,
        "totp_added_at_ms": person.totp_added_at_ms,
        "passkeys": [
            {
                "passkey_id": passkey.passkey_id,
                "label": passkey.label,
                "added_at_ms": passkey.added_at_ms,
                "fingerprint": passkey.fingerprint,
            }
            for passkey in person.passkeys
        ],
        "recovery_codes_left": person.recovery_codes_left,
        "oidc_subject": person.oidc_subject,
        "recovery": _hold_state(person.recovery),
        "removed_at_ms": person.removed_at_ms,
    }


def person_row(person: Person) -> Mapping[str, object]:
    """Return what the rows of *person* say, to compare with the journal."""
    return {**person_state(person), "account_id": person.account_id}


def person_from(state: Mapping[str, Any], account_id: str | None) -> Person:
    """Return the person that `person_state` gave *state* for, of an account or of the house."""
    hold = state["recovery"]
    return Person(
        person_id=PersonId(state["person_id"]),
        email=state["email"],
        role=Role(state["role"]),
        created_at_ms=state["created_at_ms"],
        account_id=AccountId(account_id) if account_id is not None else None,
        language=state["language"],
        time_zone=state["time_zone"],
        password_set_at_ms=state["password_set_at_ms"],
        totp_added_at_ms=state["totp_added_at_ms"],
        passkeys=tuple(Passkey(**passkey) for passkey in state["passkeys"]),
        recovery_codes_left=state["recovery_codes_left"],
        oidc_subject=state["oidc_subject"],
        recovery=Hold(**hold) if hold else None,
        removed_at_ms=state["removed_at_ms"],
    )


def without_factors(person: Person) -> Person:
    """Return *person* without anything to sign in by: such a one has to be invited anew."""
    return replace(
        person,
        password_set_at_ms=None,
        totp_added_at_ms=None,
        passkeys=(),
        recovery_codes_left=0,
        oidc_subject=None,
        locked_at_ms=None,
    )


def signs_in_alike(one: Person, other: Person) -> bool:
    """Whether both are let in by the same: so far as the journal tells passwords and factors."""
    first, second = person_state(one), person_state(other)
    return all(first[name] == second[name] for name in _SIGNED_IN_BY)


def _hold_state(hold: Hold | None) -> Mapping[str, object] | None:
    if hold is None:
        return None
    return {
        "begun_at_ms": hold.begun_at_ms,
        "until_ms": hold.until_ms,
        "has_frozen": hold.has_frozen,
    }
