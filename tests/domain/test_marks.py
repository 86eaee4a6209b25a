"""Marks: which keys one covers, against a loop that asks each; and what confirms making one."""

from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import marks
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.marks import Mark, MarkId, MarkPlan, Marks, Selection, digest_of, reach_of
from tenure.domain.model import AccountId, AccountKind
from tests.builders import ms

NOW_MS = ms("2026-03-01 12:00")
LEAKED = Selection(label="3rd party")
PLAN = MarkPlan(
    selection=LEAKED,
    by_kind={AccountKind.NORMAL: 3, AccountKind.SUB: 2},
    newest_issued_at_ms=NOW_MS - 5,
)


class Facts(NamedTuple):
    """As much of a key as a mark looks at."""

    issued_at_ms: int
    label: str
    account_id: str
    master_id: str | None


def naive(known: list[Mark], key: Facts) -> int | None:
    """Ask every mark about the key."""
    covering = [
        mark.made_at_ms
        for mark in known
        if key.issued_at_ms < mark.issued_before_ms
        and mark.label in {None, key.label}
        and mark.account_id in {None, key.account_id, key.master_id}
    ]
    return min(covering, default=None)


LABELS = st.sampled_from(["bot", "Bot", "3rd party"])
ACCOUNTS = st.sampled_from(["acct_1", "acct_2", "acct_3"])
INSTANTS = st.integers(0, 6)
KEYS = st.builds(Facts, INSTANTS, LABELS, ACCOUNTS, st.none() | ACCOUNTS)
MARKS = st.builds(
    Mark,
    mark_id=st.just(MarkId("mark_1")),
    label=st.none() | LABELS,
    account_id=st.none() | ACCOUNTS.map(AccountId),
    issued_before_ms=INSTANTS,
    made_at_ms=INSTANTS,
)


@given(st.lists(MARKS, max_size=6), st.lists(KEYS, min_size=1, max_size=6))
def test_asking_all_marks_at_once_says_what_asking_each_says(
    known: list[Mark], keys: list[Facts]
) -> None:
    asked = Marks(reach_of(mark) for mark in known)

    for key in keys:
        since_ms = asked.revoked_at_ms(
            key.issued_at_ms, digest_of(key.label), key.account_id, key.master_id
        )
        assert since_ms == naive(known, key)


def test_a_key_issued_at_the_instant_itself_is_not_covered() -> None:
    """Half-open, as every interval."""
    mark = Mark(
        mark_id=MarkId("mark_1"), label=None, account_id=None, issued_before_ms=5, made_at_ms=9
    )
    asked = Marks([reach_of(mark)])

    assert asked.revoked_at_ms(4, b"", "acct_1", None) == 9
    assert asked.revoked_at_ms(5, b"", "acct_1", None) is None


def test_a_label_is_met_to_the_letter() -> None:
    assert digest_of("bot") != digest_of("Bot")
    assert len(digest_of("x" * 64)) == 16


def test_what_is_selected_must_be_named() -> None:
    with pytest.raises(Invalid, match="nothing is selected"):
        Selection.of(None, None, None)
    with pytest.raises(Invalid) as refused:
        Selection.of("", "acct_1", None)
    assert refused.value.field == "label"


def test_a_label_is_read_as_when_a_key_is_issued() -> None:
    assert Selection.of(" A\N{COMBINING RING ABOVE} ", None, 7) == Selection(
        label="\N{LATIN CAPITAL LETTER A WITH RING ABOVE}", issued_before_ms=7
    )


def test_the_keys_are_counted_over_all_kinds() -> None:
    assert PLAN.matched == 5


def test_a_mark_reaches_just_past_every_key_there_is() -> None:
    """A clock that stands still gives a key and the mark that is to cover it one instant."""
    assert PLAN.before_ms(NOW_MS) == NOW_MS + 1
    assert replace(PLAN, newest_issued_at_ms=NOW_MS + 7).before_ms(NOW_MS) == NOW_MS + 8
    asked = replace(PLAN, selection=replace(LEAKED, issued_before_ms=NOW_MS - 9))
    assert asked.before_ms(NOW_MS) == NOW_MS - 9


def refusal(plan: MarkPlan, stamp: str | None, now_ms: int = NOW_MS) -> str:
    """Return why *stamp* does not confirm *plan*, "" where it does."""
    try:
        plan.require_confirmed(stamp, now_ms)
    except Conflict as refused:
        return refused.code if refused.plan is plan else "without the plan"
    return ""


def test_nothing_is_revoked_unseen() -> None:
    assert refusal(PLAN, None) == "confirmation_required"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (PLAN, ""),
        (replace(PLAN, by_kind={AccountKind.NORMAL: 4}), ""),
        (replace(PLAN, by_kind={AccountKind.NORMAL: 5}), ""),
        (replace(PLAN, by_kind={AccountKind.NORMAL: 6}), "stale"),
        (replace(PLAN, newest_issued_at_ms=NOW_MS - 6), ""),
        (replace(PLAN, newest_issued_at_ms=NOW_MS - 4), "stale"),
        (replace(PLAN, selection=replace(LEAKED, label="3rd Party")), "stale"),
        (replace(PLAN, selection=replace(LEAKED, account_id=AccountId("acct_1"))), "stale"),
        (replace(PLAN, selection=replace(LEAKED, issued_before_ms=1)), "stale"),
    ],
)
def test_a_stamp_confirms_what_was_shown_or_less(now: MarkPlan, expected: str) -> None:
    """In a busy house keys are revoked all the time: that must not stop whoever stops a leak."""
    assert refusal(now, PLAN.stamp(NOW_MS)) == expected


@pytest.mark.parametrize(
    ("later_ms", "expected"), [(0, ""), (600_000, ""), (600_001, "stale"), (-1, "stale")]
)
def test_a_stamp_is_good_for_ten_minutes(later_ms: int, expected: str) -> None:
    assert refusal(PLAN, PLAN.stamp(NOW_MS), NOW_MS + later_ms) == expected


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "-",
        "---",
        "x",
        "1-2-3",
        "1-2-3-4-5",
        "g-1-1-0",
        "1--1-0",
        f"{'1' * 17}-1-1-0",
        "\N{FULLWIDTH DIGIT ONE}-1-1-0",
    ],
)
def test_a_stamp_nobody_gave_out_is_stale(stamp: str) -> None:
    assert refusal(PLAN, stamp) == "stale"


def test_a_stamp_whose_numbers_were_raised_is_stale() -> None:
    at, _, newest, digest = PLAN.stamp(NOW_MS).split("-")

    assert refusal(PLAN, f"{at}-ff-{newest}-{digest}") == "stale"


def test_a_mark_says_all_it_holds() -> None:
    mark = Mark(
        mark_id=MarkId("mark_1"), label="x", account_id=None, issued_before_ms=5, made_at_ms=9
    )

    assert marks.mark_state(mark) == {
        "mark_id": "mark_1",
        "label": "x",
        "account_id": None,
        "issued_before_ms": 5,
        "made_at_ms": 9,
    }
