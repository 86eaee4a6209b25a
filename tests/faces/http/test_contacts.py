"""The routes of contacts."""

import pytest

from tests.faces.http.managed import Managed, is_problem

UNKNOWN = "ctc_" + "0" * 24
HOOK = {"channel": "webhook", "address": "https://8.8.8.8/hook"}


def test_an_account_begins_with_its_own_email_and_more_can_be_added(managed: Managed) -> None:
    account_id = managed.account(email="owner@example.com")
    route = f"/v1/accounts/{account_id}/contacts"

    added = managed.tell(
        "POST", route, {**HOOK, "language": "ja", "muted": ["key_edited"]}, status=201
    )

    secret = added.pop("secret")
    assert secret.startswith("whsec_")
    contacts = managed.tell("GET", route)["contacts"]
    assert added in contacts
    assert {contact["address"] for contact in contacts} == {"owner@example.com", HOOK["address"]}
    assert secret not in str(managed.tell("GET", "/v1/events"))
    assert secret not in str(contacts)


def test_a_contact_is_changed_rotated_and_removed(managed: Managed) -> None:
    route = f"/v1/accounts/{managed.account()}/contacts"
    added = managed.tell("POST", route, HOOK, status=201)
    mine = f"{route}/{added['contact_id']}"

    changed = managed.tell("PUT", mine, {"time_zone": "Asia/Tokyo", "confirmed": False})
    rotated = managed.tell("POST", f"{mine}/rotate")
    removed = managed.tell("DELETE", mine)

    assert (changed["time_zone"], changed["confirmed_at_ms"]) == ("Asia/Tokyo", None)
    assert changed["address"] == HOOK["address"]
    assert rotated["secret"] != added["secret"]
    assert removed["contact_id"] == added["contact_id"]
    assert len(managed.tell("GET", route)["contacts"]) == 1
    assert is_problem(managed.ask("DELETE", mine), 404, "not_found")
    tags = [event["tag"] for event in managed.tell("GET", "/v1/events")["events"]]
    assert tags[-4:] == ["contact:added", "contact:changed", "contact:changed", "contact:removed"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"channel": "pigeon", "address": "x"}, "channel"),
        ({"channel": "email"}, "address"),
        ({"address": "a@example.com"}, "channel"),
        ({"channel": "email", "address": "nobody"}, "address"),
        ({"channel": "webhook", "address": "http://example.com/"}, "address"),
        ({**HOOK, "language": "english"}, "language"),
        ({**HOOK, "time_zone": "Mars/Base"}, "time_zone"),
        ({**HOOK, "muted": ["key_revoked"]}, "muted"),
        ({**HOOK, "muted": "all"}, "muted"),
        ({**HOOK, "confirmed": "yes"}, "confirmed"),
        ({**HOOK, "secret": "whsec_mine"}, "secret"),
        ({**HOOK, "contact_id": UNKNOWN}, "contact_id"),
    ],
)
def test_a_contact_that_makes_no_sense_is_refused_by_field(
    shared: Managed, given: object, field: str
) -> None:
    reply = shared.ask("POST", f"/v1/accounts/{shared.account()}/contacts", given)
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [field]


def test_an_email_has_no_secret(shared: Managed) -> None:
    route = f"/v1/accounts/{shared.account()}/contacts"
    added = shared.tell("POST", route, {"channel": "email", "address": "x@y.example"}, status=201)

    assert "secret" not in added
    reply = shared.ask("POST", f"{route}/{added['contact_id']}/rotate")
    assert is_problem(reply, 422, "invalid")


def test_another_accounts_contact_is_answered_as_an_unknown_one(shared: Managed) -> None:
    account_id, other_id = shared.account(), shared.account()
    mine = shared.tell("GET", f"/v1/accounts/{account_id}/contacts")["contacts"][0]["contact_id"]

    for name in (mine, UNKNOWN, "x"):
        route = f"/v1/accounts/{other_id}/contacts/{name}"
        assert is_problem(shared.ask("PUT", route, {"language": "ja"}), 404, "not_found")
        assert is_problem(shared.ask("DELETE", route), 404, "not_found")
        assert is_problem(shared.ask("POST", f"{route}/rotate"), 404, "not_found")


def test_a_secret_is_not_in_what_a_debugger_would_show(managed: Managed) -> None:
    from tenure.domain.contacts import Channel  # noqa: PLC0415 - of this test alone
    from tenure.faces.http import contacts  # noqa: PLC0415 - as above
    from tenure.services.contacts import Wish  # noqa: PLC0415 - as above

    account_id = managed.account()
    added = managed.house.worker.telling.contacts.add(
        account_id, Channel.WEBHOOK, Wish(address=HOOK["address"]), "test"
    )
    assert added.secret is not None
    assert added.secret.reveal() not in repr(contacts.show_added(added))
