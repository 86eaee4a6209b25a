"""Every page of the operators' part, and what waits for whom in it."""

from litestar import Router

from tenure.domain.people import Role
from tenure.faces.console.operate import (
    accounts,
    approvals,
    journal,
    keys,
    leaks,
    new_accounts,
    overview,
    revocations,
    rules,
    search,
)
from tenure.faces.console.visitors import Visitor
from tenure.services.operating import Operating


def routes() -> Router:
    """Return what is answered under `/console/operate`."""
    return Router(
        "/operate",
        route_handlers=[
            *overview.routes(),
            *search.routes(),
            *new_accounts.routes(),
            *accounts.routes(),
            *keys.routes(),
            *rules.routes(),
            *revocations.routes(),
            *leaks.routes(),
            *journal.routes(),
            *approvals.routes(),
        ],
    )


def waiting(visitor: Visitor, operating: Operating) -> dict[str, int]:
    """Return what waits for *visitor*: for administrators, what another one has proposed."""
    if not visitor.person.role.allows(Role.ADMINISTRATOR):
        return {}
    own = visitor.person.person_id
    found = operating.approvals.waiting()
    return {"approvals": sum(proposal.by.person_id != own for proposal in found)}
