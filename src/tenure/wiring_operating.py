"""The part of the composition root that operators' pages stand on."""

from collections.abc import Callable

from tenure.clock import Clock
from tenure.domain.catalog import Catalog
from tenure.services.approvals import Approvals
from tenure.services.browsing import Browsing
from tenure.services.ends import Ends
from tenure.services.health import Checkup
from tenure.services.house_acts import planners
from tenure.services.operating import Operating
from tenure.services.people.facade import People
from tenure.services.rereading import Rereading
from tenure.services.revocations import Revocations
from tenure.services.rules import Rules
from tenure.services.search import Search
from tenure.settings import Settings
from tenure.store.db import Store


def operating(  # noqa: PLR0913, PLR0917 - what it stands on, once each
    settings: Settings,
    store: Store,
    clock: Clock,
    catalog: Catalog,
    people: People,
    catch_up: Callable[[int], None],
    *,
    is_sealed: bool,
) -> Operating:
    """Build what a worker's faces stand on."""
    reading = Rereading(store, clock)
    acts = planners(
        Revocations(store, clock, catch_up), Rules(store, clock, catch_up), people, catalog
    )
    return Operating(
        approvals=Approvals(store, clock, acts, settings.second_approval, catch_up),
        browsing=Browsing(store),
        checkup=Checkup(settings, store, clock, reading.state, is_sealed=is_sealed),
        ends=Ends(store, clock),
        search=Search(store),
    )
