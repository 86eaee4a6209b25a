"""The routes of notices: what an account was told, what it read, what became of each message."""

from typing import Annotated, Any

from litestar import Router, get, post
from litestar.di import NamedDependency as Given
from litestar.params import QueryParameter

from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.notices import PAGE_MAX, Notices
from tenure.services.rendering import Rendering
from tenure.store.deliveries import Delivery
from tenure.store.notices import Listed


class NoticeView(View):
    """A notice as the account sees it; `facts` depend on its kind, `number` is for paging."""

    number: int
    notice_id: str
    kind: str
    urgency: str
    happened_at_ms: int
    read_at_ms: int | None
    key_id: str | None
    seq: int | None
    lead_ms: int | None
    subject: str
    facts: dict[str, Any]


class NoticesView(View):
    """A page of notices, in order; `next_after` is what to ask for next, now or later."""

    notices: list[NoticeView]
    next_after: int


class DeliveryView(View):
    """What became of a notice at one contact: pending while it has a next attempt."""

    contact_id: str
    channel: str
    attempts: int
    made_at_ms: int
    next_attempt_at_ms: int | None
    delivered_at_ms: int | None
    given_up_at_ms: int | None
    last_error: str | None


class DeliveriesView(View):
    """What became of a notice, contact by contact."""

    deliveries: list[DeliveryView]


def show(listed: Listed, rendering: Rendering) -> NoticeView:
    """Show a notice; its subject is in the house's own language."""
    notice = listed.notice
    return NoticeView(
        number=listed.number,
        notice_id=notice.notice_id,
        kind=notice.kind,
        urgency=notice.urgency,
        happened_at_ms=notice.happened_at_ms,
        read_at_ms=listed.read_at_ms,
        key_id=notice.key_id,
        seq=notice.seq,
        lead_ms=notice.lead_ms,
        subject=rendering.subject(notice, rendering.language_of(None)),
        facts=dict(notice.facts),
    )


def show_delivery(delivery: Delivery) -> DeliveryView:
    """Show a delivery."""
    return DeliveryView(**delivery._asdict())


@get(
    "/{account_id:str}/notices",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def list_notices(  # noqa: PLR0913 - a page has that many sides
    account_id: requests.AccountId,
    notices: Given[Notices],
    rendering: Given[Rendering],
    after: Annotated[int, QueryParameter(ge=0, le=requests.INTEGER_MAX)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = PAGE_MAX,
    *,
    unread: Annotated[bool, QueryParameter()] = False,
) -> NoticesView:
    """Read what an account was told whose number is greater than `after`; `unread` only, or all."""
    found = notices.of_account(account_id, after=after, most=limit, unread=unread)
    return NoticesView(
        notices=[show(listed, rendering) for listed in found],
        next_after=found[-1].number if found else after,
    )


@post(
    "/{account_id:str}/notices/{notice_id:str}/read",
    opt=rights.OWNER_READS,
    status_code=200,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def read_notice(
    account_id: requests.AccountId,
    notice_id: requests.NoticeId,
    notices: Given[Notices],
    rendering: Given[Rendering],
) -> NoticeView:
    """Mark a notice as read by the account; a second time changes nothing."""
    return show(notices.read(account_id, notice_id), rendering)


@get(
    "/{account_id:str}/notices/{notice_id:str}/deliveries",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def list_deliveries(
    account_id: requests.AccountId, notice_id: requests.NoticeId, notices: Given[Notices]
) -> DeliveriesView:
    """Read what became of a notice at each contact, by the machine's clock, not a sandbox's."""
    found = notices.deliveries(account_id, notice_id)
    return DeliveriesView(deliveries=[show_delivery(delivery) for delivery in found])


def routes() -> Router:
    """Return what is answered under `/accounts/{id}/notices`."""
    return Router(
        "/accounts",
        route_handlers=[list_notices, read_notice, list_deliveries],
        tags=["notices"],
    )
