"""A key's page, and what operators do to a key."""

import pytest

from tenure.domain.usage import Use
from tenure.faces.console.stepping import Stepping
from tests.builders import TRADING
from tests.faces.console.operate.house import OPERATE, Office, confirm, went
from tests.faces.console.visiting import words


def page_of(office: Office, number: int = 0) -> str:
    return f"{OPERATE}/keys/{office.keys[number].key_id}"


def test_a_key_is_shown_with_its_boxes_its_use_and_its_events(office: Office) -> None:
    worker, key = office.visited.house.worker, office.keys[0]
    worker.usage._uses.give_back([Use(key.key_id, "203.0.113.7", TRADING, 1_638_352_800_000)])  # noqa: SLF001 - as a worker notes it
    worker.usage.flush()

    said = words(office.vic.get(page_of(office)))

    for part in (
        *("my bot", "trader@example.com", key.api_key, "Enable Spot & Margin Trading"),
        *("31 Dec 2021", "203.0.113.7", "None was noted in the last 90 days.", "key:issued"),
    ):
        assert part in said


def test_what_a_key_was_refused_is_shown(office: Office) -> None:
    house, key = office.visited.house, office.keys[0]
    house.worker.keys.revoke(key.key_id, "x")
    query = house.signed_query(key)
    given = {
        "api_key": key.api_key, "method": "GET", "path": "/api/v3/account", "query": query,
        "client_ip": "198.51.100.9", "permission": "reading",
    }  # fmt: skip
    from tests.faces.http.managed import OPERATOR_TOKEN, Managed, build  # noqa: PLC0415 - here alone

    del OPERATOR_TOKEN
    managed = Managed(house=house, app=build(house))
    token = (house.worker.settings.home / "operator-token").read_text().strip()
    managed.ask("POST", "/v1/authorize", given, headers={"Authorization": f"Bearer {token}"})
    house.worker.refusals.flush()

    said = words(office.vic.get(page_of(office)))

    assert "key_revoked · reading 198.51.100.9 1" in said


@pytest.mark.parametrize(
    ("turn", "fields", "tag"),
    [
        ("revoke", {}, "key:revoked"),
        ("quarantine", {"cause": "seen in a paste"}, "key:quarantined"),
    ],
)
def test_a_key_is_ended_or_put_away_once_somebody_proved_who_he_is(
    office: Office, turn: str, fields: dict[str, str], tag: str
) -> None:
    to = f"{page_of(office)}/{turn}"
    asked = office.oli.get(to)
    assert "What will happen" in words(asked)
    assert office.oli.post(to, office.oli.fill(asked, fields)).status == 422

    done = confirm(office.oli, to, asked, fields)

    assert went(done) == f"{page_of(office)}?done={turn}"
    assert office.tags() == [tag]
    assert office.actor() == "operator:operator2@example.com"


def test_quarantine_needs_a_cause_and_is_lifted_again(office: Office) -> None:
    to = f"{page_of(office)}/quarantine"
    wrong = confirm(office.oli, to, office.oli.get(to), {"cause": " "})
    assert wrong.status == 422
    assert "Say why, in one line" in words(wrong)
    assert office.key().quarantine is None
    confirm(office.oli, to, wrong, {"cause": "seen"})
    assert office.key().quarantine is not None

    confirm(office.oli, f"{page_of(office)}/release", office.oli.get(f"{page_of(office)}/release"))

    assert office.key().quarantine is None
    assert went(office.oli.get(f"{page_of(office)}/release")) == page_of(office)


def test_a_form_that_is_sent_again_says_that_it_was_done(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{page_of(office)}/quarantine"
    asked = office.oli.get(path)
    filled = office.oli.fill(asked, {"cause": "seen", "code": office.oli.code()})
    assert went(office.oli.post(path, filled)) == f"{page_of(office)}?done=quarantine"

    again = office.oli.post(path, filled)

    assert went(again) == f"{page_of(office)}?done=again"
    assert "nothing was done a second time" in words(office.oli.get(went(again)))

    # Of two at once the second finds out later, and is led to what the first one did.
    monkeypatch.setattr(Stepping, "done_before", lambda *_: None)
    late = office.oli.post(path, [*filled[:-1], ("code", office.oli.code())])
    assert late.status == 409
    assert "This was done already" in words(late)
    assert f'href="{page_of(office)}"' in late.body.decode()


@pytest.mark.parametrize("turn", ["revoke", "quarantine", "release"])
def test_what_is_revoked_already_is_shown_as_it_is(office: Office, turn: str) -> None:
    to = f"{page_of(office)}/quarantine"
    asked = office.oli.get(to)
    office.visited.house.worker.keys.revoke(office.keys[0].key_id, "x")

    done = confirm(office.oli, to, asked, {"cause": "seen"})

    assert went(done) == page_of(office)
    assert went(office.oli.get(f"{page_of(office)}/{turn}")) == page_of(office)
    assert "Revoked on" in words(office.oli.get(page_of(office)))
    assert f"{page_of(office)}/revoke" not in office.oli.get(page_of(office)).body.decode()


def test_an_approval_of_one_act_is_none_of_another(office: Office) -> None:
    """The factor was given for quarantine, and does not revoke."""
    wrong = office.oli.post(f"{page_of(office)}/quarantine", {"code": office.oli.code()})
    assert wrong.status == 422

    assert office.oli.post(f"{page_of(office)}/revoke", {"once": "1"}).status == 422
    assert office.key().revoked_at_ms is None
