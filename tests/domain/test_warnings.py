"""Which warnings a running term yields: each lead time once, none too early, none too late."""

from dataclasses import replace

import pytest

from tenure.domain import rulebooks, warnings
from tenure.domain.errors import Invalid
from tenure.domain.model import RuleId
from tenure.domain.notices import Notice
from tenure.domain.rules import Rulebook
from tenure.domain.warnings import CHOICES_MS, LeadTimes, Running
from tests.builders import DAY_MS, MONTH_MS, TRADING, a_rule, ms, the_rulebook

HOUR_MS = 3_600_000
START_MS = ms("2021-12-01 10:05")
END_MS = START_MS + MONTH_MS
LEADS_MS = (7 * DAY_MS, 3 * DAY_MS, DAY_MS, HOUR_MS)
LEADS = LeadTimes({"a-rule": LEADS_MS})
RUNNING = Running(
    account_id="acct_1",
    key_id="key_1",
    label="my bot",
    key_type="hmac",
    is_restricted=False,
    permission=TRADING,
    starts_at_ms=START_MS,
    ends_at_ms=END_MS,
    rule_id=RuleId("a-rule"),
)


def due(now_ms: int, running: Running = RUNNING, leads: LeadTimes = LEADS) -> list[int]:
    """Return the lead times that are told at *now_ms*."""
    return [
        lead_ms
        for lead_ms in leads.every()
        if warnings.warning(running, lead_ms, leads, now_ms) is not None
    ]


@pytest.mark.parametrize(
    ("off_ms", "told"),
    [
        (-7 * DAY_MS - 1, []),
        (-7 * DAY_MS, [7 * DAY_MS]),
        (-3 * DAY_MS - 1, [7 * DAY_MS]),
        (-3 * DAY_MS, [3 * DAY_MS]),
        (-DAY_MS - 1, [3 * DAY_MS]),
        (-DAY_MS, [DAY_MS]),
        (-HOUR_MS, [HOUR_MS]),
        (-1, [HOUR_MS]),
        (0, []),
        (DAY_MS, []),
    ],
)
def test_at_each_instant_the_shortest_lead_time_that_is_due_is_told(
    off_ms: int, told: list[int]
) -> None:
    assert due(END_MS + off_ms) == told


def test_a_term_no_longer_than_a_lead_time_is_not_warned_of_by_it() -> None:
    """Its end was news when it started."""
    short = replace(RUNNING, starts_at_ms=END_MS - 3 * DAY_MS)

    assert due(END_MS - 3 * DAY_MS, short) == []
    assert due(END_MS - DAY_MS, short) == [DAY_MS]
    assert due(END_MS - 3 * DAY_MS, replace(short, starts_at_ms=END_MS - 3 * DAY_MS - 1)) == [
        3 * DAY_MS
    ]


def test_a_term_of_a_rule_without_lead_times_is_not_warned_of() -> None:
    assert due(END_MS - DAY_MS, replace(RUNNING, rule_id=RuleId("another"))) == []


def test_each_rule_has_its_own_lead_times() -> None:
    leads = LeadTimes({"a-rule": (DAY_MS,), "another": (2 * DAY_MS,)})

    assert leads.every() == (2 * DAY_MS, DAY_MS)
    assert due(END_MS - 2 * DAY_MS, leads=leads) == []
    assert due(END_MS - DAY_MS, leads=leads) == [DAY_MS]


def test_the_lead_times_are_those_of_the_rulebook() -> None:
    assert LeadTimes.of_rulebook(the_rulebook()).of_rule == {"2021-07-09": LEADS_MS}
    assert LeadTimes.of_rulebook(Rulebook((a_rule(),))).every() == ()


def test_what_the_owner_chose_stands_in_for_what_the_rule_says() -> None:
    chosen = replace(RUNNING, chosen_ms=(10 * DAY_MS, 2 * DAY_MS))

    def told(off_ms: int, running: Running = chosen) -> list[int]:
        every = LEADS.every((10 * DAY_MS, 2 * DAY_MS))
        found = (warnings.warning(running, ms, LEADS, END_MS + off_ms) for ms in every)
        return [each.lead_ms for each in found if each is not None and each.lead_ms is not None]

    assert told(-10 * DAY_MS) == [10 * DAY_MS]
    assert told(-7 * DAY_MS) == [10 * DAY_MS], "the next one is due in five days"
    assert told(-2 * DAY_MS) == [2 * DAY_MS]
    assert told(-1) == [2 * DAY_MS]
    assert told(-DAY_MS, replace(chosen, rule_id=RuleId("another"))) == [2 * DAY_MS]
    assert told(-DAY_MS, replace(chosen, starts_at_ms=END_MS - 2 * DAY_MS)) == [], "no shorter"


def test_lead_times_are_chosen_from_those_offered_here_and_by_the_rules() -> None:
    leads = LeadTimes({"a-rule": (4 * DAY_MS,)})

    assert leads.chosen([HOUR_MS, 4 * DAY_MS, HOUR_MS, CHOICES_MS[0]]) == (
        *(CHOICES_MS[0], 4 * DAY_MS),
        HOUR_MS,
    )
    for bad in ([], [HOUR_MS, 1], [-DAY_MS]):
        with pytest.raises(Invalid) as raised:
            leads.chosen(bad)
        assert [problem.field for problem in raised.value.problems] == ["lead_times"]
    with pytest.raises(Invalid):
        LEADS.chosen([4 * DAY_MS])


def test_the_lead_times_offered_are_few_and_hold_the_usual_ones() -> None:
    assert list(CHOICES_MS) == sorted(set(CHOICES_MS), reverse=True)
    assert len(CHOICES_MS) <= 16
    assert set(rulebooks.NOTIFY_BEFORE_MS) <= set(CHOICES_MS)


def _warned(running: Running = RUNNING, lead_ms: int = DAY_MS) -> Notice:
    found = warnings.warning(running, lead_ms, LEADS, running.ends_at_ms - lead_ms)
    assert found is not None
    return found


def test_a_warning_is_dated_when_it_fell_due_and_holds_the_facts() -> None:
    found = _warned()

    assert found.happened_at_ms == END_MS - DAY_MS
    assert (found.key_id, found.permission, found.ends_at_ms, found.lead_ms, found.seq) == (
        *("key_1", TRADING, END_MS, DAY_MS),
        None,
    )
    assert found.facts["ends_at_ms"] == END_MS
    assert found.facts["label"] == "my bot"


def test_a_warning_is_another_one_for_another_key_permission_end_or_lead_time() -> None:
    others = [
        replace(RUNNING, key_id="key_2"),
        replace(RUNNING, permission=replace(RUNNING).permission.upper()),  # type: ignore[arg-type]  # text
        replace(RUNNING, ends_at_ms=END_MS + 1),
    ]
    ids = [_warned().notice_id, *(_warned(other).notice_id for other in others)]
    ids.append(_warned(lead_ms=HOUR_MS).notice_id)

    assert len(set(ids)) == len(ids)
    assert _warned(replace(RUNNING, label="renamed")).notice_id == ids[0]


@pytest.mark.parametrize(
    ("lead_ms", "after_ms"),
    [
        (7 * DAY_MS, DAY_MS),
        (3 * DAY_MS, 18 * HOUR_MS),
        (DAY_MS, 6 * HOUR_MS),
        (HOUR_MS, 15 * 60_000),
    ],
)
def test_a_warning_climbs_after_a_quarter_of_its_lead_time_and_a_day_at_most(
    lead_ms: int, after_ms: int
) -> None:
    assert warnings.climbs_after(lead_ms) == after_ms


def test_what_climbs_is_the_same_warning_for_somebody_else() -> None:
    unread = _warned()
    found = warnings.climbed(unread, "acct_master")

    assert found.account_id == "acct_master"
    assert found.notice_id != unread.notice_id
    assert found.facts == {**unread.facts, "sub_account_id": "acct_1"}
    assert (found.kind, found.key_id, found.ends_at_ms) == (
        *(unread.kind, unread.key_id),
        unread.ends_at_ms,
    )
