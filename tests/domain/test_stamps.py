"""Stamps: what a confirmation outlives (time, for ten minutes) and what it does not (BI-36, 37)."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import READING, ApiKey
from tenure.domain.plans import Edit, Plan
from tenure.domain.rules import Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    HOME,
    MONTH_MS,
    OPTIONS,
    TAKES_EFFECT,
    TRADING,
    a_key,
    a_rule,
    an_edit,
    end_of,
    ms,
    plan,
    relabel,
    revoked,
    the_rulebook,
    tick,
)

AT_MS = ms("2021-12-01 10:05")
OLDER = a_key(TRADING, issued="2021-07-01 12:00")
EDIT = an_edit(tick=[FUTURES])


def stale(now: Plan, stamp: str, at_ms: int = AT_MS) -> bool:
    """Whether *stamp* does not confirm *now* at *at_ms*."""
    try:
        now.require_confirmed(stamp, at_ms)
    except Conflict as refused:
        # With the plan, so that the owner can be shown how things are now.
        return (refused.code, refused.plan) == ("stale", now)
    return False


@pytest.mark.parametrize(
    ("later_ms", "is_stale"),
    [
        *((0, False), (1, False), (599_999, False), (600_000, False)),
        *((-600_000, True), (-1, True), (600_001, True), (DAY_MS, True)),
    ],
)
def test_a_stamp_is_good_for_ten_minutes_from_its_preview(*, later_ms: int, is_stale: bool) -> None:
    """The bound belongs to it; a stamp from the future was not shown to anybody."""
    stamp = plan(OLDER, EDIT, at=AT_MS).stamp(AT_MS)
    now_ms = AT_MS + later_ms

    assert stale(plan(OLDER, EDIT, at=now_ms), stamp, now_ms) is is_stale


def test_the_term_starts_at_the_commit_and_not_at_the_preview() -> None:
    """R11."""
    stamp = plan(OLDER, EDIT, at=AT_MS).stamp(AT_MS)
    committed = plan(OLDER, EDIT, at=AT_MS + 300_000)
    committed.require_confirmed(stamp, AT_MS + 300_000)

    assert end_of(TRADING, committed.after) == AT_MS + 300_000 + MONTH_MS


@pytest.mark.parametrize(
    "other",
    [
        an_edit(tick=[OPTIONS]),
        an_edit(tick=[FUTURES, OPTIONS]),
        an_edit(renew=[FUTURES]),
        an_edit(untick=[FUTURES], renew=[TRADING]),
        an_edit(tick=[FUTURES], label="x"),
        an_edit(tick=[FUTURES], allowlist=()),
        an_edit(tick=[FUTURES], allowlist=(HOME,)),
        an_edit(tick=[FUTURES, TRADING]),
        an_edit(renew=[TRADING]),
    ],
)
def test_a_stamp_confirms_no_other_edit(other: Edit) -> None:
    shown, now = plan(OLDER, EDIT, at=AT_MS), plan(OLDER, other, at=AT_MS)

    assert stale(now, shown.stamp(AT_MS))
    assert not stale(now, now.stamp(AT_MS))


def test_an_edit_says_the_same_in_whatever_order() -> None:
    shown = plan(OLDER, an_edit(tick=[FUTURES, OPTIONS]), at=AT_MS)

    assert not stale(plan(OLDER, an_edit(tick=[OPTIONS, FUTURES]), at=AT_MS), shown.stamp(AT_MS))


@pytest.mark.parametrize(
    "changed",
    [
        lambda key: relabel(key, at=AT_MS),
        lambda key: tick(key, OPTIONS, at=AT_MS),
        lambda key: replace(key, version=key.version + 1),
        lambda _: a_key(TRADING, issued="2021-07-01 12:00", number=2),
    ],
)
def test_a_stamp_confirms_nothing_on_a_key_that_changed_or_another(
    changed: Callable[[ApiKey], ApiKey],
) -> None:
    stamp = plan(OLDER, EDIT, at=AT_MS).stamp(AT_MS)

    assert stale(plan(changed(OLDER), EDIT, at=AT_MS), stamp)


def test_a_commit_that_is_sent_twice_is_stale_the_second_time() -> None:
    """BI-37."""
    shown = plan(OLDER, EDIT, at=AT_MS)
    stamp = shown.stamp(AT_MS)
    shown.require_confirmed(stamp, AT_MS)

    assert stale(plan(shown.after, EDIT, at=AT_MS), stamp)


def test_a_stamp_does_not_help_on_a_revoked_key() -> None:
    """BI-37: there is not even a plan."""
    with pytest.raises(Conflict) as refused:
        plan(revoked(OLDER, at=AT_MS), EDIT, at=AT_MS + 1)

    assert refused.value.code == "revoked"


@pytest.mark.parametrize(
    "rulebook",
    [
        Rulebook(the_rulebook().rules[:1]),
        Rulebook((*the_rulebook().rules, a_rule("to-come", since="2031-01-01 00:00"))),
        Rulebook(tuple(replace(rule, title="So") for rule in the_rulebook().rules)),
    ],
)
def test_a_stamp_confirms_nothing_under_another_rulebook(rulebook: Rulebook) -> None:
    stamp = plan(OLDER, EDIT, at=AT_MS).stamp(AT_MS)

    assert stale(plan(OLDER, EDIT, at=AT_MS, rulebook=rulebook), stamp)


@pytest.mark.parametrize(("off_ms", "is_stale"), [(-1, False), (0, True), (1, True)])
@pytest.mark.parametrize("edit", [an_edit(label="x", tick=[FUTURES]), an_edit(allowlist=())])
def test_a_lapse_in_between_makes_a_stamp_stale(edit: Edit, *, off_ms: int, is_stale: bool) -> None:
    """BI-37, P10: swept or not, and also where the edit does not name what lapsed."""
    key = a_key(TRADING, OPTIONS, issued="2021-08-01 00:00", allowlist=())
    key = replace(key, allowlist=(HOME,)) if edit.allowlist is not None else key
    end_ms = end_of(TRADING, key)
    assert end_ms is not None
    shown = plan(key, edit, at=end_ms - 60_000)
    now = plan(key, edit, at=end_ms + off_ms)

    assert stale(now, shown.stamp(end_ms - 60_000), end_ms + off_ms) is is_stale
    assert now.after.holds(TRADING, end_ms + off_ms) is (off_ms < 0)


@pytest.mark.parametrize(("off_ms", "is_stale"), [(-1, False), (0, True), (1, True)])
@pytest.mark.parametrize("edit", [an_edit(tick=[FUTURES]), an_edit(renew=[TRADING])])
def test_a_rule_that_takes_effect_in_between_makes_a_stamp_stale(
    edit: Edit, *, off_ms: int, is_stale: bool
) -> None:
    """Nobody was shown the end it brings."""
    now_ms = ms(TAKES_EFFECT) + off_ms
    shown, now = plan(OLDER, edit, at=now_ms - 60_000), plan(OLDER, edit, at=now_ms)

    assert stale(now, shown.stamp(now_ms - 60_000), now_ms) is is_stale
    if is_stale:
        assert now.confirmation_required


def test_a_longer_rule_that_takes_effect_in_between_makes_a_stamp_stale() -> None:
    """R13: the kinds are the same, the promise is not."""
    longer = Rulebook(
        (*the_rulebook().rules, a_rule("longer", since=AT_MS, unrestricted=90 * DAY_MS))
    )
    shown = plan(OLDER, EDIT, at=AT_MS - 1, rulebook=longer)
    now = plan(OLDER, EDIT, at=AT_MS, rulebook=longer)

    assert [c.kind for c in shown.consequences] == [c.kind for c in now.consequences]
    assert stale(now, shown.stamp(AT_MS - 1))


def test_a_shortened_term_that_would_now_stand_makes_a_stamp_stale() -> None:
    """R9: at the preview the fresh term was the earlier one, a minute later it is not."""
    rulebook = Rulebook((a_rule(since=0, restricted=MONTH_MS + 60_000, unrestricted=MONTH_MS),))
    key = a_key(TRADING, issued=AT_MS, allowlist=(HOME,), rulebook=rulebook)
    opening = an_edit(allowlist=())
    shown = plan(key, opening, at=AT_MS + 59_999, rulebook=rulebook)
    now = plan(key, opening, at=AT_MS + 60_000, rulebook=rulebook)

    assert shown.confirmation_required
    assert not now.confirmation_required
    assert stale(now, shown.stamp(AT_MS + 59_999), AT_MS + 60_000)


@pytest.mark.parametrize(
    "garbage",
    [
        *("", "-", "--", "{instant}-", "-{digest}", "{instant}{digest}", "-{instant}-{digest}"),
        *(" {instant}-{digest}", "{instant}-{digest}\n", "{instant}-{digest}0", "{instant}-{cut}"),
        *("0{instant}-{digest}", "0x{instant}-{digest}", "{decimal}-{digest}", "1_7-{digest}"),
        *("{earlier}-{digest}", "{instant}-{loud}", "{instant}-{cut}\ud800", "\uff11-{digest}"),
        *("f" * 16 + "-{digest}", "f" * 17 + "-{digest}", "9" * 5_000 + "-{digest}"),
    ],
)
def test_garbage_is_stale_and_never_an_error(garbage: str) -> None:
    now = plan(OLDER, EDIT, at=AT_MS)
    instant, _, digest = now.stamp(AT_MS).partition("-")
    stamp = garbage.format(
        instant=instant,
        digest=digest,
        loud=digest.upper(),
        cut=digest[:-1],
        decimal=AT_MS,
        earlier=f"{AT_MS - 1:x}",
    )

    assert stamp != now.stamp(AT_MS)
    assert stale(now, stamp)


def test_a_stamp_that_was_not_needed_must_still_hold() -> None:
    """Its sender meant the plan that was shown, and no other."""
    quiet = an_edit(label="x")
    stamp = plan(OLDER, quiet, at=AT_MS).stamp(AT_MS)
    now = plan(tick(OLDER, FUTURES, at=AT_MS), quiet, at=AT_MS)

    assert not now.confirmation_required
    assert stale(now, stamp)


def test_a_stamp_is_letters_digits_and_dashes() -> None:
    """WIRE 1.3: it stands in a message and in a query."""
    stamp = plan(OLDER, EDIT, at=AT_MS).stamp(AT_MS)

    assert re.fullmatch("[A-Za-z0-9_-]{1,64}", stamp)


def test_an_edit_that_may_no_longer_be_made_is_refused_and_not_stale() -> None:
    rulebook = Rulebook((a_rule(since=AT_MS, unrestricted="not_allowed"),))
    stamp = plan(a_key(), an_edit(tick=[TRADING]), at=AT_MS - 1, rulebook=rulebook).stamp(AT_MS - 1)

    assert stamp
    with pytest.raises(Invalid):
        plan(a_key(), an_edit(tick=[TRADING]), at=AT_MS, rulebook=rulebook)
    assert READING in a_key().grants
