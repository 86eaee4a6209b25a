"""Ring (a) of the compatible surface, by raw bytes: answers, codes, statuses, headers."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenure.domain.errors import Unavailable
from tenure.domain.model import AccountKind, ApiKey, KeyType
from tenure.faces.http import binance
from tenure.services.keys import Wanted
from tests.builders import ms
from tests.house import House, Reply, ask

RESTRICTIONS = "/sapi/v1/account/apiRestrictions"
TRADING = "spot_margin_trading"
END = "tradingAuthorityExpirationTime"
DAY_MS = 86_400_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House.open(tmp_path)
    yield house
    house.close()


def get(
    house: House, target: str, *, key: str | None = None, peer: str = "198.51.100.9", **more: object
) -> Reply:
    app = binance.build(house.worker.decider, house.worker.settings)
    headers = {"X-MBX-APIKEY": key} if key is not None else {}
    return ask(app, "GET", target, headers=headers | more, peer=peer)  # type: ignore[arg-type]  # texts


def restrictions(house: House, key: ApiKey, peer: str = "198.51.100.9") -> Reply:
    return get(house, f"{RESTRICTIONS}?{house.signed_query(key)}", key=key.api_key, peer=peer)


def refused(reply: Reply, status: int, code: int, message: str) -> None:
    assert (reply.status, reply.json()) == (status, {"code": code, "msg": message})
    assert reply.headers["content-type"].startswith("application/json")


def test_ping_and_time_need_no_key(house: House) -> None:
    assert get(house, "/api/v3/ping").json() == {}
    assert get(house, "/api/v3/time").json() == {"serverTime": ms("2021-12-01 10:00")}
    assert get(house, "/sapi/v1/system/status").json() == {"status": 0, "msg": "normal"}


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond"])
def test_time_is_told_in_microseconds_where_asked(house: House, unit: str) -> None:
    reply = get(house, "/api/v3/time", **{"X-MBX-TIME-UNIT": unit})
    assert reply.json() == {"serverTime": ms("2021-12-01 10:00") * 1000}


def test_an_unknown_time_unit_is_refused(house: House) -> None:
    reply = get(house, "/api/v3/time", **{"X-MBX-TIME-UNIT": "NANOSECOND"})
    message = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
    refused(reply, 400, -1194, message)


def test_the_end_of_trading_is_shown_exactly_while_its_term_runs(house: House) -> None:
    key = house.issue(house.account(), TRADING)
    end_ms = ms("2021-12-31 10:00")

    first = restrictions(house, key).json()
    assert list(first) == [
        "ipRestrict",
        "createTime",
        "enableReading",
        "enableWithdrawals",
        "enableInternalTransfer",
        "enableMargin",
        "enableFutures",
        "permitsUniversalTransfer",
        "enableVanillaOptions",
        "enableFixApiTrade",
        "enableFixReadOnly",
        "enableSpotAndMarginTrading",
        END,
        "enablePortfolioMarginTrading",
    ]
    assert first["createTime"] == ms("2021-12-01 10:00")
    assert first[END] == end_ms
    assert [name for name, value in first.items() if value is True] == [
        "enableReading",
        "enableSpotAndMarginTrading",
    ]

    house.move(end_ms - 1)
    assert restrictions(house, key).json()[END] == end_ms
    house.move(end_ms)
    after = restrictions(house, key).json()
    assert after["enableSpotAndMarginTrading"] is False
    assert END not in after


def test_no_end_is_shown_for_a_restricted_key(house: House) -> None:
    key = house.issue(house.account(), TRADING, ips=("203.0.113.7",))
    reply = restrictions(house, key, peer="203.0.113.7")
    assert reply.json()["ipRestrict"] is True
    assert reply.json()["enableSpotAndMarginTrading"] is True
    assert END not in reply.json()
    assert "tenure-terms" not in reply.headers


def test_every_term_travels_in_a_header_ended_or_not(house: House) -> None:
    key = house.issue(house.account(), TRADING)
    end_ms = ms("2021-12-31 10:00")
    assert restrictions(house, key).headers["tenure-terms"] == f"{TRADING}={end_ms}"
    house.move(end_ms + 1)
    assert restrictions(house, key).headers["tenure-terms"] == f"{TRADING}={end_ms}"


def test_account_status_and_trading_status_answer_in_the_venue_s_shape(house: House) -> None:
    key = house.issue(house.account())
    target = f"/sapi/v1/account/status?{house.signed_query(key)}"
    assert get(house, target, key=key.api_key).json() == {"data": "Normal"}
    target = f"/sapi/v1/account/apiTradingStatus?{house.signed_query(key)}"
    status = get(house, target, key=key.api_key).json()["data"]
    assert status["triggerCondition"] == {"GCR": 150, "IFER": 150, "UFR": 300}
    assert status["isLocked"] is False


@pytest.mark.parametrize("key_type", list(KeyType))
def test_every_key_type_can_look_at_itself(house: House, key_type: KeyType) -> None:
    key = house.issue(house.account(), TRADING, key_type=key_type)
    assert restrictions(house, key).json()["enableSpotAndMarginTrading"] is True


@pytest.mark.parametrize(
    "target",
    ["/sapi/v1/account/apirestrictions", "/api/v3/nothing", "/fapi/v1/ping", "/api/v3/ping/"],
)
def test_an_unknown_route_is_said_to_be_one(house: House, target: str) -> None:
    refused(get(house, target), 404, -1020, "This operation is not supported.")


def test_the_wrong_method_is_an_unknown_route(house: House) -> None:
    app = binance.build(house.worker.decider, house.worker.settings)
    refused(ask(app, "POST", RESTRICTIONS), 404, -1020, "This operation is not supported.")


def mandatory(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


RANGE = "'signature'; legal range is '^[A-Za-z0-9+/=]{1,1024}$'."


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("", -1102, mandatory("signature")),
        ("timestamp=1&signature=", -1102, mandatory("signature")),
        ("signature=aa", -1102, mandatory("timestamp")),
        ("timestamp=1_0&signature=aa", -1102, mandatory("timestamp")),
        (
            "timestamp=1&timestamp=1&signature=aa",
            -1101,
            "Duplicate values for a parameter detected.",
        ),
        (
            "timestamp=1&signature=aa&signature=aa",
            -1101,
            "Duplicate values for a parameter detected.",
        ),
        ("timestamp=1&signature=a%20a", -1100, f"Illegal characters found in parameter {RANGE}"),
        ("timestamp=1&signature=aa&recvWindow=0", -1102, mandatory("recvWindow")),
        (
            "timestamp=1&signature=aa&recvWindow=60001",
            -1102,
            "'recvWindow' contains unexpected value. Cannot be greater than '60000'.",
        ),
    ],
)
def test_what_cannot_be_read_is_named_before_any_key_is_looked_at(
    house: House, query: str, code: int, message: str
) -> None:
    refused(get(house, f"{RESTRICTIONS}?{query}"), 400, code, message)


def test_a_key_that_cannot_exist_is_told_apart_by_its_form_alone(house: House) -> None:
    query = "timestamp=1638352800000&signature=aa"
    for key in (None, "", "short", "x" * 64):
        refused(
            get(house, f"{RESTRICTIONS}?{query}", key=key), 400, -2014, "API-key format invalid."
        )


@pytest.mark.parametrize(
    ("shift_ms", "message"),
    [
        (1_000, "Timestamp for this request was 1000ms ahead of the server's time."),
        (-5_001, "Timestamp for this request is outside of the recvWindow."),
    ],
)
def test_a_timestamp_outside_the_window_is_told_the_same_for_known_and_unknown_keys(
    house: House, shift_ms: int, message: str
) -> None:
    key = house.issue(house.account())
    stranger = house.issue(house.account("other@example.com"))
    house.worker.keys.revoke(stranger.key_id, "test")
    at_ms = house.worker.clock.now_ms() + shift_ms
    for known in (key, dataclasses.replace(stranger)):
        query = house.signed_query(known, at_ms=at_ms)
        refused(get(house, f"{RESTRICTIONS}?{query}", key=known.api_key), 400, -1021, message)


def test_an_unknown_key_and_a_wrong_signature_get_one_and_the_same_answer(house: House) -> None:
    key = house.issue(house.account(), TRADING)
    elsewhere = "tnr1FNGy7MJWjsVgALlTRciFx3t5K1GrTrGLlBiNckzhz001mLDwyuGtH14fSkDw"
    query = f"timestamp={house.worker.clock.now_ms()}&signature={'0' * 64}"
    wrong = get(house, f"{RESTRICTIONS}?{query}", key=key.api_key)
    unknown = get(house, f"{RESTRICTIONS}?{query}", key=elsewhere)
    refused(wrong, 400, -1022, "Signature for this request is not valid.")
    assert wrong == unknown
    assert not [name for name in wrong.headers if name.startswith("tenure-")]


def test_after_proof_the_exact_reason_travels_in_headers(house: House) -> None:
    account_id = house.account()
    key = house.issue(account_id, ips=("203.0.113.7",))
    reply = restrictions(house, key)
    message = "Invalid API-key, IP, or permissions for action, request ip: 198.51.100.9"
    refused(reply, 400, -2015, message)
    assert reply.headers["tenure-refusal"] == "ip_not_allowed"
    assert reply.headers["tenure-address"] == "198.51.100.9"

    house.worker.accounts.set_frozen(account_id, frozen=True, actor="test")
    reply = restrictions(house, key, peer="203.0.113.7")
    refused(reply, 400, -1002, "You are not authorized to execute this request.")
    assert reply.headers["tenure-refusal"] == "account_frozen"

    house.worker.accounts.set_frozen(account_id, frozen=False, actor="test")
    house.worker.keys.revoke(key.key_id, "test")
    reply = restrictions(house, key, peer="203.0.113.7")
    refused(reply, 400, -2008, "Invalid Api-Key ID.")
    assert reply.headers["tenure-refusal"] == "key_revoked"


def test_a_key_without_reading_is_told_which_permission_it_lacks(house: House) -> None:
    key = house.issue(house.account())
    house.worker.keys.edit(key.key_id, Wanted(permissions={"reading": False}), None, "test")
    reply = restrictions(house, key)
    refused(reply, 400, -2015, "Invalid API-key, IP, or permissions for action.")
    assert reply.headers["tenure-refusal"] == "permission_missing"
    assert reply.headers["tenure-permission"] == "reading"


def test_a_frozen_master_refuses_its_sub_accounts_keys(house: House) -> None:
    master = house.account("master@example.com", AccountKind.MASTER)
    sub = house.account("sub@example.com", AccountKind.SUB, master)
    key = house.issue(sub)
    house.worker.accounts.set_frozen(master, frozen=True, actor="test")
    refused(restrictions(house, key), 400, -1002, "You are not authorized to execute this request.")


def broken(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_stale_keyring_answers_overloaded_and_when_to_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = house.issue(house.account())
    monkeypatch.setattr(type(house.worker.decider), "decide", broken(Unavailable("stale")))
    reply = restrictions(house, key)
    message = (
        "Server is currently overloaded with other requests. Please try again in a few minutes."
    )
    refused(reply, 503, -1008, message)
    assert reply.headers["retry-after"] == "1"


def test_a_bug_refuses_in_the_venue_s_shape(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    key = house.issue(house.account())
    monkeypatch.setattr(type(house.worker.decider), "decide", broken(ZeroDivisionError()))
    message = "An unknown error occurred while processing the request."
    refused(restrictions(house, key), 500, -1000, message)


def test_a_body_too_large_is_refused(house: House) -> None:
    app = binance.build(house.worker.decider, house.worker.settings)
    reply = ask(app, "GET", RESTRICTIONS, body=b"x" * (binance.BODY_BYTES_MAX + 1))
    refused(reply, 413, -1020, "This operation is not supported.")
