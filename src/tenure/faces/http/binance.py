"""
The Binance-compatible surface, ring (a): what any client calls to connect and to look at its key.

Raw ASGI. Routes and answers follow WIRE sections 1.1, 2 and 5.1; codes and messages are in
`binance_errors`. Everything is decided from the keyring, and ring (a) is answered from it too;
calls that wait for the store (`binance_subaccounts`) are handed in and answered in a thread.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
import structlog

from tenure import metrics
from tenure.domain import signing
from tenure.domain.catalog import Catalog
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.model import READING, Permission
from tenure.domain.signing import Fault, Malformed, SignedRequest
from tenure.faces.http import asgi, binance_errors, callers
from tenure.faces.http.refusals import Answer, Headers
from tenure.services.deciding import Decider
from tenure.settings import Settings

log = structlog.get_logger()

BODY_BYTES_MAX: Final = 65_536
"""No call of this surface has more than a few hundred bytes to say."""
_TIME_UNITS: Final = {
    "MILLISECOND": 1,
    "millisecond": 1,
    "MICROSECOND": 1000,
    "microsecond": 1000,
}
# The order the venue documents; what else a catalog names comes after (WIRE, section 2).
_DOCUMENTED: Final = (
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
    "tradingAuthorityExpirationTime",
    "enablePortfolioMarginTrading",
)
_encode = msgspec.json.Encoder().encode


class Call(NamedTuple):
    """
    A signed call: the *permission* its key needs, and what *answers* it once that is decided.

    One that *waits*, for the store, is answered in a thread, since nothing else here ever waits.
    """

    permission: Permission
    answers: Callable[[Allowed, SignedRequest], Answer]
    waits: bool = True


Calls: TypeAlias = Mapping[tuple[str, str], Call]
"""By method and path."""


class Binance:
    """The surface as one ASGI callable; use `build`."""

    def __init__(self, decider: Decider, settings: Settings, more: Calls) -> None:
        """One per worker; *more* are the signed calls beside those of ring (a)."""
        self._decider, self._settings = decider, settings
        self._caller_of = callers.reader(settings.trusted_proxies)
        self._count = metrics.decision_counter("binance")
        self._public: Mapping[tuple[str, str], Callable[[int], object]] = {
            ("GET", "/api/v3/ping"): lambda _unit: {},
            ("GET", "/api/v3/time"): self._time,
            ("GET", "/sapi/v1/system/status"): self._system_status,
        }
        ring_a: Mapping[str, Callable[[Allowed], Answer]] = {
            "/sapi/v1/account/apiRestrictions": self._api_restrictions,
            "/sapi/v1/account/status": lambda _: ok({"data": "Normal"}),
            "/sapi/v1/account/apiTradingStatus": self._api_trading_status,
        }
        self._signed: Calls = {("GET", path): _at_once(look) for path, look in ring_a.items()} | {
            **more
        }
        self._errors = binance_errors.Errors(settings.binance_lapsed_code)

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request; whatever goes wrong is an error in the venue's own shape."""
        path = asgi.raw_path(scope)
        try:
            answer = await self._answer(scope, path, receive)
        except Unavailable as error:
            metrics.count_unavailable("binance", error.code)
            log.warning("unavailable", path=path, cause=error.code, context=error.context)
            answer = self._errors.refuse(error, path)
        except Exception:
            log.exception("unexpected", path=path)
            answer = binance_errors.internal()
        await asgi.respond(send, *answer)

    async def _answer(
        self, scope: Mapping[str, Any], path: str, receive: Callable[[], Awaitable[Any]]
    ) -> Answer:
        route = (scope["method"], path)
        if route not in self._public and route not in self._signed:
            return binance_errors.not_supported(404)
        caller = self._caller_of(scope)
        if isinstance(caller, callers.Suspect):
            return self._errors.refuse(Malformed(Fault.DUPLICATE, "header"), path)
        unit = _TIME_UNITS.get(caller.headers.get(callers.TIME_UNIT, "MILLISECOND"))
        if unit is None:
            return binance_errors.wrong_time_unit()
        if (public := self._public.get(route)) is not None:
            return ok(public(unit))
        body = await asgi.read_body(receive, BODY_BYTES_MAX)
        if body is None:
            return binance_errors.not_supported(413)
        return await self._answer_signed(self._signed[route], caller, scope["query_string"], body)

    async def _answer_signed(
        self, call: Call, caller: callers.Caller, query: bytes, body: bytes
    ) -> Answer:
        request = _read(caller, query, body)
        if isinstance(request, Malformed):
            return self._refuse(request, Reason.REQUEST_MALFORMED)
        outcome = self._decider.decide(request, call.permission)
        if isinstance(outcome, Refused):
            return self._refuse(outcome, outcome.reason)
        self._count(metrics.ALLOWED)
        if call.waits:
            return await asyncio.to_thread(call.answers, outcome, request)
        return call.answers(outcome, request)

    def _refuse(self, outcome: Refused | Malformed, reason: Reason) -> Answer:
        self._count(reason)
        # Every route of this surface lies under /sapi, whose statuses differ from those of /api.
        return self._errors.refuse(outcome, "/sapi")

    def _time(self, unit: int) -> object:
        return {"serverTime": self._decider.now_ms() * unit}

    def _system_status(self, _unit: int) -> object:
        if self._decider.is_ready():
            return {"status": 0, "msg": "normal"}
        return {"status": 1, "msg": "system_maintenance"}

    def _api_restrictions(self, allowed: Allowed) -> Answer:
        key, now_ms = allowed.loaded, self._decider.now_ms()
        members: dict[str, object] = {}
        for permission, offer in self._decider.catalog.offers.items():
            name = offer.wire.get("api_restrictions")
            if name is None:
                continue
            # A bot looks here for what it can do, and in quarantine it cannot do more than read.
            is_usable = key.quarantine is None or offer.kept_in_quarantine
            members[name] = is_held = is_usable and key.holds(permission, now_ms)
            end_name, grant = offer.wire.get("api_restrictions_end"), key.grants.get(permission)
            if end_name and is_held and grant is not None and grant.ends_at_ms is not None:
                members[end_name] = grant.ends_at_ms
        ordered = {name: members.pop(name) for name in _DOCUMENTED if name in members}
        said = {"ipRestrict": key.is_restricted, "createTime": key.issued_at_ms}
        ends = {Permission(name): grant.ends_at_ms for name, grant in key.grants.items()}
        headers = [*binance_errors.term_headers(allowed), *terms(ends, self._decider.catalog)]
        return ok(said | ordered | members, headers)

    def _api_trading_status(self, allowed: Allowed) -> Answer:
        trigger = {"GCR": 150, "IFER": 150, "UFR": 300}
        return ok(
            {
                "data": {
                    "isLocked": allowed.loaded.quarantine is not None,
                    "plannedRecoverTime": 0,
                    "triggerCondition": trigger,
                    "updateTime": self._decider.now_ms(),
                }
            }
        )


def build(decider: Decider, settings: Settings, more: Calls | None = None) -> Binance:
    """Return the surface as an ASGI callable for paths under /api, /sapi, /fapi and /dapi."""
    return Binance(decider, settings, more or {})


def terms(ends: Mapping[Permission, int | None], catalog: Catalog) -> Headers:
    """
    Return `Tenure-Terms`: every grant with an end, past or to come (WIRE, section 5.3).

    *ends* holds the ends (ms) of a key's grants by permission; none of them, no header.
    """
    shown = [
        f"{permission}={ends[permission]}"
        for permission in catalog.offers
        if ends.get(permission) is not None
    ]
    return [(b"tenure-terms", ", ".join(shown).encode())] if shown else []


def ok(body: object, headers: Headers | None = None) -> Answer:
    """Return *body* as the answer to a call that was carried out."""
    return 200, [*binance_errors.JSON, *(headers or ())], _encode(body)


def _at_once(look: Callable[[Allowed], Answer]) -> Call:
    return Call(READING, lambda allowed, _request: look(allowed), waits=False)


def _read(caller: callers.Caller, query: bytes, body: bytes) -> SignedRequest | Malformed:
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return Malformed(Fault.ILLEGAL, "body")
    return signing.parse(caller.headers.get(callers.API_KEY, ""), query, body, caller.address)
