"""The route of the journal: every change, in order, for whoever follows or audits."""

from typing import Annotated, Any

from litestar import Router, get
from litestar.di import NamedDependency as Given
from litestar.params import QueryParameter

from tenure.domain.events import Event
from tenure.faces.http import problems, requests
from tenure.faces.http.views import View
from tenure.services.journal import PAGE_MAX, Journal


class EventView(View):
    """One recorded change; `hash` covers it and `previous_hash`."""

    seq: int
    tag: str
    actor: str
    account_id: str | None
    key_id: str | None
    happened_at_ms: int
    recorded_at_ms: int
    body: dict[str, Any]
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


@get("/events", responses=problems.documented(401, 422, 503), sync_to_thread=True)
def list_events(
    journal: Given[Journal],
    after: Annotated[int, QueryParameter(ge=0, le=requests.INTEGER_MAX)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)] = PAGE_MAX,
) -> EventsView:
    """Read the events whose seq is greater than `after`, gap-free and in order."""
    found = journal.after(after, limit)
    return EventsView(
        events=[show(event) for event in found],
        next_after=found[-1].seq if found else after,
    )


def routes() -> Router:
    """Return what is answered under `/events`."""
    return Router("/", route_handlers=[list_events], tags=["journal"])
