"""The sample exchange without its clients: what it answers, what it passes on, and how."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from examples.exchange import app
from examples.exchange.proxy import BODY_BYTES_MAX, Proxy
from tenure.domain.model import ApiKey
from tenure.faces.http import binance_errors
from tenure.faces.middleware import Guard
from tests.builders import TRADING, ms
from tests.house import Asgi, House, Reply, ask

ORDER = "/api/v3/order/test"
AN_ORDER = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1"
RESTRICTIONS = "/sapi/v1/account/apiRestrictions"
NO_SUCH_ROUTE = {"code": -1020, "msg": "This operation is not supported."}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House.open(tmp_path, staleness_ms=60_000)
    yield house
    house.close()


@pytest.fixture
def exchange(house: House) -> Asgi:
    """Return the exchange with nothing behind it."""
    refuse = binance_errors.Errors().refuse
    return app.build(
        Guard(app.serve, lambda: house.worker.decider, refuse=refuse), passing(refuse_to_be_asked)
    )


def passing(answer: Callable[[httpx.Request], httpx.Response]) -> Proxy:
    """Return what passes requests on to a Tenure that does *answer*."""
    return Proxy(httpx.AsyncClient(transport=httpx.MockTransport(answer)), "http://tenure.invalid")


def refuse_to_be_asked(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"Tenure is asked for {request.url}")


def post(house: House, exchange: Asgi, key: ApiKey, query: str) -> Reply:
    target = f"{ORDER}?{house.signed_query(key, query)}"
    return ask(exchange, "POST", target, headers={"X-MBX-APIKEY": key.api_key})


def test_an_order_is_taken_and_tells_when_that_will_end(house: House, exchange: Asgi) -> None:
    key = house.issue(house.account(), TRADING)

    reply = post(house, exchange, key, AN_ORDER)

    assert (reply.status, reply.json()) == (200, {})
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
    assert reply.headers["tenure-expires-at"] == str(ms("2021-12-31 10:00"))
    assert reply.headers["tenure-rule"] == "2021-07-09"


def test_an_order_by_a_key_that_may_not_trade_never_reaches_the_exchange(
    house: House, exchange: Asgi
) -> None:
    key = house.issue(house.account())

    # Not even its parameters are looked at.
    reply = post(house, exchange, key, "symbol=NOTHING")

    assert (reply.status, reply.json()["code"]) == (401, -2015)
    assert reply.headers["tenure-refusal"] == "permission_missing"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("side=BUY&type=MARKET", -1102),
        ("symbol=BTCUSDT&side=&type=MARKET", -1102),
        ("symbol=BTCEUR&side=BUY&type=MARKET", -1121),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_the_venue_s_words(
    house: House, exchange: Asgi, query: str, code: int
) -> None:
    reply = post(house, exchange, house.issue(house.account(), TRADING), query)

    assert (reply.status, reply.json()["code"]) == (400, code)
    assert reply.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "path",
    [
        "/sapi/v1/capital/config/getall",
        "/sapi/v1/margin/allPairs",
        "/sapi/v1/margin/isolated/allPairs",
    ],
)
def test_lists_that_clients_load_are_empty_and_need_a_key(
    house: House, exchange: Asgi, path: str
) -> None:
    key = house.issue(house.account())
    target = f"{path}?{house.signed_query(key)}"

    assert ask(exchange, "GET", target, headers={"X-MBX-APIKEY": key.api_key}).json() == []
    assert ask(exchange, "GET", path).json()["code"] == -1102


@pytest.mark.parametrize(
    ("path", "symbols"),
    [
        ("/api/v3/exchangeInfo", ["BTCUSDT", "ETHUSDT", "ETHBTC"]),
        ("/fapi/v1/exchangeInfo", []),
        ("/dapi/v1/exchangeInfo", []),
    ],
)
def test_anybody_may_know_what_is_traded(exchange: Asgi, path: str, symbols: list[str]) -> None:
    shown = ask(exchange, "GET", path).json()

    assert [symbol["symbol"] for symbol in shown["symbols"]] == symbols


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", ORDER), ("POST", "/api/v3/account"), ("GET", "/api/v3/account/"), ("GET", "/api/v3")],
)
def test_what_is_no_route_of_its_own_goes_to_tenure(house: House, method: str, target: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.extensions['target'].decode()}")
        return httpx.Response(404, json=NO_SUCH_ROUTE)

    guarded = Guard(app.serve, lambda: house.worker.decider)
    reply = ask(app.build(guarded, passing(answer)), method, target)

    assert (reply.status, reply.json()) == (404, NO_SUCH_ROUTE)
    assert asked == [f"{method} {target}"]


def test_a_request_is_passed_on_byte_by_byte_and_its_peer_is_named() -> None:
    passed: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        passed.append(request)
        return httpx.Response(200, json={})

    target = f"{RESTRICTIONS}?b=%7e&a=x@y,z&c=%2B+&d=[1]&d"
    ask(
        passing(answer),
        "POST",
        target,
        headers={
            "X-MBX-APIKEY": "the key",
            "X-Forwarded-For": "203.0.113.7",
            "Authorization": "Bearer of somebody",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=b"e=%40&f=@",
        peer="198.51.100.23",
    )

    (request,) = passed
    assert request.method == "POST"
    assert request.extensions["target"] == target.encode()
    assert request.content == b"e=%40&f=@"
    assert request.headers["x-mbx-apikey"] == "the key"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers.get_list("x-forwarded-for") == ["198.51.100.23"]
    assert "authorization" not in request.headers


def test_a_key_named_twice_is_passed_on_twice_and_so_refused_where_it_is_judged() -> None:
    passed: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        passed.append(request)
        return httpx.Response(400, json={})

    ask(
        passing(answer), "GET", RESTRICTIONS, headers=[("X-MBX-APIKEY", "a"), ("X-MBX-APIKEY", "b")]
    )

    assert passed[0].headers.get_list("x-mbx-apikey") == ["a", "b"]


def test_an_answer_comes_back_as_it_is() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "Tenure-Refusal": "key_revoked",
            "Connection": "close",
        }
        return httpx.Response(400, headers=headers, content=b'{"code":-2008}')

    reply = ask(passing(answer), "GET", RESTRICTIONS)

    assert (reply.status, reply.body) == (400, b'{"code":-2008}')
    assert reply.headers == {
        "content-type": "application/json;charset=UTF-8",
        "tenure-refusal": "key_revoked",
        "content-length": "14",
    }


@pytest.mark.parametrize(
    "target", ["/v1/accounts", "/metrics", "/sandbox/clock", "/authorize", "/"]
)
def test_what_tenure_offers_its_operators_is_not_offered_to_the_public(target: str) -> None:
    reply = ask(passing(refuse_to_be_asked), "GET", target)

    assert (reply.status, reply.json()) == (404, NO_SUCH_ROUTE)


def test_a_body_longer_than_any_call_needs_is_not_passed_on() -> None:
    most = b"x" * BODY_BYTES_MAX

    reply = ask(passing(refuse_to_be_asked), "POST", "/sapi/v1/anything", body=most + b"x")
    assert (reply.status, reply.json()) == (413, NO_SUCH_ROUTE)
    passed = ask(passing(lambda _: httpx.Response(200)), "POST", "/sapi/v1/anything", body=most)
    assert passed.status == 200


def test_while_tenure_is_away_clients_are_asked_to_come_back() -> None:
    def be_away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    reply = ask(passing(be_away), "GET", RESTRICTIONS)

    assert (reply.status, reply.json()["code"]) == (503, -1008)
    assert reply.headers["retry-after"] == "1"
