"""What issuing and editing do: grants, consequences, and what is refused. Stamps: test_stamps."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tenure.domain import plans
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import READING, ApiKey, KeyType, Permission
from tenure.domain.plans import Consequence, ConsequenceKind, Edit, Plan
from tenure.domain.rules import Rulebook
from tests.builders import (
    DAY_MS,
    FIX_TRADING,
    FUTURES,
    HOME,
    TRADING,
    WITHDRAWALS,
    a_draft,
    a_key,
    a_rule,
    allow_only,
    an_edit,
    ms,
    plan,
    relabel,
    revoked,
    the_catalog,
    the_rulebook,
    tick,
    untick,
)

AT = "2021-12-01 10:05"
IN_A_MONTH_MS = ms("2021-12-31 10:05")
READING_LAPSES = Rulebook((a_rule("reads", READING, since=0, unrestricted=DAY_MS),))

OLDER = a_key(TRADING, issued="2021-07-01 12:00")
RUNNING = a_key(TRADING, issued="2021-11-20 00:00")
ENDED = a_key(TRADING, issued="2021-08-01 00:00")
CLOSED = a_key(TRADING, issued="2021-11-20 00:00", allowlist=(HOME,))


def happens(plan: Plan) -> list[tuple[str, str, bool]]:
    """Return the consequences in short: kind, permission, whether it was asked for."""
    return [(str(c.kind), str(c.permission), c.is_asked) for c in plan.consequences]


def refusal(key: ApiKey, edit: Edit, *, at: str = AT, rulebook: Rulebook | None = None) -> str:
    """Return the words with which *edit* is refused."""
    with pytest.raises(Invalid) as refused:
        plan(key, edit, at=at, rulebook=rulebook)
    return str(refused.value)


# --- issuing


@pytest.mark.parametrize("wanted", [(), ("reading",), ("futures", "futures")])
def test_a_new_key_holds_reading_and_what_was_asked_for(wanted: tuple[str, ...]) -> None:
    """R18."""
    issued = plans.plan_issue(a_draft(), wanted, the_catalog(), the_rulebook())

    assert set(issued.after.grants) == {"reading", *wanted}
    assert issued.before is None
    assert issued.changes_anything
    assert issued.after.version == 1


def test_issuing_lists_what_it_starts() -> None:
    """R3: terms start at the instant of issue."""
    draft = a_draft(issued=AT)
    issued = plans.plan_issue(draft, (TRADING,), the_catalog(), the_rulebook())

    assert issued.consequences == (
        Consequence(
            kind=ConsequenceKind.TERM_STARTS,
            permission=TRADING,
            is_asked=True,
            ends_at_ms=IN_A_MONTH_MS,
            rule_id=the_rulebook().rules[0].rule_id,
        ),
        Consequence(kind=ConsequenceKind.GRANTED, permission=READING, is_asked=True),
    )
    assert issued.after == replace(draft, grants=issued.after.grants)


@pytest.mark.parametrize(
    ("draft", "wanted", "words"),
    [
        (a_draft(), ("staking",), "permissions.staking: no permission is called 'staking'"),
        (a_draft(), ("public",), "permissions.public: no permission is called 'public'"),
        (
            a_draft(),
            (FIX_TRADING,),
            "permissions.fix_trading: only ed25519 keys may hold it, not hmac",
        ),
        (
            a_draft(issued=AT),
            (WITHDRAWALS,),
            "permissions.withdrawals: not allowed on a key without an IP allowlist",
        ),
    ],
)
def test_what_cannot_be_held_is_not_issued(
    draft: ApiKey, wanted: tuple[str, ...], words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        plans.plan_issue(draft, wanted, the_catalog(), the_rulebook())

    assert str(refused.value).startswith(words)


def test_the_right_key_may_hold_what_others_may_not() -> None:
    assert FIX_TRADING in a_key(FIX_TRADING, key_type=KeyType.ED25519).grants
    assert WITHDRAWALS in a_key(WITHDRAWALS, issued=AT, allowlist=(HOME,)).grants


# --- what counts as an edit


@pytest.mark.parametrize("key", [OLDER, RUNNING, ENDED, CLOSED])
@pytest.mark.parametrize("label", [None, "my bot"])
def test_an_edit_that_changes_nothing_is_none(key: ApiKey, label: str | None) -> None:
    """R5: also where it spells out what is so already, ended meaning unticked."""
    as_it_is = {permission: key.holds(permission, ms(AT)) for permission in key.grants}
    edit = Edit(label=label, allowlist=key.allowlist, permissions={**as_it_is, FUTURES: False})
    unchanged = plan(key, edit, at=AT)

    assert not unchanged.changes_anything
    assert not unchanged.confirmation_required
    assert unchanged.after == key
    assert unchanged.consequences == ()


def test_a_new_label_is_recorded_and_judges_nobody() -> None:
    """R5."""
    edited = relabel(OLDER, "the bot", at=AT)

    assert edited == replace(OLDER, label="the bot", version=2, edited_at_ms=ms(AT))


def test_an_edit_counts_up_and_is_dated_and_repeating_a_tick_is_no_renewal() -> None:
    edited = tick(RUNNING, TRADING, FUTURES, at=AT)

    assert (edited.version, edited.edited_at_ms) == (2, ms(AT))
    assert edited.grants[TRADING] == RUNNING.grants[TRADING]


def test_a_revoked_key_is_edited_no_more() -> None:
    """R14."""
    for edit in (an_edit(label="x"), an_edit(tick=[TRADING]), an_edit()):
        with pytest.raises(Conflict) as refused:
            plan(revoked(OLDER, at=AT), edit, at=AT)
        assert refused.value.code == "revoked"


# --- what edits do


def test_opening_a_key_loses_what_an_open_one_may_not_hold() -> None:
    """R12."""
    key = tick(CLOSED, WITHDRAWALS, at="2021-11-21 00:00")

    assert set(allow_only(key, at=AT).grants) == {READING, TRADING}


def test_an_ended_grant_is_kept_as_it_is_until_it_is_unticked() -> None:
    """R10: so that a refusal goes on to say when it ended, and by which rule."""
    edited = tick(ENDED, FUTURES, at=AT)

    assert edited.grants[TRADING] == ENDED.grants[TRADING]
    assert TRADING not in plan(edited, an_edit(untick=[TRADING, FUTURES]), at=AT).after.grants


# --- what is refused


def test_what_the_rule_does_not_allow_cannot_be_ticked() -> None:
    """R12."""
    words = refusal(RUNNING, an_edit(tick=[WITHDRAWALS]))

    assert words.startswith("permissions.withdrawals: not allowed on a key without an IP allowlist")
    assert "Withdrawals need trusted IPs" in words
    assert refusal(CLOSED, an_edit(allowlist=(), renew=[WITHDRAWALS])) == words


@pytest.mark.parametrize("wish", [True, "renew"])
def test_what_is_not_for_this_key_type_cannot_be_ticked(wish: plans.Wish) -> None:
    edit = Edit(permissions={FIX_TRADING: wish})

    assert refusal(OLDER, edit) == (
        "permissions.fix_trading: only ed25519 keys may hold it, not hmac"
    )
    assert not plan(OLDER, an_edit(untick=[FIX_TRADING]), at=AT).changes_anything


@pytest.mark.parametrize("wish", [True, False, "renew"])
def test_what_is_not_sold_is_refused(wish: plans.Wish) -> None:
    edit = Edit(permissions={Permission("x" * 10_000): wish})
    words = refusal(OLDER, edit)

    assert "no permission is called" in words
    assert len(words) < 600


def test_what_is_no_longer_sold_can_be_taken_away() -> None:
    staking = Permission("staking")
    grants = {**OLDER.grants, staking: replace(OLDER.grants[READING], permission=staking)}
    key = replace(OLDER, grants=grants)

    assert tick(key, FUTURES, at=AT).holds(staking, ms(AT))
    assert happens(plan(key, an_edit(untick=[staking]), at="2021-07-02 00:00")) == [
        ("removed", staking, True)
    ]
    assert "no permission is called" in refusal(key, an_edit(renew=[staking]))


@pytest.mark.parametrize("renews", [(), (TRADING,)])
def test_what_others_require_cannot_be_unticked(renews: Iterable[Permission]) -> None:
    edit = an_edit(untick=[READING], renew=renews)
    words = "permissions.spot_margin_trading: needs `reading` to be ticked"

    assert refusal(OLDER, edit) == words
    assert not untick(OLDER, TRADING, READING, at=AT).grants


def test_nothing_is_ticked_without_what_it_requires() -> None:
    bare = untick(a_key(), READING, at=AT)
    words = "permissions.spot_margin_trading: needs `reading` to be ticked"

    assert refusal(bare, an_edit(tick=[TRADING])) == words
    assert refusal(bare, an_edit(renew=[TRADING])) == words
    assert tick(bare, TRADING, READING, at=AT).holds(TRADING, ms(AT))


def test_each_permission_that_cannot_be_ticked_is_named_at_once() -> None:
    bare = untick(a_key(), READING, at=AT)
    needs = "needs `reading` to be ticked"
    sold_to_others = "only ed25519 keys may hold it, not hmac"

    assert refusal(bare, an_edit(tick=[TRADING, FUTURES])) == (
        f"permissions.futures: {needs}; permissions.spot_margin_trading: {needs}"
    )
    assert refusal(a_key(), an_edit(tick=[FIX_TRADING, Permission("fix_reading")])) == (
        f"permissions.fix_trading: {sold_to_others}; permissions.fix_reading: {sold_to_others}"
    )


def test_a_requirement_that_merely_ended_undoes_nothing() -> None:
    """Only what an edit itself turns on or off is looked at, not what a form repeats."""
    key = a_key(TRADING, issued="2021-11-20 00:00", rulebook=READING_LAPSES)
    form = Edit(label="x", permissions={READING: False, TRADING: True})

    assert not key.holds(READING, ms(AT))
    assert plan(key, form, at=AT, rulebook=READING_LAPSES).after.label == "x"
    more = an_edit(untick=[READING], tick=[TRADING], allowlist=(HOME,))
    assert plan(key, more, at=AT, rulebook=READING_LAPSES).after.holds(TRADING, ms(AT))
    assert "needs `reading`" in refusal(key, an_edit(renew=[TRADING]), rulebook=READING_LAPSES)
    assert "needs `reading`" in refusal(key, an_edit(tick=[FUTURES]), rulebook=READING_LAPSES)


# --- confirming; test_stamps has what makes a stamp stale


def test_a_plan_that_asks_is_committed_with_its_stamp_alone() -> None:
    """R11."""
    shown = plan(OLDER, an_edit(tick=[FUTURES]), at=AT)
    with pytest.raises(Conflict) as refused:
        shown.require_confirmed(None, ms(AT))

    assert (refused.value.code, refused.value.plan) == ("confirmation_required", shown)
    shown.require_confirmed(shown.stamp(ms(AT)), ms(AT))


@pytest.mark.parametrize("stamp", ["", "-", "not a stamp"])
def test_what_is_no_stamp_is_stale(stamp: str) -> None:
    shown = plan(OLDER, an_edit(tick=[FUTURES]), at=AT)
    with pytest.raises(Conflict) as refused:
        shown.require_confirmed(stamp, ms(AT))

    assert (refused.value.code, refused.value.plan) == ("stale", shown)


def test_a_stamp_is_good_for_ten_minutes() -> None:
    shown = plan(OLDER, an_edit(tick=[FUTURES]), at=AT)

    shown.require_confirmed(shown.stamp(ms(AT)), ms(AT) + 600_000)
    with pytest.raises(Conflict, match="over 10 minutes ago"):
        shown.require_confirmed(shown.stamp(ms(AT)), ms(AT) + 600_001)


def test_a_plan_that_asks_nothing_needs_no_stamp() -> None:
    plan(RUNNING, an_edit(tick=[FUTURES]), at=AT).require_confirmed(None, ms(AT))


# --- labels


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("my bot", "my bot"),
        (" my bot\r\n", "my bot"),
        ("e\u0301" * 64, "\u00e9" * 64),
        ("\u03b1\u0313\u0301\u0345" * 64, "\u1f84" * 64),
        ("\u0639\u0631\u0628\u064a \u4e2d\u6587 \N{ROBOT FACE}",) * 2,
        ("<script>alert('1')</script>; DROP TABLE keys --",) * 2,
        ("x" * 64, "x" * 64),
    ],
)
def test_a_label_is_kept_in_its_composed_form(text: str, label: str) -> None:
    """BI-41."""
    assert plans.label_of(text) == label
    assert plans.label_of(label) == label


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\r\n", "x" * 65, "x" * 10_000_000, "e\u0301" * 65, "\u0958" * 64),
        *("a\nb", "a\r\nSet-Cookie: b", "a\tb", "a\x00b", "\x1b[2J", "a\x7fb"),
        *("a\u202eb", "a\u200bb", "a\u2028b", "a\u00a0b", "\ufeffa", "\ud800", "\ue000"),
    ],
)
def test_what_cannot_be_shown_in_a_line_is_no_label(text: str) -> None:
    """BI-41; the composed form of U+0958 is longer than what was sent."""
    with pytest.raises(Invalid) as refused:
        plans.label_of(text)

    assert refused.value.field == "label"
    assert len(refused.value.message) < 100
