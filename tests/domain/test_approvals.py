"""Two people for what concerns the whole house: never the same one, and not after a day."""

from dataclasses import replace

import pytest

from tenure.domain import approvals
from tenure.domain.approvals import (
    GOOD_FOR_MS,
    WAITING_MAX,
    Act,
    ApprovalId,
    Effect,
    Proposal,
    SecondApproval,
    Signatory,
    Standing,
)
from tenure.domain.errors import Conflict, Forbidden

ADA = Signatory("psn_ada", "operator:ada@example.com")
BEN = Signatory("psn_ben", "operator:ben@example.com")
BOTH = {ADA.person_id, BEN.person_id}
NOW = 1_000


def proposed(**changes: object) -> Proposal:
    given = {
        "asked": {"label": "leaky", "issued_before_ms": 9},
        "stamp": "3e8-ab",
        "effects": (Effect("keys_revoked", {"keys": 3}),),
        "by": ADA,
        "now_ms": NOW,
        "waiting": (),
        **changes,
    }
    return approvals.propose(ApprovalId("appr_1"), Act.REVOKE_KEYS, **given)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("chosen", "able", "needed"),
    [
        (SecondApproval.AUTO, set(), False),
        (SecondApproval.AUTO, {"psn_ada"}, False),
        (SecondApproval.AUTO, {"psn_ben"}, True),
        (SecondApproval.AUTO, BOTH, True),
        (SecondApproval.ALWAYS, {"psn_ada"}, True),
        (SecondApproval.NEVER, BOTH, False),
    ],
)
def test_a_second_person_is_needed_as_soon_as_there_is_one(
    chosen: SecondApproval, able: set[str], *, needed: bool
) -> None:
    assert approvals.is_needed(chosen, able, ADA) is needed


def test_a_proposal_waits_for_a_day_and_no_millisecond_longer() -> None:
    proposal = proposed()

    assert proposal.standing(NOW) is Standing.WAITING
    assert proposal.standing(NOW + GOOD_FOR_MS - 1) is Standing.WAITING
    assert proposal.standing(NOW + GOOD_FOR_MS) is Standing.EXPIRED


def test_somebody_else_approves_it() -> None:
    approved = approvals.approve(proposed(), BEN, BOTH, NOW + 5)

    assert approved.standing(NOW + 2 * GOOD_FOR_MS) is Standing.APPROVED
    assert approved.settled == approvals.Settled(is_approved=True, by=BEN, at_ms=NOW + 5)


@pytest.mark.parametrize(
    "same",
    [ADA, Signatory("psn_ada", "operator:other@example.com"), Signatory("psn_new", ADA.actor)],
)
def test_nobody_approves_what_he_proposed_under_no_other_name(same: Signatory) -> None:
    with pytest.raises(Forbidden) as refused:
        approvals.approve(proposed(), same, {*BOTH, "psn_new"}, NOW)

    assert refused.value.code == "same_person"


def test_only_who_may_act_on_the_house_approves_or_withdraws() -> None:
    for act in (approvals.approve, approvals.withdraw):
        with pytest.raises(Forbidden):
            act(proposed(), BEN, {ADA.person_id}, NOW)


def test_what_somebody_proposed_who_may_not_any_more_is_stale() -> None:
    with pytest.raises(Conflict) as refused:
        approvals.approve(proposed(), BEN, {BEN.person_id}, NOW)

    assert refused.value.code == "stale"


def test_it_is_taken_back_by_whoever_made_it_and_turned_down_by_another() -> None:
    for by in (ADA, BEN):
        withdrawn = approvals.withdraw(proposed(), by, BOTH, NOW + 1)
        assert withdrawn.standing(NOW + 1) is Standing.WITHDRAWN
        assert withdrawn.settled is not None
        assert withdrawn.settled.by is by


@pytest.mark.parametrize(
    ("proposal", "code"),
    [
        (approvals.withdraw(proposed(), ADA, BOTH, NOW), "settled"),
        (approvals.approve(proposed(), BEN, BOTH, NOW), "settled"),
        (replace(proposed(), expires_at_ms=NOW), "expired"),
    ],
)
def test_what_is_over_is_neither_approved_nor_withdrawn(proposal: Proposal, code: str) -> None:
    for act in (approvals.approve, approvals.withdraw):
        with pytest.raises(Conflict) as refused:
            act(proposal, BEN, BOTH, NOW)
        assert refused.value.code == code


def test_the_same_is_not_proposed_twice_and_not_too_much_at_once() -> None:
    first = proposed()
    with pytest.raises(Conflict) as refused:
        proposed(by=BEN, waiting=[first])
    assert refused.value.code == "proposed"
    others = [replace(first, asked={"n": number}) for number in range(WAITING_MAX)]
    assert proposed(waiting=others[1:]).settled is None

    with pytest.raises(Conflict) as refused:
        proposed(waiting=others)

    assert refused.value.code == "limit"


def test_other_acts_and_other_questions_are_not_the_same() -> None:
    asked = {"label": "leaky", "issued_before_ms": 9}
    assert proposed().is_same(Act.REVOKE_KEYS, dict(reversed(asked.items())))
    assert not proposed().is_same(Act.REVOKE_KEYS, {**asked, "label": "other"})
    assert not proposed().is_same(Act.WITHDRAW_RULE, asked)


@pytest.mark.parametrize(
    "proposal", [proposed(), approvals.approve(proposed(), BEN, BOTH, NOW + 5)]
)
def test_a_proposal_reads_back_from_its_state(proposal: Proposal) -> None:
    assert approvals.approval_from(approvals.approval_state(proposal)) == proposal
