"""
The routes for the day a key leaks: revoke many at once, put one into quarantine, release it.

Revoking many is previewed and confirmed with the stamp that was shown, always (SECURITY BI-49).
"""

from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody

from tenure.domain.marks import Selection
from tenure.faces.http import problems, requests, revocation_views, rights
from tenure.faces.http.keys import Label
from tenure.faces.http.revocation_views import MarksView, RevocationPlanView, RevocationView
from tenure.faces.http.views import KeyView, Show
from tenure.services.approvals import Approvals
from tenure.services.quarantine import CAUSE_CODE_POINTS_MAX, Quarantine
from tenure.services.revocations import Revocations


class SelectedKeys(requests.Body):
    """
    Which keys to revoke: those that meet all that is given, of three things at least one.

    `label` exactly; `account_id` with its sub-accounts; `issued_before_ms`, or by default whenever.
    """

    label: Label | None = None
    account_id: Annotated[str, msgspec.Meta(pattern=requests.ACCOUNT_ID)] | None = None
    issued_before_ms: requests.Integer | None = None

    def selection(self) -> Selection:
        """Return it in the domain's words; raises Invalid."""
        return Selection.of(self.label, self.account_id, self.issued_before_ms)


class ConfirmedRevocation(SelectedKeys):
    """Keys to revoke, with the stamp of the preview that showed how many they are."""

    stamp: Annotated[str, msgspec.Meta(max_length=128)] | None = None


class WhyQuarantined(requests.Body):
    """Why a key is put into quarantine; whoever uses it is told so."""

    cause: Annotated[str, msgspec.Meta(max_length=4 * CAUSE_CODE_POINTS_MAX)]


@post(
    "/revocations/preview",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(400, 401, 403, 404, 413, 422, 503),
    sync_to_thread=True,
)
def preview_revocation(
    data: JSONBody[SelectedKeys], revocations: Given[Revocations]
) -> RevocationPlanView:
    """Count the keys that would be revoked, and show some; changes nothing."""
    return revocation_views.plan(revocations.preview(data.selection()))


@post(
    "/revocations",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 503),
    sync_to_thread=True,
)
def revoke_keys(
    data: JSONBody[ConfirmedRevocation],
    revocations: Given[Revocations],
    approvals: Given[Approvals],
    actor: Given[str],
) -> RevocationView:
    """
    Revoke them all at once and for good; in force on this machine when this answers.

    409 `confirmation_required` without a stamp, 409 `stale` where it would revoke more than was
    shown; both show what it would do now, with its stamp. 403 `approval_required` where two people
    have to agree, unless it is confined to one account and its sub-accounts.
    """
    if data.account_id is None:
        approvals.require_alone()
    return revocation_views.done(revocations.commit(data.selection(), data.stamp, actor))


@get(
    "/revocations",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 422, 503),
    sync_to_thread=True,
)
def list_revocations(revocations: Given[Revocations]) -> MarksView:
    """List every time that keys were revoked together, the oldest first."""
    return MarksView(revocations=[revocation_views.mark(mark) for mark in revocations.every()])


@post(
    "/keys/{key_id:str}/quarantine",
    opt=rights.OWNER_ACTS,
    status_code=200,
    responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 503),
    sync_to_thread=True,
)
def quarantine_key(
    key_id: requests.KeyId,
    data: JSONBody[WhyQuarantined],
    quarantine: Given[Quarantine],
    show: Given[Show],
    actor: Given[str],
) -> KeyView:
    """Let a key only read and cancel until it is released; a rotation's overlap ends."""
    return show.key(quarantine.place(key_id, actor, cause=data.cause))


@post(
    "/keys/{key_id:str}/release",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(401, 403, 404, 409, 422, 503),
    sync_to_thread=True,
)
def release_key(
    key_id: requests.KeyId, quarantine: Given[Quarantine], show: Given[Show], actor: Given[str]
) -> KeyView:
    """Take a key out of quarantine; its terms ran on meanwhile."""
    return show.key(quarantine.release(key_id, actor))


def routes() -> Router:
    """Return what is answered under `/revocations`, and of `/keys` what a leak is about."""
    return Router(
        "/",
        route_handlers=[
            preview_revocation,
            revoke_keys,
            list_revocations,
            quarantine_key,
            release_key,
        ],
        tags=["leaks"],
    )
