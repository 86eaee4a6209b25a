"""A notice in words: complete for every kind, safe as HTML, the same each time it is rendered."""

import json
from dataclasses import replace

import pytest

from tenure.domain import notices
from tenure.domain.contacts import Channel, Contact
from tenure.domain.events import Tag
from tenure.domain.notices import Audience, Kind, Notice
from tenure.services.rendering import House, Message, Rendering
from tests.builders import DAY_MS, MONTH_MS, TRADING, ms, the_catalog, the_rulebook

AT_MS = ms("2021-12-01 10:05")
HOUSE = House(public_url="https://example.com/api-keys")
CONTACT = Contact(
    contact_id="ctc_1",
    account_id="acct_1",
    channel=Channel.EMAIL,
    address="a@example.com",
    added_at_ms=1,
)
TERM = {
    "permission": TRADING,
    "starts_at_ms": AT_MS,
    "ends_at_ms": AT_MS + MONTH_MS,
    "rule_id": "2021-07-09",
}
RULE = {
    "id": "later",
    "title": "90 days",
    "effective_from_ms": AT_MS,
    "permissions": [TRADING, "gold"],
    "unrestricted": 90 * DAY_MS,
    "restricted": "unlimited",
}


SEEN = {"address": "203.0.113.7", "contact": {"address": "a@example.com"}, "change": "added"}
HELD = {"factor": "passkey", "hold_until_ms": AT_MS}


def a_notice(kind: Kind, **more: object) -> Notice:
    facts = {"label": "my bot", "key_type": "hmac", "is_restricted": False, **TERM}
    fields: dict[str, object] = {
        "notice_id": "ntc_1",
        "kind": kind,
        "account_id": "acct_1",
        "happened_at_ms": AT_MS,
        "facts": facts | {"rule": RULE, "cause": "a leak", "source": "GitHub"} | SEEN | HELD,
        "key_id": "key_1",
        "lead_ms": 7 * DAY_MS if kind is Kind.TERM_ENDS_SOON else None,
    }
    return Notice(**(fields | more))  # type: ignore[arg-type]  # by name


def rendered(notice: Notice, contact: Contact = CONTACT, house: House = HOUSE) -> Message:
    return Rendering(the_catalog(), house).message(notice, contact, the_rulebook())


@pytest.mark.parametrize("language", ["en", "es", "ja", "zh-CN", "fr"])
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_told_whole_in_every_language(kind: Kind, language: str) -> None:
    message = rendered(a_notice(kind), replace(CONTACT, language=language))

    for said in (message.subject, message.text, message.html):
        assert said
        assert "{" not in said.partition("style=")[0]
        assert "?" not in said, "a fact that is there is told"
    assert "\n" not in message.subject
    assert message.subject in message.text
    assert "ntc_1" in message.text


@pytest.mark.parametrize("kind", list(Kind))
def test_a_notice_whose_event_held_nothing_is_told_all_the_same(kind: Kind) -> None:
    message = rendered(a_notice(kind, facts={}, key_id=None))

    assert message.subject
    assert json.loads(message.body)["data"]["facts"] == {}


def test_the_advice_stands_where_any_address_may_use_the_key() -> None:
    """RULES S9."""
    message = rendered(a_notice(Kind.KEY_ISSUED))
    restricted = rendered(a_notice(Kind.KEY_ISSUED, facts={"is_restricted": True}))
    unknown = rendered(a_notice(Kind.ACCOUNT_FROZEN, facts={}))

    for words in ("IP addresses you trust", "to nobody", "third-party platform"):
        assert words in message.text
        assert words in message.html
        assert words not in restricted.text + unknown.text


def test_the_rule_and_what_an_edit_did_are_told() -> None:
    consequences = [
        {"kind": "term_starts", "rule_id": "2021-07-09", **TERM},
        {"kind": "lost", "permission": "withdrawals", "rule_id": "2021-07-09-withdrawals"},
        {"kind": "term_shortened", **TERM, "ended_at_ms": AT_MS + 2 * MONTH_MS},
        *({"kind": kind, "permission": TRADING} for kind in ("granted", "removed", "stays_off")),
        {"kind": "term_lifted", "permission": TRADING},
        "not a consequence",
    ]
    text = rendered(a_notice(Kind.TERM_STARTED, facts={"consequences": consequences})).text

    assert (
        "- “Enable Spot & Margin Trading” is on until December 31, 2021, 10:05:00 AM UTC, "
        "then unticked." in text
    )
    assert "- “Enable Withdrawals” was switched off" in text
    assert (
        "By the rule 2021-07-09: Without trusted IPs, Spot & Margin Trading lasts 30 days" in text
    )
    assert text.count("By the rule") == 2


def test_an_announcement_tells_from_when_for_what_and_how_long() -> None:
    message = rendered(
        a_notice(Kind.RULE_SCHEDULED, account_id=None, audience=Audience.EVERYBODY, key_id=None)
    )

    assert message.subject == (
        "New rule for API keys from December 1, 2021, 10:05:00 AM UTC: 90 days"
    )
    assert "“Enable Spot & Margin Trading”, “gold”" in message.text
    assert "without trusted IP addresses: permissions last 90 days" in message.text
    assert "with trusted IP addresses: permissions do not end" in message.text
    assert "https://example.com/api-keys/keys\n" in message.text


def test_a_language_without_texts_is_told_so_first() -> None:
    message = rendered(a_notice(Kind.KEY_ISSUED), replace(CONTACT, language="fr"))
    line = "There is no text in your language (French, français) yet, so this is in English."

    assert line in message.text
    assert '<html lang="en">' in message.html


def test_a_contact_without_a_language_is_told_in_the_houses() -> None:
    house = House(language="ja", time_zone="Asia/Tokyo")
    message = rendered(a_notice(Kind.TERM_ENDED), house=house)

    assert message.subject == "APIキー「my bot」の「現物・マージン取引を有効化」は終了しました"
    assert "JST" in message.text
    assert "http" not in message.text


def test_a_warning_that_climbed_says_whose_it_was() -> None:
    facts = {"label": "my bot", **TERM, "sub_account_id": "acct_sub"}
    assert "your sub-account acct_sub" in rendered(a_notice(Kind.TERM_ENDS_SOON, facts=facts)).text


@pytest.mark.parametrize(
    ("change", "said"), [("added", "was added"), ("changed", "changed"), ("removed", "was removed")]
)
def test_a_changed_contact_is_told_by_what_changed(change: str, said: str) -> None:
    facts = {"change": change, "contact": {"address": "example.com"}}
    text = rendered(a_notice(Kind.CONTACTS_CHANGED, facts=facts, key_id=None)).text
    assert f"the contact example.com {said}" in text.replace("was changed", "changed")


SIGN_IN_TAGS = [tag for tag in notices.TAGS if notices.kind_of(tag) is Kind.SIGN_IN_CHANGED]


@pytest.mark.parametrize("tag", SIGN_IN_TAGS)
def test_each_change_of_how_one_signs_in_has_words_of_its_own(tag: Tag) -> None:
    change = str(tag).partition(":")[2]
    told = rendered(a_notice(Kind.SIGN_IN_CHANGED, facts=HELD | {"change": change}, key_id=None))
    other = rendered(a_notice(Kind.SIGN_IN_CHANGED, facts=HELD, key_id=None))
    assert told.text != other.text
    assert "https://example.com/api-keys/security" in told.text


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"factor": "totp"}, "an authenticator app"),
        ({"factor": "passkey", "label": "my phone"}, "the passkey “my phone”"),
        ({"factor": "moonlight"}, "?"),
    ],
)
def test_a_second_factor_is_named(facts: dict[str, object], said: str) -> None:
    notice = a_notice(Kind.SIGN_IN_CHANGED, facts=facts | {"change": "factor_added"}, key_id=None)
    assert f"second factor was added to your sign-in: {said}." in rendered(notice).text


@pytest.mark.parametrize(
    ("kind", "fact", "values"),
    [
        (Kind.SIGN_IN_LOCKED, "factor", ("password", "totp")),
        (Kind.RECOVERY_ENDED, "outcome", ("completed", "cancelled")),
    ],
)
def test_a_kind_in_parts_says_which(kind: Kind, fact: str, values: tuple[str, str]) -> None:
    first, second = (rendered(a_notice(kind, facts={fact: value}, key_id=None)) for value in values)
    assert first.text != second.text


def test_what_others_typed_is_never_markup() -> None:
    facts = {"label": "<b>&\"'", "cause": "<script>alert(1)</script>"}
    message = rendered(a_notice(Kind.KEY_QUARANTINED, facts=facts))

    assert "<script" not in message.html
    assert "<b>" not in message.html
    assert "<b>&\"'" in message.text


def test_a_label_cannot_break_the_subject_into_lines() -> None:
    facts = {"label": "a\r\nBcc: everybody@example.com"}
    assert rendered(a_notice(Kind.KEY_ISSUED, facts=facts)).subject == (
        "API key “a Bcc: everybody@example.com” was issued"
    )


def test_braces_in_a_label_are_a_label() -> None:
    facts = {"label": "{at} {0} {__class__}"}
    assert "{at} {0} {__class__}" in rendered(a_notice(Kind.KEY_ISSUED, facts=facts)).subject


def test_the_same_notice_renders_the_same_every_time() -> None:
    assert rendered(a_notice(Kind.TERM_ENDED)) == rendered(a_notice(Kind.TERM_ENDED))


def test_a_webhook_gets_the_facts_the_words_and_the_link() -> None:
    message = rendered(a_notice(Kind.TERM_ENDS_SOON, facts=TERM))

    body = json.loads(message.body)
    text = body["data"].pop("text")
    assert text == message.text
    assert body == {
        "type": "notice.term_ends_soon",
        "timestamp": "2021-12-01T10:05:00.000Z",
        "data": {
            "notice_id": "ntc_1",
            "kind": "term_ends_soon",
            "urgency": "normal",
            "happened_at_ms": AT_MS,
            "key_id": "key_1",
            "seq": None,
            "lead_ms": 7 * DAY_MS,
            "facts": TERM,
            "account_id": "acct_1",
            "subject": message.subject,
            "url": "https://example.com/api-keys/keys/key_1",
        },
    }
