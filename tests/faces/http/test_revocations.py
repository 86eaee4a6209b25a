"""The routes for the day a key leaks, and what every face tells of it."""

from pathlib import Path

import pytest

from tenure.domain.model import AccountKind, ApiKey
from tenure.faces.http import app, authorize
from tests.builders import ms
from tests.faces.http.managed import OPERATOR_TOKEN, TRADING, Managed, is_problem
from tests.house import House, Reply, ask

pytestmark = pytest.mark.slow

CAUSE = "seen in a public repository"
NOW_MS = ms("2021-12-01 10:00")
GATEWAY = "10.0.0.7"
CANCEL, ORDER, LOOK = "DELETE /api/v3/order", "POST /api/v3/order", "GET /api/v3/account"
RESTRICTIONS = "/sapi/v1/account/apiRestrictions"


def strike(managed: Managed, **selected: object) -> object:
    """Preview and confirm."""
    stamp = managed.tell("POST", "/v1/revocations/preview", selected)["stamp"]
    return managed.tell("POST", "/v1/revocations", {**selected, "stamp": stamp})


def test_keys_are_counted_first_and_revoked_by_the_stamp_that_was_shown(managed: Managed) -> None:
    keys = [managed.key(label="3rd party") for _ in range(7)]
    managed.key()

    shown = managed.tell("POST", "/v1/revocations/preview", {"label": "3rd party"})
    assert (shown["keys"], shown["by_kind"]) == (7, {"normal": 7})
    assert shown["confirmation_required"] is True
    assert len(shown["examples"]) == 5
    known = {key["key_id"]: key for key in keys}
    for example in shown["examples"]:
        key = known[example["key_id"]]
        assert example == {name: key[name] for name in example}

    unseen = managed.ask("POST", "/v1/revocations", {"label": "3rd party"})
    assert is_problem(unseen, 409, "confirmation_required")
    assert unseen.json()["revocation"] == shown

    done = managed.tell("POST", "/v1/revocations", {"label": "3rd party", "stamp": shown["stamp"]})
    assert (done["keys"], done["by_kind"]) == (7, {"normal": 7})
    assert done["revocation"] == {
        "mark_id": done["revocation"]["mark_id"],
        "label": "3rd party",
        "account_id": None,
        "issued_before_ms": NOW_MS + 1,
        "made_at_ms": NOW_MS,
    }
    assert managed.tell("GET", "/v1/revocations") == {"revocations": [done["revocation"]]}


def test_a_covered_key_shows_as_revoked_wherever_it_is_looked_at(managed: Managed) -> None:
    account_id = managed.account()
    key = managed.key(account_id, label="3rd party")
    strike(managed, label="3rd party")

    one = managed.tell("GET", f"/v1/keys/{key['key_id']}")
    (listed,) = managed.tell("GET", f"/v1/accounts/{account_id}/keys")["keys"]

    assert one == listed
    assert (one["status"], one["revoked_at_ms"]) == ("revoked", NOW_MS)
    edits = f"/v1/keys/{key['key_id']}/edits"
    assert is_problem(managed.ask("POST", edits, {"label": "x"}), 409, "revoked")


@pytest.mark.parametrize("by", ["account", "instant"])
def test_an_account_or_an_instant_without_a_stamp_is_refused_too(managed: Managed, by: str) -> None:
    """BI-49."""
    account_id = managed.account()
    managed.key(account_id)
    managed.house.move(NOW_MS + 1)
    selected: dict[str, object] = {"account_id": account_id}
    if by == "instant":
        selected = {"issued_before_ms": NOW_MS + 1}

    reply = managed.ask("POST", "/v1/revocations", selected)

    assert is_problem(reply, 409, "confirmation_required")
    assert managed.tell("GET", "/v1/revocations") == {"revocations": []}


def test_a_stamp_of_fewer_keys_is_stale_and_comes_back_with_what_it_would_do_now(
    managed: Managed,
) -> None:
    managed.key()
    stamp = managed.tell("POST", "/v1/revocations/preview", {"label": "bot"})["stamp"]
    managed.key()

    reply = managed.ask("POST", "/v1/revocations", {"label": "bot", "stamp": stamp})

    assert is_problem(reply, 409, "stale")
    assert reply.json()["revocation"]["keys"] == 2


def test_where_no_key_is_left_nothing_happens(managed: Managed) -> None:
    answer = managed.tell("POST", "/v1/revocations", {"label": "nobody's"})

    assert answer == {"revocation": None, "keys": 0, "by_kind": {}, "examples": []}


@pytest.mark.parametrize(
    ("selected", "field"),
    [
        ({}, "label"),
        ({"label": ""}, "label"),
        ({"label": "x" * 65}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"account_id": "acct_1"}, "account_id"),
        ({"issued_before_ms": -1}, "issued_before_ms"),
        ({"issued_before_ms": NOW_MS + 1}, "issued_before_ms"),
        ({"issued_before_ms": "now"}, "issued_before_ms"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(
    shared: Managed, selected: dict[str, object], field: str
) -> None:
    for target in ("/v1/revocations/preview", "/v1/revocations"):
        reply = shared.ask("POST", target, selected)
        assert is_problem(reply, 422, "invalid")
        assert reply.json()["problems"][0]["field"] == field


def test_an_account_there_is_not_is_not_found(shared: Managed) -> None:
    selected = {"account_id": f"acct_{'0' * 24}"}
    reply = shared.ask("POST", "/v1/revocations/preview", selected)
    assert is_problem(reply, 404, "not_found")


def test_a_key_goes_into_quarantine_and_comes_out_of_it(managed: Managed) -> None:
    key = managed.key(permissions=[TRADING])
    target = f"/v1/keys/{key['key_id']}"

    held = managed.tell("POST", f"{target}/quarantine", {"cause": CAUSE})
    assert (held["status"], held["quarantined_at_ms"], held["quarantine_cause"]) == (
        "quarantined",
        NOW_MS,
        CAUSE,
    )
    assert managed.tell("GET", target) == {**held, "last_used": None}

    released = managed.tell("POST", f"{target}/release")
    assert (released["status"], released["quarantined_at_ms"]) == ("active", None)
    assert released["quarantine_cause"] is None
    assert released["version"] == 3


@pytest.mark.parametrize("act", ["quarantine", "release"])
def test_a_revoked_key_is_neither_held_nor_released(shared: Managed, act: str) -> None:
    target = f"/v1/keys/{shared.key()['key_id']}"
    shared.tell("POST", f"{target}/revoke")

    reply = shared.ask("POST", f"{target}/{act}", {"cause": CAUSE} if act != "release" else None)

    assert is_problem(reply, 409, "revoked")


def test_a_rotation_says_until_when_the_old_secret_works(managed: Managed) -> None:
    key = managed.key(permissions=[TRADING])
    target = f"/v1/keys/{key['key_id']}"

    rotated = managed.tell("POST", f"{target}/rotate", {"overlap_ms": 5})
    assert rotated["old_until_ms"] == NOW_MS + 5
    managed.house.move(NOW_MS + 4)
    assert managed.tell("GET", target)["old_until_ms"] == NOW_MS + 5
    managed.house.move(NOW_MS + 5)
    assert managed.tell("GET", target)["old_until_ms"] is None

    for overlap_ms in (-1, 604_800_001, 1.5, "24h"):
        reply = managed.ask("POST", f"{target}/rotate", {"overlap_ms": overlap_ms})
        assert is_problem(reply, 422, "invalid")


def asked(managed: Managed, key: ApiKey, request: str, permission: str | None) -> dict[str, object]:
    """Ask as a platform's back end."""
    method, _, path = request.partition(" ")
    given = {
        "api_key": key.api_key,
        "method": method,
        "path": path,
        "query": managed.house.signed_query(key),
        "client_ip": "203.0.113.9",
    }
    more = {} if permission is None else {"permission": permission}
    answer: dict[str, object] = managed.tell("POST", "/v1/authorize", given | more)
    return answer


@pytest.mark.parametrize(
    ("request_line", "permission", "allowed"),
    [
        (LOOK, None, True),
        (CANCEL, None, True),
        (CANCEL, TRADING, True),
        ("DELETE /api/v3/openOrders", None, True),
        ("GET /nowhere", "reading", True),
        (ORDER, None, False),
        (ORDER, TRADING, False),
        ("DELETE /nowhere", TRADING, False),
        ("DELETE /api/v3//order", TRADING, False),
        ("POST /sapi/v1/capital/withdraw/apply", None, False),
    ],
)
def test_a_back_end_is_told_that_reading_and_cancelling_go_on(
    managed: Managed, request_line: str, permission: str | None, *, allowed: bool
) -> None:
    """A permission that was named counts as cancelling on a known route alone."""
    house = managed.house
    key = house.issue(house.account(), TRADING)
    house.worker.quarantine.place(key.key_id, "test", cause=CAUSE)

    answer = asked(managed, key, request_line, permission)

    assert answer["allowed"] is allowed
    if not allowed:
        assert (answer["reason"], answer["status"]) == ("key_quarantined", 403)
        assert (answer["at_ms"], answer["cause"]) == (NOW_MS, CAUSE)


def knock(house: House, key: ApiKey, request: str) -> Reply:
    """Ask as a gateway."""
    assert house.worker.follower is not None
    house.worker.follower.tick()
    method, _, path = request.partition(" ")
    return ask(
        authorize.build(house.worker.decider, house.worker.settings),
        "GET",
        "/authorize",
        headers={
            "X-Original-Method": method,
            "X-Original-URI": f"{path}?{house.signed_query(key)}",
            "X-MBX-APIKEY": key.api_key,
        },
        peer=GATEWAY,
    )


def test_a_gateway_passes_cancelling_and_is_told_why_not_the_rest(tmp_path: Path) -> None:
    house = House.open(tmp_path, trusted_proxies=(GATEWAY,), staleness_ms=60_000)
    key = house.issue(house.account(), TRADING)
    house.worker.quarantine.place(key.key_id, "test", cause=CAUSE)

    assert knock(house, key, CANCEL).status == 200
    assert knock(house, key, LOOK).status == 200
    refused = knock(house, key, ORDER)
    assert (refused.status, refused.headers["tenure-refusal"]) == (403, "key_quarantined")
    assert refused.headers["tenure-permission"] == TRADING
    said = refused.json()
    assert (said["code"], said["since_ms"], said["cause"]) == ("key_quarantined", NOW_MS, CAUSE)
    house.close()


def look(managed: Managed, key: ApiKey, path: str = RESTRICTIONS) -> Reply:
    """Look as an unmodified client does."""
    target = f"{path}?{managed.house.signed_query(key)}"
    headers = {"X-MBX-APIKEY": key.api_key}
    return ask(app.build(managed.house.worker), "GET", target, headers=headers)


def test_a_bot_finds_where_it_looks_what_its_key_may_still_do(managed: Managed) -> None:
    house = managed.house
    key = house.issue(house.account(), TRADING)
    before = look(managed, key).json()
    house.worker.quarantine.place(key.key_id, "test", cause=CAUSE)

    shown = look(managed, key).json()
    status = look(managed, key, "/sapi/v1/account/apiTradingStatus").json()

    assert (before["enableReading"], before["enableSpotAndMarginTrading"]) == (True, True)
    assert (shown["enableReading"], shown["enableSpotAndMarginTrading"]) == (True, False)
    assert "tradingAuthorityExpirationTime" not in shown
    assert status["data"]["isLocked"] is True


def test_a_bot_whose_key_was_revoked_with_others_is_told_so(managed: Managed) -> None:
    house = managed.house
    key = house.issue(house.account(kind=AccountKind.MASTER), TRADING)
    strike(managed, account_id=key.account_id)

    reply = look(managed, key)

    assert (reply.status, reply.json()["code"]) == (400, -2008)
    assert reply.headers["tenure-refusal"] == "key_revoked"
    assert OPERATOR_TOKEN not in reply.body.decode()


def test_where_two_people_have_to_agree_the_token_alone_revokes_no_keys_of_the_house(
    tmp_path: Path,
) -> None:
    """BI-49; one account tree is no matter of the whole house."""
    strict = Managed.open(tmp_path, second_approval="always")
    account_id = strict.account()
    key = strict.key(account_id, label="3rd party")
    stamp = strict.tell("POST", "/v1/revocations/preview", {"label": "3rd party"})["stamp"]

    refused = strict.ask("POST", "/v1/revocations", {"label": "3rd party", "stamp": stamp})

    assert is_problem(refused, 403, "approval_required")
    assert strict.tell("GET", f"/v1/keys/{key['key_id']}")["status"] == "active"
    strike(strict, label="3rd party", account_id=account_id)
    assert strict.tell("GET", f"/v1/keys/{key['key_id']}")["status"] == "revoked"
    strict.house.close()
