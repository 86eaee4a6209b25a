"""Recovery: two days in which an owner can object, told everywhere, keys frozen (T41)."""

from collections.abc import Callable

import pytest

from tenure.domain.contacts import Channel
from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, NotFound, Unauthenticated
from tenure.domain.model import Account
from tenure.domain.notices import Kind
from tenure.domain.people import RECOVERY_HOLD_MS
from tenure.services.contacts import Wish
from tenure.services.people.invitations import Joining
from tests.builders import TRADING
from tests.fakes import FakeClock
from tests.services.parts import ACTOR
from tests.services.people.doors import PASSWORD, Door, Somebody, secret_of
from tests.services.telling import Teller

HOLD = RECOVERY_HOLD_MS


def conflict(act: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as raised:
        act()
    return raised.value.code


@pytest.fixture
def account(door: Door) -> Account:
    return door.parts.account()


@pytest.fixture
def one(door: Door, account: Account) -> Somebody:
    return door.owner(account)


def begin(door: Door, account: Account) -> None:
    door.people.recovery.begin(account.account_id, ACTOR)


def test_the_journey_of_an_owner_who_lost_everything(
    door: Door, account: Account, one: Somebody
) -> None:
    key = door.parts.issue(TRADING, account=account)
    teller = Teller(door.parts)
    for address in ("desk@example.com", "https://example.com/hook"):
        channel = Channel.WEBHOOK if "hook" in address else Channel.EMAIL
        teller.contacts.add(account.account_id, channel, Wish(address=address), ACTOR)
    teller.tick()
    teller.mail.sent.clear()
    teller.webhook.sent.clear()
    known = door.parts.journal.head()

    begin(door, account)

    assert door.parts.tags(known) == ["account:frozen", "person:recovery_begun"]
    assert door.parts.ask(key) is Reason.ACCOUNT_FROZEN
    teller.tick()
    begun = "Somebody asked to get into your account again: 48 hours to object"
    assert [teller.mail.subjects.count(begun), teller.webhook.subjects.count(begun)] == [2, 1]

    door.real.advance(HOLD - 1)
    assert conflict(lambda: door.people.recovery.complete(account.account_id, ACTOR)) == "on_hold"
    door.real.advance(1)
    invited = door.people.recovery.complete(account.account_id, ACTOR)
    tries: list[Callable[[], object]] = [lambda: door.say_password(one), lambda: door.session(one)]
    for try_in in tries:
        with pytest.raises(Unauthenticated):
            try_in()
    assert door.parts.ask(key) is Reason.ACCOUNT_FROZEN, "nobody is back yet"

    joining = Joining(password="another horse, another staple")
    session = door.people.invitations.accept(secret_of(invited.link), joining).session
    assert session.person.person_id == one.person.person_id
    assert door.again(one).recovery is None
    assert door.parts.ask(key) is None
    assert door.parts.tags(known)[2:] == [
        *("person:cleared", "person:joined", "person:recovery_ended", "account:unfrozen"),
    ]
    assert teller.kinds(account.account_id)[-2:] == [Kind.RECOVERY_ENDED, Kind.ACCOUNT_UNFROZEN]


def test_an_owner_who_lost_nothing_signs_in_and_cancels(
    door: Door, account: Account, one: Somebody
) -> None:
    key = door.parts.issue(TRADING, account=account)
    begin(door, account)
    door.real.advance(HOLD)
    known = door.parts.journal.head()

    person = door.sign_in(one).person
    assert person.recovery is not None
    door.people.recovery.cancel(account.account_id, person.actor)

    assert door.parts.tags(known) == ["person:recovery_ended", "account:unfrozen"]
    assert door.parts.events(known)[0].change.body["outcome"] == "cancelled"
    assert door.parts.ask(key) is None
    for act in (door.people.recovery.complete, door.people.recovery.cancel):
        assert conflict(lambda act=act: act(account.account_id, ACTOR)) == "not_begun"  # type: ignore[misc]  # bound now


def test_nobody_thaws_the_keys_meanwhile(door: Door, account: Account, one: Somebody) -> None:
    assert one.person.account_id == account.account_id
    begin(door, account)

    def thaw() -> object:
        return door.parts.accounts.set_frozen(account.account_id, frozen=False, actor=ACTOR)

    assert conflict(thaw) == "on_hold"
    door.people.recovery.cancel(account.account_id, ACTOR)
    thaw()


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_an_account_that_was_frozen_before_stays_so(
    door: Door, account: Account, one: Somebody, *, is_cancelled: bool
) -> None:
    assert one.person.account_id == account.account_id
    door.parts.accounts.set_frozen(account.account_id, frozen=True, actor=ACTOR)
    known = door.parts.journal.head()
    begin(door, account)
    if is_cancelled:
        door.people.recovery.cancel(account.account_id, ACTOR)
    else:
        door.real.advance(HOLD)
        invited = door.people.recovery.complete(account.account_id, ACTOR)
        door.people.invitations.accept(secret_of(invited.link), Joining(password=PASSWORD))

    assert door.parts.accounts.get(account.account_id).frozen_at_ms is not None
    assert not {"account:frozen", "account:unfrozen"} & set(door.parts.tags(known))


def test_there_is_one_at_a_time_and_nobody_is_removed_or_invited_during_it(
    door: Door, account: Account, one: Somebody
) -> None:
    begin(door, account)

    assert conflict(lambda: begin(door, account)) == "under_way"
    assert conflict(lambda: door.people.remove(one.person.person_id, ACTOR)) == "on_hold"
    assert conflict(lambda: door.invite(account)) == "exists"
    door.real.advance(HOLD)
    door.people.recovery.complete(account.account_id, ACTOR)
    assert conflict(lambda: door.invite(account)) == "on_hold"


def test_a_link_that_was_lost_is_made_again_and_a_cancelled_one_is_void(
    door: Door, account: Account, one: Somebody
) -> None:
    assert one.person.account_id == account.account_id
    begin(door, account)
    door.real.advance(HOLD)
    first, second = (
        secret_of(door.people.recovery.complete(account.account_id, ACTOR).link) for _ in range(2)
    )
    with pytest.raises(NotFound):
        door.people.invitations.look(first)
    door.people.invitations.look(second)

    door.people.recovery.cancel(account.account_id, ACTOR)
    with pytest.raises(NotFound):
        door.people.invitations.look(second)
    assert door.joining(door.invite(account)).person.person_id == one.person.person_id


def test_where_nobody_joined_there_is_nothing_to_recover(door: Door, account: Account) -> None:
    with pytest.raises(NotFound):
        begin(door, account)
    door.invite(account)
    assert conflict(lambda: begin(door, account)) == "not_joined"
    with pytest.raises(NotFound):
        door.people.recovery.begin("acct_" + "0" * 24, ACTOR)


def test_the_hold_runs_on_the_machines_time_where_the_houses_stands_still(
    door: Door, account: Account, one: Somebody
) -> None:
    """In a sandbox nobody gets around it by moving the clock."""
    assert one.person.account_id == account.account_id
    door.real = FakeClock("2026-11-29 12:00", seed=7)
    door.people = door.worker()
    begin(door, account)
    door.parts.clock.advance(HOLD * 10)
    assert conflict(lambda: door.people.recovery.complete(account.account_id, ACTOR)) == "on_hold"

    door.real.advance(HOLD)
    door.people.recovery.complete(account.account_id, ACTOR)
    last = door.parts.events()[-1]
    assert last.recorded_at_ms == door.parts.clock.now, "events are dated by the house's clock"


@pytest.mark.parametrize("outcome", ["cancelled", "completed"])
@pytest.mark.parametrize("freezer", ["operator:o@example.com", "acct_1/psn_1"])
def test_who_froze_during_a_recovery_keeps_it_frozen(
    door: Door, account: Account, one: Somebody, freezer: str, outcome: str
) -> None:
    begin(door, account)
    known = door.parts.journal.head()
    frozen = door.parts.accounts.set_frozen(account.account_id, frozen=True, actor=freezer)
    assert door.parts.tags(known) == ["account:frozen"]
    door.real.advance(HOLD)

    if outcome == "cancelled":
        door.people.recovery.cancel(account.account_id, ACTOR)
    else:
        link = door.people.recovery.complete(account.account_id, ACTOR).link
        door.people.invitations.accept(secret_of(link), Joining(password=PASSWORD))

    assert door.parts.accounts.get(account.account_id) == frozen
    assert door.again(one).recovery is None or outcome == "completed"
