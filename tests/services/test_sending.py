"""Sending: marked afterwards, tried again with growing waits, given up on record."""

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from tenure.domain.contacts import Channel
from tenure.domain.errors import Unavailable
from tenure.domain.model import Account, Secret
from tenure.services import sending
from tenure.services.channels import Outgoing
from tenure.services.contacts import Wish
from tenure.services.keys import Wanted
from tenure.services.outbound.outcome import Failed, Outcome, Sent
from tenure.services.sending import RETRY_AFTER_S, Sending
from tenure.store.deliveries import Delivery
from tests.builders import DAY_MS, HOME, MONTH_MS, TRADING
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Recorder, Teller

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

AGAIN = Failed(reason="no answer")
NEVER = Failed(reason="no such mailbox", is_permanent=True)


def answering(*outcomes: Outcome) -> Callable[[Outgoing], Outcome]:
    """Answer with each of *outcomes* once, with the last from then on."""
    left = list(outcomes)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def freeze(teller: Teller, account: Account, *, frozen: bool = True) -> None:
    """Give the account something to be told."""
    teller.parts.accounts.set_frozen(account.account_id, frozen=frozen, actor=ACTOR)
    teller.notify.tick()


def deliveries(teller: Teller, account: Account) -> list[Delivery]:
    """Return what became of all that an account was told, in order."""
    return [
        delivery
        for listed in teller.told(account.account_id)
        for delivery in teller.notices.deliveries(account.account_id, listed.notice.notice_id)
    ]


def add_webhook(teller: Teller, account: Account) -> Secret:
    wish = Wish(address="https://example.com/", muted=())
    added = teller.contacts.add(account.account_id, Channel.WEBHOOK, wish, ACTOR)
    assert added.secret is not None
    return added.secret


def test_what_was_sent_is_marked_and_not_sent_again(teller: Teller) -> None:
    account = teller.parts.account()
    freeze(teller, account)

    assert [teller.sending.tick(), teller.sending.tick()] == [1, 0]

    (delivery,) = deliveries(teller, account)
    assert (delivery.attempts, delivery.delivered_at_ms) == (1, teller.parts.clock.wall)
    assert delivery.next_attempt_at_ms is None
    assert [sent.contact.address for sent in teller.mail.sent] == [account.email]


def test_each_failure_waits_longer_and_after_the_last_it_is_given_up(teller: Teller) -> None:
    account = teller.parts.account()
    freeze(teller, account)
    teller.mail.answer = answering(AGAIN)

    for attempt, wait_s in enumerate(RETRY_AFTER_S, start=1):
        teller.sending.tick()
        (delivery,) = deliveries(teller, account)
        assert delivery.next_attempt_at_ms == teller.parts.clock.wall + wait_s * 1000
        assert (delivery.attempts, delivery.last_error) == (attempt, "no answer")
        teller.parts.clock.advance(wait_s * 1000 - 1)
        assert teller.sending.tick() == 0
        teller.parts.clock.advance(1)
    teller.sending.tick()

    (delivery,) = deliveries(teller, account)
    assert delivery.attempts == len(RETRY_AFTER_S) + 1
    assert (delivery.given_up_at_ms, delivery.next_attempt_at_ms) == (
        teller.parts.clock.wall,
        None,
    )
    assert len({sent.message_id for sent in teller.mail.sent}) == 1
    assert len({sent.message for sent in teller.mail.sent}) == 1, "the same to the byte"


def test_the_waits_grow_and_end_before_everything_is_given_up() -> None:
    assert list(RETRY_AFTER_S) == sorted(RETRY_AFTER_S)
    assert sum(RETRY_AFTER_S) * 1000 < sending.GIVE_UP_AFTER_MS


@pytest.mark.parametrize(
    ("attempt", "asked_s", "wait_ms"),
    [(1, None, 5_000), (1, 60, 60_000), (4, 60, 600_000), (1, 10**9, DAY_MS), (11, None, None)],
)
def test_a_receiver_gets_the_time_it_asks_for_and_a_day_at_most(
    attempt: int, asked_s: int | None, wait_ms: int | None
) -> None:
    assert sending.wait_after_ms(attempt, asked_s) == wait_ms


def test_after_standing_still_for_long_everything_is_tried_once(teller: Teller) -> None:
    account = teller.parts.account()
    freeze(teller, account)
    freeze(teller, account, frozen=False)
    teller.mail.answer = answering(Sent(), AGAIN)
    teller.parts.clock.advance(2 * sending.GIVE_UP_AFTER_MS)

    teller.sending.tick()

    frozen, unfrozen = deliveries(teller, account)
    assert (frozen.delivered_at_ms, frozen.given_up_at_ms) == (teller.parts.clock.wall, None)
    assert (unfrozen.attempts, unfrozen.given_up_at_ms) == (1, teller.parts.clock.wall)


def test_what_will_never_be_taken_is_given_up_at_once(teller: Teller) -> None:
    account = teller.parts.account()
    freeze(teller, account)
    teller.mail.answer = answering(NEVER)

    teller.sending.tick()

    (delivery,) = deliveries(teller, account)
    assert (delivery.last_error, delivery.attempts) == ("no such mailbox", 1)
    assert delivery.given_up_at_ms == teller.parts.clock.wall


def test_while_a_contact_fails_nothing_else_is_tried_there_and_others_get_theirs(
    teller: Teller,
) -> None:
    dead, alive = teller.parts.account(), teller.parts.account()
    for frozen in (True, False):
        freeze(teller, dead, frozen=frozen)
        freeze(teller, alive, frozen=frozen)
    teller.mail.answer = lambda sent: Sent() if sent.contact.address == alive.email else AGAIN

    teller.sending.tick()

    asked = [sent.contact.address for sent in teller.mail.sent]
    assert (asked.count(dead.email), asked.count(alive.email)) == (1, 2)
    first, second = deliveries(teller, dead)
    assert (first.attempts, second.attempts) == (1, 0)
    assert first.next_attempt_at_ms == second.next_attempt_at_ms

    teller.mail.answer = answering(Sent())
    teller.parts.clock.advance(5_000)
    teller.sending.tick()
    assert teller.mail.subjects[-2:] == [
        "Your account was frozen",
        "Your account is no longer frozen",
    ]


def test_each_contact_is_told_in_order(teller: Teller) -> None:
    account = teller.parts.account()
    for number in range(2 * sending.BATCH):
        freeze(teller, account, frozen=number % 2 == 0)

    assert teller.sending.tick() == 2 * sending.BATCH

    assert [subject.endswith("was frozen") for subject in teller.mail.subjects] == [
        number % 2 == 0 for number in range(2 * sending.BATCH)
    ]


@pytest.mark.parametrize("act", ["renew", "lift", "revoke", "end"])
def test_a_warning_that_no_longer_holds_is_not_sent(teller: Teller, act: str) -> None:
    parts = teller.parts
    key = parts.issue(TRADING)
    teller.tick()
    parts.clock.advance(MONTH_MS - DAY_MS)
    teller.notify.tick()
    match act:
        case "renew":
            parts.edit(key, Wanted(permissions={TRADING: "renew"}))
        case "lift":
            parts.edit(key, Wanted(ip_allowlist=(HOME,)))
        case "revoke":
            parts.keys.revoke(key.key_id, ACTOR)
        case _:
            parts.clock.advance(DAY_MS)
    del teller.mail.sent[:]

    teller.sending.tick()

    assert teller.mail.sent == []
    warned = teller.told(key.account_id)[1].notice
    (delivery,) = teller.notices.deliveries(key.account_id, warned.notice_id)
    assert delivery.last_error == "the warning no longer holds"
    assert delivery.given_up_at_ms is not None


def test_nothing_is_sent_to_a_contact_that_was_removed(teller: Teller) -> None:
    account = teller.parts.account()
    freeze(teller, account)
    (contact,) = teller.contacts.of_account(account.account_id)
    teller.contacts.remove(account.account_id, contact.contact_id, ACTOR)

    teller.sending.tick()

    assert teller.mail.sent == []
    assert deliveries(teller, account)[0].last_error == "the contact was removed"


def test_a_sender_that_dies_before_it_marks_is_made_good_by_the_next(teller: Teller) -> None:
    account = teller.parts.account()
    freeze(teller, account)

    class Killed(BaseException):
        """The process is gone."""

    def die(_: Outgoing) -> Outcome:
        raise Killed

    teller.mail.answer = die
    with pytest.raises(Killed):
        teller.sending.tick()
    teller.mail.answer = answering(Sent())
    teller.sending = teller.sender()
    assert teller.sending.tick() == 0, "it may still be at it"
    teller.parts.clock.advance(sending.CLAIMED_FOR_MS)
    teller.sending.tick()

    first, second = teller.mail.sent
    assert (first.message_id, first.message) == (second.message_id, second.message)
    assert deliveries(teller, account)[0].delivered_at_ms is not None


def test_a_bug_of_a_channel_is_on_record_and_stops_nobody_else(teller: Teller) -> None:
    unlucky, other = teller.parts.account(), teller.parts.account()
    freeze(teller, unlucky)
    freeze(teller, other)

    def answer(sent: Outgoing) -> Outcome:
        if sent.contact.address == unlucky.email:
            raise KeyError("S3CRET")
        return Sent()

    teller.mail.answer = answer
    teller.sending.tick()

    assert deliveries(teller, other)[0].delivered_at_ms is not None
    (delivery,) = deliveries(teller, unlucky)
    assert delivery.last_error == "something went wrong here: KeyError"
    assert delivery.next_attempt_at_ms is not None


def test_no_store_transaction_is_open_while_something_is_sent(shared: Parts) -> None:
    teller = Teller(shared)
    account = shared.account()
    freeze(teller, account)
    inside: list[str] = []

    def answer(_: Outgoing) -> Outcome:
        inside.append(shared.store.engine.pool.status())
        shared.account()  # A write that would have to wait for it.
        return Sent()

    teller.mail.answer = answer
    teller.sending.tick()

    assert len(inside) == 1
    assert "Current Checked out connections: 0" in inside[0]


def test_a_channel_that_is_not_set_up_keeps_its_deliveries_until_they_are_too_old(
    teller: Teller,
) -> None:
    account = teller.parts.account()
    freeze(teller, account)
    store, clock = teller.parts.store, teller.parts.clock
    without = Sending(store, clock, teller.rendering, {}, lambda *_: ())
    assert without.tick() == 0

    clock.advance(sending.GIVE_UP_AFTER_MS)
    without.tick()
    assert deliveries(teller, account)[0].given_up_at_ms is None
    clock.advance(sending.CLEAN_EVERY_MS)
    without.tick()

    assert deliveries(teller, account)[0].last_error == "it could not be sent in time"


def test_a_webhook_is_signed_with_its_secret_and_for_a_day_with_the_former_one_too(
    teller: Teller,
) -> None:
    account = teller.parts.account()
    former = add_webhook(teller, account)
    teller.tick()
    held = teller.contacts.of_account(account.account_id)
    (hook,) = (contact for contact in held if contact.channel is Channel.WEBHOOK)
    secret = teller.contacts.rotate(account.account_id, hook.contact_id, ACTOR).secret
    teller.tick()
    teller.parts.clock.advance(DAY_MS)
    freeze(teller, account)
    teller.tick()

    assert [sent.secrets for sent in teller.webhook.sent] == [
        (former,),
        (secret, former),
        (secret,),
    ]
    assert [sent.sent_at_s for sent in teller.webhook.sent[-1:]] == [
        teller.parts.clock.wall // 1000
    ]
    assert all(sent.secrets == () for sent in teller.mail.sent)


def test_a_webhook_whose_secret_is_sealed_waits_for_the_sealing_key(teller: Teller) -> None:
    account = teller.parts.account()
    add_webhook(teller, account)
    teller.parts.sealing_key = None

    teller.notify.tick()
    teller.sender().tick()

    assert teller.webhook.sent == []
    hooks = [each for each in deliveries(teller, account) if each.channel == "webhook"]
    assert hooks[0].last_error == "its signing secret is sealed: the sealing key is missing"
    assert hooks[0].next_attempt_at_ms is not None


def test_attempts_are_counted(teller: Teller) -> None:
    def counted(outcome: str) -> float:
        labels = {"channel": "email", "outcome": outcome}
        return REGISTRY.get_sample_value("tenure_deliveries_total", labels) or 0.0

    before = counted("sent"), counted("failed")
    teller.mail.answer = answering(AGAIN, Sent())
    freeze(teller, teller.parts.account())
    teller.sending.tick()
    teller.parts.clock.advance(5_000)
    teller.sending.tick()

    assert (counted("sent"), counted("failed")) == (before[0] + 1, before[1] + 1)


def test_several_contacts_are_sent_to_at_once(shared: Parts) -> None:
    """By threads, none of which touches the store."""
    teller = Teller(shared)
    accounts = [shared.account() for _ in range(6)]
    for account in accounts:
        freeze(teller, account)
    mail = Recorder()
    several = Sending(
        shared.store, shared.clock, teller.rendering, {Channel.EMAIL: mail}, lambda *_: ()
    )

    several.tick()

    assert {sent.contact.address for sent in mail.sent} == {account.email for account in accounts}
    for account in accounts:
        assert deliveries(teller, account)[0].delivered_at_ms is not None


def test_a_store_that_is_gone_is_told_to_whoever_ticks(
    teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> object:
        raise Unavailable("store")

    monkeypatch.setattr(teller.parts.store, "read", gone)
    with pytest.raises(Unavailable):
        teller.sending.tick()
