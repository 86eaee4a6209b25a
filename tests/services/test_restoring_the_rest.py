"""
Restoring what surrounds the keys: marks, quarantine, overlaps, contacts, calendars, rules, notices.

Whatever took something away after the backup is done again, and what no journal holds is not made
up: it is told.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from tenure.domain import approvals as domain
from tenure.domain.approvals import ApprovalId, Proposal, approval_state
from tenure.domain.contacts import Channel
from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, NotFound, Unavailable
from tenure.domain.events import Change, Tag
from tenure.domain.marks import Selection
from tenure.domain.rules import Rulebook
from tenure.services import acts, auditing
from tenure.services.acts import Acts
from tenure.services.contacts import Wish
from tenure.services.keys import Wanted
from tenure.store import approvals, journal, notices
from tests.builders import DAY_MS, TRADING, a_rule
from tests.domain.test_approvals import ADA, BEN, BOTH, NOW, proposed
from tests.services import parts as building
from tests.services.disasters import Disaster, answer, catch_up, rows
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

pytestmark = pytest.mark.slow

URL = "https://hooks.example.com/secret-path"
LEAKY = Selection(label="leaky")
LATER = a_rule("later", since="2030-01-01 00:00", unrestricted=90 * DAY_MS)


class Whole(Disaster):
    """A disaster that befell everything there is."""

    @override
    def begin(self) -> None:
        parts = self.parts
        self.teller = Teller(parts)
        self.leaked, self.suspect, self.cleared, self.overlapping = (
            parts.issue(TRADING) for _ in range(4)
        )
        self.old_secret = parts.secrets[self.overlapping.key_id]
        parts.edit(self.leaked, Wanted(label="leaky"))
        parts.quarantine.place(self.cleared.key_id, ACTOR, cause="was seen in a paste")
        self.owner = self.kept.account_id
        self.hook, self.removed_hook = (self.add_hook() for _ in range(2))
        self.calendar = self.teller.calendars.renew(self.owner, ACTOR)
        self.proposals = [self.propose(number) for number in (1, 2)]

    def propose(self, number: int) -> Proposal:
        """Put a proposal on record, as two people would have to agree to it."""
        proposal = replace(proposed(asked={"n": number}), approval_id=ApprovalId(f"appr_{number}"))
        self.parts.store.write(lambda tx: approvals.add(tx, proposal))
        self.note(Tag.APPROVAL_PROPOSED, proposal)
        return proposal

    def settle(self, tag: Tag, proposal: Proposal) -> None:
        """Put on record how one ended."""
        self.parts.store.write(lambda tx: approvals.settle(tx, proposal))
        self.note(tag, proposal)

    def note(self, tag: Tag, proposal: Proposal) -> None:
        """Record what happened to a proposal."""
        body = {"approval": approval_state(proposal)}
        change = Change(tag=tag, actor=ACTOR, happened_at_ms=self.parts.clock.now, body=body)
        self.parts.store.write(lambda tx: journal.append(tx, change, self.parts.clock.now))

    def add_hook(self) -> str:
        """Add a webhook to the owner's contacts; return its id."""
        added = self.teller.contacts.add(self.owner, Channel.WEBHOOK, Wish(address=URL), ACTOR)
        return added.contact.contact_id

    @override
    def go_on(self) -> None:
        parts, contacts = self.parts, self.teller.contacts
        parts.quarantine.place(self.suspect.key_id, ACTOR, cause="may have leaked")
        parts.quarantine.release(self.cleared.key_id, ACTOR)
        stamp = parts.revocations.preview(LEAKY).stamp
        parts.revocations.commit(LEAKY, stamp, ACTOR)
        parts.keys.rotate(self.overlapping.key_id, None, ACTOR, overlap_ms=DAY_MS)
        contacts.change(self.owner, self.hook, Wish(language="es"), ACTOR)
        contacts.remove(self.owner, self.removed_hook, ACTOR)
        self.late_hook = self.add_hook()
        self.mail = contacts.add(
            self.owner, Channel.EMAIL, Wish(address="desk@example.com", language="ja"), ACTOR
        ).contact
        self.teller.calendars.renew(self.owner, ACTOR)
        self.teller.leads.choose(self.owner, [DAY_MS], ACTOR)
        acts.enter(Acts(parts.store, parts.clock).begin(ACTOR, ["k-1"], [b"POST", b"/v1/accounts"]))
        parts.account()
        acts.enter(None)
        stamp = parts.rules.preview(Rulebook((LATER,))).stamp
        parts.rules.schedule(Rulebook((LATER,)), stamp, ACTOR)
        parts.rules.withdraw(LATER.rule_id, ACTOR)
        first, second = self.proposals
        self.settle(Tag.APPROVAL_APPROVED, domain.approve(first, BEN, BOTH, NOW))
        self.settle(Tag.APPROVAL_WITHDRAWN, domain.withdraw(second, ADA, BOTH, NOW))
        self.propose(3)


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[Whole]:
    """Return a disaster."""
    disaster = Whole(tmp_path)
    yield disaster
    disaster.parts.close()


@pytest.fixture
def restored(lost: Whole) -> Iterator[Parts]:
    """Return the store that its backup gave, brought up to date."""
    parts = lost.restored()
    catch_up(parts, lost.export, lost.pushed)
    yield from building.until_closed(parts)


def test_the_rows_are_those_that_were_lost(lost: Whole, restored: Parts) -> None:
    secret = {"sealed_secret", "old_sealed_secret"}
    for table in ("accounts", "keys", "grants", "rules", "revocations", "approvals"):
        assert rows(restored, table, but=secret) == rows(lost.parts, table, but=secret)
    verdict = auditing.verify_store(restored.store, [lost.pushed], None, lambda _: None)
    assert verdict.differences == []
    assert verdict.is_clean


def test_lead_times_are_chosen_again(lost: Whole, restored: Parts) -> None:
    assert Teller(restored).leads.of_account(lost.owner).chosen == (DAY_MS,)


def test_keys_that_a_mark_revoked_stay_revoked(lost: Whole, restored: Parts) -> None:
    assert answer(restored, lost.leaked) is Reason.KEY_REVOKED
    assert restored.revocations.every() == lost.parts.revocations.every()


def test_quarantine_is_placed_and_lifted_again(lost: Whole, restored: Parts) -> None:
    assert answer(restored, lost.suspect) is Reason.KEY_QUARANTINED
    assert answer(restored, lost.cleared) is None


def test_a_key_rotated_with_an_overlap_is_sealed_until_it_is_rotated_again(
    lost: Whole, restored: Parts
) -> None:
    """Its new secret is nowhere, and without that it is not asked for the old one."""
    key = restored.keys.get(lost.overlapping.key_id)
    assert key == lost.parts.keys.get(lost.overlapping.key_id)
    restored.follower.tick()
    for _ in range(2):
        with pytest.raises(Unavailable):
            restored.ask(key, secret=lost.old_secret)
        restored.clock.advance(DAY_MS)
        restored.follower.tick()

    issued = restored.keys.rotate(key.key_id, None, ACTOR, overlap_ms=DAY_MS)
    assert issued.secret_key is not None
    assert restored.ask(key, secret=issued.secret_key.reveal()) is None, "though the old is lost"


def test_webhooks_that_no_journal_holds_are_removed_and_their_owner_is_told(
    lost: Whole, restored: Parts
) -> None:
    """Where they led, and what they were signed with, is nowhere any more."""
    teller = Teller(restored)
    held = {contact.contact_id for contact in teller.contacts.of_account(lost.owner)}
    assert not held & {lost.hook, lost.late_hook, lost.removed_hook}
    removed = [event for event in restored.events() if event.change.tag is Tag.CONTACT_REMOVED]
    assert {event.change.body["contact"]["contact_id"] for event in removed} == {  # type: ignore[index]  # JSON
        *(lost.hook, lost.late_hook, lost.removed_hook)
    }
    assert restored.tags()[-3:] == ["contact:removed", "contact:removed", "store:restored"]


def test_an_e_mail_contact_is_put_back(lost: Whole, restored: Parts) -> None:
    assert lost.mail in Teller(restored).contacts.of_account(lost.owner)


def test_a_calendar_address_that_was_renewed_does_not_come_back(
    lost: Whole, restored: Parts
) -> None:
    calendars = Teller(restored).calendars
    with pytest.raises(NotFound):
        calendars.of_secret(lost.calendar.reveal())
    assert calendars.of_secret(calendars.renew(lost.owner, ACTOR).reveal())


def test_a_rule_that_was_withdrawn_stays_so(lost: Whole, restored: Parts) -> None:
    rule = restored.rules.rulebook().rule(LATER.rule_id)
    assert rule == lost.parts.rules.rulebook().rule(LATER.rule_id)
    assert rule is not None
    assert rule.withdrawn_at_ms is not None


def test_what_was_done_under_a_key_of_the_callers_is_not_done_again(restored: Parts) -> None:
    asked = (ACTOR, ["k-1"], [b"POST", b"/v1/accounts"])
    with pytest.raises(Conflict) as raised:
        Acts(restored.store, restored.clock).begin(*asked)
    assert raised.value.code == "repeated"


def test_nobody_is_warned_or_told_while_it_is_held(lost: Whole) -> None:
    """What the backup has to say may have been taken back since."""
    held = lost.restored()
    teller = Teller(held)
    held.clock.advance(29 * DAY_MS)
    known = held.store.read(notices.head)
    teller.notify.tick()
    assert teller.sending.tick() == 0
    assert held.store.read(notices.head) == known
    catch_up(held, lost.export, lost.pushed)
    teller.notify.tick()
    assert teller.sending.tick() > 0
    assert held.store.read(notices.head) > known
    held.close()


def test_owners_read_what_they_were_told_after_the_backup(lost: Whole, restored: Parts) -> None:
    but = {"number"}
    found = rows(lost.parts, "notices", but=but)
    again = rows(restored, "notices", but=but)
    assert found == [row for row in again if row in found], "each of them, once"
    assert restored.store.read(notices.head) >= lost.parts.store.read(notices.head)
