"""Calendar feeds: the ends of running terms, at an address that nobody can guess."""

import datetime

import icalendar
import pytest

from tenure.domain.errors import NotFound
from tenure.domain.model import AccountKind, ApiKey
from tenure.services.contacts import Wish
from tenure.services.keys import Wanted
from tests.builders import DAY_MS, FUTURES, HOME, MONTH_MS, TRADING
from tests.services.parts import ACTOR
from tests.services.telling import Teller


def entries(feed: bytes) -> list[icalendar.Event]:
    return icalendar.Calendar.from_ical(feed).walk("VEVENT")  # type: ignore[return-value]  # by name


def end_ms(entry: icalendar.Event) -> int:
    start = entry.decoded("dtstart")
    assert isinstance(start, datetime.datetime)
    assert start.utcoffset() == datetime.timedelta(0)
    return round(start.timestamp() * 1000)


def of(teller: Teller, key: ApiKey) -> list[icalendar.Event]:
    return entries(teller.calendars.of_account(key.account_id))


def test_each_running_term_is_an_entry_at_its_end(teller: Teller) -> None:
    key = teller.parts.issue(TRADING, FUTURES)

    (entry,) = of(teller, key)

    assert end_ms(entry) == key.issued_at_ms + MONTH_MS
    assert str(entry["summary"]) == "“Enable Spot & Margin Trading” on API key “my bot” ends"
    assert str(entry["url"]) == f"https://example.com/api-keys/keys/{key.key_id}"
    assert "2021-12-31" in str(entry["description"]) or "December 31, 2021" in str(
        entry["description"]
    )


def test_a_renewed_term_moves_and_does_not_stand_there_twice(teller: Teller) -> None:
    key = teller.parts.issue(TRADING)
    (before,) = of(teller, key)
    teller.parts.clock.advance(DAY_MS)
    teller.parts.edit(key, Wanted(permissions={TRADING: "renew"}))

    (after,) = of(teller, key)

    assert after["uid"] == before["uid"]
    assert end_ms(after) == end_ms(before) + DAY_MS


@pytest.mark.parametrize("act", ["lift", "revoke", "end"])
def test_a_term_that_does_not_run_is_no_entry(teller: Teller, act: str) -> None:
    key = teller.parts.issue(TRADING)
    match act:
        case "lift":
            teller.parts.edit(key, Wanted(ip_allowlist=(HOME,)))
        case "revoke":
            teller.parts.keys.revoke(key.key_id, ACTOR)
        case _:
            teller.parts.clock.advance(MONTH_MS)

    assert of(teller, key) == []


def test_a_master_sees_its_sub_accounts_ends(teller: Teller) -> None:
    master = teller.parts.account(AccountKind.MASTER)
    sub = teller.parts.account(AccountKind.SUB, master.account_id)
    teller.parts.issue(TRADING, account=sub)

    assert len(entries(teller.calendars.of_account(master.account_id))) == 1


def test_the_feed_speaks_the_language_of_the_first_contact(teller: Teller) -> None:
    key = teller.parts.issue(TRADING)
    (contact,) = teller.contacts.of_account(key.account_id)
    wish = Wish(language="ja", time_zone="Asia/Tokyo")
    teller.contacts.change(key.account_id, contact.contact_id, wish, ACTOR)

    (entry,) = of(teller, key)

    assert str(entry["summary"]) == "APIキー「my bot」の「現物・マージン取引を有効化」が終了"


def test_the_secret_address_shows_the_same_and_ends_when_it_is_renewed(teller: Teller) -> None:
    key = teller.parts.issue(TRADING)
    first = teller.calendars.renew(key.account_id, ACTOR).reveal()
    assert teller.calendars.of_secret(first) == teller.calendars.of_account(key.account_id)

    second = teller.calendars.renew(key.account_id, ACTOR).reveal()

    assert teller.calendars.of_secret(second) == teller.calendars.of_account(key.account_id)
    for gone in (first, "", "x" * 43, "\ud800"):
        with pytest.raises(NotFound):
            teller.calendars.of_secret(gone)
    assert len(first) == 43


def test_the_secret_is_in_no_event_and_not_in_the_store(teller: Teller) -> None:
    account = teller.parts.account()
    head = teller.parts.journal.head()
    secret = teller.calendars.renew(account.account_id, ACTOR)

    (event,) = teller.parts.events(head)
    assert (str(event.change.tag), event.change.body) == ("calendar:renewed", {})
    with teller.parts.store.engine.connect() as connection:
        dump = "\n".join(
            str(row)
            for row in connection.exec_driver_sql("SELECT account_id, secret_hash FROM calendars")
        )
    assert secret.reveal() not in dump
    assert account.account_id in dump


def test_nobody_has_no_calendar(teller: Teller) -> None:
    with pytest.raises(NotFound):
        teller.calendars.of_account("acct_nobody")
    with pytest.raises(NotFound):
        teller.calendars.renew("acct_nobody", ACTOR)
