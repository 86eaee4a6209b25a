"""What an owner is told that an edit does, before it is done: every kind, asked for or not."""

import pytest

from tenure.domain.consequences import Consequence, ConsequenceKind
from tenure.domain.model import ApiKey
from tenure.domain.plans import Edit
from tenure.domain.rules import Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    HOME,
    MONTH_MS,
    OPTIONS,
    TRADING,
    WITHDRAWALS,
    a_key,
    a_rule,
    an_edit,
    end_of,
    ms,
    plan,
    renew,
    the_rulebook,
    tick,
)

AT = "2021-12-01 10:05"
IN_A_MONTH_MS = ms("2021-12-31 10:05")

OLDER = a_key(TRADING, issued="2021-07-01 12:00")
RUNNING = a_key(TRADING, issued="2021-11-20 00:00")
ENDED = a_key(TRADING, issued="2021-08-01 00:00")
CLOSED = a_key(TRADING, issued="2021-11-20 00:00", allowlist=(HOME,))


@pytest.mark.parametrize(
    ("key", "edit", "expected"),
    [
        # R6: an older key comes under the rule with any edit of permissions.
        (
            OLDER,
            an_edit(tick=[FUTURES]),
            [("term_starts", TRADING, False), ("granted", FUTURES, True)],
        ),
        (
            tick(OLDER, FUTURES, at="2021-07-02 00:00"),
            an_edit(untick=[FUTURES]),
            [("term_starts", TRADING, False), ("removed", FUTURES, True)],
        ),
        (OLDER, an_edit(untick=[TRADING]), [("removed", TRADING, True)]),
        (OLDER, an_edit(renew=[TRADING]), [("term_starts", TRADING, True)]),
        (
            OLDER,
            an_edit(tick=[TRADING, FUTURES]),
            [("term_starts", TRADING, True), ("granted", FUTURES, True)],
        ),
        (RUNNING, an_edit(tick=[FUTURES]), [("granted", FUTURES, True)]),
        (RUNNING, an_edit(renew=[TRADING]), [("term_starts", TRADING, True)]),
        (RUNNING, an_edit(allowlist=(HOME,)), [("term_lifted", TRADING, False)]),
        (
            RUNNING,
            an_edit(allowlist=(HOME,), tick=[WITHDRAWALS]),
            [("term_lifted", TRADING, False), ("granted", WITHDRAWALS, True)],
        ),
        # R10: what has ended stays off; the owner is told where an opening might suggest otherwise.
        (ENDED, an_edit(tick=[FUTURES]), [("granted", FUTURES, True)]),
        (ENDED, an_edit(allowlist=(HOME,)), [("stays_off", TRADING, False)]),
        (ENDED, an_edit(allowlist=(HOME,), untick=[TRADING]), []),
        (ENDED, an_edit(tick=[TRADING]), [("term_starts", TRADING, True)]),
        (ENDED, an_edit(renew=[TRADING]), [("term_starts", TRADING, True)]),
        (ENDED, an_edit(allowlist=(HOME,), tick=[TRADING]), [("granted", TRADING, True)]),
        (CLOSED, an_edit(allowlist=()), [("term_starts", TRADING, False)]),
        (CLOSED, an_edit(allowlist=(HOME, "2001:db8::7")), []),
        (CLOSED, an_edit(renew=[TRADING]), []),
        (CLOSED, an_edit(renew=[OPTIONS]), [("granted", OPTIONS, True)]),
        # R12: opening a key loses what an open one may not hold.
        (
            tick(CLOSED, WITHDRAWALS, at="2021-11-21 00:00"),
            an_edit(allowlist=()),
            [("lost", WITHDRAWALS, False), ("term_starts", TRADING, False)],
        ),
        (
            a_key(WITHDRAWALS),
            an_edit(tick=[FUTURES, WITHDRAWALS]),
            [("lost", WITHDRAWALS, False), ("granted", FUTURES, True)],
        ),
        (a_key(WITHDRAWALS), an_edit(untick=[WITHDRAWALS]), [("removed", WITHDRAWALS, True)]),
    ],
)
def test_an_edit_has_its_consequences(
    key: ApiKey, edit: Edit, expected: list[tuple[str, str, bool]]
) -> None:
    planned = plan(key, edit, at=AT)

    assert [(c.kind, c.permission, c.is_asked) for c in planned.consequences] == expected
    assert planned.changes_anything
    assert planned.confirmation_required is any(
        kind in {"lost", "term_starts", "term_shortened"} for kind, _, _ in expected
    )


def test_a_consequence_names_both_ends_and_the_rule() -> None:
    key = a_key(TRADING, issued="2021-11-20 00:00", rulebook=Rulebook(), allowlist=(HOME,))
    long = Rulebook((a_rule("long", since=0, restricted=3 * MONTH_MS),))
    running = renew(key, TRADING, at="2021-11-21 00:00", rulebook=long)
    (shortened,) = plan(running, an_edit(allowlist=()), at=AT, rulebook=long).consequences

    assert shortened == Consequence(
        kind=ConsequenceKind.TERM_SHORTENED,
        permission=TRADING,
        is_asked=False,
        ends_at_ms=IN_A_MONTH_MS,
        ended_at_ms=ms("2021-11-21 00:00") + 3 * MONTH_MS,
        rule_id=long.rules[0].rule_id,
    )


def test_a_shorter_rule_shortens_only_what_its_owner_renews() -> None:
    """R13: thirty days became seven; the running promise stands until then."""
    week = Rulebook((*the_rulebook().rules, a_rule("week", since=AT, unrestricted=7 * DAY_MS)))

    (ticked,) = plan(RUNNING, an_edit(tick=[FUTURES]), at=AT, rulebook=week).consequences
    (renewed,) = plan(RUNNING, an_edit(renew=[TRADING]), at=AT, rulebook=week).consequences
    assert ticked.kind is ConsequenceKind.GRANTED
    assert renewed.kind is ConsequenceKind.TERM_SHORTENED
    assert renewed.is_asked


def test_a_fresh_term_that_ends_with_the_old_one_has_started_all_the_same() -> None:
    end_ms = end_of(TRADING, RUNNING)
    assert end_ms is not None
    rest = Rulebook((a_rule("rest", since=0, unrestricted=end_ms - ms(AT)),))
    (renewed,) = plan(RUNNING, an_edit(renew=[TRADING]), at=AT, rulebook=rest).consequences

    assert (renewed.ends_at_ms, renewed.ended_at_ms) == (end_ms, end_ms)
    assert renewed.kind is ConsequenceKind.TERM_STARTS


def test_the_worst_is_told_first() -> None:
    order = list(ConsequenceKind)
    key = tick(CLOSED, WITHDRAWALS, FUTURES, at="2021-11-21 00:00")
    planned = plan(key, an_edit(allowlist=(), untick=[FUTURES]), at=AT)

    assert [order.index(c.kind) for c in planned.consequences] == [0, 1, 5]


@pytest.mark.parametrize("kind", ConsequenceKind)
def test_what_takes_away_or_ends_needs_confirming(kind: ConsequenceKind) -> None:
    """R11."""
    consequence = Consequence(kind=kind, permission=TRADING, is_asked=True)

    assert consequence.needs_confirmation is (kind in {"lost", "term_starts", "term_shortened"})
