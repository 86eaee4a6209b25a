"""Contacts on each database."""

from dataclasses import replace

import pytest

from tenure.domain.contacts import Channel, Contact
from tenure.domain.errors import NotFound
from tenure.domain.notices import Kind
from tenure.store import accounts, contacts
from tenure.store.contacts import SealedSecrets
from tenure.store.db import Store
from tests.builders import an_account

OWNER = an_account(number=1)
HOOK = Contact(
    contact_id="ctc_hook",
    account_id=OWNER.account_id,
    channel=Channel.WEBHOOK,
    address="https://example.com/",
    added_at_ms=OWNER.created_at_ms + 1,
    language="zh-CN",
    time_zone="Asia/Tokyo",
    muted=(Kind.KEY_EDITED, Kind.TERM_LIFTED),
    confirmed_at_ms=OWNER.created_at_ms + 2,
)
SECRETS = SealedSecrets(sealed=b"\x01new", sealed_old=b"\x01old", old_until_ms=9)


def fill(store: Store) -> None:
    store.write(lambda tx: accounts.add(tx, OWNER))
    store.write(lambda tx: contacts.add_first(tx, OWNER))
    store.write(lambda tx: contacts.add(tx, HOOK, SECRETS))


def test_a_contact_reads_back_as_it_was_written(store: Store) -> None:
    fill(store)

    assert store.read(lambda tx: contacts.get(tx, OWNER.account_id, "ctc_hook")) == HOOK
    assert store.read(lambda tx: contacts.secrets(tx, "ctc_hook")) == SECRETS
    assert store.read(lambda tx: contacts.account_of(tx, "ctc_hook")) == OWNER.account_id


def test_an_account_begins_with_its_own_email(store: Store) -> None:
    fill(store)

    first, _ = store.read(lambda tx: contacts.of_account(tx, OWNER.account_id))

    assert (first.channel, first.address) == (Channel.EMAIL, OWNER.email)
    assert first.confirmed_at_ms == OWNER.created_at_ms
    assert store.read(lambda tx: contacts.secrets(tx, first.contact_id)) == SealedSecrets()


def test_what_is_saved_is_what_may_change(store: Store) -> None:
    fill(store)
    changed = replace(HOOK, address="https://example.org/", language=None, muted=())

    store.write(lambda tx: contacts.save(tx, changed))

    assert store.read(lambda tx: contacts.get(tx, OWNER.account_id, "ctc_hook")) == changed
    assert store.read(lambda tx: contacts.secrets(tx, "ctc_hook")) == SECRETS


def test_a_removed_contact_is_not_found_and_not_counted(store: Store) -> None:
    fill(store)
    store.write(lambda tx: contacts.save(tx, replace(HOOK, removed_at_ms=5)))

    assert store.read(lambda tx: contacts.count(tx, OWNER.account_id)) == 1
    assert len(store.read(lambda tx: contacts.of_account(tx, OWNER.account_id))) == 1
    with pytest.raises(NotFound):
        store.read(lambda tx: contacts.get(tx, OWNER.account_id, "ctc_hook"))


def test_another_accounts_contact_is_not_found(store: Store) -> None:
    fill(store)

    with pytest.raises(NotFound):
        store.read(lambda tx: contacts.get(tx, "acct_2", "ctc_hook"))
