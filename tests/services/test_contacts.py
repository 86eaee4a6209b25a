"""Contacts: each change one event, a webhook's secret sealed and shown once."""

import base64

import pytest

from tenure.domain.contacts import Channel
from tenure.domain.errors import Conflict, Invalid, NotFound, Unavailable
from tenure.domain.model import Account
from tenure.domain.notices import Kind
from tenure.services import contacts
from tenure.services.contacts import Added, Contacts, Wish
from tenure.store import contacts as stored
from tests.builders import DAY_MS
from tests.services.parts import ACTOR
from tests.services.telling import Teller

HOOK = "https://example.com/S3CRET-PATH"


def add(teller: Teller, account: Account, **wish: object) -> Added:
    wanted = Wish(**({"address": "desk@example.com"} | wish))  # type: ignore[arg-type]  # by name
    channel = Channel.WEBHOOK if wanted.address == HOOK else Channel.EMAIL
    return teller.contacts.add(account.account_id, channel, wanted, ACTOR)


def test_an_account_begins_with_its_own_email(teller: Teller) -> None:
    account = teller.parts.account()

    (contact,) = teller.contacts.of_account(account.account_id)

    assert (contact.channel, contact.address) == (Channel.EMAIL, account.email)
    assert contact.confirmed_at_ms == account.created_at_ms


def test_each_change_is_one_event_and_no_change_none(teller: Teller) -> None:
    account = teller.parts.account()
    head = teller.parts.journal.head()
    contact = add(teller, account).contact

    def change(**wish: object) -> None:
        wanted = Wish(**wish)  # type: ignore[arg-type]  # by name
        teller.contacts.change(account.account_id, contact.contact_id, wanted, ACTOR)

    change(language="ja", time_zone="Asia/Tokyo", muted=("key_edited",))
    change(language="ja", time_zone="Asia/Tokyo", muted=("key_edited",))
    change()
    teller.contacts.remove(account.account_id, contact.contact_id, ACTOR)

    events = teller.parts.events(head)
    assert [str(event.change.tag) for event in events] == [
        *("contact:added", "contact:changed", "contact:removed")
    ]
    assert {event.change.account_id for event in events} == {account.account_id}
    body = events[1].change.body["contact"]
    assert isinstance(body, dict)
    assert (body["language"], body["muted"]) == ("ja", ["key_edited"])


def test_what_is_named_as_nothing_is_the_houses(teller: Teller) -> None:
    account = teller.parts.account()
    contact = add(teller, account).contact
    for zone, tag in (("Asia/Tokyo", "ja"), ("", "")):
        wish = Wish(language=tag, time_zone=zone)
        now = teller.contacts.change(account.account_id, contact.contact_id, wish, ACTOR)
        assert (now.language, now.time_zone) == (tag or None, zone or None)


def test_a_webhooks_secret_is_random_sealed_and_in_no_event(teller: Teller) -> None:
    account = teller.parts.account()
    first, second = add(teller, account, address=HOOK), add(teller, account, address=HOOK)
    assert first.secret is not None
    assert second.secret is not None
    text = first.secret.reveal()

    assert text != second.secret.reveal()
    assert text.startswith("whsec_")
    assert len(base64.b64decode(text.removeprefix("whsec_"))) == 32
    recorded = str([event.change for event in teller.parts.events()])
    assert text not in recorded
    assert "S3CRET-PATH" not in recorded
    assert "S3CRET-PATH" not in str(teller.told(account.account_id))
    assert text not in repr(first)
    raw = teller.parts.store.read(lambda tx: stored.secrets(tx, first.contact.contact_id))
    assert raw.sealed is not None
    assert text.encode() not in raw.sealed


def test_an_email_has_no_secret(teller: Teller) -> None:
    account = teller.parts.account()
    added = add(teller, account)

    assert added.secret is None
    with pytest.raises(Invalid):
        teller.contacts.rotate(account.account_id, added.contact.contact_id, ACTOR)


def test_a_rotated_webhook_signs_with_both_for_a_day(teller: Teller) -> None:
    account = teller.parts.account()
    added = add(teller, account, address=HOOK)
    rotated = teller.contacts.rotate(account.account_id, added.contact.contact_id, ACTOR)

    def secrets(after_ms: int) -> tuple[object, ...]:
        at_ms = teller.parts.clock.wall + after_ms
        return teller.parts.store.read(
            lambda tx: contacts.secrets_of(
                teller.parts.sealing_key, tx, added.contact.contact_id, at_ms
            )
        )

    assert secrets(DAY_MS - 1) == (rotated.secret, added.secret)
    assert secrets(DAY_MS) == (rotated.secret,)


def test_without_the_sealing_key_no_webhook_is_added_and_none_is_opened(teller: Teller) -> None:
    account = teller.parts.account()
    added = add(teller, account, address=HOOK)
    parts = teller.parts
    teller.contacts = Contacts(parts.store, parts.clock, None, parts.follower.catch_up)

    with pytest.raises(Unavailable) as raised:
        add(teller, account, address=HOOK)

    assert raised.value.code == "sealed"
    assert (
        parts.store.read(lambda tx: contacts.secrets_of(None, tx, added.contact.contact_id, 0))
        == ()
    )


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"address": None}, "address"),
        ({"address": "nobody"}, "address"),
        ({"language": "klingon!"}, "language"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"muted": ("term_ended",)}, "muted"),
        ({"muted": ("nothing",)}, "muted"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field_and_changes_nothing(
    teller: Teller, wish: dict[str, object], field: str
) -> None:
    account = teller.parts.account()
    head = teller.parts.journal.head()

    with pytest.raises(Invalid) as raised:
        add(teller, account, **wish)

    assert raised.value.field == field
    assert teller.parts.journal.head() == head


def test_a_url_is_checked_by_whoever_sends_to_it(teller: Teller) -> None:
    def check(url: str) -> None:
        raise Invalid("address", f"{url} is inside the house")

    parts = teller.parts
    account = parts.account()
    teller.contacts = Contacts(
        parts.store, parts.clock, parts.sealing_key, parts.follower.catch_up, check
    )

    add(teller, account)
    with pytest.raises(Invalid, match="inside the house"):
        add(teller, account, address=HOOK)


def test_an_account_has_a_limited_number_of_contacts(teller: Teller) -> None:
    account = teller.parts.account()
    for _ in range(contacts.CONTACTS_MAX - 1):
        add(teller, account)

    with pytest.raises(Conflict) as raised:
        add(teller, account)
    assert raised.value.code == "limit"


def test_nothing_is_sent_to_a_contact_before_it_is_confirmed(teller: Teller) -> None:
    account = teller.parts.account()
    contact = add(teller, account, confirmed=False).contact
    teller.tick()
    assert {sent.contact.contact_id for sent in teller.mail.sent}.isdisjoint({contact.contact_id})

    wish = Wish(confirmed=True)
    confirmed = teller.contacts.change(account.account_id, contact.contact_id, wish, ACTOR)
    teller.tick()

    assert confirmed.confirmed_at_ms == teller.parts.clock.now
    assert teller.mail.sent[-1].contact.contact_id in {
        each.contact_id for each in teller.contacts.of_account(account.account_id)
    }
    assert contact.contact_id in {sent.contact.contact_id for sent in teller.mail.sent}


def test_a_muted_kind_is_on_record_and_not_sent(teller: Teller) -> None:
    account = teller.parts.account()
    (first,) = teller.contacts.of_account(account.account_id)
    wish = Wish(muted=("key_issued",))
    teller.contacts.change(account.account_id, first.contact_id, wish, ACTOR)
    teller.parts.issue(account=account)

    teller.tick()

    assert Kind.KEY_ISSUED in teller.kinds(account.account_id)
    assert teller.mail.subjects == ["The contacts of your account were changed"]


def test_another_accounts_contact_is_as_good_as_none(teller: Teller) -> None:
    account, other = teller.parts.account(), teller.parts.account()
    (contact,) = teller.contacts.of_account(other.account_id)

    for act in (teller.contacts.remove, teller.contacts.rotate):
        with pytest.raises(NotFound):
            act(account.account_id, contact.contact_id, ACTOR)
    with pytest.raises(NotFound):
        teller.contacts.change(account.account_id, contact.contact_id, Wish(), ACTOR)
    with pytest.raises(NotFound):
        teller.contacts.of_account("acct_nobody")
    with pytest.raises(NotFound):
        teller.contacts.add("acct_nobody", Channel.EMAIL, Wish(address="a@b.c"), ACTOR)


def test_a_check_names_every_field_that_is_wrong_and_changes_nothing(teller: Teller) -> None:
    wrong = Wish(address="nobody", language="!!", time_zone="Mars/Olympus", muted=("key_revoked",))
    before = teller.parts.journal.head()

    with pytest.raises(Invalid) as raised:
        teller.contacts.check(Channel.EMAIL, wrong)

    assert [problem.field for problem in raised.value.problems] == [
        *("address", "language", "time_zone"),
        "muted",
    ]
    teller.contacts.check(Channel.EMAIL, Wish(address="desk@example.com"))
    assert teller.parts.journal.head() == before


def test_one_contact_is_found_by_its_own_account_alone(teller: Teller) -> None:
    account, other = teller.parts.account(), teller.parts.account()
    (first,) = teller.contacts.of_account(account.account_id)

    assert teller.contacts.get(account.account_id, first.contact_id) == first
    with pytest.raises(NotFound):
        teller.contacts.get(other.account_id, first.contact_id)
