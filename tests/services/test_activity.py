"""What happened, in its owner's words: every tag, who acted as far as he may know, as a file."""

import csv
import io
import json
from functools import partial

import pytest

from tenure.domain.activity import TAGS, Asked, Group
from tenure.domain.contacts import Channel
from tenure.domain.errors import NotFound
from tenure.domain.events import Change, Tag
from tenure.domain.marks import Selection
from tenure.domain.model import Account, AccountId, AccountKind, KeyId
from tenure.domain.people import PersonId
from tenure.domain.rights import Owner
from tenure.services import activity, languages
from tenure.services.activity import Activity, Entry, Form, Page
from tenure.services.contacts import Wish
from tenure.services.keys import Wanted
from tenure.store import journal
from tests.builders import HOME, MONTH_MS, TRADING
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

ENGLISH = languages.language("en", "UTC")


@pytest.fixture
def activities(teller: Teller) -> Activity:
    """Return what shows owners their journal."""
    return Activity(teller.parts.store, teller.rendering)


def owner(account: Account) -> Owner:
    return Owner(account_id=account.account_id, person_id=PersonId("psn_1"))


def shown(activities: Activity, account: Account, **more: object) -> tuple[Entry, ...]:
    """Return what the account's owner sees of it, in English."""
    asked = Asked(account_id=account.account_id, **more)  # type: ignore[arg-type]  # by name
    return activities.page(asked, owner(account), ENGLISH).entries


def test_a_keys_life_is_told_the_last_first(activities: Activity, parts: Parts) -> None:
    account = parts.account()
    key = parts.issue(TRADING, account=account)
    parts.edit(key, Wanted(ip_allowlist=(HOME,)))
    parts.quarantine.place(key.key_id, ACTOR, cause="was seen in a paste")
    parts.keys.revoke(key.key_id, ACTOR)

    entries = shown(activities, account)

    assert [entry.title for entry in entries] == [
        "API key “my bot” was revoked",
        "API key “my bot” was put into quarantine",
        "A permission of API key “my bot” no longer ends",
        "API key “my bot” was issued",
        f"The account {account.email} was created",
    ]
    assert "Cause: was seen in a paste" in entries[1].details[0]
    assert entries[2].details == ("“Enable Spot & Margin Trading” no longer ends.",)
    assert {entry.who for entry in entries} == {"The platform"}
    assert [entry.label for entry in entries] == [*["my bot"] * 4, None]


def test_a_key_is_called_as_it_was_then(activities: Activity, parts: Parts) -> None:
    account = parts.account()
    key = parts.issue(account=account)
    parts.edit(key, Wanted(label="renamed"))

    labels = [entry.label for entry in shown(activities, account, key_id=key.key_id)]

    assert labels == ["renamed", "my bot"]


def test_an_end_that_was_recorded_is_told_with_its_key_and_its_rule(
    activities: Activity, teller: Teller
) -> None:
    account = teller.parts.account()
    teller.parts.issue(TRADING, account=account)
    teller.parts.clock.advance(MONTH_MS)
    teller.parts.sweep.tick()

    (entry,) = shown(activities, account, group=Group.ENDS)

    assert entry.title == "“Enable Spot & Margin Trading” on API key “my bot” has ended"
    assert "It stays off until you tick it again yourself." in entry.details[0]
    assert "Without trusted IPs" in entry.details[1]
    assert entry.who == "Tenure, by itself"


def test_keys_revoked_at_once_are_in_the_journal_of_each_of_them(
    activities: Activity, parts: Parts
) -> None:
    account = parts.account()
    key = parts.issue(account=account)
    house = Selection()
    parts.revocations.commit(house, parts.revocations.preview(house).stamp, ACTOR)

    (first, *_) = shown(activities, account, key_id=key.key_id)

    assert (first.tag, first.title) == (Tag.KEYS_REVOKED, "API keys were revoked in bulk")


def test_whoever_acted_is_named_as_far_as_the_reader_may_know(
    activities: Activity, parts: Parts
) -> None:
    master = parts.account(AccountKind.MASTER)
    sub = parts.account(AccountKind.SUB, master.account_id)
    masters_key, subs_key = parts.issue(account=master), parts.issue(account=sub)
    by_master_key = Owner(account_id=master.account_id, key_id=masters_key.key_id)
    by_sub_key = Owner(account_id=sub.account_id, key_id=subs_key.key_id)
    by_sub = Owner(account_id=sub.account_id, person_id=PersonId("psn_9"))
    for by in (by_master_key, by_sub_key, by_sub):
        parts.edit(subs_key, Wanted(label=f"renamed by {by.key_id or by.person_id}"))
        stamp = None
        parts.keys.edit(subs_key.key_id, Wanted(label=str(by.actor[-9:])), stamp, by.actor)

    asked = partial(Asked, account_id=sub.account_id, key_id=subs_key.key_id)
    to_sub = activities.page(asked(), owner(sub), ENGLISH).entries[:6:2]
    to_master = activities.page(asked(), owner(master), ENGLISH).entries[:6:2]

    assert [entry.who for entry in to_sub] == [
        sub.email,
        f"{sub.email}, by API key “{by_sub.actor[-9:]}”",
        "The master account",
    ]
    assert [entry.who for entry in to_master] == [
        sub.email,
        f"{sub.email}, by API key “{by_sub.actor[-9:]}”",
        f"{master.email}, by API key “my bot”",
    ]
    assert masters_key.key_id not in str(to_sub)
    assert master.email not in str([entry.who for entry in to_sub])


@pytest.mark.parametrize("tag", sorted(tag for tags in TAGS.values() for tag in tags))
def test_every_tag_has_words_in_every_language(
    activities: Activity, parts: Parts, tag: Tag
) -> None:
    """Also where the event's body holds nothing of what the words would say."""
    account = parts.account()
    before = parts.journal.head()
    change = Change(
        tag=tag,
        actor=f"operator:{ACTOR}",
        happened_at_ms=parts.clock.now,
        body={"mark": {"mark_id": "mark_1"}} if tag is Tag.KEYS_REVOKED else {},
        account_id=account.account_id,
        key_id=KeyId("key_1") if tag.startswith(("key:", "grant:")) else None,
    )
    parts.store.write(partial(journal.append, change=change, now_ms=parts.clock.now))

    asked = Asked(account_id=account.account_id)
    pages = [
        activities.page(asked, owner(account), languages.language(language, "Asia/Tokyo"))
        for language in ("en", "es", "ja", "zh-CN", "fr")
    ]

    # A mark that revoked nothing of the account's is nothing to it.
    if tag is not Tag.KEYS_REVOKED:
        for page in pages:
            (entry,) = (entry for entry in page.entries if entry.seq == before + 1)
            assert entry.title
            assert entry.actor == "operator"


def test_pages_follow_on_until_the_beginning(activities: Activity, parts: Parts) -> None:
    account = parts.account()
    key = parts.issue(account=account)
    for number in range(6):
        parts.edit(key, Wanted(label=f"renamed {number}"))
    asked, reader = Asked(account_id=account.account_id), owner(account)
    pages: list[Page] = []
    before: int | None = None
    while not pages or before is not None:
        pages.append(activities.page(asked, reader, ENGLISH, before=before, most=4))
        before = pages[-1].next_before

    assert [len(page.entries) for page in pages] == [4, 4]
    seqs = [entry.seq for page in pages for entry in page.entries]
    assert seqs == sorted(seqs, reverse=True)


def test_a_file_has_all_of_it_page_after_page(
    activities: Activity, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "_EXPORT_PAGE", 2)
    account = parts.account()
    key = parts.issue(TRADING, account=account)
    for number in range(4):
        parts.edit(key, Wanted(label=f"renamed {number}"))
    asked = Asked(account_id=account.account_id)
    entries = shown(activities, account)

    lines = b"".join(activities.export(asked, owner(account), ENGLISH, Form.LINES)).splitlines()
    rows = b"".join(activities.export(asked, owner(account), ENGLISH, Form.CSV)).decode()

    read = [json.loads(line) for line in lines]
    assert [member["seq"] for member in read] == [entry.seq for entry in entries]
    assert read[0]["what"] == "API key “renamed 3” was edited"
    assert read[0]["body"]["key"]["label"] == "renamed 3"
    first, *rest = csv.DictReader(io.StringIO(rows))
    assert first["what"] == read[0]["what"]
    assert first["happened_at"] == "2021-12-01T10:00:00.000Z"
    assert len(rest) == len(entries) - 1


def test_a_file_is_no_longer_than_it_may_be(
    activities: Activity, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "_EXPORT_PAGE", 2)
    monkeypatch.setattr(activity, "EXPORTED_MAX", 4)
    account = parts.account()
    for _ in range(5):
        parts.issue(account=account)

    asked = Asked(account_id=account.account_id)
    lines = list(activities.export(asked, owner(account), ENGLISH, Form.LINES))

    assert len(lines) == 4


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_label_is_no_formula_in_a_spreadsheet(
    activities: Activity, parts: Parts, label: str
) -> None:
    account = parts.account()
    key = parts.issue(account=account)
    parts.edit(key, Wanted(label=label))
    asked = Asked(account_id=account.account_id, key_id=key.key_id)

    written = b"".join(activities.export(asked, owner(account), ENGLISH, Form.CSV)).decode()

    (edited, _) = csv.DictReader(io.StringIO(written))
    assert edited["key"] == f"'{label}"


def test_a_sub_accounts_file_does_not_name_its_masters_key(
    activities: Activity, parts: Parts
) -> None:
    master = parts.account(AccountKind.MASTER)
    sub = parts.account(AccountKind.SUB, master.account_id)
    key = parts.issue(account=master)
    actor = Owner(account_id=master.account_id, key_id=key.key_id).actor
    parts.accounts.set_frozen(sub.account_id, frozen=True, actor=actor)

    asked = Asked(account_id=sub.account_id)
    for form in Form:
        written = b"".join(activities.export(asked, owner(sub), ENGLISH, form)).decode()
        assert key.key_id not in written
        assert "master" in written


def test_nothing_is_told_of_an_account_nobody_knows(activities: Activity) -> None:
    reader = Owner(account_id=AccountId("acct_1"))
    with pytest.raises(NotFound):
        activities.page(Asked(account_id="acct_nobody"), reader, ENGLISH)
    with pytest.raises(NotFound):
        activities.export(Asked(account_id="acct_nobody"), reader, ENGLISH, Form.CSV)


def test_what_surrounds_the_keys_is_told_too(activities: Activity, teller: Teller) -> None:
    account = teller.parts.account()
    wish = Wish(address="desk@example.com")
    teller.contacts.add(account.account_id, Channel.EMAIL, wish, ACTOR)
    teller.leads.choose(account.account_id, [86_400_000], ACTOR)
    teller.calendars.renew(account.account_id, ACTOR)

    titles = [entry.title for entry in shown(activities, account, group=Group.TELLING)]

    assert titles == [
        "The calendar link was renewed",
        "The lead times of warnings were changed",
        "The contact desk@example.com was added",
    ]
