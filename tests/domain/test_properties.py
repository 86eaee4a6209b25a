"""STYLE section 6's properties of whole lives: whatever owners do, and whenever they do it."""

from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tenure.domain import plans
from tenure.domain.apikeys import is_well_formed
from tenure.domain.decide import REFUSALS, UNTOLD, LoadedKey, Reason, Refused, decide
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import ApiKey, Grant, KeyType, Permission, Term
from tenure.domain.plans import STAMP_GOOD_FOR_MS, Consequence, Plan
from tests.builders import (
    DAY_MS,
    TRADING,
    a_key,
    an_edit,
    decided,
    load,
    ms,
    revoked,
    signed,
    the_catalog,
)
from tests.domain import lives
from tests.domain.lives import START_MS, Life, Step, live
from tests.domain.oracle import Oracle, Row

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

OFFSETS = (-1, 0, 1)


@given(life=lives.lives())
def test_living_through_it_decides_as_the_stored_ends_do(life: Life) -> None:
    """At every instant the stored end agrees with an oracle that foresees nothing."""
    oracle = Oracle(life.rows_from(START_MS))
    key = lives.issue(life)
    if not oracle.issue(set(life.wanted), life.addresses, START_MS):
        assert set(key.grants) == {"reading"}
        assert oracle.issue(set(), life.addresses, START_MS)
    else:
        assert set(key.grants) == {"reading", *life.wanted}

    steps = live(life)
    until = [step.at_ms for step in steps[1:]] + [steps[-1].at_ms + 400 * DAY_MS]
    agree(oracle, key, START_MS, steps[0].at_ms)
    for step, next_ms in zip(steps, until, strict=True):
        accepted = oracle.edit(step.act.wishes, step.act.addresses, step.at_ms)
        assert accepted is (step.plan is not None)
        agree(oracle, step.after, step.at_ms, next_ms)


def agree(oracle: Oracle, key: ApiKey, from_ms: int, until_ms: int) -> None:
    """Compare both at *from_ms*, around every end before *until_ms*, and just before that."""
    around = {end_ms + offset_ms for end_ms in lives.ends(key) for offset_ms in OFFSETS}
    instants = {instant for instant in around if from_ms <= instant < until_ms}
    for instant in sorted(instants | {from_ms, max(from_ms, until_ms - 1)}):
        held = {permission for permission in lives.TRADED if key.holds(permission, instant)}
        assert held == oracle.advance(instant), instant


@given(life=lives.lives(), rows=lives.rows(), later_ms=st.sampled_from([0, 1, 30 * DAY_MS]))
def test_a_key_left_alone_is_left_alone_by_every_rule(
    life: Life, rows: tuple[Row, ...], later_ms: int
) -> None:
    """With no owner's act no rule, old or new, changes any grant (R4)."""
    last = live(life)[-1]
    key, now_ms = last.after, last.at_ms + later_ms
    other = replace(life, rows=rows).rulebook(START_MS)

    as_it_is = {permission: key.holds(permission, now_ms) for permission in key.grants}
    for nothing in (plans.Edit(), plans.Edit(allowlist=key.allowlist, permissions=as_it_is)):
        plan = plans.plan_edit(key, nothing, the_catalog(), other, now_ms)
        assert not plan.changes_anything
        assert plan.after == key
        assert plan.consequences == ()


@given(life=lives.lives())
def test_a_promise_stands_unless_the_owner_moves_it(life: Life) -> None:
    """An edit moves no running term but by R7, R8, R9; a rule may take the permission (R12)."""
    for step in live(life):
        opens_or_closes = step.before.is_restricted is not step.after.is_restricted
        for permission, grant in step.before.grants.items():
            wish = step.act.wishes.get(permission)
            is_running = grant.term is not None and not grant.has_ended(step.at_ms)
            if not is_running or opens_or_closes or wish is False or wish == "renew":
                continue
            kept = step.after.grants.get(permission)
            event("a running term met an edit")
            assert kept == grant or (kept is None and is_forbidden(life, step, permission))


def is_forbidden(life: Life, step: Step, permission: Permission) -> bool:
    """Whether the rule in force at *step* does not allow *permission* to such a key."""
    key = step.after
    rulebook = life.rulebook(START_MS)
    rule = rulebook.in_force(permission, key.key_type, key.account_kind, step.at_ms)
    return rule is not None and not rule.allows(restricted=key.is_restricted)


@given(life=lives.lives(), later_ms=st.sampled_from([0, 1, 30 * DAY_MS, 400 * DAY_MS]))
def test_a_new_label_touches_no_grant(life: Life, later_ms: int) -> None:
    """A label edit changes no grant, whatever took effect meanwhile (R5)."""
    last = live(life)[-1]
    edit = an_edit(label="another name")
    plan = plans.plan_edit(
        last.after, edit, the_catalog(), life.rulebook(START_MS), last.at_ms + later_ms
    )

    assert plan.after.grants == last.after.grants
    assert plan.after.label == "another name"
    assert plan.consequences == ()


@given(life=lives.lives())
def test_what_is_off_stays_off_until_it_is_asked_for(life: Life) -> None:
    """No edit and no passing of time turns on what was not asked for (R10)."""
    steps = live(life)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        asked = {permission for permission, wish in step.act.wishes.items() if wish is not False}
        for permission in lives.TRADED:
            if step.after.holds(permission, step.at_ms):
                assert step.before.holds(permission, step.at_ms) or permission in asked
            else:
                later_ms = following.at_ms if following else step.at_ms + 400 * DAY_MS
                assert not step.after.holds(permission, later_ms)


@given(life=lives.lives())
def test_a_plan_asks_exactly_when_it_would_surprise(life: Life) -> None:
    """Starting or shortening a term, or switching off as a side effect, asks; else nothing does."""
    for step in live(life):
        if step.plan is None:
            continue
        surprises = any(
            is_surprise(
                step.before.grants.get(permission),
                step.after.grants.get(permission),
                at_ms=step.at_ms,
                is_asked_off=step.act.wishes.get(permission) is False,
            )
            for permission in lives.TRADED
        )
        event(f"surprises: {surprises}")
        assert step.plan.confirmation_required is surprises


def is_surprise(
    before: Grant | None, after: Grant | None, *, at_ms: int, is_asked_off: bool
) -> bool:
    """Whether what becomes of one permission is what R11 wants confirmed."""
    was_on = before is not None and not before.has_ended(at_ms)
    if after is None or after.has_ended(at_ms):
        return was_on and not is_asked_off
    if after.term is None or (before is not None and before.term == after.term):
        return False
    return after.term.starts_at_ms == at_ms


@given(
    life=lives.lives(),
    ahead_ms=st.one_of(
        st.integers(0, STAMP_GOOD_FOR_MS),
        st.sampled_from([0, 1, STAMP_GOOD_FOR_MS, STAMP_GOOD_FOR_MS + 1]),
    ),
)
def test_what_was_shown_is_what_happens_or_nothing_does(life: Life, ahead_ms: int) -> None:
    """A plan shown earlier and confirmed now does what it showed, from now on, or is stale."""
    rulebook = life.rulebook(START_MS)
    for step in live(life):
        previewed_at_ms = step.at_ms - ahead_ms
        if step.plan is None or previewed_at_ms < step.before.edited_at_ms:
            continue
        try:
            shown = plans.plan_edit(
                step.before, step.act.edit, the_catalog(), rulebook, previewed_at_ms
            )
            step.plan.require_confirmed(shown.stamp(previewed_at_ms), step.at_ms)
        except (Invalid, Conflict):
            event("not committed")
            continue
        event("committed")
        assert ahead_ms <= STAMP_GOOD_FOR_MS
        assert step.after.allowlist == shown.after.allowlist
        assert step.after.label == shown.after.label
        assert terms(step.plan, step.at_ms) == terms(shown, previewed_at_ms)
        assert told(step.plan, step.at_ms) == told(shown, previewed_at_ms)


def terms(plan: Plan, now_ms: int) -> dict[Permission, Term | None]:
    """Return the terms after *plan*, those that it starts counted from 0."""
    assert plan.before is not None
    return {
        permission: started_at_0(grant.term, now_ms)
        if grant.term != (old.term if (old := plan.before.grants.get(permission)) else None)
        else grant.term
        for permission, grant in plan.after.grants.items()
    }


def started_at_0(term: Term | None, now_ms: int) -> Term | None:
    """Return *term*, which started at *now_ms*, counted from 0."""
    if term is None:
        return None
    assert term.starts_at_ms == now_ms
    return Term(0, term.ends_at_ms - now_ms, term.rule_id)


def told(plan: Plan, now_ms: int) -> list[Consequence]:
    """Return the consequences, the ends of terms that *plan* starts counted from 0."""
    started = {
        grant.term.ends_at_ms
        for grant in plan.after.grants.values()
        if grant.term and grant.term.starts_at_ms == now_ms
    }
    return [
        replace(consequence, ends_at_ms=consequence.ends_at_ms - now_ms)
        if consequence.ends_at_ms is not None and consequence.ends_at_ms in started
        else consequence
        for consequence in plan.consequences
    ]


@given(life=lives.lives())
def test_settling_twice_at_one_instant_is_settling_once(life: Life) -> None:
    """The same edit again at once changes nothing, renewals included."""
    for step in live(life):
        lost = step.before.grants.keys() - step.after.grants.keys()
        wishes = {p: wish for p, wish in step.act.wishes.items() if wish is False or p not in lost}
        if step.plan is None:
            continue
        again = plans.plan_edit(
            step.after,
            replace(step.act.edit, permissions=wishes),
            the_catalog(),
            life.rulebook(START_MS),
            step.at_ms,
        )
        assert not again.changes_anything
        assert again.consequences == ()


@given(life=lives.lives(), shift_ms=st.integers(-(10**11), 10**12))
def test_shifting_every_instant_shifts_every_end(life: Life, shift_ms: int) -> None:
    """There is no calendar in it: only distances count."""
    here, there = live(life), live(life, start_ms=START_MS + shift_ms)

    for one, other in zip(here, there, strict=True):
        assert other.at_ms == one.at_ms + shift_ms
        assert (other.plan is None) is (one.plan is None)
        assert [end + shift_ms for end in lives.ends(one.after)] == lives.ends(other.after)
        assert other.after.grants.keys() == one.after.grants.keys()


NOW_MS = ms("2021-12-01 10:00")
SOMEBODYS = [
    a_key(TRADING, key_type=key_type, allowlist=allowlist, issued=issued)
    for key_type in KeyType
    for allowlist in ((), ("198.51.100.1",))
    for issued in ("2021-07-01 12:00", "2021-10-01 12:00")  # The second has ended at NOW_MS.
]
NOT_KNOWN: list[LoadedKey | None] = [None]
STORED = [
    *NOT_KNOWN,
    *(load(key) for key in SOMEBODYS),
    *(load(revoked(key, at=NOW_MS - 1)) for key in SOMEBODYS),
    *(load(key, frozen_at_ms=NOW_MS - 1) for key in SOMEBODYS),
]
LIKE_A_SIGNATURE = st.one_of(
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.sampled_from([88, 344, 512, 684, 1, 1024]).map(lambda size: "A" * size),
    st.text("ABab01+/=", min_size=1, max_size=100),
)


@given(
    signature=LIKE_A_SIGNATURE,
    query=st.sampled_from(["", "symbol=LTCBTC", "email=a%40b.c", "a=%26"]),
    sent_at_ms=st.sampled_from([-60_001, -5_001, -5_000, 0, 999, 1_000]).map(NOW_MS.__add__),
    api_key=st.sampled_from([SOMEBODYS[0].api_key, SOMEBODYS[0].api_key[:-1] + "!", "", "x" * 64]),
    permission=st.sampled_from([TRADING, Permission("no_such"), None]),
    decoded_retry=st.booleans(),
)
def test_before_proof_nothing_is_told_of_what_is_stored(  # noqa: PLR0913 - one draw per fact
    *,
    signature: str,
    query: str,
    sent_at_ms: int,
    api_key: str,
    permission: Permission | None,
    decoded_retry: bool,
) -> None:
    """Until the signature has verified, the answer follows from the request and the clock."""
    key = replace(SOMEBODYS[0], api_key=api_key)
    request = signed(key, at=sent_at_ms, query=query, signature=signature)
    answers = set()
    # What cannot be a key's name is never found.
    for loaded in STORED if is_well_formed(api_key) else NOT_KNOWN:
        outcome = decide(request, permission, loaded, NOW_MS, decoded_retry=decoded_retry)
        assert isinstance(outcome, Refused)
        answers.add(as_told(outcome))

    nothing = Refused(Reason.KEY_UNKNOWN)[1:-1]
    is_ahead = sent_at_ms >= NOW_MS + 1_000 and is_well_formed(api_key)
    assert answers == {(401, UNTOLD, *nothing, is_ahead)}


def as_told(refused: Refused) -> tuple[object, ...]:
    """Return all that the caller sees of *refused*, had a face forgotten to hold anything back."""
    row = REFUSALS[refused.reason]
    return (row.status, refused.reason if row.is_told else UNTOLD, *refused[1:])


def test_the_keys_of_the_quiet_test_do_differ_once_possession_is_proved() -> None:
    """Else the property above would be empty."""
    assert {decided(key, TRADING, at=NOW_MS) for key in SOMEBODYS} == {
        None,
        Reason.IP_NOT_ALLOWED,
        Reason.PERMISSION_EXPIRED,
    }
