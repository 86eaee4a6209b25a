"""
The route of refused requests: why, from where, how often and when a key's were turned away.

For the key's owner, who is told all; what a caller is told is in `refusals`. What is shown was
noted off the hot path and may lack some: it decides nothing.
"""

from litestar import Router, get
from litestar.di import NamedDependency as Given

from tenure.domain.decide import REFUSALS, Reason
from tenure.domain.refusals import Refusal
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.refusals import Refusals


class RefusalView(View):
    """
    Requests refused for one reason, from one address: how many, the first and the last.

    `address` is null in a row that sums up what its reason had no room for. Unless `is_proved`
    anybody may have sent them: an API key is no secret. `since_ms` is when the key was revoked or
    quarantined, the account frozen, or the permission ended; `rule_id` the rule that ended it.
    """

    reason: Reason
    message: str
    is_proved: bool
    permission: str | None
    address: str | None
    times: int
    first_at_ms: int
    last_at_ms: int
    since_ms: int | None
    rule_id: str | None


class RefusalsView(View):
    """What was refused to one key in 90 days, as far as it was noted, the last refused first."""

    key_id: str
    refusals: list[RefusalView]


@get(
    "/keys/{key_id:str}/refusals",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def list_refusals(key_id: requests.KeyId, refusals: Given[Refusals]) -> RefusalsView:
    """Look at which requests of a key were refused: why, from where, how often and when."""
    return RefusalsView(key_id=key_id, refusals=[show(row) for row in refusals.of_key(key_id)])


def show(row: Refusal) -> RefusalView:
    """Show a row."""
    return RefusalView(
        reason=row.reason,
        message=REFUSALS[row.reason].sentence,
        is_proved=row.is_proved,
        permission=row.permission or None,
        address=row.address or None,
        times=row.times,
        first_at_ms=row.first_at_ms,
        last_at_ms=row.last_at_ms,
        since_ms=row.since_ms,
        rule_id=row.rule_id,
    )


def routes() -> Router:
    """Return what is answered about refused requests, under `/keys`."""
    return Router("/", route_handlers=[list_refusals], tags=["keys"])
