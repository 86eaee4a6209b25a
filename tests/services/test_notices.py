"""What an account reads of its notices; never another's."""

import pytest

from tenure.domain.errors import NotFound
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
