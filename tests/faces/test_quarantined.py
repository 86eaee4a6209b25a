"""A guarded service and a key in quarantine: cancelling reaches it, an order does not."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from tenure.domain.model import ApiKey, Permission
from tenure.faces.http import binance_errors
from tenure.faces.middleware import Guard, WsgiGuard
from tests.builders import TRADING
from tests.house import House, Reply, ask

ORDER = "/api/v3/order"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House.open(tmp_path, staleness_ms=60_000)
    yield house
    house.close()


@pytest.fixture
def key(house: House) -> ApiKey:
    """Return a key that may trade, in quarantine."""
    key = house.issue(house.account(), TRADING)
    house.worker.quarantine.place(key.key_id, "test", cause="seen in a public repository")
    return key


async def service(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401 - ASGI
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


def asked(house: House, key: ApiKey, method: str, path: str = ORDER, **options: Any) -> Reply:  # noqa: ANN401 - Options
    guard = Guard(service, lambda: house.worker.decider, **options)
    target = f"{path}?{house.signed_query(key)}"
    return ask(guard, method, target, headers={"X-MBX-APIKEY": key.api_key})


def test_cancelling_reaches_the_service_and_an_order_does_not(house: House, key: ApiKey) -> None:
    assert asked(house, key, "DELETE").body == b"served"
    assert asked(house, key, "GET").body == b"served"
    refused = asked(house, key, "POST")
    assert (refused.status, refused.json()["code"]) == (403, "key_quarantined")


def test_on_the_venues_own_surface_the_code_is_that_of_a_permission(
    house: House, key: ApiKey
) -> None:
    refuse = binance_errors.Errors().refuse
    trading = asked(house, key, "POST", refuse=refuse)
    withdrawing = asked(house, key, "POST", "/sapi/v1/capital/withdraw/apply", refuse=refuse)

    assert (trading.status, withdrawing.status) == (401, 400)
    for reply in (trading, withdrawing):
        assert reply.json() == {
            "code": -2015,
            "msg": "Invalid API-key, IP, or permissions for action.",
        }
        assert reply.headers["tenure-refusal"] == "key_quarantined"
    assert withdrawing.headers["tenure-permission"] == "withdrawals"


def test_with_a_table_of_its_own_a_service_keeps_reading_alone(house: House, key: ApiKey) -> None:
    def permission_for(method: str, _path: str) -> Permission:
        return Permission("reading") if method == "GET" else TRADING

    assert asked(house, key, "GET", permission_for=permission_for).status == 200
    assert asked(house, key, "DELETE", permission_for=permission_for).status == 403


@pytest.mark.parametrize(("method", "status"), [("DELETE", "200 OK"), ("POST", "403 Forbidden")])
def test_a_wsgi_service_is_guarded_alike(
    house: House, key: ApiKey, method: str, status: str
) -> None:
    def served(_environ: object, start_response: Any) -> list[bytes]:  # noqa: ANN401 - WSGI
        start_response("200 OK", [])
        return [b"served"]

    said: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": ORDER,
        "QUERY_STRING": house.signed_query(key),
        "REMOTE_ADDR": "203.0.113.9",
        "HTTP_X_MBX_APIKEY": key.api_key,
        "wsgi.input": io.BytesIO(),
    }
    setup_testing_defaults(environ)

    list(
        WsgiGuard(served, lambda: house.worker.decider)(environ, lambda line, _: said.append(line))
    )

    assert said == [status]
