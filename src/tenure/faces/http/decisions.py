"""
`POST /v1/authorize`: a platform's back end asks whether a signed request may act.

The same decision as forward-auth, answered inside 200, and with the same reticence: until the
signature has proved possession there is one reason, `unauthorized`, since the answer may well be
passed on to whoever sent the request. Not the hot path, yet decided on the event loop like it: a
decision takes microseconds, and the keyring has one reader a worker.
"""

from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import quote

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody

from tenure import metrics
from tenure.domain import allowlist, catalog, messages, signing
from tenure.domain.allowlist import Address
from tenure.domain.decide import REFUSALS, UNTOLD, Allowed, Refused
from tenure.domain.errors import Invalid
from tenure.faces.http import problems, requests, rights, targets
from tenure.faces.http.views import View
from tenure.services.deciding import MALFORMED, Decider

_UNTOLD_MESSAGE: Final = "the request could not be shown to come from a key's holder"


Yes: TypeAlias = Annotated[bool, msgspec.Meta(extra_json_schema={"const": True})]
No: TypeAlias = Annotated[bool, msgspec.Meta(extra_json_schema={"const": False})]

ClientIp: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        extra_json_schema={"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
    ),
]

HeaderName: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[!-@\\[-~]{1,64}$")]
"""Without capitals, so that no header comes in two spellings."""
HeaderValue: TypeAlias = Annotated[str, msgspec.Meta(max_length=8192)]


class SignedRequest(requests.Body):
    """
    A request as it came in: `query` and `body` are the exact strings that were sent.

    A `signature` that came apart from them joins the query, unless one is there. With
    `signature-input` among its `headers` (lower-case names, `host` too) a request is signed by RFC
    9421 and in no other way, and names its own `api_key`. `permission` may be left out where the
    catalog's route table names it; `path` is then the one that was sent, and has to be readable in
    one way only.
    """

    method: Annotated[str, msgspec.Meta(max_length=16)]
    path: Annotated[str, msgspec.Meta(max_length=8192)]
    client_ip: ClientIp
    api_key: str | None = None
    query: str = ""
    body: str | None = None
    signature: str | None = None
    headers: dict[HeaderName, HeaderValue] | None = None
    permission: Annotated[str, msgspec.Meta(max_length=64)] | None = None

    def signed_query(self) -> bytes:
        """Return the query with its signature, wherever that was given."""
        query, body = self.query.encode(), (self.body or "").encode()
        if self.signature is None or _names_signature(query) or _names_signature(body):
            return query
        pair = b"signature=" + quote(self.signature, safe="").encode()
        return query + b"&" + pair if query else pair


class AllowedView(View):
    """
    The request may act, as this account, under a permission that ends then (null: never).

    `used_old_secret`: it was proved with what the key had before its rotation.
    """

    allowed: Yes
    account_id: str
    key_id: str
    permission: str
    ends_at_ms: int | None
    rule_id: str | None
    used_old_secret: bool


class PublicView(View):
    """The route needs no key, so nobody was looked at."""

    allowed: Yes
    permission: Literal["public"]


class RefusedView(View):
    """
    The request may not act; `status` is the HTTP status to refuse it with.

    `at_ms` is when the key was revoked or put into quarantine, the account frozen, or the
    permission ended; `cause` is why the key is in quarantine.
    """

    allowed: No
    reason: str
    status: int
    message: str
    permission: str | None
    at_ms: int | None
    rule_id: str | None
    address: str | None
    cause: str | None


class Decisions:
    """Decides for `POST /v1/authorize`, and shows what was decided."""

    def __init__(self, decider: Decider) -> None:
        """One per worker."""
        self._decider = decider
        self._permission_for = decider.catalog.permission_for
        self._count = metrics.decision_counter("management")

    def answer(self, request: SignedRequest) -> AllowedView | PublicView | RefusedView:
        """Say whether *request* may act; raises Invalid, Unavailable."""
        address = allowlist.parse_address(request.client_ip)
        if address is None:
            raise Invalid("client_ip", "is no IP address")
        permission: str | None = request.permission
        if permission is None:
            if not targets.is_plain(request.path):
                return self._show(MALFORMED)
            permission = targets.needed(self._permission_for, request.method, request.path)
            if permission == targets.AMBIGUOUS:
                return self._show(MALFORMED)
            if permission == catalog.PUBLIC:
                return PublicView(allowed=True, permission="public")
        if messages.is_native(request.headers or {}):
            return self._show(self._native(request, address, permission))
        if request.api_key is None:
            raise Invalid("api_key", "is missing")
        body = (request.body or "").encode()
        return self._show(
            self._decider.decide_raw(
                request.api_key,
                request.signed_query(),
                body,
                address,
                permission,
                _route_of(request),
            )
        )

    def _native(
        self, request: SignedRequest, address: Address, permission: str | None
    ) -> Allowed | Refused:
        target = f"{request.path}?{request.query}" if request.query else request.path
        headers, body = request.headers or {}, (request.body or "").encode()
        signed = messages.parse(request.method, target, headers, body, address)
        if isinstance(signed, signing.Malformed) or request.signature is not None:
            return MALFORMED
        if request.api_key not in {None, signed.api_key}:
            return MALFORMED
        return self._decider.decide(signed, permission, _route_of(request))

    def _show(self, outcome: Allowed | Refused) -> AllowedView | RefusedView:
        if isinstance(outcome, Allowed):
            self._count(metrics.ALLOWED)
            return AllowedView(
                allowed=True,
                account_id=outcome.account_id,
                key_id=outcome.key_id,
                permission=outcome.permission,
                ends_at_ms=outcome.ends_at_ms,
                rule_id=outcome.rule_id,
                used_old_secret=outcome.used_old_secret,
            )
        self._count(outcome.reason)
        row = REFUSALS[outcome.reason]
        return RefusedView(
            allowed=False,
            reason=outcome.reason if row.is_told else UNTOLD,
            status=row.status,
            message=row.sentence if row.is_told else _UNTOLD_MESSAGE,
            permission=outcome.permission if row.is_told else None,
            at_ms=outcome.at_ms if row.is_told else None,
            rule_id=outcome.rule_id if row.is_told else None,
            address=outcome.address if row.is_told else None,
            cause=outcome.cause if row.is_told else None,
        )


@post(
    "/authorize",
    status_code=200,
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 413, 422, 503),
    sync_to_thread=False,
)
def authorize(
    data: JSONBody[SignedRequest], decisions: Given[Decisions]
) -> AllowedView | PublicView | RefusedView:
    """Decide whether a signed request may act; the answer, either way, is 200."""
    return decisions.answer(data)


def _route_of(request: SignedRequest) -> tuple[str, str] | None:
    # Where the permission was named, nobody has looked at the path yet.
    return (request.method, request.path) if targets.is_plain(request.path) else None


def _names_signature(raw: bytes) -> bool:
    parameters = signing.parameters(raw)
    # What cannot be taken apart is refused anyway; nothing is added to it.
    return isinstance(parameters, signing.Malformed) or b"signature" in parameters


def routes() -> Router:
    """Return what is answered under `/authorize`."""
    return Router("/", route_handlers=[authorize], tags=["decisions"])
