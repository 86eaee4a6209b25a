"""Reading bodies strictly, naming fields without repeating what was sent, and request ids."""

import contextlib
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import ClientException

from tenure.domain.errors import Invalid, Unauthenticated
from tenure.domain.model import KeyType
from tenure.faces.http import requests
from tests.faces.http.managed import OPERATOR_TOKEN, Managed

CANARY = "canary-s3cr3t"


class Inner(requests.Body):
    """A part of a body."""

    number: requests.Integer


class Outer(requests.Body):
    """A body."""

    name: Annotated[str, msgspec.Meta(max_length=5)]
    key_type: KeyType = KeyType.HMAC
    inner: Inner | None = None
    texts: list[str] = msgspec.field(default_factory=list)
    flags: dict[str, bool] = msgspec.field(default_factory=dict)


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        (b"[]", "body", "Expected object, got array"),
        (b"null", "body", "Expected object, got null"),
        (b"{}", "name", "is missing"),
        (b'{"name": 1}', "name", "Expected str, got int"),
        (b'{"name": "123456"}', "name", "Expected str of length <= 5"),
        (b'{"name": "x", "surplus": 1}', "surplus", "is not known here"),
        (b'{"name": "x", "inner": {}}', "inner.number", "is missing"),
        (b'{"name": "x", "inner": {"number": "1"}}', "inner.number", "Expected int, got str"),
        (b'{"name": "x", "inner": {"number": 1.5}}', "inner.number", "Expected int, got float"),
        (b'{"name": "x", "inner": {"number": true}}', "inner.number", "Expected int, got bool"),
        (b'{"name": "x", "inner": {"number": -1}}', "inner.number", "Expected int >= 0"),
        (
            b'{"name": "x", "inner": {"number": 9007199254740992}}',
            "inner.number",
            "Expected int <= 9007199254740991",
        ),
        (b'{"name": "x", "texts": ["a", 2]}', "texts[1]", "Expected str, got int"),
        (b'{"name": "x", "flags": {"a": 1}}', "flags[...]", "Expected bool, got int"),
        (b'{"name": "x", "key_type": "dsa"}', "key_type", "Not one of the values allowed"),
    ],
)
def test_json_of_another_shape_is_invalid_and_names_the_field(
    sent: bytes, field: str, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        requests.read(sent, Outer)
    assert [(item.field, item.message) for item in caught.value.problems] == [(field, message)]


@pytest.mark.parametrize(
    "sent",
    [
        {"name": {"a": CANARY}},
        {"name": CANARY},
        {"name": "x", "key_type": CANARY},
        {"name": "x", f"-----BEGIN {CANARY}-----\n": 1},
        {"name": "x", "flags": {CANARY: 1}},
        {"name": "x", "texts": CANARY},
        CANARY,
    ],
)
def test_what_was_sent_is_never_repeated(sent: Any) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(Invalid) as caught:
        requests.read(msgspec.json.encode(sent), Outer)
    assert CANARY not in str(caught.value)


def test_a_body_shows_nothing_of_itself() -> None:
    body = requests.read(msgspec.json.encode({"name": "x", "texts": [CANARY]}), Outer)
    assert repr(body) == "Outer(***)"
    assert CANARY not in f"{body!s} {[body]}"


@given(st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
def test_bytes_are_read_or_refused_whatever_they_are(sent: bytes) -> None:
    # Anything else that is raised would be a 500.
    with contextlib.suppress(ClientException, Invalid):
        assert isinstance(requests.read(sent, Outer), Outer)


def test_of_two_equal_names_the_last_wins() -> None:
    assert requests.read(b'{"name": "a", "name": "b"}', Outer).name == "b"


def test_a_request_keeps_its_id_and_shares_it_with_none(shared: Managed) -> None:
    ids = requests.Ids(shared.house.worker.clock)
    common: dict[str, object] = {}
    one: Any = {"type": "http", "state": common}
    other: Any = {"type": "http", "state": common}
    assert ids.of(one) == ids.of(one)
    assert ids.of(one) != ids.of(other)


def test_the_guard_lets_the_one_operator_token_through(shared: Managed) -> None:
    assert shared.ask("GET", "/v1/rules").status == 200
    operators = shared.house.worker.operators
    assert operators.authenticate(f"Bearer {OPERATOR_TOKEN}").name == "operator"
    with pytest.raises(Unauthenticated):
        operators.authenticate(f"Bearer {OPERATOR_TOKEN}x")
