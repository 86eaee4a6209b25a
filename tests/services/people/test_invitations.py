"""Invitations: links that let one person join, once, within three days."""

from collections.abc import Callable

import pytest

from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.model import AccountKind
from tenure.domain.people import INVITATION_MS, RECOVERY_HOLD_MS, Role, Stage
from tenure.services.people.invitations import Joining
from tenure.store import schema_people
from tests.services.parts import ACTOR
from tests.services.people.doors import ORIGIN, PASSWORD, Door, secret_of

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

JOINING = Joining(password=PASSWORD)


def conflict(act: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as raised:
        act()
    return raised.value.code


def is_dead(door: Door, secret: str) -> bool:
    try:
        door.people.invitations.look(secret)
    except NotFound:
        return True
    return False


def test_an_owner_joins_by_the_accounts_e_mail(door: Door) -> None:
    account = door.parts.account()
    known = door.parts.journal.head()
    invited = door.people.invitations.of_account(account.account_id, ACTOR)
    secret = secret_of(invited.link)
    assert invited.link.reveal() == f"{ORIGIN}/console/join/{secret}"
    looked = door.people.invitations.look(secret)
    assert (looked.email, looked.role, looked.account_id) == (
        *(account.email, Role.OWNER),
        account.account_id,
    )

    joining = Joining(password=PASSWORD, language="ja", time_zone="Asia/Tokyo")
    session = door.people.invitations.accept(secret, joining).session

    assert session.stage is Stage.ENROLLING
    person = door.people.find(session.person.person_id)
    assert (person.email, person.role) == (account.email, Role.OWNER)
    assert (person.language, person.time_zone) == ("ja", "Asia/Tokyo")
    assert person == door.people.owner_of(account.account_id)
    assert person.actor == f"{account.account_id}/{person.person_id}"
    assert door.parts.tags(known) == ["person:invited", "person:joined"]
    first, second = door.parts.events(known)
    assert (first.change.actor, second.change.actor) == (ACTOR, person.actor)
    assert first.change.account_id == account.account_id


def test_a_link_is_taken_once(door: Door) -> None:
    secret = secret_of(door.invite().link)
    door.people.invitations.accept(secret, JOINING)

    assert is_dead(door, secret)
    with pytest.raises(NotFound):
        door.people.invitations.accept(secret, JOINING)


def test_a_link_is_good_for_three_days(door: Door) -> None:
    secret = secret_of(door.invite().link)
    door.real.advance(INVITATION_MS - 1)
    assert not is_dead(door, secret)
    door.real.advance(1)
    assert is_dead(door, secret)


def test_a_new_link_makes_the_old_one_void(door: Door) -> None:
    account = door.parts.account()
    old, new = (secret_of(door.invite(account).link) for _ in range(2))

    assert is_dead(door, old)
    door.people.invitations.accept(new, JOINING)


def test_the_store_keeps_a_digest_of_it(door: Door) -> None:
    invited = door.invite()
    secret = secret_of(invited.link)

    rows = door.parts.store.read(lambda tx: tx.execute(schema_people.invitations.select()).all())
    assert secret not in str(rows)
    assert secret not in repr(invited)
    assert secret not in str([event.change for event in door.parts.events()])


@pytest.mark.parametrize("secret", ["", "x", "é", "x" * 43, "../../v1"])
def test_what_is_no_link_is_none(door: Door, secret: str) -> None:
    door.invite()

    assert is_dead(door, secret)


def test_who_has_joined_is_not_invited_again(door: Door) -> None:
    account = door.parts.account()
    door.owner(account)

    assert conflict(lambda: door.invite(account)) == "exists"


def test_an_account_that_is_not_there_invites_nobody(door: Door) -> None:
    with pytest.raises(NotFound):
        door.people.invitations.of_account("acct_" + "0" * 24, ACTOR)


def test_an_e_mail_by_which_somebody_signs_in_is_known(door: Door) -> None:
    door.people.invitations.require_unknown("ada@example.com")
    door.people.invitations.of_operator("ada@example.com", Role.VIEWER, ACTOR)

    code = conflict(lambda: door.people.invitations.require_unknown("ADA@example.com"))

    assert code == "exists"


def test_two_accounts_whose_e_mail_is_the_same_name_have_one_owner_between_them(door: Door) -> None:
    """Accounts are told apart by capitals; people who sign in are not."""
    for email in ("ada@example.com", "ADA@example.com"):
        door.parts.accounts.create(email, AccountKind.NORMAL, None, ACTOR)
    first, second = door.parts.accounts.every()
    door.invite(first)

    assert conflict(lambda: door.invite(second)) == "exists"


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 257, "aaaaaaaaaaaaaaaaaaaa", "abababababababab", "OWNER0@example.com"],
)
def test_a_password_is_long_and_no_guess(door: Door, password: str) -> None:
    secret = secret_of(door.invite().link)

    with pytest.raises(Invalid) as raised:
        door.people.invitations.accept(secret, Joining(password=password))
    assert raised.value.field == "password"
    assert not is_dead(door, secret)


@pytest.mark.parametrize("wish", [{"language": "not a language"}, {"time_zone": "Middle/Earth"}])
def test_a_wish_that_makes_no_sense_is_refused(door: Door, wish: dict[str, str]) -> None:
    secret = secret_of(door.invite().link)

    with pytest.raises(Invalid):
        door.people.invitations.accept(secret, Joining(password=PASSWORD, **wish))
    assert not is_dead(door, secret)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR])
def test_people_of_the_house_join_with_a_role(door: Door, role: Role) -> None:
    known = door.parts.journal.head()
    one = door.operator(role)

    assert (one.person.role, one.person.account_id) == (role, None)
    assert one.person.actor == "operator:ada@example.com"
    assert door.people.operators() == [one.person]
    assert {event.change.account_id for event in door.parts.events(known)} == {None}


@pytest.mark.parametrize(
    "email", ["", "ada", "a@b@c", "a b@example.com", "a@b", "a@" + "x" * 253 + ".c"]
)
def test_a_name_is_an_e_mail_address(door: Door, email: str) -> None:
    with pytest.raises(Invalid) as raised:
        door.people.invitations.of_operator(email, Role.VIEWER, ACTOR)
    assert raised.value.field == "email"


def test_an_owner_is_invited_to_an_account_and_to_nothing_else(door: Door) -> None:
    with pytest.raises(Invalid):
        door.people.invitations.of_operator("ada@example.com", Role.OWNER, ACTOR)


def test_who_was_invited_with_a_role_is_not_given_another_by_inviting(door: Door) -> None:
    def invite(role: Role) -> object:
        return door.people.invitations.of_operator("ada@example.com", role, ACTOR)

    invite(Role.VIEWER)
    invite(Role.VIEWER)
    assert conflict(lambda: invite(Role.ADMINISTRATOR)) == "exists"
    owner = door.owner()
    email = owner.person.email
    assert (
        conflict(lambda: door.people.invitations.of_operator(email, Role.VIEWER, ACTOR)) == "exists"
    )


def first(door: Door) -> str:
    invited = door.people.invitations.first_administrator()
    assert invited is not None
    return secret_of(invited.link)


def test_the_first_administrator_comes_by_a_link_and_says_who_she_is(door: Door) -> None:
    known = door.parts.journal.head()
    secret = first(door)
    assert door.people.invitations.look(secret).email is None
    assert door.parts.tags(known) == [], "nobody has come yet"
    with pytest.raises(Invalid):
        door.people.invitations.accept(secret, JOINING)

    joining = Joining(password=PASSWORD, email="ada@example.com")
    begun = door.people.invitations.accept(secret, joining)

    assert begun.session.person.role is Role.ADMINISTRATOR
    assert door.parts.tags(known) == ["person:joined"]
    assert door.people.invitations.first_administrator() is None


def test_each_start_makes_the_link_before_void(door: Door) -> None:
    old = first(door)
    new = first(door)

    assert (is_dead(door, old), is_dead(door, new)) == (True, False)


def test_the_first_link_is_void_once_there_is_an_administrator(door: Door) -> None:
    secret = first(door)
    door.operator(Role.VIEWER, "grace@example.com")
    assert not is_dead(door, secret)
    door.operator(Role.ADMINISTRATOR)

    assert is_dead(door, secret)
    joining = Joining(password=PASSWORD, email="eve@example.com")
    with pytest.raises(NotFound):
        door.people.invitations.accept(secret, joining)


def test_an_administrator_who_was_only_invited_is_none_yet(door: Door) -> None:
    door.people.invitations.of_operator("ada@example.com", Role.ADMINISTRATOR, ACTOR)

    assert door.people.invitations.first_administrator() is not None


def test_a_removal_is_no_quick_way_around_the_hold_of_a_recovery(door: Door) -> None:
    """T41: or whoever talks an operator into it has the account at once."""
    account = door.parts.account()
    one = door.owner(account)
    door.people.remove(one.person.person_id, ACTOR)

    assert conflict(lambda: door.invite(account)) == "on_hold"
    door.real.advance(RECOVERY_HOLD_MS - 1)
    assert conflict(lambda: door.invite(account)) == "on_hold"
    door.real.advance(1)
    assert door.owner(account).person.person_id != one.person.person_id
