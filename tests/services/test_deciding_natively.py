"""
Natively signed requests decided in a whole Tenure, and what makes them one-time.

What is read out of the headers, and every way to spoil it, is in `tests/domain/test_messages.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.domain import messages
from tenure.domain.decide import Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.model import ApiKey, KeyType
from tenure.domain.signing import Malformed
from tests.builders import an_address
from tests.house import House, one_time_catalog
from tests.native import Request

TRADING, FUTURES = "spot_margin_trading", "futures"
ADDRESS = "203.0.113.7"
BODY = b'{"quantity":"1"}'


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Open a house in which trading is one-time and futures are not."""
    catalog = one_time_catalog(tmp_path, TRADING)
    house = House.open(tmp_path / "home", catalog=catalog, staleness_ms=60_000)
    yield house
    house.close()


def a_request(house: House, key: ApiKey, **more: object) -> Request:
    created_s = house.worker.clock.now_ms() // 1000
    return replace(Request(api_key=key.api_key, created_s=created_s), **more)  # type: ignore[arg-type]  # its own fields


def judged(  # noqa: PLR0913 - a request has that many parts
    house: House,
    key: ApiKey,
    request: Request,
    *,
    headers: dict[str, str] | None = None,
    permission: str = TRADING,
    address: str = ADDRESS,
) -> Reason | None:
    """Return why it is refused, None where it is allowed."""
    headers = request.headers(house.signers[key.key_id]) if headers is None else headers
    read = messages.parse(
        request.method, request.target, headers, request.body, an_address(address)
    )
    if isinstance(read, Malformed):
        return Reason.REQUEST_MALFORMED
    outcome = house.worker.decider.decide(read, permission)
    return outcome.reason if isinstance(outcome, Refused) else None


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_natively_signed_request_is_decided_like_any_other(
    house: House, key_type: KeyType
) -> None:
    key = house.issue(house.account(), FUTURES, key_type=key_type, ips=(ADDRESS,))
    request = a_request(house, key, body=BODY)

    assert judged(house, key, request, permission=FUTURES) is None
    assert judged(house, key, request, permission=TRADING) is Reason.PERMISSION_MISSING
    elsewhere = judged(house, key, request, permission=FUTURES, address="198.51.100.1")
    assert elsewhere is Reason.IP_NOT_ALLOWED
    house.worker.keys.revoke(key.key_id, "test")
    assert judged(house, key, request, permission=FUTURES) is Reason.KEY_REVOKED


def test_before_proof_it_is_one_refusal(house: House) -> None:
    key = house.issue(house.account(), FUTURES)
    request = a_request(house, key)
    late = a_request(house, key, created_s=request.created_s - 6)
    stranger = "tnr1" + "0" * 60

    def why(request: Request, **more: str) -> Reason | None:
        headers = request.headers(house.signers[key.key_id]) | more
        return judged(house, key, request, headers=headers, permission=FUTURES)

    assert why(request, host="api.example.org") is Reason.SIGNATURE_INVALID
    assert why(request, signature="") is Reason.REQUEST_MALFORMED
    assert why(late) is Reason.OUTSIDE_RECEIVE_WINDOW
    assert why(replace(request, api_key=stranger)) is Reason.KEY_MALFORMED


def test_neither_scheme_falls_back_to_the_other(house: House) -> None:
    """Decision 0006: a good signature of the one is nothing in the other."""
    key = house.issue(house.account(), FUTURES)
    query = house.signed_query(key, "symbol=A")
    with_both = a_request(house, key, target=f"/api/v3/order?{query}")
    assert judged(house, key, with_both, permission=FUTURES) is Reason.REQUEST_MALFORMED

    unsigned = with_both.headers(house.signers[key.key_id]) | {"x-mbx-apikey": key.api_key}
    del unsigned["signature-input"]
    why = judged(house, key, with_both, headers=unsigned, permission=FUTURES)
    assert why is Reason.REQUEST_MALFORMED

    request = a_request(house, key)
    headers = request.headers(house.signers[key.key_id])
    outcome = house.worker.decider.decide_raw(
        key.api_key, request.target.partition("?")[2].encode(), b"", an_address(), FUTURES
    )
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.REQUEST_MALFORMED
    headers |= {"x-mbx-apikey": key.api_key}
    why = judged(house, key, request, headers=headers, permission=FUTURES)
    assert why is Reason.REQUEST_MALFORMED


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_nonce_acts_once_under_a_one_time_permission(house: House, key_type: KeyType) -> None:
    """BI-10 and BI-11: the same bytes, and another body honestly signed under the same nonce."""
    key = house.issue(house.account(), TRADING, FUTURES, key_type=key_type)
    request = a_request(house, key)

    assert judged(house, key, request) is None
    assert judged(house, key, request) is Reason.REPLAYED
    again = replace(request, body=BODY, target="/api/v3/order?symbol=B")
    assert judged(house, key, again) is Reason.REPLAYED
    assert judged(house, key, replace(again, nonce="another")) is None
    assert judged(house, key, again, permission=FUTURES) is None


def test_a_nonce_is_the_key_s_own(house: House) -> None:
    account_id = house.account()
    first, second = (house.issue(account_id, TRADING, label=label) for label in ("a", "b"))
    assert judged(house, first, a_request(house, first)) is None
    assert judged(house, second, a_request(house, second)) is None


def test_another_spelling_of_a_spent_request_is_no_request(house: House) -> None:
    """P18, T20: the label is not signed, so it must not make another request of it."""
    key = house.issue(house.account(), TRADING)
    request = a_request(house, key)
    headers = request.headers(house.signers[key.key_id])
    assert judged(house, key, request, headers=headers) is None

    relabelled = {name: value.replace("sig1=", "other=") for name, value in headers.items()}
    assert judged(house, key, request, headers=relabelled) is Reason.REPLAYED
    elsewhere = headers | {"host": headers["host"].upper()}
    assert judged(house, key, request, headers=elsewhere) is Reason.REPLAYED
    spaced = headers | {"signature-input": headers["signature-input"].replace(";", "; ")}
    assert judged(house, key, request, headers=spaced) is Reason.REQUEST_MALFORMED


def test_where_a_nonce_cannot_be_remembered_nothing_one_time_acts(house: House) -> None:
    key = house.issue(house.account(), TRADING)
    house.worker.replays.close()
    with pytest.raises(Unavailable) as caught:
        judged(house, key, a_request(house, key))
    assert caught.value.code == "replay"
