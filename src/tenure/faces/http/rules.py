"""The routes of what the venue wrote down: its rulebook and its catalog."""

from typing import Literal, TypeAlias

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency as Given

from tenure.domain.catalog import Catalog
from tenure.domain.model import AccountKind, KeyType
from tenure.domain.rules import rule_state
from tenure.faces.http import problems, rights
from tenure.faces.http.views import View
from tenure.services.rules import Rules

LifetimeView: TypeAlias = int | Literal["unlimited", "not_allowed"]


class RuleView(View):
    """One rule; `unrestricted` and `restricted` are lifetimes in milliseconds, or in words."""

    id: str
    title: str
    source: str
    effective_from_ms: int
    permissions: list[str]
    unrestricted: LifetimeView
    restricted: LifetimeView
    key_types: list[KeyType]
    account_kinds: list[AccountKind]
    notify_before_ms: list[int]


class RulesView(View):
    """Every rule, whenever it takes effect."""

    rules: list[RuleView]


class OfferView(View):
    """One permission as the venue sells it; `wire` is what each of its surfaces calls it."""

    id: str
    label: str
    wire: dict[str, str]
    key_types: list[KeyType]
    requires: list[str]
    warning: str
    one_time: bool
    kept_in_quarantine: bool


class RouteView(View):
    """
    What one of the venue's routes needs; `public` needs no key.

    `kept_in_quarantine`: it only reduces risk, so a key in quarantine may go on using it.
    """

    method: str
    path: str
    permission: str
    kept_in_quarantine: bool


class CatalogView(View):
    """The permissions a venue sells, and which of its routes needs which."""

    id: str
    title: str
    permissions: list[OfferView]
    routes: list[RouteView]


@get(
    "/rules",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 422, 503),
    sync_to_thread=True,
)
def list_rules(rules: Given[Rules]) -> RulesView:
    """List every rule, those not yet in force too."""
    shown = [rule_state(rule) for rule in rules.rulebook().rules]
    return msgspec.convert({"rules": shown}, RulesView)


@get(
    "/catalog",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 422),
    sync_to_thread=False,
)
def get_catalog(catalog: Given[Catalog]) -> CatalogView:
    """Look at the catalog."""
    return CatalogView(
        id=catalog.catalog_id,
        title=catalog.title,
        permissions=[
            OfferView(
                id=offer.permission,
                label=offer.label,
                wire=dict(offer.wire),
                key_types=sorted(offer.key_types),
                requires=list(offer.requires),
                warning=offer.warning,
                one_time=offer.one_time,
                kept_in_quarantine=offer.kept_in_quarantine,
            )
            for offer in catalog.offers.values()
        ],
        routes=[
            RouteView(
                method=method,
                path=path,
                permission=permission,
                kept_in_quarantine=(method, path) in catalog.kept_in_quarantine,
            )
            for (method, path), permission in catalog.routes.items()
        ],
    )


def routes() -> Router:
    """Return what is answered under `/rules` and `/catalog`."""
    return Router("/", route_handlers=[list_rules, get_catalog], tags=["rules"])
