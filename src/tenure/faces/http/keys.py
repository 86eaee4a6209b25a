"""
The routes of API keys: issue, look at, preview and commit an edit, rotate, revoke.

An edit that has consequences is previewed first and confirmed with the stamp it showed (RULES
R11). The secret of an HMAC key is in the answer to issue and rotate, and nowhere else, ever.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from tenure.domain.model import KeyType
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import (
    EditedView,
    IssuedView,
    KeysView,
    KeyView,
    PlanView,
    Show,
    UsedKeyView,
)
from tenure.services.keys import Draft, Keys, Wanted
from tenure.services.rotation import OVERLAP_MS_MAX
from tenure.services.usage import Usage

# Coarse bounds, so that nobody reads megabytes: what is exactly right, the domain says.
Label: TypeAlias = Annotated[str, msgspec.Meta(max_length=1024)]
PublicKey: TypeAlias = Annotated[str, msgspec.Meta(max_length=16_384)]
PermissionId: TypeAlias = Annotated[str, msgspec.Meta(max_length=64)]
Permissions: TypeAlias = Annotated[list[PermissionId], msgspec.Meta(max_length=256)]
Entries: TypeAlias = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=4096)
]
Wishes: TypeAlias = Annotated[
    dict[PermissionId, bool | Literal["renew"]], msgspec.Meta(max_length=256)
]


class NewKey(requests.Body):
    """A key to issue; RSA and Ed25519 keys bring their public key, HMAC keys get a secret."""

    label: Label
    key_type: KeyType
    public_key: PublicKey | None = None
    permissions: Permissions = msgspec.field(default_factory=list)
    ip_allowlist: Entries = msgspec.field(default_factory=list)


class WantedEdit(requests.Body):
    """What an edit is to change: true ticks, false unticks, "renew" starts the term afresh."""

    label: Label | UnsetType = UNSET
    ip_allowlist: Entries | UnsetType = UNSET
    permissions: Wishes | UnsetType = UNSET

    def wanted(self) -> Wanted:
        """Return it in the services' words, where None leaves alone."""
        entries, permissions = self.ip_allowlist, self.permissions
        return Wanted(
            label=None if self.label is UNSET else self.label,
            ip_allowlist=None if entries is UNSET else tuple(entries),
            permissions=None if permissions is UNSET else permissions,
        )


class ConfirmedEdit(WantedEdit):
    """An edit to commit; where it has consequences to confirm, with the stamp of its preview."""

    stamp: Annotated[str, msgspec.Meta(max_length=128)] | None = None


class Rotation(requests.Body):
    """
    The new public key; nothing for an HMAC key, which gets a new secret.

    The old one works on for `overlap_ms`, up to 7 days; by default it stops at once.
    """

    public_key: PublicKey | None = None
    overlap_ms: Annotated[int, msgspec.Meta(ge=0, le=OVERLAP_MS_MAX)] = 0


@post(
    "/accounts/{account_id:str}/keys",
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 503),
    sync_to_thread=True,
)
def issue_key(
    account_id: requests.AccountId,
    data: JSONBody[NewKey],
    keys: Given[Keys],
    show: Given[Show],
    actor: Given[str],
) -> IssuedView:
    """Issue a key; its terms start now. An HMAC key's `secret_key` is shown here alone."""
    draft = Draft(
        label=data.label,
        key_type=data.key_type,
        public_key=data.public_key,
        permissions=tuple(data.permissions),
        ip_allowlist=tuple(data.ip_allowlist),
    )
    return show.issued(keys.issue(account_id, draft, actor))


@get(
    "/accounts/{account_id:str}/keys",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def list_keys(
    account_id: requests.AccountId, keys: Given[Keys], show: Given[Show], usage: Given[Usage]
) -> KeysView:
    """List the keys of an account, revoked ones too, the oldest first."""
    found = keys.of_account(account_id)
    return show.keys(found, usage.last_used(key.key_id for key in found))


@get(
    "/keys/{key_id:str}",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def get_key(
    key_id: requests.KeyId, keys: Given[Keys], show: Given[Show], usage: Given[Usage]
) -> UsedKeyView:
    """Look at one key; `enabled` is the decision now."""
    (shown,) = show.keys([keys.get(key_id)], usage.last_used([key_id])).keys
    return shown


@post(
    "/keys/{key_id:str}/edits/preview",
    status_code=200,
    opt=rights.OWNER_READS,
    responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 503),
    sync_to_thread=True,
)
def preview_edit(
    key_id: requests.KeyId,
    data: JSONBody[WantedEdit],
    keys: Given[Keys],
    show: Given[Show],
) -> PlanView:
    """Show what an edit would do, and the stamp that confirms it; changes nothing."""
    return show.plan(keys.preview(key_id, data.wanted()))


@post(
    "/keys/{key_id:str}/edits",
    status_code=200,
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 503),
    sync_to_thread=True,
)
def edit_key(
    key_id: requests.KeyId,
    data: JSONBody[ConfirmedEdit],
    keys: Given[Keys],
    show: Given[Show],
    actor: Given[str],
) -> EditedView:
    """
    Commit an edit.

    409 `confirmation_required` where it has consequences and carries no stamp, 409 `stale` where
    something moved since its preview; both show the plan as it is now, with its stamp.
    """
    return show.edited(keys.edit(key_id, data.wanted(), data.stamp, actor))


@post(
    "/keys/{key_id:str}/rotate",
    status_code=200,
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 503),
    sync_to_thread=True,
)
def rotate_key(
    key_id: requests.KeyId,
    keys: Given[Keys],
    show: Given[Show],
    actor: Given[str],
    data: JSONBody[Rotation | None] = None,
) -> IssuedView:
    """Replace the secret, or the public key; permissions and terms stay as they are."""
    asked = data if data is not None else Rotation()
    return show.issued(keys.rotate(key_id, asked.public_key, actor, overlap_ms=asked.overlap_ms))


@post(
    "/keys/{key_id:str}/revoke",
    status_code=200,
    opt=rights.OWNER_ACTS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def revoke_key(
    key_id: requests.KeyId, keys: Given[Keys], show: Given[Show], actor: Given[str]
) -> KeyView:
    """End a key at once and for good; in force on this machine when this answers."""
    return show.key(keys.revoke(key_id, actor))


def routes() -> Router:
    """Return what is answered under `/accounts/{id}/keys` and `/keys`."""
    return Router(
        "/",
        route_handlers=[
            issue_key,
            list_keys,
            get_key,
            preview_edit,
            edit_key,
            rotate_key,
            revoke_key,
        ],
        tags=["keys"],
    )
