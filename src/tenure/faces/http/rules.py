"""
The routes of what the venue wrote down: its rulebook and its catalog.

New rules come as the text of a rulebook file. They are previewed slice by slice, for a store may
hold keys by the million, and scheduled with the stamp of a preview (RULES R11, R13).
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody, PathParameter

from tenure.domain import rulebooks
from tenure.domain.catalog import Catalog
from tenure.domain.model import AccountKind, KeyType
from tenure.domain.rule_plans import Outcome
from tenure.domain.rules import Rule, rule_state
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.approvals import Approvals
from tenure.services.rules import SLICE_MAX, Previewed, Rules

RuleIdInPath: TypeAlias = Annotated[str, PathParameter(pattern=f"^{rulebooks.RULE_ID}$")]
LifetimeView: TypeAlias = int | Literal["unlimited", "not_allowed"]


class RuleView(View):
    """
    One rule; `unrestricted` and `restricted` are lifetimes in milliseconds, or in words.

    One that was withdrawn before it took effect says when, and never judges anything.
    """

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
    withdrawn_at_ms: int | None


class RulesView(View):
    """Rules, the earliest first."""

    rules: list[RuleView]


class CountView(View):
    """
    What the next edit of permissions would do to one permission, on keys of one kind of account.

    Of the keys that hold it today so many would keep it as it is, get a term, or lose it; a term
    that will have ended by then is counted apart. `anyway` is how many of those that get a term or
    lose it would do so under today's rulebook too. `examples` names a few keys for either.
    """

    permission: str
    account_kind: AccountKind
    held: int
    keeps: int
    term_starts: int
    lost: int
    ended: int
    anyway: int
    examples: dict[str, list[str]]


class RulesPreviewView(View):
    """
    What new rules would bring to a slice of the keys; committing them with `stamp` confirms them.

    Nothing happens to a key by itself: all of it waits for the owner's next edit of permissions,
    and is judged here as of `judged_at_ms`, when the last of the rules `added` takes effect.
    `untouched` keys have nothing that would change then. `keys_total` comes with the first slice
    alone; `next_after` asks for the next one, null after the last.
    """

    added: list[RuleView]
    stamp: str
    judged_at_ms: int
    keys: int
    revoked: int
    untouched: int
    counts: list[CountView]
    keys_total: int | None
    next_after: str | None


class ProposedRules(requests.Body):
    """The text of a rulebook file, TOML; a rule in it that is known already is passed over."""

    rulebook: str
    after: Annotated[str, msgspec.Meta(pattern=requests.KEY_ID)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=SLICE_MAX)] = SLICE_MAX


class ConfirmedRules(requests.Body):
    """The same text, and the stamp of its preview."""

    rulebook: str
    stamp: Annotated[str, msgspec.Meta(max_length=128)] | None = None


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
    """List every rule: those not yet in force too, and those withdrawn before they were."""
    return _shown(rules.rulebook().rules)


@post(
    "/rules/preview",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(400, 401, 403, 409, 413, 422, 503),
    sync_to_thread=True,
)
def preview_rules(
    data: JSONBody[ProposedRules], rules: Given[Rules], catalog: Given[Catalog]
) -> RulesPreviewView:
    """Show what new rules would bring to today's keys, and the stamp; changes nothing."""
    proposed = rulebooks.read(data.rulebook, frozenset(catalog.offers))
    return _previewed(rules.preview(proposed, data.after or "", data.limit))


@post(
    "/rules",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(400, 401, 403, 409, 413, 422, 503),
    sync_to_thread=True,
)
def schedule_rules(
    data: JSONBody[ConfirmedRules],
    rules: Given[Rules],
    catalog: Given[Catalog],
    approvals: Given[Approvals],
    actor: Given[str],
) -> RulesView:
    """
    Add the new rules of a rulebook, for the instants they name, all in the future; list these.

    409 `confirmation_required` without the stamp of a preview, 409 `stale` where the rulebook or
    the text is not the one that was previewed, or that was over 10 minutes ago. 403
    `approval_required` where two people have to agree.
    """
    approvals.require_alone()
    proposed = rulebooks.read(data.rulebook, frozenset(catalog.offers))
    return _shown(rules.schedule(proposed, data.stamp, actor))


@post(
    "/rules/{rule_id:str}/withdraw",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(401, 403, 404, 409, 422, 503),
    sync_to_thread=True,
)
def withdraw_rule(
    rule_id: RuleIdInPath,
    rules: Given[Rules],
    approvals: Given[Approvals],
    actor: Given[str],
) -> RuleView:
    """
    Withdraw a rule before it takes effect, for good; 409 `in_force` once it has.

    403 `approval_required` where two people have to agree.
    """
    approvals.require_alone()
    return msgspec.convert(_state(rules.withdraw(rule_id, actor)), RuleView)


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
    return Router(
        "/",
        route_handlers=[list_rules, preview_rules, schedule_rules, withdraw_rule, get_catalog],
        tags=["rules"],
    )


def _shown(rules: Iterable[Rule]) -> RulesView:
    return msgspec.convert({"rules": [_state(rule) for rule in rules]}, RulesView)


def _state(rule: Rule) -> dict[str, Any]:
    return {**rule_state(rule), "withdrawn_at_ms": rule.withdrawn_at_ms}


def _previewed(value: Previewed) -> RulesPreviewView:
    tally = value.tally
    return RulesPreviewView(
        added=_shown(value.plan.added).rules,
        stamp=value.stamp,
        judged_at_ms=value.plan.judged_at_ms,
        keys=tally.keys,
        revoked=tally.revoked,
        untouched=tally.untouched,
        counts=[
            CountView(
                permission=permission,
                account_kind=kind,
                held=count.held,
                keeps=count.outcomes[Outcome.KEEPS],
                term_starts=count.outcomes[Outcome.TERM_STARTS],
                lost=count.outcomes[Outcome.LOST],
                ended=count.outcomes[Outcome.ENDED],
                anyway=count.anyway,
                examples={str(outcome): list(ids) for outcome, ids in count.examples.items()},
            )
            for (permission, kind), count in sorted(tally.counts.items())
        ],
        keys_total=value.keys_total,
        next_after=value.next_after,
    )
