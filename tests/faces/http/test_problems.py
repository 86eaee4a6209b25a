"""From exceptions to RFC 9457 problem details, and what of an error reaches a caller or the log."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog
from typing_extensions import override

from tenure.domain import errors
from tenure.domain.model import Account
from tenure.faces import logs
from tenure.services.accounts import Accounts
from tests.faces.http.managed import OPERATOR_TOKEN, Managed, build, is_problem, send
from tests.house import Reply

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


class Broken(Accounts):
    """Accounts that cannot be listed."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @override
    def every(self, after_id: str = "", most: int = 1000) -> list[Account]:
        raise self._error


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Collect what is logged, as it would be written."""
    before, stream = structlog.get_config(), io.StringIO()
    logs.configure()
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(stream), cache_logger_on_first_use=False
    )
    yield stream
    structlog.configure(**before)


def asked(shared: Managed, error: Exception) -> Reply:
    app = build(shared.house, accounts=Broken(error))
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    return send(app, "GET", "/v1/accounts", headers=headers)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Invalid("field", "is wrong"), 422, "invalid"),
        (errors.NotFound(), 404, "not_found"),
        (errors.Conflict("exists"), 409, "exists"),
        (errors.Unauthenticated(), 401, "unauthenticated"),
        (errors.Forbidden(), 403, "forbidden"),
        (errors.Unavailable("store"), 503, "store"),
        (errors.TenureError("a bug: the root is never raised"), 500, "internal"),
        (ValueError("a bug"), 500, "internal"),
        (RecursionError(), 500, "internal"),
    ],
)
def test_each_kind_of_error_has_its_status_and_its_code(
    shared: Managed, written: io.StringIO, error: Exception, status: int, code: str
) -> None:
    assert is_problem(asked(shared, error), status, code)
    # Expected answers are no news; the rest is, whatever it is.
    assert bool(written.getvalue()) is (status >= 500)


def test_what_is_unavailable_says_when_to_come_back_and_not_why(
    shared: Managed, written: io.StringIO
) -> None:
    reply = asked(shared, errors.Unavailable("store", context="the password was wrong"))
    assert reply.headers["retry-after"] == "1"
    assert b"password" not in reply.body
    logged = json.loads(written.getvalue())
    assert logged["context"] == "the password was wrong"
    assert logged["request_id"] == reply.headers["x-request-id"]


def test_an_unexpected_error_is_logged_in_one_line_and_not_shown(
    shared: Managed, written: io.StringIO
) -> None:
    reply = asked(shared, ValueError("secret\ninternals"))
    assert b"secret" not in reply.body
    (line,) = written.getvalue().splitlines()
    assert OPERATOR_TOKEN not in line
    logged = json.loads(line)
    assert logged["request_id"] == reply.headers["x-request-id"]
    assert "ValueError: secret\ninternals" in logged["exception"]


def test_every_problem_with_a_field_is_named(shared: Managed) -> None:
    more = (errors.Problem("label", "is too long"),)
    reply = asked(shared, errors.Invalid("ip_allowlist.0", "is no address", more=more))
    assert reply.json()["problems"] == [
        {"field": "ip_allowlist.0", "message": "is no address"},
        {"field": "label", "message": "is too long"},
    ]


def test_only_what_is_invalid_lists_problems_and_only_a_planned_conflict_has_a_plan(
    shared: Managed,
) -> None:
    problem = asked(shared, errors.Conflict("exists")).json()
    assert not problem.keys() & {"problems", "plan"}


def test_not_found_says_the_same_of_everything(shared: Managed) -> None:
    said = {
        asked(shared, errors.NotFound(message)).json()["detail"]
        for message in ("", "there is no such key", "there is no such account")
    }
    assert len(said) == 1
