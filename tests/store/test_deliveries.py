"""Deliveries on each database: one for each who wants it, claimed by one sender at a time."""

from dataclasses import replace

import pytest

from tenure.domain.contacts import Channel, Contact
from tenure.domain.model import Account, AccountKind
from tenure.domain.notices import Audience, Kind, Notice
from tenure.store import accounts, contacts, deliveries, notices
from tenure.store.contacts import SealedSecrets
from tenure.store.db import Store, Transaction
from tenure.store.deliveries import Delivery, Due
from tests.builders import an_account
from tests.together import together

NORMAL = an_account(number=1)
MASTER = an_account(number=2, kind=AccountKind.MASTER)
SUB = an_account(number=3, kind=AccountKind.SUB, master=2)
NOW_MS = NORMAL.created_at_ms + 1_000
MINUTE_MS = 60_000


def a_notice(
    number: int, account: Account | None = NORMAL, audience: Audience = Audience.ACCOUNT
) -> Notice:
    return Notice(
        notice_id=f"ntc_{number:04}",
        kind=Kind.KEY_EDITED,
        account_id=account.account_id if account else None,
        happened_at_ms=NOW_MS,
        facts={},
        audience=audience,
    )


def a_contact(name: str, **more: object) -> Contact:
    fields: dict[str, object] = {
        "contact_id": name,
        "account_id": NORMAL.account_id,
        "channel": Channel.WEBHOOK,
        "address": "https://example.com/",
        "added_at_ms": NOW_MS,
        "confirmed_at_ms": NOW_MS,
    }
    return Contact(**(fields | more))  # type: ignore[arg-type]  # by name


def fill(store: Store, *more: Contact) -> None:
    def fill(tx: Transaction) -> None:
        for account in (NORMAL, MASTER, SUB):
            accounts.add(tx, account)
            contacts.add_first(tx, account)
        for contact in more:
            contacts.add(tx, contact, SealedSecrets())

    store.write(fill)


def tell(store: Store, *told: Notice) -> None:
    """Write notices and make the deliveries of those to one account."""

    def write(tx: Transaction) -> None:
        after = notices.head(tx)
        notices.write_missing(tx, told, NOW_MS)
        deliveries.make_of_accounts(tx, after=after, upto=notices.head(tx), now_ms=NOW_MS)

    store.write(write)


def of(store: Store, number: int, account: Account = NORMAL) -> list[Delivery]:
    return store.read(lambda tx: deliveries.of_notice(tx, account, f"ntc_{number:04}"))


def claim(store: Store, now_ms: int = NOW_MS, most: int = 100, channel: str = "email") -> list[Due]:
    return store.write(
        lambda tx: deliveries.claim(
            tx, channel, now_ms=now_ms, until_ms=now_ms + MINUTE_MS, most=most
        )
    )


def test_each_contact_that_wants_a_notice_gets_one_delivery(store: Store) -> None:
    fill(
        store,
        a_contact("ctc_wants"),
        a_contact("ctc_mutes", muted=(Kind.KEY_EDITED,)),
        a_contact("ctc_mutes_another", muted=(Kind.TERM_LIFTED,)),
        a_contact("ctc_unconfirmed", confirmed_at_ms=None),
        a_contact("ctc_removed", removed_at_ms=NOW_MS),
        a_contact("ctc_later", added_at_ms=NOW_MS + 1),
        a_contact("ctc_elsewhere", account_id=MASTER.account_id),
    )

    tell(store, a_notice(1))

    assert [(each.contact_id, each.channel, each.attempts) for each in of(store, 1)] == [
        ("ctc_1", "email", 0),
        ("ctc_mutes_another", "webhook", 0),
        ("ctc_wants", "webhook", 0),
    ]


def test_only_the_notices_named_are_made_into_deliveries(store: Store) -> None:
    fill(store)
    store.write(
        lambda tx: notices.write_missing(
            tx, [a_notice(1), a_notice(2), a_notice(3, None, Audience.EVERYBODY)], NOW_MS
        )
    )

    store.write(lambda tx: deliveries.make_of_accounts(tx, after=1, upto=3, now_ms=NOW_MS))

    assert (of(store, 1), len(of(store, 2)), of(store, 3)) == ([], 1, [])


def test_what_concerns_many_is_found_contact_by_contact(store: Store) -> None:
    fill(store)
    everybodys, trees = a_notice(1, None, Audience.EVERYBODY), a_notice(2, MASTER, Audience.TREE)

    def pages(notice: Notice) -> list[str]:
        found, last = [], ""
        while page := store.read(
            lambda tx, last=last: deliveries.audience(tx, notice, last, 1)  # type: ignore[misc]  # bound now
        ):
            found += page
            last = page[-1]
        return found

    assert pages(everybodys) == ["ctc_1", "ctc_2", "ctc_3"]
    assert pages(trees) == ["ctc_2", "ctc_3"]


def test_the_next_notice_to_many_is_found_between_those_to_one(store: Store) -> None:
    fill(store)
    tell(store, a_notice(1), a_notice(2, MASTER, Audience.TREE), a_notice(3))
    found = store.read(lambda tx: deliveries.next_broadcast(tx, 0))

    assert found is not None
    assert found[1].notice_id == "ntc_0002"
    assert store.read(lambda tx: deliveries.next_broadcast(tx, found[0])) is None
    store.write(lambda tx: deliveries.make_of_many(tx, found[0], ["ctc_2", "ctc_3"], NOW_MS))
    assert (len(of(store, 2, MASTER)), len(of(store, 2, SUB))) == (1, 1)


def test_what_is_due_is_claimed_in_the_order_of_the_notices(store: Store) -> None:
    fill(store)
    tell(store, *(a_notice(number) for number in range(1, 6)))

    dues = claim(store, most=3) + claim(store)

    assert [due.notice.notice_id for due in dues] == [f"ntc_{number:04}" for number in range(1, 6)]
    assert {(due.attempt, due.contact.address) for due in dues} == {(1, NORMAL.email)}
    assert claim(store) == []
    assert not store.read(lambda tx: deliveries.is_any_due(tx, "email", NOW_MS))


def test_a_claim_that_nobody_settles_runs_out(store: Store) -> None:
    fill(store)
    tell(store, a_notice(1))
    claim(store)

    assert claim(store, NOW_MS + MINUTE_MS - 1) == []
    (again,) = claim(store, NOW_MS + MINUTE_MS)
    assert again.attempt == 1, "nobody knows of another one"


def test_what_is_settled_stays_so_whatever_an_overtaken_sender_notes(store: Store) -> None:
    fill(store)
    tell(store, a_notice(1))
    (due,) = claim(store)
    store.write(lambda tx: deliveries.set_delivered(tx, due, NOW_MS + 1))
    settled = of(store, 1)

    for late in (
        lambda tx: deliveries.set_failed(tx, due, NOW_MS + 9, "late"),
        lambda tx: deliveries.put_off(tx, due, NOW_MS + 9),
        lambda tx: deliveries.set_given_up(tx, due, NOW_MS + 9, "late"),
        lambda tx: deliveries.set_dropped(tx, due, NOW_MS + 9, "late"),
    ):
        store.write(late)

    assert of(store, 1) == settled


def test_senders_at_once_claim_each_delivery_once(shared: Store) -> None:
    fill(shared)
    tell(shared, *(a_notice(number) for number in range(60)))

    claimed = together([lambda: claim(shared, most=20)] * 4)

    names = [due.notice.notice_id for dues in claimed for due in dues]
    assert len(names) == len(set(names)) == 60


@pytest.mark.parametrize("channel", ["webhook", "pigeon"])
def test_another_channel_has_nothing_due(store: Store, channel: str) -> None:
    fill(store)
    tell(store, a_notice(1))

    assert claim(store, channel=channel) == []


def test_what_became_of_a_delivery_is_on_record(store: Store) -> None:
    fill(store)
    tell(store, *(a_notice(number) for number in range(1, 6)))
    sent, failed, given_up, put_off, dropped = claim(store)

    def settle(tx: Transaction) -> None:
        deliveries.set_delivered(tx, sent, NOW_MS + 1)
        deliveries.set_failed(tx, failed, NOW_MS + 5_000, "no answer")
        deliveries.set_given_up(tx, given_up, NOW_MS + 2, "unwanted")
        deliveries.put_off(tx, put_off, NOW_MS + 3)
        deliveries.set_dropped(tx, dropped, NOW_MS + 4, "moot")

    store.write(settle)

    rows = [of(store, number)[0] for number in range(1, 6)]
    pending = Delivery("ctc_1", "email", 1, NOW_MS, None, None, None, None)
    assert rows == [
        pending._replace(delivered_at_ms=NOW_MS + 1),
        pending._replace(next_attempt_at_ms=NOW_MS + 5_000, last_error="no answer"),
        pending._replace(given_up_at_ms=NOW_MS + 2, last_error="unwanted"),
        pending._replace(next_attempt_at_ms=NOW_MS + 3, attempts=0),
        pending._replace(given_up_at_ms=NOW_MS + 4, last_error="moot", attempts=0),
    ]
    assert [due.notice.notice_id for due in claim(store, NOW_MS + 5_000)] == [
        "ntc_0004",
        "ntc_0002",
    ]


def test_a_contact_that_fails_is_left_alone_with_all_that_waits_for_it(store: Store) -> None:
    fill(store, a_contact("ctc_other", channel=Channel.EMAIL))
    tell(store, a_notice(1), a_notice(2))
    store.write(lambda tx: deliveries.put_off_contact(tx, "ctc_1", NOW_MS + 5_000))

    assert {due.contact.contact_id for due in claim(store)} == {"ctc_other"}
    assert {due.contact.contact_id for due in claim(store, NOW_MS + 5_000)} == {"ctc_1"}


@pytest.mark.parametrize(("channels", "given_up"), [(["email"], 1), ([], 2)])
def test_what_is_too_old_is_given_up_unless_it_was_never_attempted(
    store: Store, channels: list[str], given_up: int
) -> None:
    """Where nobody sends by its channel it never will be."""
    fill(store)
    tell(store, a_notice(1), a_notice(2), a_notice(3))
    delivered, failed = claim(store, most=2)
    store.write(lambda tx: deliveries.set_delivered(tx, delivered, NOW_MS))
    store.write(lambda tx: deliveries.set_failed(tx, failed, NOW_MS + 5, "no answer"))

    def give_up(before_ms: int) -> int:
        return store.write(
            lambda tx: deliveries.give_up_old(
                tx, before_ms, NOW_MS + 9, "too old", channels=channels
            )
        )

    assert [give_up(NOW_MS), give_up(NOW_MS + 1), give_up(NOW_MS + 1)] == [0, given_up, 0]
    assert [of(store, number)[0].given_up_at_ms is not None for number in (1, 2, 3)] == [
        False,
        True,
        given_up == 2,
    ]


def test_deliveries_to_another_account_are_not_shown(store: Store) -> None:
    fill(store)
    tell(store, replace(a_notice(1), account_id=SUB.account_id))

    assert (of(store, 1, MASTER), len(of(store, 1, SUB))) == ([], 1)
