"""
Forward-auth: a gateway asks here, for every request it holds, whether that request may pass.

Any method on `/authorize` and what lies under it. Raw ASGI, nothing awaited between the headers
and the answer: this is the hottest path of all. Only 200, 401, 403 and 503 leave here, and
whatever goes wrong is one of the last three (SECURITY I15).

Method, target and host of the request held come from exactly one header each, named by the setting
`forward_auth_source`, and from `trusted_proxies` alone (SECURITY D14): a gateway that is not listed
there cannot ask about anything, is answered 401, and the log says what to set. A gateway forwards
no body: in the `binance` profile signed parameters have to stand in the query, and natively it is
the service that compares the body with `Tenure-Content-Digest`, which says what was signed.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, final

import structlog

from tenure import metrics
from tenure.domain import apikeys, messages
from tenure.domain.catalog import PUBLIC
from tenure.domain.decide import REFUSALS, Allowed, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.signing import Malformed
from tenure.faces.http import asgi, callers, refusals, targets
from tenure.faces.http.callers import Caller, Suspect
from tenure.faces.http.refusals import Answer, Headers
from tenure.services.deciding import Decider
from tenure.settings import Settings

log = structlog.get_logger()

SOURCES: Final[Mapping[str, tuple[str, str, str]]] = {
    "original": ("x-original-method", "x-original-uri", "x-original-host"),
    "forwarded": ("x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"),
}
"""Where a gateway puts method, target and host, by the setting `forward_auth_source`."""

_FACE: Final = "authorize"
_PEERS_TOLD_MAX: Final = 16
"""Peers the log explains `trusted_proxies` for; anybody can be one, and a log is finite."""

# Every identity header is set in every answer that lets a request pass, so that a gateway which
# copies them leaves nothing of what the caller sent under these names.
_NOBODY: Final[Headers] = [
    (b"tenure-account", b""),
    (b"tenure-key", b""),
    (b"tenure-permission", b""),
    (b"tenure-expires-at", b""),
    (b"tenure-rule", b""),
    (b"tenure-content-digest", b""),
    refusals.NO_STORE,
]


@final
class Authorize:
    """The face as one ASGI callable; use `build`."""

    def __init__(self, decider: Decider, settings: Settings) -> None:
        """One per worker."""
        self._decider = decider
        self._permission_for = decider.catalog.permission_for
        source = SOURCES[settings.forward_auth_source]
        self._method, self._uri, self._host = source
        self._caller_of = callers.reader(
            settings.trusted_proxies, forwarded=(*source, *messages.HEADERS)
        )
        self._count = metrics.decision_counter(_FACE)
        self._peers_told: set[str] = set()
        self._troubles: Counter[str] = Counter()

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],  # noqa: ARG002 - ASGI's signature; no body is read
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one question; whatever goes wrong refuses."""
        try:
            answer = self._answer(scope)
        except Unavailable as error:
            answer = self._unavailable(error)
        except Exception:
            log.exception("unexpected", face=_FACE)
            metrics.count_unavailable(_FACE, "unexpected")
            answer = refusals.unavailable("unexpected")
        await asgi.respond(send, *answer)

    def _answer(  # noqa: PLR0911 - one exit per outcome
        self, scope: Mapping[str, Any]
    ) -> Answer:
        caller = self._caller_of(scope)
        if isinstance(caller, Suspect):
            return self._unreadable(caller.why)
        headers = caller.headers
        method, uri = headers.get(self._method), headers.get(self._uri)
        if not method or not uri:
            if not caller.is_trusted:
                self._explain(caller)
            return self._unreadable("method or target is missing")
        target = targets.read(uri)
        if target is None:
            return self._unreadable("a target with two readings")
        permission = targets.needed(self._permission_for, method, target.path)
        if permission == PUBLIC:
            return 200, _NOBODY, b""
        if permission == targets.AMBIGUOUS:
            return self._unreadable("a path that is another route when decoded")

        if messages.is_native(headers):
            return self._native(caller, method, target.path, uri, permission)
        api_key = headers.get(callers.API_KEY, "")
        outcome = self._decider.decide_raw(
            api_key, target.query, b"", caller.address, permission, (method, target.path)
        )
        if isinstance(outcome, Allowed):
            self._count(metrics.ALLOWED)
            return 200, _identity(outcome), b""
        return self._refused(outcome, api_key, target.path)

    def _native(
        self, caller: Caller, method: str, path: str, uri: str, permission: str | None
    ) -> Answer:
        sent = {**caller.headers, messages.HOST: caller.headers.get(self._host, "")}
        request = messages.parse(method, uri, sent, None, caller.address)
        if isinstance(request, Malformed):
            return self._unreadable(f"signed natively, {request.parameter} {request.fault}")
        outcome = self._decider.decide(request, permission, (method, path))
        if isinstance(outcome, Allowed):
            self._count(metrics.ALLOWED)
            return 200, _identity(outcome, request.content_digest), b""
        return self._refused(outcome, request.api_key, path)

    def _refused(self, refused: Refused, api_key: str, path: str) -> Answer:
        self._count(refused.reason)
        # A caller who proved nothing can knock as often as he likes; a key's holder is our guest.
        write = log.info if REFUSALS[refused.reason].is_told else log.debug
        write(
            "refused",
            face=_FACE,
            reason=refused.reason,
            api_key=apikeys.mask(api_key),
            path=path,
            address=refused.address,
        )
        return refusals.refuse(refused)

    def _unreadable(self, why: str) -> Answer:
        self._count(Reason.REQUEST_MALFORMED)
        log.debug("refused", face=_FACE, reason=Reason.REQUEST_MALFORMED, why=why)
        return refusals.unauthorized()

    def _unavailable(self, error: Unavailable) -> Answer:
        metrics.count_unavailable(_FACE, error.code)
        self._troubles[error.code] = times = self._troubles[error.code] + 1
        # A keyring that is stale is stale for every request: the 1st, 2nd, 4th … are told, and
        # every 1000th. The counter has the numbers.
        if not times & (times - 1) or not times % 1000:
            log.warning(
                "unavailable", face=_FACE, cause=error.code, context=error.context, times=times
            )
        return refusals.unavailable(error.code)

    def _explain(self, caller: Caller) -> None:
        peer = caller.address.text
        if peer in self._peers_told or len(self._peers_told) >= _PEERS_TOLD_MAX:
            return
        self._peers_told.add(peer)
        log.warning(
            "forward-auth refused: the peer is not a trusted proxy",
            peer=peer,
            remedy=f"if {peer} is your gateway, add it: --trusted-proxies {peer}"
            f" (or TENURE_TRUSTED_PROXIES); until then its {self._method} and {self._uri} are"
            " ignored, and so is its X-Forwarded-For",
        )


def build(decider: Decider, settings: Settings) -> Authorize:
    """
    Return the face as an ASGI callable for `/authorize` and all paths under it.

    Raises ValueError for trusted proxies that would trust everybody.
    """
    return Authorize(decider, settings)


def _identity(allowed: Allowed, content_digest: str = "") -> Headers:
    ends_at_ms, rule_id = allowed.ends_at_ms, allowed.rule_id
    return [
        (b"tenure-account", allowed.account_id.encode()),
        (b"tenure-key", allowed.key_id.encode()),
        (b"tenure-permission", allowed.permission.encode()),
        (b"tenure-expires-at", b"" if ends_at_ms is None else str(ends_at_ms).encode()),
        (b"tenure-rule", b"" if rule_id is None else rule_id.encode()),
        (b"tenure-content-digest", content_digest.encode()),
        refusals.NO_STORE,
    ]
