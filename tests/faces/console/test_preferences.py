"""Settings as pages: language, zone, lead times, and the calendar link shown once."""

import re

import pytest

from tenure.services import languages
from tests.builders import DAY_MS, TRADING
from tests.faces.console.visiting import Browser, Visited, fields_of, words

PAGE = "/console/preferences"


def an_owner(visited: Visited) -> tuple[Browser, str]:
    account = visited.house.account()
    return visited.owner(account), account


def person(visited: Visited, owner: Browser) -> tuple[str | None, str | None]:
    assert owner.person is not None
    found = visited.people.find(owner.person.person_id)
    return found.language, found.time_zone


def test_language_and_zone_are_the_persons_and_his_mails(visited: Visited) -> None:
    owner, account = an_owner(visited)
    page = owner.get(PAGE)
    assert "Also for the notices sent to owner@example.com" in words(page)

    done = owner.post(PAGE, {"language": "ja", "time_zone": "Asia/Tokyo", "also": "yes"})

    assert (done.status, done.headers["location"]) == (303, f"{PAGE}?done=language&lang=ja")
    assert person(visited, owner) == ("ja", "Asia/Tokyo")
    (contact,) = visited.house.worker.telling.contacts.of_account(account)
    assert (contact.language, contact.time_zone) == ("ja", "Asia/Tokyo")
    after = words(owner.get(done.headers["location"]))
    assert "言語とタイムゾーンを保存しました。" in after


def test_a_language_that_was_chosen_in_this_browser_before_does_not_win(visited: Visited) -> None:
    owner, _ = an_owner(visited)
    owner.get("/console/keys?lang=es")
    assert "Ajustes" in words(owner.get(PAGE))

    done = owner.post(PAGE, {"language": "en", "time_zone": ""})
    owner.get(done.headers["location"])

    assert "Settings" in words(owner.get(PAGE))


def test_his_mail_is_left_alone_unless_he_says_so(visited: Visited) -> None:
    owner, account = an_owner(visited)

    owner.post(PAGE, {"language": "es", "time_zone": "Europe/Madrid"})

    (contact,) = visited.house.worker.telling.contacts.of_account(account)
    assert (contact.language, contact.time_zone) == (None, None)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"language": "fr", "time_zone": ""}, "language"),
        ({"language": "", "time_zone": ""}, "language"),
        ({"language": "en", "time_zone": "Mars/Olympus"}, "time_zone"),
        ({"language": "en", "time_zone": "../../etc/passwd"}, "time_zone"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_kept_as_typed(
    visited: Visited, fields: dict[str, str], wrong: str
) -> None:
    owner, _ = an_owner(visited)

    reply = owner.post(PAGE, fields)

    assert reply.status == 422
    assert f'id="{wrong}-error"' in reply.body.decode()
    if wrong == "time_zone":
        assert dict(fields_of(reply))["time_zone"] == fields["time_zone"]
    assert person(visited, owner) == (None, None)


def test_an_empty_zone_is_the_houses_own(visited: Visited) -> None:
    owner, _ = an_owner(visited)
    owner.post(PAGE, {"language": "en", "time_zone": "Asia/Tokyo"})
    assert person(visited, owner)[1] == "Asia/Tokyo"

    owner.post(PAGE, {"language": "en", "time_zone": " "})

    assert person(visited, owner)[1] is None
    assert "Left empty it is UTC." in words(owner.get(PAGE))


def test_every_zone_that_is_offered_can_be_taken() -> None:
    zones = languages.time_zones()
    assert len(zones) == len(set(zones)) > 400
    assert {"UTC", "Asia/Tokyo", "Europe/Madrid", "America/Argentina/Ushuaia"} <= set(zones)
    assert [languages.require_time_zone(zone) for zone in zones] == list(zones)


def test_lead_times_are_chosen_and_left_to_the_rules_again(visited: Visited) -> None:
    owner, account = an_owner(visited)
    leads = visited.house.worker.telling.leads
    page = owner.get(PAGE)
    assert "As the rules say 7 days, 3 days, 1 day, 1 hour" in words(page)
    chosen = [("by", "own"), ("lead", str(2 * DAY_MS)), ("lead", str(DAY_MS))]

    done = owner.post(f"{PAGE}/lead-times", chosen)

    assert (done.status, done.headers["location"]) == (303, f"{PAGE}?done=leads#leads")
    assert leads.of_account(account).chosen == (2 * DAY_MS, DAY_MS)
    again = owner.get(PAGE)
    assert [value for name, value in fields_of(again) if name == "lead"] == [
        str(2 * DAY_MS),
        str(DAY_MS),
    ]
    assert ("by", "own") in fields_of(again)
    event = visited.house.worker.journal.after(0)[-1]
    assert event.change.actor == owner.person.actor  # type: ignore[union-attr]  # signed in

    owner.post(f"{PAGE}/lead-times", [*chosen, ("by", "rules")][1:])
    assert leads.of_account(account).chosen is None


@pytest.mark.parametrize("lead", [None, "7", "x", "-1", "9" * 40])
def test_lead_times_that_are_not_offered_are_refused_beside_them(
    visited: Visited, lead: str | None
) -> None:
    owner, account = an_owner(visited)

    reply = owner.post(f"{PAGE}/lead-times", [("by", "own"), *([("lead", lead)] if lead else [])])

    assert reply.status == 422
    assert 'id="lead-error"' in reply.body.decode()
    assert "Choose at least one" in words(reply)
    assert visited.house.worker.telling.leads.of_account(account).chosen is None


def test_a_calendar_link_is_shown_once_and_the_one_before_is_gone(visited: Visited) -> None:
    owner, account = an_owner(visited)
    visited.house.issue(account, TRADING, label="trader")
    calendars = visited.house.worker.telling.calendars
    ask = owner.get(f"{PAGE}/calendar")
    assert "which permissions of your keys end" in words(ask)
    assert "stops working" not in words(ask)

    filled = owner.fill(ask, {"code": owner.code()})
    made = owner.post(f"{PAGE}/calendar", filled)
    loaded_again = owner.post(f"{PAGE}/calendar", filled)

    assert loaded_again.headers["location"] == f"{PAGE}?done=shown#calendar"
    found = re.search(r"http://localhost:8080/calendar/([\w-]+)\.ics", made.body.decode())
    assert found
    assert made.headers["cache-control"] == "no-store"
    assert b"trader" in calendars.of_secret(found.group(1))
    again = owner.get(f"{PAGE}/calendar")
    assert "The one made on 1 Dec 2021, 10:00 stops working." in words(again)
    assert found.group(1) not in again.body.decode() + owner.get(PAGE).body.decode()

    renewed = owner.post(f"{PAGE}/calendar", owner.fill(again, {"code": owner.code()}))
    assert found.group(1) not in renewed.body.decode()
    with pytest.raises(Exception, match="no such calendar"):
        calendars.of_secret(found.group(1))


@pytest.mark.parametrize("code", ["", "000000"])
def test_without_a_second_factor_no_link_is_made(visited: Visited, code: str) -> None:
    owner, account = an_owner(visited)

    reply = owner.post(
        f"{PAGE}/calendar", owner.fill(owner.get(f"{PAGE}/calendar"), {"code": code})
    )

    assert reply.status == 422
    assert 'id="code-error"' in reply.body.decode()
    assert visited.house.worker.telling.calendars.made_at_ms(account) is None
