"""
What goes wrong, as RFC 9457 problem details: the one table from exceptions to HTTP.

`type` says what kind of problem it is, `code` exactly which; both are stable, the sentences are
not. Nothing internal is shown: an unexpected error is logged with the request's id, which is all
its caller gets.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET, UnsetType

from tenure import metrics
from tenure.domain import errors
from tenure.domain.decide import REFUSALS, Refused
from tenure.domain.errors import Conflict, Invalid, TenureError, Unavailable
from tenure.faces.http import refusals, requests, revocation_views, views
from tenure.faces.http.revocation_views import RevocationPlanView
from tenure.services.acts import Done
from tenure.services.keys import Previewed
from tenure.services.revocations import Shown

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
"""A follower catches up in milliseconds; a second spares a store that is in trouble."""
CHALLENGE: Final = {"www-authenticate": "Bearer"}
"""What a 401 comes with (RFC 9110 11.6.1); for signing by RFC 9421 there is no challenge."""
_IN_PATH: Final = frozenset(
    {"account_id", "key_id", "rule_id", "notice_id", "contact_id", "person_id", "name"}
)


class Kind(NamedTuple):
    """A kind of problem: its *name* in `type`, HTTP *status*, and *title*."""

    name: str
    status: int
    title: str


KINDS: Final[Mapping[type[TenureError], Kind]] = {
    errors.Invalid: Kind("invalid", 422, "What was sent does not make sense"),
    errors.NotFound: Kind("not-found", 404, "There is no such thing"),
    errors.Conflict: Kind("conflict", 409, "This cannot be done as things stand"),
    errors.Unauthenticated: Kind("unauthenticated", 401, "Say who you are"),
    errors.Forbidden: Kind("forbidden", 403, "This is not yours to do"),
    errors.Unavailable: Kind("unavailable", 503, "Tenure cannot answer safely just now"),
}
MALFORMED: Final = Kind("malformed", 400, "What was sent cannot be read")
METHOD: Final = Kind("method-not-allowed", 405, "This route does not take this method")
TOO_LARGE: Final = Kind("too-large", 413, "What was sent is too large")
INTERNAL: Final = Kind("internal", 500, "Something went wrong in Tenure")

_OF_HTTP: Final = {
    kind.status: kind for kind in (MALFORMED, KINDS[errors.NotFound], METHOD, TOO_LARGE)
}
_ALL: Final = {kind.status: kind for kind in (*KINDS.values(), *_OF_HTTP.values(), INTERNAL)}


class FieldProblem(msgspec.Struct, frozen=True):
    """One thing wrong with one field of what was sent."""

    field: str
    message: str


class Refusal(Exception):  # noqa: N818 - a refusal is a value everywhere else; here it is raised
    """The request was signed by a key that is known, and that may not."""

    def __init__(self, refused: Refused) -> None:
        """*refused* is for one who proved possession, so he is told."""
        self.refused = refused
        super().__init__(refused.reason)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    RFC 9457 problem details; `problems` where fields are wrong.

    Where something has to be confirmed, `plan` or `revocation` is what it would do now; where it
    was done before, `seq`, `account_id` and `key_id` say what it did.
    `permission`, `address`, `ends_at_ms`, `rule_id` and `since_ms` are told to whoever signed with
    a key that may not: see refusals.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    problems: list[FieldProblem] | UnsetType = UNSET
    plan: views.PlanView | UnsetType = UNSET
    permission: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    ends_at_ms: int | UnsetType = UNSET
    rule_id: str | UnsetType = UNSET
    since_ms: int | UnsetType = UNSET
    revocation: RevocationPlanView | UnsetType = UNSET
    seq: int | UnsetType = UNSET
    account_id: str | UnsetType = UNSET
    key_id: str | UnsetType = UNSET


class Problems:
    """Turns whatever a route raises into an answer."""

    def __init__(self, ids: requests.Ids, show: views.Show) -> None:
        """*show* is for the plan that a conflict comes with."""
        self._ids, self._show = ids, show

    def answer(self, request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
        """Answer for *error*; log what somebody should look into."""
        request_id = self._ids.of(request.scope)
        if isinstance(error, ValidationException):
            error = _of_parameters(error)
        elif isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
            error = errors.NotFound()  # An id that no route takes is not told from an unknown one.
        if isinstance(error, Refusal):
            return _refused(error.refused, request_id)
        if isinstance(error, TenureError) and type(error) in KINDS:
            return self._expected(error, request_id)
        if isinstance(error, HTTPException) and error.status_code in _OF_HTTP:
            kind = _OF_HTTP[error.status_code]
            # The framework's words may repeat what was sent; ours, for a body, do not.
            detail = error.detail if kind is MALFORMED else HTTPStatus(kind.status).description
            return _respond(kind, detail or kind.title, request_id, headers=error.headers)
        log.error("unexpected", request_id=request_id, method=request.method, exc_info=error)
        detail = "Tell whoever runs Tenure the request id; its log says more."
        return _respond(INTERNAL, detail, request_id)

    def _expected(self, error: TenureError, request_id: str) -> Response[Problem]:
        kind, headers = KINDS[type(error)], {}
        more: dict[str, Any] = {}
        match error:
            case Invalid():
                found = [FieldProblem(item.field, item.message) for item in error.problems]
                more = {"problems": found}
            case Conflict(plan=Previewed() as previewed):
                more = {"plan": self._show.plan(previewed)}
            case Conflict(plan=Shown() as shown):
                more = {"revocation": revocation_views.plan(shown)}
            case Conflict(plan=Done() as done):
                more = {"seq": done.seq, "account_id": done.account_id, "key_id": done.key_id}
            case errors.Unauthenticated():
                headers = CHALLENGE
            case Unavailable():
                headers = {"retry-after": str(RETRY_AFTER_S)}
                metrics.count_unavailable("management", error.code)
                log.warning(
                    "unavailable", request_id=request_id, cause=error.code, context=error.context
                )
            case _:
                pass
        # Which id was asked for, and of what, must not show in how it is not found (T25).
        detail = errors.NotFound().message if isinstance(error, errors.NotFound) else error.message
        return _respond(
            kind,
            detail,
            request_id,
            code=error.code,
            headers=headers,
            facts={name: value for name, value in more.items() if value is not None},
        )


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """Return what the OpenAPI document says of a route that may answer with *statuses*."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=_ALL[status].title,
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status in statuses
    }


def _of_parameters(error: ValidationException) -> Exception:
    """Tell what is wrong with a path, a query, or a body that is not there."""
    found = [entry for entry in error.extra or [] if isinstance(entry, dict)]
    fields = {str(entry.get("key", "")): str(entry.get("message", "")) for entry in found}
    if fields.keys() & _IN_PATH:
        return errors.NotFound()
    if "data" in fields:
        return HTTPException(status_code=400, detail="The body is empty: send a JSON object.")
    explained = [
        errors.Problem(field, requests.explain(message)[1]) for field, message in fields.items()
    ]
    return Invalid.of(explained or [errors.Problem("query", "cannot be read")])


def _refused(refused: Refused, request_id: str) -> Response[Problem]:
    row = REFUSALS[refused.reason]
    is_401 = row.status == HTTPStatus.UNAUTHORIZED
    kind = KINDS[errors.Unauthenticated if is_401 else errors.Forbidden]
    headers = {name.decode(): value.decode() for name, value in refusals.told_headers(refused)}
    return _respond(
        kind,
        row.sentence,
        request_id,
        code=refused.reason,
        headers={**headers, **CHALLENGE} if is_401 else headers,
        facts=refusals.told_facts(refused),
    )


def _respond(  # noqa: PLR0913 - a problem has that many sides
    kind: Kind,
    detail: str,
    request_id: str,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Response[Problem]:
    problem = Problem(
        **(facts or {}),
        type=f"urn:tenure:problem:{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=code or kind.name.replace("-", "_"),
        request_id=request_id,
    )
    return Response(
        problem, status_code=kind.status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )
