"""What a signed call confirms by naming it, and what is left to confirm with the stamp."""

import pytest

from tenure.domain import confirming
from tenure.domain.errors import Conflict
from tenure.domain.model import ApiKey
from tenure.domain.plans import STAMP_GOOD_FOR_MS, Edit, Plan
from tenure.domain.rules import Rulebook
from tests.builders import (
    FUTURES,
    HOME,
    TRADING,
    WITHDRAWALS,
    a_key,
    a_rule,
    an_edit,
    ms,
    plan,
    the_rulebook,
)

AT = "2021-12-01 10:05"
AT_MS = ms(AT)
OLDER = a_key(TRADING)
"""Issued before the rule: the first edit of its permissions starts a term."""
RUNNING = a_key(TRADING, issued="2021-11-20 00:00")
CLOSED = a_key(TRADING, issued="2021-11-20 00:00", allowlist=(HOME,))
CLOSED_RICH = a_key(TRADING, WITHDRAWALS, issued="2021-11-20 00:00", allowlist=(HOME,))
OPENED = an_edit(allowlist=())
SHORTER = Rulebook(
    (
        a_rule("slow", since="2021-07-09 00:00", restricted=40 * 86_400_000),
        a_rule("fast", since="2021-12-01 00:00", unrestricted=86_400_000),
    )
)
CLOSED_RUNNING = a_key(TRADING, issued="2021-11-20 00:00", allowlist=(HOME,), rulebook=SHORTER)


@pytest.mark.parametrize(
    ("key", "edit", "rulebook", "names_unrestricted", "left"),
    [
        (RUNNING, an_edit(tick=[FUTURES]), None, False, []),
        (OLDER, an_edit(tick=[FUTURES]), None, False, [("term_starts", TRADING)]),
        (OLDER, an_edit(tick=[FUTURES, TRADING]), None, False, []),
        (OLDER, an_edit(untick=[TRADING]), None, False, []),
        (OLDER, an_edit(tick=[TRADING]), None, False, []),
        (OLDER, an_edit(allowlist=(HOME,)), None, False, []),
        (RUNNING, an_edit(renew=[TRADING]), None, False, []),
        (CLOSED, OPENED, None, False, [("term_starts", TRADING)]),
        (CLOSED, OPENED, None, True, []),
        (CLOSED_RICH, OPENED, None, True, [("lost", WITHDRAWALS)]),
        (CLOSED_RUNNING, OPENED, SHORTER, False, [("term_shortened", TRADING)]),
        (CLOSED_RUNNING, OPENED, SHORTER, True, []),
        # It says "unrestricted" of a key that is: that names nothing that this edit does.
        (OLDER, an_edit(allowlist=(), tick=[FUTURES]), None, True, [("term_starts", TRADING)]),
    ],
)
def test_what_is_not_named_is_left_to_confirm(
    key: ApiKey,
    edit: Edit,
    rulebook: Rulebook | None,
    *,
    names_unrestricted: bool,
    left: list[tuple[str, str]],
) -> None:
    planned = plan(key, edit, at=AT, rulebook=rulebook or the_rulebook())

    found = confirming.unnamed(planned, names_unrestricted=names_unrestricted)

    assert [(str(each.kind), each.permission) for each in found] == left
    code = refusal(planned, None, names_unrestricted=names_unrestricted)
    assert code == ("confirmation_required" if left else None)
    assert refusal(planned, planned.stamp(AT_MS)) is None


def refusal(
    planned: Plan, stamp: str | None, *, now_ms: int = AT_MS, names_unrestricted: bool = False
) -> str | None:
    """Return the code of the Conflict, None where the plan may be committed."""
    try:
        confirming.require_confirmed(planned, stamp, now_ms, names_unrestricted=names_unrestricted)
    except Conflict as conflict:
        return conflict.code if conflict.plan is planned else "without its plan"
    return None


def test_a_stamp_is_judged_even_where_none_was_needed() -> None:
    planned = plan(RUNNING, an_edit(tick=[FUTURES]), at=AT)
    assert refusal(planned, None) is None
    assert refusal(planned, "17d-00") == "stale"


def test_a_stamp_is_good_for_ten_minutes() -> None:
    planned = plan(OLDER, an_edit(tick=[FUTURES]), at=AT)
    stamp = planned.stamp(AT_MS)
    assert refusal(planned, stamp, now_ms=AT_MS + STAMP_GOOD_FOR_MS) is None
    assert refusal(planned, stamp, now_ms=AT_MS + STAMP_GOOD_FOR_MS + 1) == "stale"


def test_what_changes_nothing_has_nothing_to_confirm() -> None:
    planned = plan(OLDER, an_edit(tick=[TRADING]), at=AT)
    assert not planned.changes_anything
    assert refusal(planned, "the stamp of the plan that was committed") is None


def test_issuing_becomes_nothing() -> None:
    """A key that is issued was never restricted before, whatever it names."""
    planned = Plan(before=None, after=CLOSED, consequences=(), inputs="")
    assert confirming.unnamed(planned, names_unrestricted=True) == ()
