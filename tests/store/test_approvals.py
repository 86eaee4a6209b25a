"""What waits for a second person as rows, on each database."""

from dataclasses import replace
from functools import partial

import pytest

from tenure.domain import approvals as domain
from tenure.domain.approvals import ApprovalId, Proposal
from tenure.domain.errors import Conflict, NotFound
from tenure.store import approvals
from tenure.store.db import Store
from tests.domain.test_approvals import ADA, BEN, BOTH, NOW, proposed


def numbered(number: int) -> Proposal:
    proposal = replace(proposed(), approval_id=ApprovalId(f"appr_{number}"))
    return replace(proposal, proposed_at_ms=NOW + number, expires_at_ms=NOW + 10 + number)


@pytest.fixture(autouse=True)
def three_proposals(store: Store) -> None:
    """Put three proposals into the store, each a millisecond after the one before."""
    for number in (1, 2, 3):
        store.write(partial(approvals.add, proposal=numbered(number)))


def waiting(store: Store, now_ms: int = NOW) -> list[str]:
    return [item.approval_id for item in store.read(partial(approvals.waiting, now_ms=now_ms))]


def test_what_is_stored_reads_back_the_same(store: Store) -> None:
    assert store.read(partial(approvals.get, approval_id="appr_2")) == numbered(2)
    assert store.read(approvals.every) == [numbered(number) for number in (1, 2, 3)]
    with pytest.raises(NotFound):
        store.read(partial(approvals.get, approval_id="appr_9"))


def test_those_that_wait_are_neither_settled_nor_expired(store: Store) -> None:
    assert waiting(store) == ["appr_1", "appr_2", "appr_3"]
    assert waiting(store, NOW + 11) == ["appr_2", "appr_3"]
    withdrawn = domain.withdraw(numbered(2), ADA, BOTH, NOW)
    store.write(partial(approvals.settle, proposal=withdrawn))

    assert waiting(store, NOW + 11) == ["appr_3"]
    assert store.read(partial(approvals.get, approval_id="appr_2")) == withdrawn


def test_one_is_settled_once(store: Store) -> None:
    approved = domain.approve(numbered(1), BEN, BOTH, NOW)
    store.write(partial(approvals.settle, proposal=approved))

    with pytest.raises(Conflict) as refused:
        store.write(
            partial(approvals.settle, proposal=domain.withdraw(numbered(1), ADA, BOTH, NOW))
        )

    assert refused.value.code == "settled"
    assert store.read(partial(approvals.get, approval_id="appr_1")) == approved


def test_the_last_proposed_come_first(store: Store) -> None:
    listed = store.read(partial(approvals.latest, most=2))

    assert [item.approval_id for item in listed] == ["appr_3", "appr_2"]
