"""
What a refusal looks like to a Binance client: code, message, HTTP status by layer, headers.

The texts are the venue's, to the letter, because clients match on them (WIRE, section 5). Before
possession is proved the answer says nothing of what is stored; after it, `Tenure-…` headers carry
the exact reason beside the venue's vague code.
"""

import json
from collections.abc import Mapping
from typing import Final

from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import TenureError
from tenure.domain.signing import SIGNATURE_RANGE, Fault, Malformed
from tenure.faces.http import refusals
from tenure.faces.http.refusals import Answer, Headers

JSON: Final = ((b"content-type", b"application/json;charset=UTF-8"),)
"""Lower case at the start, or the official SDK finds neither code nor message."""
_NAME_RANGE: Final = "^[A-Za-z0-9_.\\[\\]-]{1,100}$"

_PROBLEM_LENGTH_MAX: Final = 500
"""Characters of `Tenure-Problem`: proxies allow all headers together a few thousand."""

_AHEAD: Final = "Timestamp for this request was 1000ms ahead of the server's time."
_OUTSIDE: Final = "Timestamp for this request is outside of the recvWindow."
_MANDATORY: Final = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
_NOT_ALLOWED: Final = "Invalid API-key, IP, or permissions for action."

# Reason to code and message: the one table beside `decide.REFUSALS`.
_CODES: Mapping[Reason, tuple[int, str]] = {
    Reason.REQUEST_MALFORMED: (-1102, _MANDATORY.format("signature")),
    Reason.KEY_MALFORMED: (-2014, "API-key format invalid."),
    Reason.OUTSIDE_RECEIVE_WINDOW: (-1021, _OUTSIDE),
    # One answer for both, or it would tell which keys exist.
    Reason.KEY_UNKNOWN: (-1022, "Signature for this request is not valid."),
    Reason.SIGNATURE_INVALID: (-1022, "Signature for this request is not valid."),
    Reason.KEY_REVOKED: (-2008, "Invalid Api-Key ID."),
    Reason.ACCOUNT_FROZEN: (-1002, "You are not authorized to execute this request."),
    Reason.KEY_QUARANTINED: (-2015, _NOT_ALLOWED),
    Reason.IP_NOT_ALLOWED: (-2015, _NOT_ALLOWED),
    Reason.ROUTE_UNKNOWN: (-1020, "This operation is not supported."),
    Reason.PERMISSION_MISSING: (-2015, _NOT_ALLOWED),
    Reason.PERMISSION_EXPIRED: (-2015, _NOT_ALLOWED),
    Reason.REPLAYED: (-1022, "Signature for this request is not valid."),
}
_UNAUTHORIZED: Final = frozenset({-2014, -2015, -1002})
"""Answered 401 on /api and /fapi, 400 on /sapi (WIRE, section 5.2)."""


class Errors:
    """Turns outcomes into answers; *lapsed_code* replaces -2015 for an expired permission."""

    def __init__(self, lapsed_code: int = -2015) -> None:
        """-1002 keeps ccxt from taking a lapse for a passing ban (WIRE, "The ccxt trap")."""
        self._lapsed_code = lapsed_code

    def refuse(self, outcome: Refused | Malformed | TenureError, path: str) -> Answer:
        """Return the answer for *outcome* on *path*; the layer of the path sets the status."""
        if isinstance(outcome, Malformed):
            return _malformed(outcome)
        if isinstance(outcome, TenureError):
            return unavailable()
        code, message = _CODES[outcome.reason]
        if outcome.reason is Reason.ROUTE_UNKNOWN:
            return not_supported(404)
        if outcome.reason is Reason.PERMISSION_EXPIRED and self._lapsed_code != code:
            code, message = self._lapsed_code, _CODES[Reason.ACCOUNT_FROZEN][1]
        if outcome.reason is Reason.IP_NOT_ALLOWED:
            message = f"{message[:-1]}, request ip: {outcome.address}"
        if outcome.is_ahead:
            message = _AHEAD
        is_sapi = path.startswith("/sapi")
        status = 401 if code in _UNAUTHORIZED and not is_sapi else 400
        return _error(status, code, message, refusals.told_headers(outcome))


def term_headers(allowed: Allowed) -> Headers:
    """Return when the permission used will end, and by which rule; empty without a term."""
    if allowed.ends_at_ms is None:
        return []
    return [
        (b"tenure-expires-at", str(allowed.ends_at_ms).encode()),
        (b"tenure-rule", (allowed.rule_id or "").encode()),
    ]


def not_supported(status: int) -> Answer:
    """No such route (404), or more than it takes (413, 414)."""
    return _error(status, -1020, "This operation is not supported.")


def wrong_time_unit() -> Answer:
    """`X-MBX-TIME-UNIT` with an unknown unit."""
    message = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
    return _error(400, -1194, message)


def unavailable() -> Answer:
    """Tenure cannot decide safely: refuse, and say when to come back."""
    message = (
        "Server is currently overloaded with other requests. Please try again in a few minutes."
    )
    return _error(503, -1008, message, [(b"retry-after", b"1")])


def internal() -> Answer:
    """Our fault; the log knows more."""
    return _error(500, -1000, "An unknown error occurred while processing the request.")


def missing(name: str) -> Answer:
    """Name a mandatory parameter that did not come, or came empty."""
    return _error(400, -1102, _MANDATORY.format(name))


def not_valid(name: str, why: str = "") -> Answer:
    """
    Name a parameter that makes no sense; *why*, for people, stands in `Tenure-Problem`.

    The message is the venue's and has no room for it.
    """
    shown = "".join(sign if " " <= sign <= "~" else "?" for sign in why[:_PROBLEM_LENGTH_MAX])
    headers = [(b"tenure-problem", shown.encode())] if shown else None
    return _error(400, -1130, f"Data sent for parameter '{name}' is not valid.", headers)


def unsupported() -> Answer:
    """Refuse what keys of this type cannot hold."""
    return _error(400, -9000, "Unsupported operation")


def not_found() -> Answer:
    """No such sub-account or key, or not one of this caller's: one answer for all (RULES R16)."""
    return _error(400, -9901, "Sub-account or API key not found.")


def confirmation_required(words: str, stamp: str) -> Answer:
    """Say in *words* what would happen that the call does not name; *stamp* confirms it (R11)."""
    return _error(400, -9902, f"Confirmation required: {words} stamp={stamp}")


def not_allowed(rule_id: str, words: str) -> Answer:
    """Name the rule that does not allow it (RULES R12)."""
    return _error(400, -9903, f"Not allowed by rule {rule_id}: {words}")


def limit_reached(words: str) -> Answer:
    """Refuse more than an account or a key may have."""
    return _error(400, -9904, f"Limit reached: {words}")


def _malformed(fault: Malformed) -> Answer:
    name = fault.parameter
    match fault.fault:
        case Fault.DUPLICATE:
            return _error(400, -1101, "Duplicate values for a parameter detected.")
        case Fault.ILLEGAL:
            legal = SIGNATURE_RANGE if name == "signature" else _NAME_RANGE
            shown = "".join(sign if sign.isprintable() else "?" for sign in name[:100])
            message = f"Illegal characters found in parameter '{shown}'; legal range is '{legal}'."
            return _error(400, -1100, message)
        case Fault.WINDOW_TOO_LONG:
            message = "'recvWindow' contains unexpected value. Cannot be greater than '60000'."
            return _error(400, -1102, message)
        case Fault.MISSING | Fault.MALFORMED:
            return _error(400, -1102, _MANDATORY.format(name))


def _error(status: int, code: int, message: str, headers: Headers | None = None) -> Answer:
    body = json.dumps({"code": code, "msg": message}).encode()
    return status, [*JSON, *(headers or ())], body
