"""Ring (b) of the compatible surface, by raw bytes: what calls A to H answer, to the letter."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tenure.domain.errors import Unavailable
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.faces.http import binance_subaccounts
from tenure.services.keys import Wanted
from tenure.services.subaccounts import Named, SubAccounts
from tests import signers
from tests.builders import MONTH_MS, ms, the_catalog
from tests.faces.http.masters import (
    EMAIL,
    NOT_FOUND,
    TRADING,
    A,
    B,
    C,
    D,
    Desk,
    E,
    F,
    G,
    H,
    Route,
    told,
)
from tests.house import ask

pytestmark = pytest.mark.slow

NOW_MS = ms("2021-12-01 10:00")
LATER_MS = ms("2021-12-01 11:00")
HOME = "203.0.113.7"
NETWORK = "198.51.100.0/24"
ALL_OFF = {
    "canTrade": False,
    "canMarginLoanRepay": False,
    "canFuturesTrade": False,
    "canUniversalTransfer": False,
    "canVanillaOptions": False,
}
FIX_OFF = {"canFixApiTrading": False, "canFixApiReading": False}
ED25519 = signers.public_key(KeyType.ED25519) or ""
RSA = signers.public_key(KeyType.RSA) or ""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk.open(tmp_path)
    yield desk
    desk.house.close()


def said(desk: Desk, route: Route, key: ApiKey, **given: str) -> object:
    """Return the answer's bytes as JSON, after looking that they are an answer."""
    reply = desk.of(route, key, **given)
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
    return reply.json()


# --- A: the list is shown


def test_a_restriction_is_shown_as_text_and_the_key_in_camel_case(desk: Desk) -> None:
    key = desk.sub_key(ips=(HOME, NETWORK))

    body = desk.of(A, key).body.decode()

    assert body == (
        f'{{"ipRestrict":"true","ipList":["{NETWORK}","{HOME}"],'
        f'"updateTime":{NOW_MS},"apiKey":"{key.api_key}"}}'
    )


def test_an_unrestricted_key_is_shown_with_an_empty_list(desk: Desk) -> None:
    key = desk.sub_key()
    assert said(desk, A, key) == {
        "ipRestrict": "false",
        "ipList": [],
        "updateTime": NOW_MS,
        "apiKey": key.api_key,
    }


def test_a_key_that_may_only_read_can_look_and_change_nothing(desk: Desk) -> None:
    key, reader = desk.sub_key(), desk.house.issue(desk.master_id)

    assert desk.by(reader).of(A, key).status == 200
    assert desk.by(reader).call(F, email=EMAIL).status == 200
    for route in (B, C, D, E, G, H):
        reply = desk.by(reader).of(route, key)
        message = "Invalid API-key, IP, or permissions for action."
        assert told(reply) == (400, -2015, message)
        assert reply.headers["tenure-permission"] == TRADING


# --- B and C: the list is changed


def test_addresses_are_added_to_those_there_are_in_their_normal_form(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))
    desk.house.move(LATER_MS)

    reply = desk.of(B, key, status="2", ipAddress="198.51.100.0/24, 2001:DB8:0::1")

    assert reply.json() == {
        "status": "2",
        "ipList": [NETWORK, HOME, "2001:db8::1"],
        "updateTime": LATER_MS,
        "apiKey": key.api_key,
    }
    assert list(reply.json()) == ["status", "ipList", "updateTime", "apiKey"]
    assert desk.events()[-1] == ("key:edited", f"{desk.key.account_id}/{desk.key.key_id}")


def test_naming_addresses_lifts_the_term_without_being_asked_twice(desk: Desk) -> None:
    key = desk.sub_key(TRADING)

    reply = desk.of(B, key, status="2", ipAddress=HOME)

    assert reply.status == 200
    assert "tenure-terms" not in reply.headers
    assert desk.now(key).grants[TRADING].term is None  # type: ignore[index]  # a name is one


def test_addresses_that_are_there_already_are_no_edit(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))
    before = desk.events()
    desk.house.move(LATER_MS)

    for given in ({"ipAddress": HOME}, {}, {"ipAddress": ""}):
        reply = desk.of(B, key, status="2", **given)
        assert reply.json() == {
            "status": "2",
            "ipList": [HOME],
            "updateTime": NOW_MS,
            "apiKey": key.api_key,
        }
    assert desk.events() == before


def test_status_one_empties_the_list_and_names_the_terms_that_start(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))
    desk.house.move(LATER_MS)

    reply = desk.of(B, key, status="1")

    assert reply.json() == {"status": "1", "updateTime": LATER_MS, "apiKey": key.api_key}
    assert reply.headers["tenure-terms"] == f"{TRADING}={LATER_MS + MONTH_MS}"


def test_addresses_are_taken_off_and_others_passed_over(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME, NETWORK, "2001:db8::1"))

    shown = said(desk, C, key, ipAddress=f"2001:0db8::1 {NETWORK},192.0.2.1")

    assert shown == {
        "ipRestrict": "true",
        "ipList": [HOME],
        "updateTime": NOW_MS,
        "apiKey": key.api_key,
    }


def test_taking_off_what_is_not_there_is_no_edit(desk: Desk) -> None:
    key = desk.sub_key(ips=(HOME,))
    before = desk.events()

    assert desk.of(C, key, ipAddress="192.0.2.1").json()["ipList"] == [HOME]
    assert desk.events() == before


def test_taking_off_the_last_address_shows_that_any_may_come_now(desk: Desk) -> None:
    key = desk.sub_key(ips=(HOME,))
    assert said(desk, C, key, ipAddress=HOME) == {
        "ipRestrict": "false",
        "ipList": [],
        "updateTime": NOW_MS,
        "apiKey": key.api_key,
    }


# --- D and E: keys are issued


def test_a_new_key_is_shown_with_its_secret_once(desk: Desk) -> None:
    reply = desk.call(D, email=EMAIL, apiName="its bot", status="1", canTrade="true")

    shown = reply.json()
    assert shown == {
        "apiName": "its bot",
        "apiKey": shown["apiKey"],
        "secretKey": shown["secretKey"],
        **ALL_OFF,
        "canTrade": True,
        "status": 1,
        "ipList": [],
    }
    assert list(shown) == ["apiName", "apiKey", "secretKey", *ALL_OFF, "status", "ipList"]
    assert len(shown["secretKey"]) == 64
    assert reply.headers["tenure-terms"] == f"{TRADING}={NOW_MS + MONTH_MS}"
    listed = desk.call(F, email=EMAIL)
    assert shown["secretKey"] not in listed.body.decode()
    assert listed.json()["rows"][0]["apikey"] == shown["apiKey"]
    assert desk.events()[-1] == ("key:issued", f"{desk.key.account_id}/{desk.key.key_id}")


def test_a_new_key_can_be_restricted_from_the_start(desk: Desk) -> None:
    reply = desk.call(
        D, email=EMAIL, apiName="b", status="2", ipAddress=f"{HOME},{NETWORK}", canTrade="True"
    )

    assert reply.json()["status"] == 2
    assert reply.json()["ipList"] == [NETWORK, HOME]
    assert "tenure-terms" not in reply.headers


def test_a_key_issued_here_signs_at_once_and_as_the_sub_account(desk: Desk) -> None:
    shown = desk.call(D, email=EMAIL, apiName="b", status="1").json()
    worker = desk.house.worker
    (key,) = worker.keys.of_account(desk.sub_id)
    secret = shown["secretKey"].encode()
    desk.house.signers[key.key_id] = lambda payload: signers.hmac_sign(secret, payload)

    status = desk.by(key).send(("GET", "/sapi/v1/account/status"))

    assert status.json() == {"data": "Normal"}


def test_a_public_key_leaves_no_secret_to_show(desk: Desk) -> None:
    reply = desk.call(D, email=EMAIL, apiName="b", status="1", publicKey=ED25519)

    assert reply.json()["secretKey"] == ""
    (key,) = desk.house.worker.keys.of_account(desk.sub_id)
    assert (key.key_type, key.public_key) == (KeyType.ED25519, ED25519)


def form(**given: str) -> str:
    return urlencode(given)


@pytest.mark.parametrize(
    ("public_key", "key_type"), [(ED25519, KeyType.ED25519), (RSA, KeyType.RSA)]
)
def test_the_second_version_takes_both_types_of_public_key_in_its_body(
    desk: Desk, public_key: str, key_type: KeyType
) -> None:
    body = form(email=EMAIL, apiName="b", status="1", publicKey=public_key)

    shown = desk.send(E, body=body).json()

    assert shown["secretKey"] == ""
    assert desk.house.worker.keys.of_account(desk.sub_id)[0].key_type is key_type


def test_the_second_version_issues_fix_permissions_and_shows_both_flags(desk: Desk) -> None:
    body = form(email=EMAIL, apiName="b", status="1", publicKey=ED25519, canFixApiReading="TRUE")

    shown = desk.send(E, body=body).json()

    assert shown == {
        "apiName": "b",
        "apiKey": shown["apiKey"],
        "secretKey": "",
        **ALL_OFF,
        "canFixApiTrading": False,
        "canFixApiReading": True,
        "status": 1,
        "ipList": [],
    }


def test_the_second_version_issues_hmac_keys_too(desk: Desk) -> None:
    shown = desk.call(E, email=EMAIL, apiName="b", status="1").json()
    assert len(shown["secretKey"]) == 64
    assert {name: shown[name] for name in FIX_OFF} == FIX_OFF


# --- F: keys are listed


def row(key: ApiKey, **flags: bool) -> dict[str, object]:
    return {
        "email": EMAIL,
        "apiName": key.label,
        "apikey": key.api_key,
        **ALL_OFF,
        **flags,
        "timestamp": key.edited_at_ms,
    }


def test_keys_are_listed_the_oldest_first_with_lower_case_names(desk: Desk) -> None:
    first = desk.sub_key(TRADING)
    desk.house.move(NOW_MS + 1)
    second = desk.sub_key("futures", ips=(HOME,))

    shown = desk.call(F, email=EMAIL).json()

    assert shown == {
        "total": 2,
        "rows": [row(first, canTrade=True), row(second, canFuturesTrade=True)],
    }
    assert list(shown["rows"][0]) == ["email", "apiName", "apikey", *ALL_OFF, "timestamp"]


def test_a_lapsed_permission_is_shown_off_before_anybody_sweeps(desk: Desk) -> None:
    key = desk.sub_key(TRADING)
    restricted = desk.house.issue(desk.master_id, TRADING, ips=("198.51.100.9",))

    desk.house.move(NOW_MS + MONTH_MS - 1)
    assert desk.by(restricted).call(F, email=EMAIL).json()["rows"] == [row(key, canTrade=True)]
    desk.house.move(NOW_MS + MONTH_MS)
    assert desk.by(restricted).call(F, email=EMAIL).json()["rows"] == [row(key, canTrade=False)]


def test_deleted_keys_are_neither_listed_nor_counted(desk: Desk) -> None:
    gone, there = desk.sub_key(), desk.sub_key()
    desk.house.worker.keys.revoke(gone.key_id, "test")
    assert desk.call(F, email=EMAIL).json() == {"total": 1, "rows": [row(there)]}


def test_a_listing_is_turned_page_by_page(desk: Desk) -> None:
    keys = []
    for number in range(5):
        desk.house.move(NOW_MS + number)
        keys.append(desk.sub_key())

    def page(**given: str) -> list[str]:
        shown = desk.call(F, email=EMAIL, **given).json()
        assert shown["total"] == 5
        return [found["apikey"] for found in shown["rows"]]

    names = [key.api_key for key in keys]
    assert page() == page(page="1", size="100") == names
    assert page(size="2") == names[:2]
    assert page(page="2", size="2") == names[2:4]
    assert page(page="3", size="2") == names[4:]
    assert page(page="4", size="2") == page(page="999999999", size="100") == []


def test_one_key_can_be_asked_for_by_its_whole_name(desk: Desk) -> None:
    key, other = desk.sub_key(), desk.sub_key()

    def found(api_key: str) -> object:
        return desk.call(F, email=EMAIL, subAccountApiKey=api_key).json()

    assert found(key.api_key) == {"total": 1, "rows": [row(key)]}
    assert found(other.api_key[:-1]) == {"total": 0, "rows": []}
    assert found(desk.key.api_key) == {"total": 0, "rows": []}


# --- G: permissions are ticked and unticked


def test_flags_are_ticked_and_unticked_and_others_left_alone(desk: Desk) -> None:
    key = desk.sub_key(TRADING, "futures")
    desk.house.move(LATER_MS)

    reply = desk.of(G, key, canFuturesTrade="false", canVanillaOptions="True")

    assert reply.json() == {
        "apiName": "its bot",
        "apikey": key.api_key,
        **ALL_OFF,
        "canTrade": True,
        "canVanillaOptions": True,
        "timestamp": LATER_MS,
    }
    assert list(reply.json()) == ["apiName", "apikey", *ALL_OFF, "timestamp"]
    assert reply.headers["tenure-terms"] == f"{TRADING}={NOW_MS + MONTH_MS}"


def test_ticking_what_runs_changes_nothing_and_unticking_first_renews(desk: Desk) -> None:
    key = desk.sub_key(TRADING)
    before = desk.events()
    desk.house.move(LATER_MS)

    assert said(desk, G, key, canTrade="true") == row_of_g(key, canTrade=True, at_ms=NOW_MS)
    assert desk.events() == before
    said(desk, G, key, canTrade="false")
    again = desk.of(G, key, canTrade="true")
    assert again.headers["tenure-terms"] == f"{TRADING}={LATER_MS + MONTH_MS}"


def row_of_g(key: ApiKey, *, at_ms: int, **flags: bool) -> dict[str, object]:
    shown = row(key, **flags) | {"timestamp": at_ms}
    del shown["email"]
    return shown


def test_ticking_after_the_end_grants_anew(desk: Desk) -> None:
    key = desk.sub_key(TRADING)
    master = desk.house.issue(desk.master_id, TRADING, ips=("198.51.100.9",))
    end_ms = NOW_MS + MONTH_MS
    desk.house.move(end_ms)

    reply = desk.by(master).of(G, key, canTrade="true")

    assert reply.json() == row_of_g(key, canTrade=True, at_ms=end_ms)
    assert reply.headers["tenure-terms"] == f"{TRADING}={end_ms + MONTH_MS}"
    assert [tag for tag, _ in desk.events()][-2:] == ["grant:swept", "key:edited"]


# --- H: keys are deleted


def test_deleting_answers_the_same_again_and_ends_the_key_at_once(desk: Desk) -> None:
    key = desk.sub_key(TRADING)

    assert said(desk, H, key) == {}
    gone = desk.by(key).send(("GET", "/sapi/v1/account/status"))
    assert told(gone) == (400, -2008, "Invalid Api-Key ID.")
    events = desk.events()
    assert events[-1] == ("key:revoked", f"{desk.key.account_id}/{desk.key.key_id}")
    assert said(desk, H, key) == {}
    assert desk.events() == events


@pytest.mark.parametrize("route", [A, B, C, G])
def test_a_deleted_key_is_none_to_any_other_call(desk: Desk, route: Route) -> None:
    key = desk.sub_key()
    desk.of(H, key)
    reply = desk.of(route, key, status="2", ipAddress=HOME)
    assert told(reply) == NOT_FOUND


# --- Who may


@pytest.mark.parametrize("route", [A, B, C, D, E, F, G, H])
def test_whatever_is_not_ones_own_is_not_found_in_one_and_the_same_way(
    desk: Desk, route: Route
) -> None:
    """RULES R16: not by e-mail, not by key, and not by somebody who is no master."""
    mine, house = desk.sub_key(), desk.house
    other_master = house.account("other@example.com", AccountKind.MASTER)
    other_sub = house.account("theirs@example.com", AccountKind.SUB, other_master)
    theirs = house.issue(other_sub, TRADING)
    others_key = house.issue(other_master, TRADING)
    normal = house.issue(house.account("normal@example.com"), TRADING)
    sub_itself = desk.sub_key(TRADING)
    rest = {"status": "2", "ipAddress": HOME, "apiName": "b"}

    def refused(by: ApiKey, email: str, key: ApiKey) -> tuple[object, ...]:
        reply = desk.by(by).call(route, email=email, subAccountApiKey=key.api_key, **rest)
        own = {name for name in reply.headers if name.startswith("tenure-")}
        return told(reply), own - {"tenure-expires-at", "tenure-rule"}

    asked = [
        (desk.key, "nobody@example.com", mine),
        (desk.key, "theirs@example.com", theirs),
        (desk.key, "master@example.com", desk.key),
        (desk.key, "normal@example.com", normal),
        (desk.key, "SUB+ONE@example.com", mine),
        (desk.key, "\x00@example.com", mine),
        (desk.key, "x" * 300 + "@example.com", mine),
        (others_key, EMAIL, mine),
        (normal, EMAIL, mine),
        (sub_itself, EMAIL, mine),
        (sub_itself, EMAIL, sub_itself),
    ]
    if route not in {D, E, F}:
        unknown = "tnr1FNGy7MJWjsVgALlTRciFx3t5K1GrTrGLlBiNckzhz001mLDwyuGtH14fSkDw"
        asked += [(desk.key, EMAIL, theirs), (desk.key, EMAIL, desk.key)]
        for name in (unknown, "x", "\x00", mine.api_key.lower()):
            reply = desk.call(route, email=EMAIL, subAccountApiKey=name, **rest)
            assert told(reply) == NOT_FOUND
    before = desk.events()
    for by, email, key in asked:
        assert refused(by, email, key) == (NOT_FOUND, set()), email
    assert desk.events() == before


def test_every_allowed_call_says_when_the_callers_own_permission_ends(desk: Desk) -> None:
    key = desk.sub_key()
    for route in (B, G, H):
        reply = desk.of(route, key, status="1")
        assert reply.headers["tenure-expires-at"] == str(NOW_MS + MONTH_MS)
        assert reply.headers["tenure-rule"] == "2021-07-09"
    assert "tenure-expires-at" not in desk.of(A, key).headers


def test_a_masters_key_that_lapsed_changes_nothing_and_is_told_why(desk: Desk) -> None:
    key = desk.sub_key()
    desk.house.move(NOW_MS + MONTH_MS)
    for route in (B, C, D, E, G, H):
        reply = desk.of(route, key, status="1")
        assert told(reply)[1] == -2015
        assert reply.headers["tenure-refusal"] == "permission_expired"
        assert reply.headers["tenure-expires-at"] == str(NOW_MS + MONTH_MS)
    assert desk.of(A, key).status == 200


def test_possession_is_proved_before_a_parameter_is_looked_at(desk: Desk) -> None:
    stamp = f"timestamp={NOW_MS}&signature={'0' * 64}"
    for method, path in (A, B, C, D, E, F, G, H):
        reply = ask(desk.app, method, f"{path}?{stamp}", headers={"X-MBX-APIKEY": desk.key.api_key})
        assert told(reply) == (400, -1022, "Signature for this request is not valid.")


def test_the_catalog_names_each_route_with_what_it_needs(desk: Desk) -> None:
    """So that a gateway that asks `/authorize` lets through what is answered here."""
    subaccounts = SubAccounts(desk.house.worker.store, desk.house.worker.keys, 30)
    calls = binance_subaccounts.calls(subaccounts, desk.house.worker.decider)
    assert set(calls) == {A, B, C, D, E, F, G, H}
    for (method, path), call in calls.items():
        assert the_catalog().permission_for(method, path) == call.permission


def test_what_the_venue_removed_is_not_served(desk: Desk) -> None:
    for method, path in (
        ("POST", A[1]),
        ("POST", C[1]),
        ("GET", f"{A[1]}/thirdPartyList"),
        ("PUT", D[1]),
    ):
        reply = desk.send((method, path))
        assert told(reply) == (404, -1020, "This operation is not supported.")


def test_while_the_store_is_away_the_caller_is_told_to_come_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise Unavailable("store")

    key = desk.sub_key()
    monkeypatch.setattr(type(desk.house.worker.store), "read", gone)
    reply = desk.of(A, key)
    assert (reply.status, reply.json()["code"]) == (503, -1008)
    assert reply.headers["retry-after"] == "1"


def test_the_store_is_waited_for_where_nobody_else_has_to_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop decides for everybody: a busy database must not hold it up."""
    looked: list[bool] = []
    show = SubAccounts.show

    def watched(self: SubAccounts, named: Named) -> ApiKey:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            looked.append(True)
        return show(self, named)

    monkeypatch.setattr(SubAccounts, "show", watched)
    assert desk.of(A, desk.sub_key()).status == 200
    assert looked == [True]


def test_a_permission_lost_elsewhere_is_not_the_callers_to_keep(desk: Desk) -> None:
    """A master's key that was revoked a moment ago changes nothing any more."""
    key = desk.sub_key()
    desk.house.worker.keys.revoke(desk.key.key_id, "test")
    assert told(desk.of(H, key)) == (400, -2008, "Invalid Api-Key ID.")
    assert desk.now(key).revoked_at_ms is None


def test_the_answer_of_a_deletion_is_two_characters(desk: Desk) -> None:
    assert desk.of(H, desk.sub_key()).body == b"{}"


def test_a_key_without_reading_is_refused_what_needs_it_in_words(desk: Desk) -> None:
    key = desk.sub_key()
    desk.house.worker.keys.edit(key.key_id, Wanted(permissions={"reading": False}), None, "test")
    reply = desk.of(G, key, canTrade="true")
    assert told(reply)[1:] == (-1130, "Data sent for parameter 'canTrade' is not valid.")
    assert reply.headers["tenure-problem"] == "needs `reading` to be ticked"
    assert json.loads(reply.body)["code"] == -1130
