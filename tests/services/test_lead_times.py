"""An account chooses how long before an end it is warned, and is warned so."""

import pytest

from tenure.domain.errors import Invalid, NotFound
from tenure.domain.events import Tag
from tenure.domain.model import AccountKind, ApiKey
from tenure.domain.notices import Kind
from tests.builders import DAY_MS, MONTH_MS, TRADING
from tests.services.parts import ACTOR
from tests.services.telling import Teller

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

HOUR_MS = 3_600_000
OF_RULES = (7 * DAY_MS, 3 * DAY_MS, DAY_MS, HOUR_MS)


def leads_of(teller: Teller, account_id: str) -> list[int | None]:
    """Return the lead times an account was warned by, in order."""
    told = teller.told(account_id)
    return [item.notice.lead_ms for item in told if item.notice.kind is Kind.TERM_ENDS_SOON]


def live_through(teller: Teller, key: ApiKey) -> None:
    """Tick each hour of the last fortnight of the key's first term."""
    end_ms = key.issued_at_ms + MONTH_MS
    for at_ms in range(end_ms - 15 * DAY_MS, end_ms, HOUR_MS):
        if at_ms > teller.parts.clock.now:
            teller.at(at_ms)


def test_without_a_choice_the_rules_say_how_long_before(teller: Teller) -> None:
    choice = teller.leads.of_account(teller.parts.account().account_id)

    assert (choice.chosen, choice.of_rules, choice.in_force) == (None, OF_RULES, OF_RULES)
    assert set(OF_RULES) < set(choice.offered)


def test_what_is_chosen_is_an_event_and_what_changes_nothing_is_none(teller: Teller) -> None:
    parts, account = teller.parts, teller.parts.account()
    before = parts.journal.head()

    choice = teller.leads.choose(account.account_id, [HOUR_MS, 2 * DAY_MS, HOUR_MS], ACTOR)
    teller.leads.choose(account.account_id, [2 * DAY_MS, HOUR_MS], ACTOR)

    assert choice.chosen == choice.in_force == (2 * DAY_MS, HOUR_MS)
    (event,) = parts.events(before)
    assert (event.change.tag, event.change.actor) == (Tag.LEAD_TIMES_CHANGED, ACTOR)
    assert event.change.account_id == account.account_id
    assert event.change.body == {"lead_times": {"chosen_ms": [2 * DAY_MS, HOUR_MS]}}


def test_a_choice_is_left_to_the_rules_again(teller: Teller) -> None:
    account_id = teller.parts.account().account_id
    teller.leads.choose(account_id, [HOUR_MS], ACTOR)

    choice = teller.leads.choose(account_id, None, ACTOR)

    assert choice == teller.leads.of_account(account_id)
    assert choice.chosen is None
    assert teller.parts.events()[-1].change.body == {"lead_times": {"chosen_ms": None}}


@pytest.mark.parametrize("leads_ms", [[], [HOUR_MS, 7]])
def test_what_is_not_offered_cannot_be_chosen(teller: Teller, leads_ms: list[int]) -> None:
    account_id = teller.parts.account().account_id
    before = teller.parts.journal.head()

    with pytest.raises(Invalid):
        teller.leads.choose(account_id, leads_ms, ACTOR)

    assert teller.parts.journal.head() == before


def test_an_account_nobody_knows_chooses_nothing(teller: Teller) -> None:
    with pytest.raises(NotFound):
        teller.leads.of_account("acct_nobody")
    with pytest.raises(NotFound):
        teller.leads.choose("acct_nobody", [HOUR_MS], ACTOR)


def test_one_account_is_warned_as_it_chose_and_another_as_the_rule_says(teller: Teller) -> None:
    parts = teller.parts
    chooser, other = parts.issue(TRADING), parts.issue(TRADING)
    teller.leads.choose(chooser.account_id, [14 * DAY_MS, 2 * DAY_MS], ACTOR)

    live_through(teller, chooser)

    assert leads_of(teller, chooser.account_id) == [14 * DAY_MS, 2 * DAY_MS]
    assert leads_of(teller, other.account_id) == list(OF_RULES)


@pytest.mark.parametrize("already", ["never", "in use", "no longer"])
def test_a_choice_made_under_way_holds_for_what_has_not_fallen_due(
    teller: Teller, already: str
) -> None:
    """Whatever others chose before: one that is past is not told late, and none is missed."""
    parts = teller.parts
    key, other = parts.issue(TRADING), parts.issue(TRADING)
    end_ms = key.issued_at_ms + MONTH_MS
    if already != "never":
        teller.leads.choose(other.account_id, [14 * DAY_MS, 5 * DAY_MS], ACTOR)
    teller.at(end_ms - 16 * DAY_MS)
    if already == "no longer":
        teller.leads.choose(other.account_id, None, ACTOR)
    teller.at(end_ms - 6 * DAY_MS)
    assert leads_of(teller, key.account_id) == [7 * DAY_MS]

    teller.leads.choose(key.account_id, [14 * DAY_MS, 5 * DAY_MS], ACTOR)
    live_through(teller, key)

    assert leads_of(teller, key.account_id) == [7 * DAY_MS, 5 * DAY_MS]


def test_a_lead_time_no_shorter_than_the_term_is_left_out(teller: Teller) -> None:
    key = teller.parts.issue(TRADING)
    teller.leads.choose(key.account_id, [30 * DAY_MS, DAY_MS], ACTOR)

    live_through(teller, key)

    assert leads_of(teller, key.account_id) == [DAY_MS]


def test_a_warning_that_its_owner_chose_climbs_too(teller: Teller) -> None:
    master = teller.parts.account(AccountKind.MASTER)
    sub = teller.parts.account(AccountKind.SUB, master.account_id)
    key = teller.parts.issue(TRADING, account=sub)
    teller.leads.choose(sub.account_id, [2 * DAY_MS], ACTOR)

    live_through(teller, key)

    assert leads_of(teller, sub.account_id) == [2 * DAY_MS]
    assert leads_of(teller, master.account_id) == [2 * DAY_MS]
