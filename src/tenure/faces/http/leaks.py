"""
The routes by which leaked API keys are reported: by GitHub, by operators, by whoever holds one.

The two that need no operator token have a router of their own; only GitHub's messages may be long.
GitHub's proves itself by a signature over the raw bytes, so nothing of it is parsed before. Who
holds a key's secret may end it, and learns nothing of keys whose secret they do not hold.
"""

import asyncio
import hashlib
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody, RawBody

from tenure.domain import leaks as reports
from tenure.domain.errors import Invalid, NotFound, Unauthenticated
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.github import GitHub
from tenure.services.leaks import Found, Leaks, Possession

GITHUB: Final = "github"
"""Whom reports and metrics name."""
GITHUB_BYTES_MAX: Final = 16_777_216
"""16 MB: fifty thousand keys with the places they were found at."""
REPORTS_MAX: Final = 1_000

ApiKey = Annotated[str, msgspec.Meta(max_length=1024)]
Text = Annotated[str, msgspec.Meta(max_length=reports.TEXT_LENGTH_MAX)]


class LeakReport(requests.Body):
    """An API key that was found: where, in what kind of place, and when."""

    api_key: ApiKey
    url: Text | None = None
    source: Text | None = None
    found_at_ms: requests.Integer | None = None


class LeakReports(requests.Body):
    """API keys that were found; at most 1,000 at a time."""

    reports: Annotated[list[LeakReport], msgspec.Meta(max_length=REPORTS_MAX)]


class HeldKey(requests.Body):
    """
    An API key to end, and the proof that its secret is in your hands: one of the two.

    `secret_key` is that of an HMAC key. `signature` is over the text
    `Tenure: report this API key as leaked: <api_key>`, in base64 (HMAC: in hex).
    """

    api_key: ApiKey
    secret_key: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    signature: Annotated[str, msgspec.Meta(max_length=1024)] | None = None


class Match(msgspec.Struct):
    """One match in a message of GitHub's; whatever else it may say one day is passed over."""

    token: str
    type: str = ""
    url: str | None = None
    source: str | None = None


class QueuedView(View):
    """For each report, in order, whether it names a key of ours; those are acted on shortly."""

    is_ours: list[bool]


class LabelView(View):
    """What GitHub is told of one match: whether it is a key of ours, by its SHA-256 (hex)."""

    token_hash: str
    token_type: str
    label: Literal["true_positive", "false_positive"]


class HeldView(View):
    """Whether the key is ended now; false says only that possession of one was not proved."""

    revoked: bool


@post(
    "/leaks",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(400, 401, 403, 413, 422, 503),
    sync_to_thread=True,
)
def report_leaks(data: JSONBody[LeakReports], leaks: Given[Leaks], actor: Given[str]) -> QueuedView:
    """Report API keys that were found where they should not be; the same again changes nothing."""
    found = [
        Found(api_key=item.api_key, url=item.url, source=item.source, found_at_ms=item.found_at_ms)
        for item in data.reports
    ]
    return QueuedView(is_ours=leaks.receive(found, actor))


@post(
    "/leaks/github",
    opt=rights.OPEN,
    status_code=200,
    responses=problems.documented(400, 401, 404, 413, 422, 503),
    request_max_body_size=GITHUB_BYTES_MAX,
    sync_to_thread=True,
)
def report_leaks_as_github(
    body: RawBody,
    request: Request[Any, Any, State],
    leaks: Given[Leaks],
    github: Given[GitHub | None],
) -> list[LabelView]:
    """
    Take a message of GitHub's secret-scanning partner programme.

    A JSON array of `{token, type, url, source}`, signed in `Github-Public-Key-Signature` with the
    key that `Github-Public-Key-Identifier` names. Answered at once; the keys are acted on shortly.
    """
    if github is None:
        raise NotFound
    identifier = _only(request, "github-public-key-identifier")
    signature = _only(request, "github-public-key-signature")
    if not github.has_signed(body, identifier, signature):
        raise Unauthenticated("GitHub's signature over this message is missing or wrong.")
    matches: list[Match] = requests.read(body, list[Match])
    found = [
        Found(api_key=match.token, url=match.url, source=match.source or match.type)
        for match in matches
    ]
    is_ours = leaks.receive(found, GITHUB)
    return [
        LabelView(
            token_hash=hashlib.sha256(match.token.encode()).hexdigest(),
            token_type=match.type,
            label="true_positive" if ours else "false_positive",
        )
        for match, ours in zip(matches, is_ours, strict=True)
    ]


@post(
    "/keys/report",
    opt=rights.OPEN,
    status_code=200,
    responses=problems.documented(400, 413, 422, 503),
)
async def report_held_key(
    data: JSONBody[HeldKey], leaks: Given[Leaks], possession: Given[Possession]
) -> HeldView:
    """
    End an API key whose secret fell into your hands: no account is needed, and none is asked for.

    Revoked at once and for good. Without the proof the answer is the same for every key, also for
    one that does not exist.
    """
    if (data.secret_key is None) is (data.signature is None):
        raise Invalid("secret_key", "send it, or a signature, and not both")
    # Here and not in a thread: the keyring has one reader a worker (see `decisions`).
    key_id = possession.proved(data.api_key, secret_key=data.secret_key, signature=data.signature)
    if key_id is None:
        return HeldView(revoked=False)
    await asyncio.to_thread(leaks.revoke_held, key_id)
    return HeldView(revoked=True)


def routes() -> Router:
    """Return what is answered under `/leaks` to operators."""
    return Router("/", route_handlers=[report_leaks], tags=["leaks"])


def open_routes() -> Router:
    """Return what is answered without an operator token."""
    return Router(
        "/v1",
        route_handlers=[report_leaks_as_github, report_held_key],
        before_request=requests.look_over,
        tags=["leaks"],
    )


def _only(request: Request[Any, Any, State], name: str) -> str:
    sent = request.headers.getall(name, [])
    return sent[0] if len(sent) == 1 else ""
