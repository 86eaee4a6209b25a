"""
What a refusal looks like where no venue prescribes it: status, headers, problem details.

RFC 9457 bodies with a stable `code`, and the `Tenure-…` headers of WIRE section 5.3. Until
possession is proved there is one answer, equal to the byte whatever the cause; after it the exact
reason and what its owner needs to mend it. The table of reasons is `decide.REFUSALS`.
"""

import json
from http import HTTPStatus
from typing import Final, TypeAlias

from tenure.domain.decide import REFUSALS, UNTOLD, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.signing import Malformed

Headers: TypeAlias = list[tuple[bytes, bytes]]
Answer: TypeAlias = tuple[int, Headers, bytes]
"""HTTP status, headers, body."""

# Whatever sits in between must ask again: the next instant may be decided differently.
NO_STORE: Final = (b"cache-control", b"no-store")
_PROBLEM: Final = (b"content-type", b"application/problem+json")
_HEADERS: Final = (_PROBLEM, NO_STORE)
_RETRY: Final = (b"retry-after", b"1")


def refuse(outcome: Refused | Malformed | Unavailable, path: str = "") -> Answer:  # noqa: ARG001 - a venue's shape may depend on the path
    """
    Return the answer for whatever is not Allowed.

    401 where identity is not proved, 401 or 403 with the reason where it is, 503 with Retry-After
    where nobody can decide safely.
    """
    if isinstance(outcome, Unavailable):
        return unavailable(outcome.code)
    if isinstance(outcome, Malformed) or not REFUSALS[outcome.reason].is_told:
        return unauthorized()
    row = REFUSALS[outcome.reason]
    body = _body(row.status, outcome.reason, row.sentence, told_facts(outcome))
    return row.status, [*_HEADERS, *told_headers(outcome)], body


def told_facts(refused: Refused) -> dict[str, str | int | None]:
    """Return what helps a caller who proved possession, by name."""
    facts: dict[str, str | int | None] = {}
    if refused.permission is not None:
        facts["permission"] = refused.permission
    if refused.address is not None:
        facts["address"] = refused.address
    if refused.reason is Reason.PERMISSION_EXPIRED:
        facts |= {"ends_at_ms": refused.at_ms, "rule_id": refused.rule_id}
    elif refused.at_ms is not None:
        facts["since_ms"] = refused.at_ms
    if refused.cause is not None:
        facts["cause"] = refused.cause
    return facts


def told_headers(refused: Refused) -> Headers:
    """Return what a caller who proved possession may know; nothing before (WIRE, section 5.3)."""
    if not REFUSALS[refused.reason].is_told:
        return []
    headers = [(b"tenure-refusal", refused.reason.encode())]
    if refused.permission is not None:
        headers.append((b"tenure-permission", refused.permission.encode()))
    if refused.reason is Reason.PERMISSION_EXPIRED:
        headers.append((b"tenure-expires-at", str(refused.at_ms).encode()))
        headers.append((b"tenure-rule", (refused.rule_id or "").encode()))
    if refused.address is not None:
        headers.append((b"tenure-address", refused.address.encode()))
    return headers


def unauthorized() -> Answer:
    """Return the one answer for a caller who has not proved possession, whatever the cause."""
    return 401, [*_HEADERS], _UNAUTHORIZED


def unavailable(code: str) -> Answer:
    """Return the answer while nobody can decide safely; *code* is the cause, in one word."""
    body = _body(503, code, Unavailable(code).message)
    return 503, [*_HEADERS, _RETRY], body


def too_large() -> Answer:
    """Return the answer for a body that is longer than whoever asks cares to keep."""
    return 413, [*_HEADERS], _TOO_LARGE


def _body(
    status: int, code: str, detail: str, facts: dict[str, str | int | None] | None = None
) -> bytes:
    problem: dict[str, str | int | None] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return json.dumps(problem | (facts or {}), separators=(",", ":")).encode()


# Both are sent again and again to callers who may be up to no good: made once.
_UNAUTHORIZED: Final = _body(
    401, UNTOLD, "this request does not prove that it comes from the holder of an API key"
)
_TOO_LARGE: Final = _body(413, "too_large", "the body is longer than this service takes")
