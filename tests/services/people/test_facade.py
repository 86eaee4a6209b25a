"""Looking people up, their roles, and their leaving."""

from collections.abc import Callable
from functools import partial

import pytest

from tenure.domain.errors import Conflict, Invalid, NotFound, Unauthenticated
from tenure.domain.people import Role, Stage
from tests.fakes import FakeClock
from tests.services.parts import ACTOR
from tests.services.people.doors import PASSWORD, Door


def conflict(act: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as raised:
        act()
    return raised.value.code


def change_role(door: Door, person_id: str, role: Role) -> None:
    door.parts.store.write(lambda tx: door.people.role_in(tx, person_id, role, ACTOR))


def test_people_are_found_by_id_by_account_and_by_house(door: Door) -> None:
    account = door.parts.account()
    assert door.people.owner_of(account.account_id) is None
    owner, operator = door.owner(account), door.operator()

    assert door.people.find(owner.person.person_id) == owner.person
    assert door.people.owner_of(account.account_id) == owner.person
    assert door.people.operators() == [operator.person]
    looks: list[Callable[[], object]] = [
        lambda: door.people.find("psn_none"),
        lambda: door.people.owner_of("acct_none"),
    ]
    for look in looks:
        with pytest.raises(NotFound):
            look()


def test_how_somebody_is_spoken_to_is_recorded_where_it_changes(door: Door) -> None:
    one = door.owner()
    known = door.parts.journal.head()

    def prefer(language: str | None, zone: str | None) -> object:
        return door.people.prefer(one.person.person_id, language=language, time_zone=zone)

    prefer("es", "Europe/Madrid")
    prefer("es", "Europe/Madrid")
    person = door.again(one)
    assert (person.language, person.time_zone) == ("es", "Europe/Madrid")
    prefer(None, None)
    assert door.again(one).language is None
    assert door.parts.tags(known) == ["person:changed"] * 2
    for wrong in (("no language at all", None), (None, "Middle/Earth")):
        with pytest.raises(Invalid):
            prefer(*wrong)


def test_another_role_signs_out_and_is_on_record(door: Door) -> None:
    door.operator()
    one = door.operator(Role.VIEWER, "grace@example.com")
    known = door.parts.journal.head()

    change_role(door, one.person.person_id, Role.OPERATOR)
    change_role(door, one.person.person_id, Role.OPERATOR)

    with pytest.raises(Unauthenticated):
        door.session(one)
    assert door.sign_in(one).person.role is Role.OPERATOR
    (event,) = door.parts.events(known)
    assert (str(event.change.tag), event.change.actor) == ("person:role_changed", ACTOR)
    assert event.change.body["role_before"] == "viewer"


def test_owners_and_operators_do_not_become_each_other(door: Door) -> None:
    owner, operator = door.owner(), door.operator()

    for person_id, role in (
        (owner.person.person_id, Role.ADMINISTRATOR),
        (operator.person.person_id, Role.OWNER),
    ):
        with pytest.raises(Invalid):
            change_role(door, person_id, role)


def test_the_last_administrator_stays_one(door: Door) -> None:
    one = door.operator()
    person_id = one.person.person_id
    door.people.invitations.of_operator("grace@example.com", Role.ADMINISTRATOR, ACTOR)

    change = partial(change_role, door, person_id, Role.VIEWER)
    assert conflict(change) == "last_administrator"
    assert conflict(lambda: door.people.remove(person_id, ACTOR)) == "last_administrator"
    assert door.session(one).is_full, "what was refused changed nothing"

    invited = door.people.invitations.of_operator("grace@example.com", Role.ADMINISTRATOR, ACTOR)
    door.joining(invited)
    change()


def test_who_was_removed_is_out_at_once_and_leaves_nothing_to_come_in_by(door: Door) -> None:
    one = door.owner(passkey=True)
    known = door.parts.journal.head()

    removed = door.people.remove(one.person.person_id, ACTOR)

    assert removed.removed_at_ms == door.real.now
    assert removed.factors == 0
    acts: list[Callable[[], object]] = [lambda: door.session(one), lambda: door.say_password(one)]
    for act in acts:
        with pytest.raises(Unauthenticated):
            act()
    looks: list[Callable[[], object]] = [
        lambda: door.again(one),
        lambda: door.people.remove(removed.person_id, ACTOR),
    ]
    for look in looks:
        with pytest.raises(NotFound):
            look()
    assert door.parts.tags(known) == ["person:removed"]


def test_whoever_was_only_invited_is_removed_with_the_link(door: Door) -> None:
    invited = door.invite()
    door.people.remove(str(invited.invitation.person_id), ACTOR)

    with pytest.raises(NotFound):
        door.joining(invited)


def test_people_live_by_the_machines_time_and_the_journal_by_the_houses(door: Door) -> None:
    """In a sandbox: Tenure's clock stands in 2021, and apps and sessions run all the same."""
    door.real = FakeClock("2026-11-29 12:00", seed=3)
    door.people = door.worker()
    one = door.owner()

    assert door.sign_in(one).started_at_ms == door.real.now
    assert one.person.created_at_ms > door.parts.clock.now
    assert {event.recorded_at_ms for event in door.parts.events()} == {door.parts.clock.now}
    assert door.say_password(one, PASSWORD).stage is Stage.PASSWORD
