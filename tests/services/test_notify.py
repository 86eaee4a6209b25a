"""Warnings fall due, climb, and become deliveries: each once, whoever ticks and however often."""

from functools import partial

import pytest

from tenure.domain.contacts import Channel
from tenure.domain.marks import Selection
from tenure.domain.model import Account, AccountKind, ApiKey
from tenure.domain.notices import Kind
from tenure.services import notify
from tenure.services.contacts import Wish
from tenure.services.keys import Wanted
from tenure.services.notify import Notify
from tenure.services.sweep import Sweep
from tenure.store import notices
from tests.builders import DAY_MS, HOME, MONTH_MS, TRADING, a_rule
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller
from tests.together import together

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

HOUR_MS = 3_600_000
SOON = Kind.TERM_ENDS_SOON


def leads_of(teller: Teller, account_id: str) -> list[int | None]:
    """Return the lead times an account was warned by, in order."""
    told = teller.told(account_id)
    return [listed.notice.lead_ms for listed in told if listed.notice.kind is SOON]


def before_end(teller: Teller, key: ApiKey, lead_ms: int) -> None:
    """Tick so long before the end of the key's first term."""
    teller.at(key.issued_at_ms + MONTH_MS - lead_ms)


def test_each_lead_time_is_told_once_when_it_is_reached(teller: Teller) -> None:
    key = teller.parts.issue(TRADING)
    expected: list[int] = []
    for lead_ms in (7 * DAY_MS, 3 * DAY_MS, DAY_MS, HOUR_MS):
        before_end(teller, key, lead_ms + 1)
        assert leads_of(teller, key.account_id) == expected
        before_end(teller, key, lead_ms)
        teller.tick()
        expected.append(lead_ms)
        assert leads_of(teller, key.account_id) == expected


def test_after_a_week_of_standing_still_only_the_last_warning_is_told(teller: Teller) -> None:
    key = teller.parts.issue(TRADING)

    before_end(teller, key, 2 * DAY_MS)

    assert leads_of(teller, key.account_id) == [3 * DAY_MS]


def test_a_term_that_ended_meanwhile_is_told_as_ended_and_not_warned_of(teller: Teller) -> None:
    key = teller.parts.issue(TRADING)

    teller.at(key.issued_at_ms + MONTH_MS + DAY_MS)

    assert teller.kinds(key.account_id) == [Kind.KEY_ISSUED, Kind.TERM_ENDED]


@pytest.mark.parametrize("is_by_mark", [True, False])
def test_a_term_of_a_revoked_key_ends_without_a_word(teller: Teller, *, is_by_mark: bool) -> None:
    """It is on record all the same, and nobody is asked to tick what cannot be ticked."""
    parts = teller.parts
    key, other = parts.issue(TRADING), parts.issue(TRADING)
    if is_by_mark:
        its = Selection(account_id=key.account_id)
        parts.revocations.commit(its, parts.revocations.preview(its).stamp, ACTOR)
    else:
        parts.keys.revoke(key.key_id, ACTOR)

    teller.at(key.issued_at_ms + MONTH_MS)

    revoked = Kind.KEYS_REVOKED if is_by_mark else Kind.KEY_REVOKED
    assert teller.kinds(key.account_id) == [Kind.KEY_ISSUED, revoked]
    assert teller.kinds(other.account_id) == [Kind.KEY_ISSUED, Kind.TERM_ENDED]
    swept = [event.change.key_id for event in parts.events() if event.change.tag == "grant:swept"]
    assert sorted(map(str, swept)) == sorted([key.key_id, other.key_id])


@pytest.mark.parametrize("act", ["renew", "lift", "untick", "revoke", "mark"])
def test_a_warning_that_would_not_hold_is_not_written(teller: Teller, act: str) -> None:
    parts = teller.parts
    key = parts.issue(TRADING)
    parts.clock.advance(DAY_MS)
    match act:
        case "renew":
            parts.edit(key, Wanted(permissions={TRADING: "renew"}))
        case "lift":
            parts.edit(key, Wanted(ip_allowlist=(HOME,)))
        case "untick":
            parts.edit(key, Wanted(permissions={TRADING: False}))
        case "mark":
            house = Selection()
            parts.revocations.commit(house, parts.revocations.preview(house).stamp, ACTOR)
        case _:
            parts.keys.revoke(key.key_id, ACTOR)

    before_end(teller, key, 7 * DAY_MS)
    assert leads_of(teller, key.account_id) == []

    teller.at(parts.clock.now + DAY_MS)
    expected = [7 * DAY_MS] if act == "renew" else []
    assert leads_of(teller, key.account_id) == expected


def test_a_permission_ticked_again_is_warned_of_again(teller: Teller) -> None:
    parts = teller.parts
    key = parts.issue(TRADING)
    before_end(teller, key, DAY_MS)
    parts.edit(key, Wanted(permissions={TRADING: "renew"}))

    teller.at(parts.clock.now + MONTH_MS - DAY_MS)

    assert leads_of(teller, key.account_id) == [DAY_MS, DAY_MS]


def test_a_rule_says_how_long_before(teller: Teller) -> None:
    rulebook = teller.parts.rules.rulebook()
    later = a_rule("later", since="2021-12-02 00:00")
    teller.parts.rules.adopt(type(rulebook)((later,)))
    teller.parts.clock.advance(2 * DAY_MS)
    key = teller.parts.issue(TRADING)

    before_end(teller, key, HOUR_MS)

    assert leads_of(teller, key.account_id) == [], "this one names no lead times"


def test_more_than_a_batch_is_told_in_one_tick(
    teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "BATCH", 3)
    accounts = [teller.parts.account() for _ in range(10)]
    keys = [teller.parts.issue(TRADING, account=account) for account in accounts]

    before_end(teller, keys[-1], 7 * DAY_MS)

    assert all(leads_of(teller, account.account_id) == [7 * DAY_MS] for account in accounts)
    assert len(teller.mail.sent) == 20, "issued, and the warning, to each"


def test_ticks_at_once_write_each_warning_and_delivery_once(
    shared: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "BATCH", 4)
    keys = [shared.issue(TRADING) for _ in range(9)]
    shared.clock.advance(MONTH_MS - 7 * DAY_MS)

    together([Notify(shared.store, shared.clock).tick for _ in range(4)])
    shared.clock.advance(7 * DAY_MS)
    together(
        [
            *(Sweep(shared.store, shared.clock).tick for _ in range(3)),
            *(Notify(shared.store, shared.clock).tick for _ in range(3)),
        ]
    )

    teller = Teller(shared)
    teller.tick()
    for key in keys:
        kinds = teller.kinds(key.account_id)
        assert kinds == [Kind.KEY_ISSUED, SOON, Kind.TERM_ENDED]
    ids = [outgoing.message_id for outgoing in teller.mail.sent]
    # The warnings were not sent before the terms ended, and would be a lie by now.
    assert len(ids) == len(set(ids)) == 18


def test_work_that_is_done_again_from_the_start_writes_nothing_twice(teller: Teller) -> None:
    """The positions are a matter of speed; that things happen once is not."""
    key = teller.parts.issue(TRADING)
    before_end(teller, key, DAY_MS)
    before = teller.told(key.account_id)
    position = partial(notices.set_position, name=f"warning:{DAY_MS}", reached=(0, "", ""))
    teller.parts.store.write(position)

    teller.tick()

    assert teller.told(key.account_id) == before


def a_sub(teller: Teller) -> tuple[Account, Account]:
    master = teller.parts.account(AccountKind.MASTER)
    return master, teller.parts.account(AccountKind.SUB, master.account_id)


def test_an_unread_warning_climbs_to_the_master_after_a_quarter_of_its_lead_time(
    teller: Teller,
) -> None:
    master, sub = a_sub(teller)
    key = teller.parts.issue(TRADING, account=sub)
    before_end(teller, key, DAY_MS)
    written_ms = teller.parts.clock.now

    teller.at(written_ms + 6 * HOUR_MS - 1)
    assert teller.kinds(master.account_id) == []
    teller.at(written_ms + 6 * HOUR_MS)
    teller.tick()

    ((_, climbed, _),) = teller.told(master.account_id)
    assert (climbed.kind, climbed.key_id, climbed.lead_ms) == (SOON, key.key_id, DAY_MS)
    assert climbed.facts["sub_account_id"] == sub.account_id
    assert teller.mail.sent[-1].contact.account_id == master.account_id


@pytest.mark.parametrize("why", ["read", "renewed", "normal"])
def test_a_warning_that_was_read_or_no_longer_holds_does_not_climb(
    teller: Teller, why: str
) -> None:
    master, sub = a_sub(teller)
    account = teller.parts.account() if why == "normal" else sub
    key = teller.parts.issue(TRADING, account=account)
    before_end(teller, key, DAY_MS)
    (*_, warned) = teller.told(account.account_id)
    if why == "read":
        teller.notices.read(account.account_id, warned.notice.notice_id)
    elif why == "renewed":
        teller.parts.edit(key, Wanted(permissions={TRADING: "renew"}))

    teller.at(teller.parts.clock.now + 7 * HOUR_MS)

    assert teller.kinds(master.account_id) == []


def test_what_concerns_a_tree_or_everybody_is_delivered_to_each(
    teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "BATCH", 2)
    master, sub = a_sub(teller)
    others = [teller.parts.account() for _ in range(4)]
    teller.contacts.add(
        others[0].account_id,
        Channel.WEBHOOK,
        Wish(address="https://example.com/", muted=("rule_scheduled",)),
        ACTOR,
    )
    teller.parts.accounts.set_frozen(master.account_id, frozen=True, actor=ACTOR)
    rulebook = teller.parts.rules.rulebook()
    later = a_rule("later", since="2022-12-02 00:00")
    teller.parts.rules.adopt(type(rulebook)((later,)))
    teller.parts.accounts.set_frozen(sub.account_id, frozen=True, actor=ACTOR)

    teller.tick()

    told = [(sent.contact.account_id, sent.message.subject[:8]) for sent in teller.mail.sent]
    everybody = {master.account_id, sub.account_id, *(other.account_id for other in others)}
    assert {who for who, what in told if what == "New rule"} == everybody
    assert [who for who, what in told if what == "Your acc"].count(sub.account_id) == 2
    assert [who for who, what in told if what == "Your acc"].count(master.account_id) == 1
    assert len(told) == len(everybody) + 3 + 1, "and that a contact was added"
    assert teller.webhook.subjects == ["The contacts of your account were changed"]


def test_an_account_created_later_is_not_sent_an_older_announcement(teller: Teller) -> None:
    rulebook = teller.parts.rules.rulebook()
    later = a_rule("later", since="2022-12-02 00:00")
    teller.parts.rules.adopt(type(rulebook)((later,)))
    teller.parts.clock.advance(1)
    account = teller.parts.account()

    teller.tick()

    assert teller.kinds(account.account_id) == []
    assert teller.mail.sent == []
