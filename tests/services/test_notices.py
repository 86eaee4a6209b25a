"""What an account reads of its notices; never another's."""

from functools import partial

import pytest

from tenure.domain.errors import NotFound
from tenure.services.keys import Wanted
from tests.services.telling import Teller


def test_reading_a_notice_is_noted_once_and_is_no_event(teller: Teller) -> None:
    key = teller.parts.issue()
    (listed,) = teller.told(key.account_id, unread=True)
    head = teller.parts.journal.head()

    read = teller.notices.read(key.account_id, listed.notice.notice_id)
    teller.parts.clock.advance(1_000)
    again = teller.notices.read(key.account_id, listed.notice.notice_id)

    assert read.read_at_ms == again.read_at_ms == teller.parts.clock.now - 1_000
    assert teller.told(key.account_id, unread=True) == []
    assert teller.parts.journal.head() == head


def test_another_accounts_notice_is_as_good_as_none(teller: Teller) -> None:
    key, other = teller.parts.issue(), teller.parts.account()
    name = teller.told(key.account_id)[0].notice.notice_id

    for account_id in (other.account_id, "acct_nobody"):
        with pytest.raises(NotFound):
            teller.notices.read(account_id, name)
        with pytest.raises(NotFound):
            teller.notices.deliveries(account_id, name)
    with pytest.raises(NotFound):
        teller.notices.of_account("acct_nobody")


def test_an_unexpected_end_tells_what_became_of_each_message(teller: Teller) -> None:
    key = teller.parts.issue()
    name = teller.told(key.account_id)[0].notice.notice_id
    assert teller.notices.deliveries(key.account_id, name) == []

    teller.tick()

    (delivery,) = teller.notices.deliveries(key.account_id, name)
    assert delivery.delivered_at_ms == teller.parts.clock.wall


def test_an_inbox_shows_the_last_first_and_counts_what_is_unread(teller: Teller) -> None:
    key = teller.parts.issue()
    account_id = key.account_id
    for number in range(3):
        teller.parts.edit(key, Wanted(label=f"renamed {number}"))
    numbers = [listed.number for listed in teller.told(account_id)][::-1]

    first = teller.notices.latest(account_id, most=3)
    rest = teller.notices.latest(account_id, before=first[-1].number, most=3)

    assert [listed.number for listed in first + rest] == numbers
    assert teller.notices.unread(account_id) == len(numbers) == 4


def test_all_that_was_shown_is_read_and_what_came_meanwhile_is_not(teller: Teller) -> None:
    key = teller.parts.issue()
    shown = teller.notices.latest(key.account_id, most=9)
    teller.parts.edit(key, Wanted(label="renamed"))

    assert teller.notices.read_all(key.account_id, shown[0].number) == 1

    (left,) = teller.notices.latest(key.account_id, most=9, unread=True)
    assert left.number > shown[0].number
    assert teller.notices.unread(key.account_id) == 1
    for act in (
        partial(teller.notices.latest, most=1),
        teller.notices.unread,
        partial(teller.notices.read_all, upto=1),
    ):
        with pytest.raises(NotFound):
            act("acct_nobody")
