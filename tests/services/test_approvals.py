"""What concerns the whole house: done alone while one is alone, else by two people."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenure.domain.approvals import GOOD_FOR_MS, Act, Asked, SecondApproval, Signatory, Standing
from tenure.domain.errors import Conflict, Forbidden, Invalid, NotFound
from tenure.domain.people import Role
from tenure.services import comparing
from tenure.services.approvals import Approvals, Outcome
from tenure.services.comparing import Verdict
from tenure.services.house_acts import planners
from tenure.services.keys import Draft, Wanted
from tenure.store import schema_approvals
from tests import quickly
from tests.builders import TRADING, shipped, the_catalog
from tests.services.people import doors
from tests.services.people.doors import Door, Somebody

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

LEAKY: Asked = {"label": "my bot", "issued_before_ms": None}
NEW_RULE = """
[[rule]]
id = "{0}"
title = "Ninety days"
source = "a test"
effective_from = 2030-01-01T00:00:00Z
permissions = ["{1}"]
unrestricted = "90d"
restricted = "unlimited"
"""


def rulebook(rule_id: str = "ninety", permission: str = TRADING) -> Asked:
    shipped_text = shipped("rulebooks/2021-07-09.toml")
    return {"rulebook": shipped_text + NEW_RULE.format(rule_id, permission)}


@dataclass
class Office:
    """The administrators of a house, and what they do together."""

    door: Door
    approvals: Approvals
    ada: Signatory
    ben: Signatory

    def put_forward(self, act: Act, asked: Asked, by: Signatory | None = None) -> Outcome:
        """Look, and confirm what was shown."""
        by = by or self.ada
        stamp = self.approvals.look(act, asked, by).stamp
        return self.approvals.put_forward(act, asked, stamp, by)

    def proposed(self, act: Act, asked: Asked) -> str:
        """Return the id of what was put forward, which waits."""
        outcome = self.put_forward(act, asked)
        assert outcome.done is None
        assert outcome.proposal is not None
        return outcome.proposal.approval_id

    def tags(self, after: int) -> list[tuple[str, str]]:
        """Return what happened after a seq, and by whom."""
        events = self.door.parts.events(after)
        return [(str(event.change.tag), event.change.actor) for event in events]

    @property
    def head(self) -> int:
        """The last event."""
        return self.door.parts.journal.head()


def by(one: Somebody) -> Signatory:
    return Signatory(one.person.person_id, one.person.actor)


def approvals_of(door: Door, chosen: SecondApproval = SecondApproval.AUTO) -> Approvals:
    parts = door.parts
    acts = planners(parts.revocations, parts.rules, door.people, the_catalog())
    return Approvals(parts.store, parts.clock, acts, chosen, parts.follower.catch_up)


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """Return a house that people sign in to, with as little work as a hash can be."""
    quickly.hashes(monkeypatch)
    made = doors.opened(tmp_path)
    yield made
    made.parts.close()


@pytest.fixture
def office(door: Door) -> Office:
    """Return a house of two administrators and three keys that are called alike."""
    for _ in range(3):
        door.parts.issue(TRADING)
    ada = door.operator(email="ada@example.com")
    ben = door.operator(email="ben@example.com")
    return Office(door, approvals_of(door), by(ada), by(ben))


# --- alone


def test_one_administrator_alone_runs_the_house(door: Door) -> None:
    key = door.parts.issue(TRADING)
    ada = by(door.operator())
    alone = Office(door, approvals_of(door), ada, ada)
    shown = alone.approvals.look(Act.REVOKE_KEYS, LEAKY, ada)
    assert (shown.needs_second, shown.able) == (False, 1)
    begun = alone.head

    outcome = alone.put_forward(Act.REVOKE_KEYS, LEAKY)

    assert outcome.proposal is None
    assert door.parts.keys.get(key.key_id).revoked_at_ms is not None
    assert alone.tags(begun) == [("keys:revoked", ada.actor)]
    assert alone.approvals.waiting() == []


def test_never_is_never(office: Office) -> None:
    office.approvals = approvals_of(office.door, SecondApproval.NEVER)

    assert office.put_forward(Act.REVOKE_KEYS, LEAKY).proposal is None


def test_always_is_always_and_a_token_is_nobody(door: Door) -> None:
    ada = by(door.operator())
    strict = approvals_of(door, SecondApproval.ALWAYS)
    assert strict.look(Act.SCHEDULE_RULES, rulebook(), ada).needs_second

    with pytest.raises(Forbidden) as refused:
        strict.require_alone()

    assert refused.value.code == "approval_required"
    approvals_of(door, SecondApproval.AUTO).require_alone()
    approvals_of(door, SecondApproval.NEVER).require_alone()


def test_two_people_are_two_who_can_sign_in_as_administrators(door: Door) -> None:
    ada = by(door.operator())
    door.operator(Role.OPERATOR, "oli@example.com")
    door.people.invitations.of_operator("new@example.com", Role.ADMINISTRATOR, "operator")

    assert not approvals_of(door).look(Act.SCHEDULE_RULES, rulebook(), ada).needs_second


# --- together


def test_what_two_have_to_agree_to_waits_and_changes_nothing(office: Office) -> None:
    begun = office.head

    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)

    assert office.tags(begun) == [("approval:proposed", office.ada.actor)]
    assert [item.approval_id for item in office.approvals.waiting()] == [approval_id]
    assert office.door.parts.revocations.every() == []
    looked = office.approvals.get(approval_id)
    assert (looked.is_stale, looked.proposal.by) == (False, office.ada)
    assert looked.proposal.effects[0].facts["keys"] == 3


def test_the_second_person_approves_and_it_is_done_at_once(office: Office) -> None:
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)
    begun = office.head

    outcome = office.approvals.approve(approval_id, office.ben)

    assert outcome.done is not None
    assert office.tags(begun) == [
        ("approval:approved", office.ben.actor),
        ("keys:revoked", office.ada.actor),
    ]
    assert len(office.door.parts.revocations.every()) == 1
    assert office.approvals.waiting() == []
    assert office.approvals.get(approval_id).proposal.standing(0) is Standing.APPROVED
    assert office.door.parts.keyring.require_fresh() == office.head, "in force when this returns"


def test_whoever_proposed_it_does_not_approve_it(office: Office) -> None:
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)

    with pytest.raises(Forbidden):
        office.approvals.approve(approval_id, office.ada)

    assert office.door.parts.revocations.every() == []
    assert len(office.approvals.waiting()) == 1


def test_nor_does_anybody_who_is_no_administrator(office: Office) -> None:
    oli = by(office.door.operator(Role.OPERATOR, "oli@example.com"))
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)

    for act in (office.approvals.approve, office.approvals.withdraw):
        with pytest.raises(Forbidden):
            act(approval_id, oli)
    with pytest.raises(Forbidden):
        office.put_forward(Act.SCHEDULE_RULES, rulebook(), oli)


def test_it_may_be_taken_back(office: Office) -> None:
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)
    begun = office.head

    office.approvals.withdraw(approval_id, office.ada)

    assert office.tags(begun) == [("approval:withdrawn", office.ada.actor)]
    with pytest.raises(Conflict):
        office.approvals.approve(approval_id, office.ben)
    assert [item.approval_id for item in office.approvals.latest()] == [approval_id]


def test_after_a_day_it_must_be_proposed_again(office: Office) -> None:
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)
    office.door.parts.clock.advance(GOOD_FOR_MS)

    with pytest.raises(Conflict) as refused:
        office.approvals.approve(approval_id, office.ben)

    assert refused.value.code == "expired"
    assert office.approvals.waiting() == []
    assert office.proposed(Act.REVOKE_KEYS, LEAKY) != approval_id


def test_hours_later_it_is_still_what_was_shown(office: Office) -> None:
    """The stamp of a preview is good for ten minutes; of a proposal, as long as it waits."""
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)
    office.door.parts.clock.advance(GOOD_FOR_MS - 1)

    assert office.approvals.approve(approval_id, office.ben).done is not None


def test_without_the_stamp_of_what_was_shown_nothing_is_proposed(office: Office) -> None:
    for stamp, code in ((None, "confirmation_required"), ("1-2-3-4", "stale")):
        with pytest.raises(Conflict) as refused:
            office.approvals.put_forward(Act.REVOKE_KEYS, LEAKY, stamp, office.ada)
        assert refused.value.code == code
    shown = office.approvals.look(Act.REVOKE_KEYS, LEAKY, office.ada)
    office.door.parts.clock.advance(600_001)
    with pytest.raises(Conflict):
        office.approvals.put_forward(Act.REVOKE_KEYS, LEAKY, shown.stamp, office.ada)
    assert office.approvals.waiting() == []


def test_where_there_is_nothing_to_do_nothing_waits(office: Office) -> None:
    nobody = {"label": "nobody is called so", "issued_before_ms": None}
    begun = office.head

    outcome = office.approvals.put_forward(Act.REVOKE_KEYS, nobody, None, office.ada)

    assert outcome.done is not None
    assert (outcome.done.seq, office.head) == (0, begun)


# --- each kind of act


def test_keys_issued_while_it_waits_are_not_meant(office: Office) -> None:
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)
    office.door.parts.clock.advance(60_000)
    later = office.door.parts.issue(TRADING)

    office.approvals.approve(approval_id, office.ben)

    assert office.door.parts.keys.get(later.key_id).revoked_at_ms is None
    (mark,) = office.door.parts.revocations.every()
    assert mark.issued_before_ms <= later.issued_at_ms


def test_more_keys_than_were_shown_make_it_stale(office: Office) -> None:
    """An older key takes the label that is to be struck."""
    account = office.door.parts.account()
    draft = Draft(label="other", key_type=office.door.parts.issue().key_type)
    other = office.door.parts.keys.issue(account.account_id, draft, "x").plan.after
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)
    relabel(office.door, other.key_id)

    assert office.approvals.get(approval_id).is_stale
    with pytest.raises(Conflict) as refused:
        office.approvals.approve(approval_id, office.ben)

    assert refused.value.code == "stale"
    assert office.door.parts.revocations.every() == []
    assert office.approvals.get(approval_id).proposal.settled is None


def relabel(door: Door, key_id: str) -> None:
    door.parts.keys.edit(key_id, Wanted(label="my bot"), None, "x")


def test_an_instant_to_come_is_no_limit(office: Office) -> None:
    soon = {"label": None, "issued_before_ms": office.door.parts.clock.now + 60_000}

    with pytest.raises(Invalid):
        office.approvals.look(Act.REVOKE_KEYS, soon, office.ada)


def test_rules_are_scheduled_by_two_and_stale_once_the_rulebook_is_another(office: Office) -> None:
    first = office.proposed(Act.SCHEDULE_RULES, rulebook("ninety"))
    second = office.proposed(Act.SCHEDULE_RULES, rulebook("other", permission="futures"))

    done = office.approvals.approve(first, office.ben).done

    assert done is not None
    assert [rule.rule_id for rule in done.answer] == ["ninety"]
    assert "ninety" in {rule.rule_id for rule in office.door.parts.rules.rulebook().rules}
    with pytest.raises(Conflict) as refused:
        office.approvals.approve(second, office.ben)
    assert refused.value.code == "stale"


def test_a_rule_whose_day_came_while_it_waited_is_not_back_dated(office: Office) -> None:
    approval_id = office.proposed(Act.SCHEDULE_RULES, soon(office))
    office.door.parts.clock.advance(7_200_000)

    assert office.approvals.get(approval_id).is_stale
    with pytest.raises(Invalid, match="back-dated"):
        office.approvals.approve(approval_id, office.ben)


def soon(office: Office) -> Asked:
    """Return a rulebook whose new rule takes effect in an hour: it is 10:00."""
    del office
    text = rulebook()["rulebook"].replace("2030-01-01T00:00:00Z", "2021-12-01T11:00:00Z")
    return {"rulebook": text}


def test_a_rule_is_withdrawn_by_two(office: Office) -> None:
    scheduled = office.proposed(Act.SCHEDULE_RULES, rulebook())
    office.approvals.approve(scheduled, office.ben)
    approval_id = office.proposed(Act.WITHDRAW_RULE, {"rule_id": "ninety"})
    begun = office.head

    office.approvals.approve(approval_id, office.ben)

    rule = office.door.parts.rules.rulebook().rule("ninety")  # type: ignore[arg-type]  # an id
    assert rule is not None
    assert rule.withdrawn_at_ms == office.door.parts.clock.now
    assert [tag for tag, _ in office.tags(begun)] == ["approval:approved", "rule:withdrawn"]
    again = office.put_forward(Act.WITHDRAW_RULE, {"rule_id": "ninety"})
    assert again.done is not None
    assert again.done.seq == 0
    with pytest.raises(NotFound):
        office.approvals.look(Act.WITHDRAW_RULE, {"rule_id": "none"}, office.ada)


def test_somebody_is_invited_by_two_and_the_link_is_the_seconds_to_hand_on(office: Office) -> None:
    asked = {"email": "cy@example.com", "role": "operator"}
    approval_id = office.proposed(Act.INVITE_OPERATOR, asked)
    assert "cy@example.com" not in {one.email for one in office.door.people.operators()}

    done = office.approvals.approve(approval_id, office.ben).done

    assert done is not None
    assert done.answer.link.reveal().startswith("https://")
    assert "cy@example.com" in {one.email for one in office.door.people.operators()}
    stored = str(office.door.parts.events())
    assert done.answer.link.reveal().rpartition("/")[2] not in stored


@pytest.mark.parametrize(
    "asked",
    [
        {"email": "x", "role": "operator"},
        {"email": "cy@example.com", "role": "owner"},
        {"email": "cy@example.com", "role": "king"},
    ],
)
def test_nobody_is_invited_as_what_there_is_not(office: Office, asked: Asked) -> None:
    with pytest.raises(Invalid):
        office.approvals.look(Act.INVITE_OPERATOR, asked, office.ada)


def test_a_role_is_changed_and_somebody_removed_by_two(office: Office) -> None:
    oli = office.door.operator(Role.OPERATOR, "oli@example.com").person
    changed = office.proposed(Act.CHANGE_ROLE, {"person_id": oli.person_id, "role": "viewer"})
    office.approvals.approve(changed, office.ben)
    assert office.door.people.find(oli.person_id).role is Role.VIEWER
    same = office.put_forward(Act.CHANGE_ROLE, {"person_id": oli.person_id, "role": "viewer"})
    assert same.done is not None

    removed = office.proposed(Act.REMOVE_OPERATOR, {"person_id": oli.person_id})
    office.approvals.approve(removed, office.ben)

    assert oli.person_id not in {one.person_id for one in office.door.people.operators()}


def test_a_role_that_changed_meanwhile_makes_it_stale(office: Office) -> None:
    oli = office.door.operator(Role.OPERATOR, "oli@example.com").person
    removed = office.proposed(Act.REMOVE_OPERATOR, {"person_id": oli.person_id})
    people = office.door.people
    office.door.parts.store.write(lambda tx: people.role_in(tx, oli.person_id, Role.VIEWER, "x"))

    with pytest.raises(Conflict) as refused:
        office.approvals.approve(removed, office.ben)

    assert refused.value.code == "stale"


def test_owners_are_nobody_of_the_house(office: Office) -> None:
    owner = office.door.owner()
    with pytest.raises(NotFound):
        office.approvals.look(
            Act.REMOVE_OPERATOR, {"person_id": owner.person.person_id}, office.ada
        )


def test_the_last_administrator_stays_though_two_agreed(office: Office) -> None:
    """Ada proposes to remove Ben, who removes himself before anybody can approve it."""
    approval_id = office.proposed(Act.REMOVE_OPERATOR, {"person_id": office.ben.person_id})

    office.approvals.approve(approval_id, office.ben)

    alone = office.approvals.look(
        Act.CHANGE_ROLE, {"person_id": office.ada.person_id, "role": "viewer"}, office.ada
    )
    assert not alone.needs_second
    with pytest.raises(Conflict) as refused:
        office.put_forward(Act.CHANGE_ROLE, {"person_id": office.ada.person_id, "role": "viewer"})
    assert refused.value.code == "last_administrator"


# --- what is on record


def difference(door: Door) -> Verdict:
    found = Verdict()
    comparing.compare(door.parts.store.read, found, lambda _rows: None)
    return found


@pytest.mark.parametrize("end", ["waits", "approved", "withdrawn"])
def test_the_journal_explains_every_proposal(office: Office, end: str) -> None:
    approval_id = office.proposed(Act.REVOKE_KEYS, LEAKY)
    if end == "approved":
        office.approvals.approve(approval_id, office.ben)
    elif end == "withdrawn":
        office.approvals.withdraw(approval_id, office.ben)

    assert difference(office.door).differences == []


def test_a_proposal_written_past_tenure_is_found(office: Office) -> None:
    office.proposed(Act.REVOKE_KEYS, LEAKY)
    forge = schema_approvals.approvals.update().values(body="{}")
    office.door.parts.store.write(lambda tx: tx.execute(forge))

    assert {item.kind for item in difference(office.door).differences} == {"approval"}
