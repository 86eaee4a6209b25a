"""
The management face against its own OpenAPI document, with requests nobody thought of.

schemathesis makes them up from the document: right ones, wrong ones, without the operator token,
with methods that are not there; and compares every answer with what is documented.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from typing_extensions import override

from tenure.domain.contacts import first_contact_id
from tests.faces.http.managed import DOCUMENT_PATH, OPERATOR_TOKEN, Managed, an_email

pytestmark = pytest.mark.slow

EXAMPLES: Final = 25
_open: list[Managed] = []


@pytest.fixture(scope="module", autouse=True)
def managed_throughout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Open a face for all that is asked here."""
    face = Managed.open(tmp_path_factory.mktemp("lived"), keys_per_account=100_000)
    _open.append(face)
    yield
    _open.remove(face)
    face.house.close()


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """Hand a request to the open face: there is none yet when the requests are made up."""
    await _open[0].app(scope, receive, send)  # type: ignore[arg-type]  # its own names for these


schema = schemathesis.openapi.from_path(DOCUMENT_PATH)
schema.app = app
# The document cannot say which e-mails, addresses and permissions there are, or how they combine.
schema.config.checks.positive_data_acceptance.expected_statuses += ["422"]
schema.config.checks.negative_data_rejection.expected_statuses += ["413"]


@schema.auth()
class Operator(schemathesis.AuthProvider[str]):
    """Sends the operator token, but for the requests that are to be refused without it."""

    @override
    def get(self, case: schemathesis.Case[Any], ctx: schemathesis.AuthContext) -> str:
        return OPERATOR_TOKEN

    @override
    def set(self, case: schemathesis.Case[Any], data: str, ctx: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schema.parametrize()
@hypothesis.settings(max_examples=EXAMPLES)
def test_every_answer_is_as_documented(case: schemathesis.Case[Any]) -> None:
    meta = case.meta
    if meta is None or meta.generation.mode.is_positive:
        # Ids that are made up would be answered 404, all of them.
        case.path_parameters.update(something_there(*case.path_parameters))
    case.call_and_validate()


def something_there(*names: str) -> dict[str, str]:
    """Return ids that exist for the path parameters *names*: always a new account, or key."""
    face = _open[0]
    if not names:
        return {}
    telling = face.house.worker.telling
    account_id = face.house.account(an_email())
    there = {"account_id": account_id, "contact_id": first_contact_id(account_id)}
    if {"key_id", "notice_id"} & set(names):
        there["key_id"] = face.house.issue(account_id, "spot_margin_trading").key_id
        there["notice_id"] = telling.notices.of_account(account_id)[0].notice.notice_id
    if "name" in names:
        there["name"] = f"{telling.calendars.renew(account_id, 'test').reveal()}.ics"
    # A rule that may be withdrawn is not made for it: those are told to be unknown.
    return {name: there[name] for name in names if name in there}
