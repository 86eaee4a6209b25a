"""Refused requests as pages: the reason in words, the address, and the way to mend it."""

import pytest

from tenure.domain import allowlist
from tenure.domain.decide import REFUSALS, LoadedKey, Reason, Refused
from tenure.domain.model import ApiKey
from tenure.faces.console import refusals
from tenure.services import languages
from tests.builders import FUTURES, HOME, TRADING, an_address, load
from tests.faces.console.visiting import Browser, Visited, words

ELSE = "198.51.100.20"


def refuse(
    visited: Visited, key: ApiKey, permission: str = TRADING, address: str = ELSE, **more: str
) -> None:
    """Send a signed request that is refused, and write down what was noted."""
    query = visited.house.signed_query(key) + more.get("spoil", "")
    at = allowlist.parse_address(address)
    assert at is not None
    visited.house.worker.decider.decide_raw(key.api_key, query.encode(), b"", at, permission)
    visited.house.worker.refusals.flush()


def test_the_owner_reads_why_from_where_and_what_to_do(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, ips=(HOME,), label="trader")
    refuse(visited, key)
    refuse(visited, key)
    owner = visited.owner(account)

    for path in ("/console/refusals", f"/console/keys/{key.key_id}/refusals"):
        page = owner.get(path)
        said = words(page)
        assert "The address is not in the key\u2019s list · Enable Spot & Margin Trading" in said
        assert f"From address {ELSE} Times 2 Last 1 Dec 2021, 10:00" in said
        assert "If not, somebody has the secret: revoke the key." in said
        assert "Sender not proved" not in said
        assert f'href="/console/keys/{key.key_id}/edit?add={ELSE}"' in page.body.decode()


def test_the_link_leads_to_the_edit_with_the_address_filled_in(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, ips=(HOME,))
    refuse(visited, key, address="2001:db8::7")
    owner = visited.owner(account)
    link = owner.get("/console/refusals").body.decode().partition("/edit?add=")[2].partition('"')[0]

    form = owner.get(f"/console/keys/{key.key_id}/edit?add={link}").body.decode()

    assert f">{HOME}\n2001:db8::7</textarea>" in form


def test_what_was_not_proved_is_marked_as_anybodys(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    refuse(visited, key, spoil="0")

    page = words(visited.owner(account).get(f"/console/keys/{key.key_id}/refusals"))

    assert "The signature did not match Sender not proved" in page
    assert "nothing was let in" in page
    assert "Add this address" not in page


def test_an_end_that_refused_is_dated_and_leads_to_its_rule(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    visited.house.move("2022-01-02T10:00:00Z")
    refuse(visited, key)

    page = visited.owner(account).get("/console/refusals")

    assert "Ended 31 Dec 2021, 10:00 · rule 2021-07-09" in words(page)
    assert 'href="/console/announcements/2021-07-09"' in page.body.decode()
    assert f'href="/console/keys/{key.key_id}/edit"' in page.body.decode()


def test_a_revoked_key_offers_nothing_to_mend(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, ips=(HOME,))
    refuse(visited, key)
    visited.house.worker.keys.revoke(key.key_id, "test")
    refuse(visited, key)

    page = visited.owner(account).get(f"/console/keys/{key.key_id}/refusals")

    assert "The key was revoked" in words(page)
    assert "/edit" not in page.body.decode()


def test_an_account_sees_the_last_rows_of_each_key_and_the_way_to_all(
    visited: Visited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "SHOWN_PER_KEY", 2)
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, ips=(HOME,), label="first")
    for number in range(3):
        refuse(visited, key, address=f"198.51.100.{number}")
    owner = visited.owner(account)

    page = owner.get("/console/refusals")

    assert page.body.decode().count("<li>\n    <div") == 2
    assert "See all 3" in words(page)
    whole = owner.get(f"/console/keys/{key.key_id}/refusals")
    assert all(f"198.51.100.{number}" in words(whole) for number in range(3))


def test_where_nothing_was_refused_the_page_says_what_will_stand_there(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    owner = visited.owner(account)

    for path in ("/console/refusals", f"/console/keys/{key.key_id}/refusals"):
        assert "No request was refused" in words(owner.get(path))


def test_a_master_sees_what_was_refused_to_its_sub_account(visited: Visited) -> None:
    ids = visited.tree()
    key = visited.house.issue(ids["sub"], label="the sub's")
    refuse(visited, key, FUTURES)

    page = words(visited.owner(ids["master"]).get(f"/console/accounts/{ids['sub']}/refusals"))

    assert "The permission is not ticked · Enable Futures" in page


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_and_advice_in_every_language(
    visited: Visited, reason: Reason
) -> None:
    """Also where the row is one that sums up, or says since when."""
    for tag in languages.TEXTS.values():
        texts = languages.language(tag.replace("_", "-"), "UTC").texts
        assert texts[f"refusals.{reason}.title"]
        assert texts[f"refusals.{reason}.do"]
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    loaded: LoadedKey = load(key)
    has_since = REFUSALS[reason].is_told and reason.split("_")[0] in {"key", "account"}
    refused = Refused(reason, TRADING, at_ms=1 if has_since else None)
    noted = visited.house.worker.refusals._turned_away  # noqa: SLF001 - what the decider notes in
    for number in range(60):
        noted.note(refused, loaded, TRADING, an_address(f"198.51.100.{number}"), 1_638_352_800_000)
    visited.house.worker.refusals.flush()

    browser: Browser = visited.owner(account)
    page = words(browser.get(f"/console/keys/{key.key_id}/refusals"))

    assert languages.language("en", "UTC").texts[f"refusals.{reason}.title"] in page
    assert "Other addresses" in page
