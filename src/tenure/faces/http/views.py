"""
Keys and plans as the JSON shapes callers see; the shapes of other nouns stand with their routes.

A shape is added to, never altered. `enabled` is the decision now, so a grant whose term has ended
shows unticked whether or not anybody swept it (RULES R10).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from typing_extensions import override

from tenure.clock import Clock
from tenure.domain import wording
from tenure.domain.catalog import Catalog
from tenure.domain.model import ApiKey, KeyStatus, KeyType
from tenure.domain.plans import ConsequenceKind, Plan
from tenure.domain.rules import Rulebook
from tenure.domain.usage import LastUsed
from tenure.services.keys import Issued, Previewed


class View(msgspec.Struct):
    """What a caller is shown."""


class PermissionView(View):
    """One permission a key was granted: whether it is on now, since when, until when, why."""

    enabled: bool
    granted_at_ms: int
    ends_at_ms: int | None
    rule_id: str | None


class KeyView(View):
    """
    The state of an API key.

    `quarantine_cause` says why it is in quarantine, `old_until_ms` until when the secret or public
    key it had before a rotation works too; null otherwise.
    """

    key_id: str
    api_key: str
    account_id: str
    label: str
    key_type: KeyType
    status: KeyStatus
    public_key: str | None
    ip_allowlist: list[str]
    version: int
    issued_at_ms: int
    edited_at_ms: int
    revoked_at_ms: int | None
    quarantined_at_ms: int | None
    quarantine_cause: str | None
    old_until_ms: int | None
    permissions: dict[str, PermissionView]


class LastUsedView(View):
    """The last use of a key that was noted: when, from where, under which permission."""

    at_ms: int
    address: str
    permission: str


class UsedKeyView(KeyView):
    """The state of an API key, and its last use; null where none was noted."""

    last_used: LastUsedView | None


class KeysView(View):
    """All keys of one account, the oldest first."""

    keys: list[UsedKeyView]


class ConsequenceView(View):
    """One thing an edit does to one permission, in a sentence and in numbers."""

    kind: ConsequenceKind
    permission: str
    is_asked: bool
    needs_confirmation: bool
    ends_at_ms: int | None
    ended_at_ms: int | None
    rule_id: str | None
    text: str


class EditedView(KeyView):
    """The state of a key after an edit, and what the edit did."""

    consequences: list[ConsequenceView]


class IssuedView(EditedView):
    """A key just issued or rotated; `secret_key` is there for HMAC keys, now and never again."""

    secret_key: str | UnsetType = UNSET

    @override
    def __repr__(self) -> str:
        return f"IssuedView({self.key_id!r})"


class PlanView(View):
    """What an edit would do; committing it with `stamp` confirms exactly this."""

    before: KeyView | None
    after: KeyView
    consequences: list[ConsequenceView]
    confirmation_required: bool
    stamp: str


class Show:
    """Shows keys and plans as of now, in the catalog's words."""

    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        """*clock* says what is on."""
        self._catalog, self._clock = catalog, clock

    def key(self, value: ApiKey) -> KeyView:
        """Show the state of a key."""
        return KeyView(**_state(value, self._clock.now_ms()))

    def keys(self, values: Sequence[ApiKey], uses: Mapping[str, LastUsed]) -> KeysView:
        """Show keys and their last *uses* by key id, all as of one instant."""
        now_ms = self._clock.now_ms()
        return KeysView(
            keys=[
                UsedKeyView(**_state(value, now_ms), last_used=last_used(uses.get(value.key_id)))
                for value in values
            ]
        )

    def edited(self, value: Previewed) -> EditedView:
        """Show a key after an edit, and what the edit did."""
        return EditedView(
            **_state(value.plan.after, self._clock.now_ms()),
            consequences=self._consequences(value.plan, value.rulebook),
        )

    def issued(self, value: Issued) -> IssuedView:
        """Show a new key with its secret: the one place where a secret leaves Tenure."""
        secret = value.secret_key
        return IssuedView(
            **_state(value.plan.after, self._clock.now_ms()),
            consequences=self._consequences(value.plan, value.rulebook),
            secret_key=UNSET if secret is None else secret.reveal(),
        )

    def plan(self, value: Previewed) -> PlanView:
        """Show what an edit would do."""
        before, now_ms = value.plan.before, self._clock.now_ms()
        return PlanView(
            before=KeyView(**_state(before, now_ms)) if before else None,
            after=KeyView(**_state(value.plan.after, now_ms)),
            consequences=self._consequences(value.plan, value.rulebook),
            confirmation_required=value.plan.confirmation_required,
            stamp=value.stamp,
        )

    def _consequences(self, value: Plan, rulebook: Rulebook) -> list[ConsequenceView]:
        return [
            ConsequenceView(
                kind=item.kind,
                permission=item.permission,
                is_asked=item.is_asked,
                needs_confirmation=item.needs_confirmation,
                ends_at_ms=item.ends_at_ms,
                ended_at_ms=item.ended_at_ms,
                rule_id=item.rule_id,
                text=wording.sentence(item, self._catalog, rulebook),
            )
            for item in value.consequences
        ]


def last_used(value: LastUsed | None) -> LastUsedView | None:
    """Show the last use of a key."""
    return None if value is None else LastUsedView(value.at_ms, value.address, value.permission)


def _state(value: ApiKey, now_ms: int) -> dict[str, Any]:
    return {
        "key_id": value.key_id,
        "api_key": value.api_key,
        "account_id": value.account_id,
        "label": value.label,
        "key_type": value.key_type,
        "status": value.status,
        "public_key": value.public_key,
        "ip_allowlist": list(value.allowlist),
        "version": value.version,
        "issued_at_ms": value.issued_at_ms,
        "edited_at_ms": value.edited_at_ms,
        "revoked_at_ms": value.revoked_at_ms,
        "quarantined_at_ms": value.quarantined_at_ms,
        "quarantine_cause": value.quarantine.cause if value.quarantine else None,
        "old_until_ms": _old_until_ms(value, now_ms),
        "permissions": {
            permission: PermissionView(
                enabled=not grant.has_ended(now_ms),
                granted_at_ms=grant.granted_at_ms,
                ends_at_ms=grant.term.ends_at_ms if grant.term else None,
                rule_id=grant.term.rule_id if grant.term else None,
            )
            for permission, grant in value.grants.items()
        },
    }


def _old_until_ms(value: ApiKey, now_ms: int) -> int | None:
    overlap = value.overlap
    is_running = overlap is not None and now_ms < overlap.until_ms and value.revoked_at_ms is None
    return overlap.until_ms if overlap is not None and is_running else None
