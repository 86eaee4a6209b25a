"""The shape of a contact: which addresses, languages and kinds to mute make sense."""

import pytest

from tenure.domain import contacts
from tenure.domain.contacts import Channel, Contact
from tenure.domain.errors import Invalid
from tenure.domain.notices import Kind


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (Channel.EMAIL, "a@example.com"),
        (Channel.EMAIL, "a+b@例え.jp"),
        (Channel.WEBHOOK, "https://example.com/hook?x=1"),
        (Channel.WEBHOOK, "https://example.com:8443/"),
    ],
)
def test_an_address_that_makes_sense_is_kept_as_it_is(channel: Channel, address: str) -> None:
    assert contacts.address_of(channel, address) == address


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        *(
            (Channel.EMAIL, text)
            for text in ("", "a", "a@", "@b", "a@b@c", "a b@c.de", "a@b.c\r\nBcc: x", "a@b")
        ),
        (Channel.EMAIL, "a@" + "b" * 300),
        *(
            (Channel.WEBHOOK, text)
            for text in (
                *("", "http://example.com/", "https://", "https:///x", "ftp://example.com"),
                *("https://u@example.com/", "https://:p@example.com/", "https://example.com/#f"),
                *(
                    "https://example.com:x/",
                    "https://example.com:0/",
                    "https://[::1",
                    "https://e x/",
                ),
                "https://example.com/" + "a" * 3_000,
                "https://example.com/\x00",
            )
        ),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(channel: Channel, address: str) -> None:
    with pytest.raises(Invalid) as raised:
        contacts.address_of(channel, address)
    assert raised.value.field == "address"


@pytest.mark.parametrize("tag", ["en", "zh-CN", "zh-Hans-CN", "es-419", "haw"])
def test_a_language_is_a_tag(tag: str) -> None:
    assert contacts.language_of(tag) == tag


@pytest.mark.parametrize("tag", ["", "e", "english", "en_US", "en-", "en-USA1", "../en", "en\n"])
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(Invalid) as raised:
        contacts.language_of(tag)
    assert raised.value.field == "language"


def test_kinds_to_mute_are_kept_once_and_in_order() -> None:
    muted = contacts.muted_of(["term_lifted", "key_edited", "term_lifted"])
    assert muted == (Kind.KEY_EDITED, Kind.TERM_LIFTED)


@pytest.mark.parametrize("name", ["term_ended", "key_revoked", "everything", ""])
def test_what_is_urgent_or_unknown_cannot_be_muted(name: str) -> None:
    with pytest.raises(Invalid) as raised:
        contacts.muted_of([name])
    assert raised.value.field == "muted"


def test_the_path_of_a_webhook_never_gets_into_the_journal() -> None:
    """Whoever knows it may be able to post there."""
    contact = Contact(
        contact_id="ctc_1",
        account_id="acct_1",
        channel=Channel.WEBHOOK,
        address="https://example.com/S3CRET?key=S3CRET",
        added_at_ms=1,
    )

    assert "S3CRET" not in str(contacts.contact_state(contact))
    assert contacts.contact_state(contact)["address"] == "example.com"


def test_the_first_contact_of_an_account_has_always_the_same_id() -> None:
    assert contacts.first_contact_id("acct_abc") == "ctc_abc"
