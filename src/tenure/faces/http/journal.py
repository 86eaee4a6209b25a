"""The routes of the journal: every change, in order, for whoever follows or audits."""

from typing import Annotated, Any, TypeAlias

from litestar import Router, get
from litestar.di import NamedDependency as Given
from litestar.params import QueryParameter

from tenure.domain.events import Event
from tenure.domain.rights import Caller, shown_actor, shown_body
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.journal import PAGE_MAX, Journal

After: TypeAlias = Annotated[int, QueryParameter(ge=0, le=requests.INTEGER_MAX)]
Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]


class AccountEventView(View):
    """One recorded change of one account; `master` is the `actor` where its master acted."""

    seq: int
    tag: str
    actor: str
    account_id: str | None
    key_id: str | None
    happened_at_ms: int
    recorded_at_ms: int
    body: dict[str, Any]


class AccountEventsView(View):
    """A page of one account's events, in order; `next_after` is what to ask for next."""

    events: list[AccountEventView]
    next_after: int


class EventView(AccountEventView):
    """One recorded change; `hash` covers it and `previous_hash`."""

    previous_hash: str
    hash: str


class EventsView(View):
    """A page of the journal, in order; `next_after` is what to ask for next, now or later."""

    events: list[EventView]
    next_after: int


def show(event: Event) -> EventView:
    """Show an event."""
    change = event.change
    return EventView(
        seq=event.seq,
        tag=change.tag,
        actor=change.actor,
        account_id=change.account_id,
        key_id=change.key_id,
        happened_at_ms=change.happened_at_ms,
        recorded_at_ms=event.recorded_at_ms,
        body=dict(change.body),
        previous_hash=event.previous_hash,
        hash=event.hash,
    )


@get(
    "/events",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 422, 503),
    sync_to_thread=True,
)
def list_events(
    journal: Given[Journal],
    after: After = 0,
    limit: Limit = PAGE_MAX,
) -> EventsView:
    """Read the events whose seq is greater than `after`, gap-free and in order."""
    found = journal.after(after, limit)
    return EventsView(
        events=[show(event) for event in found],
        next_after=found[-1].seq if found else after,
    )


@get(
    "/accounts/{account_id:str}/events",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def list_account_events(  # noqa: PLR0913, PLR0917 - a parameter each
    account_id: requests.AccountId,
    journal: Given[Journal],
    caller: requests.GivenCaller,
    key_id: Annotated[str | None, QueryParameter(pattern=requests.KEY_ID)] = None,
    after: After = 0,
    limit: Limit = PAGE_MAX,
) -> AccountEventsView:
    """Read what happened to one account and its keys, or to its key `key_id`, after a seq."""
    found = journal.of_account(account_id, after, limit, key_id)
    return AccountEventsView(
        events=[show_to(caller, event) for event in found],
        next_after=found[-1].seq if found else after,
    )


def show_to(caller: Caller, event: Event) -> AccountEventView:
    """Show an event of one account, without its place in a chain that spans all of them."""
    change = event.change
    return AccountEventView(
        seq=event.seq,
        tag=change.tag,
        actor=shown_actor(caller, change.actor, change.account_id),
        account_id=change.account_id,
        key_id=change.key_id,
        happened_at_ms=change.happened_at_ms,
        recorded_at_ms=event.recorded_at_ms,
        body=dict(shown_body(caller, change.body)),
    )


def routes() -> Router:
    """Return what is answered under `/events` and `/accounts/{id}/events`."""
    return Router("/", route_handlers=[list_events, list_account_events], tags=["journal"])
