"""
The routes of use: when and from where a key was used, an allowlist to suggest, keys nobody uses.

What is shown was noted off the hot path and may lack some: it decides nothing.
"""

from typing import Annotated, Final, TypeAlias

from litestar import Router, get
from litestar.di import NamedDependency as Given
from litestar.params import QueryParameter

from tenure.domain.usage import Caution, Seen
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import LastUsedView, View, last_used
from tenure.services.usage import PAGE_MAX, Usage

DAYS_MAX: Final = 3_650
"""Ten years: further back nobody acts on it."""
DAYS: Final = 30
"""What is asked about where nothing is said: the 30 days of the announcement."""

Days: TypeAlias = Annotated[int, QueryParameter(ge=1, le=DAYS_MAX)]


class AddressView(View):
    """An address a key was used from, and the first and last noted use from it."""

    address: str
    first_used_at_ms: int
    last_used_at_ms: int


class UsageView(View):
    """The use of one key as far as it was noted; the addresses used last, the latest first."""

    key_id: str
    first_used_at_ms: int | None
    last_used: LastUsedView | None
    addresses: list[AddressView]


class CautionView(View):
    """Why a suggestion may be less than what is needed; `code` is stable."""

    code: Caution
    text: str


class SuggestionView(View):
    """
    An allowlist that admits the addresses a key was used from in so many `days`.

    `ip_allowlist` is null where nothing was seen: an empty list would admit everybody.
    """

    key_id: str
    days: int
    ip_allowlist: list[str] | None
    addresses: list[AddressView]
    cautions: list[CautionView]


class UnusedKeyView(View):
    """A key that was not used of late; `last_used` is null where no use was ever noted."""

    key_id: str
    account_id: str
    label: str
    issued_at_ms: int
    last_used: LastUsedView | None


class UnusedKeysView(View):
    """
    A page of keys by id; `next_after` asks for the next one, null after the last.

    Use has been noted since `noted_since_ms`; unless that is as long ago as was asked about, keys
    that were used before stand here too, and `is_conclusive` is false.
    """

    keys: list[UnusedKeyView]
    noted_since_ms: int | None
    is_conclusive: bool
    next_after: str | None


@get(
    "/keys/unused",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 422, 503),
    sync_to_thread=True,
)
def list_unused_keys(
    usage: Given[Usage],
    days: Days = DAYS,
    after: Annotated[str | None, QueryParameter(pattern=requests.KEY_ID)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> UnusedKeysView:
    """List active keys that are older than so many days and were not used in them."""
    found = usage.unused(days, after or "", limit)
    return UnusedKeysView(
        keys=[
            UnusedKeyView(
                key_id=key.key_id,
                account_id=key.account_id,
                label=key.label,
                issued_at_ms=key.issued_at_ms,
                last_used=last_used(key.last_used),
            )
            for key in found.keys
        ],
        noted_since_ms=found.noted_since_ms,
        is_conclusive=found.is_conclusive,
        next_after=found.keys[-1].key_id if len(found.keys) == limit else None,
    )


@get(
    "/keys/{key_id:str}/usage",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def get_usage(key_id: requests.KeyId, usage: Given[Usage]) -> UsageView:
    """Look at when, from where and under which permission a key was used."""
    found = usage.of_key(key_id)
    if found is None:
        return UsageView(key_id=key_id, first_used_at_ms=None, last_used=None, addresses=[])
    return UsageView(
        key_id=key_id,
        first_used_at_ms=found.first_used_at_ms,
        last_used=LastUsedView(found.last_used_at_ms, found.last_address, found.last_permission),
        addresses=[_address(seen) for seen in found.addresses],
    )


@get(
    "/keys/{key_id:str}/allowlist-suggestion",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def suggest_allowlist(
    key_id: requests.KeyId, usage: Given[Usage], days: Days = DAYS
) -> SuggestionView:
    """Suggest an allowlist from where a key was used; saving one is an edit, as ever."""
    found = usage.suggest(key_id, days)
    return SuggestionView(
        key_id=key_id,
        days=days,
        ip_allowlist=list(found.entries) or None,
        addresses=[_address(seen) for seen in found.addresses],
        cautions=[CautionView(code, text) for code, text in found.cautions.items()],
    )


def _address(seen: Seen) -> AddressView:
    return AddressView(seen.address, seen.first_used_at_ms, seen.last_used_at_ms)


def routes() -> Router:
    """Return what is answered about use, under `/keys`."""
    return Router(
        "/", route_handlers=[list_unused_keys, get_usage, suggest_allowlist], tags=["keys"]
    )
