"""
Which consequences of a plan a signed call has confirmed by naming them (RULES R11).

For surfaces without a pop-up. Their calls are planned like any edit (`plans`); what a call says
outright it confirms, and what follows from it unsaid still needs the stamp of the plan. What the
consequences are is worked out in `consequences`, what they say in words in `wording`.
"""

from tenure.domain.consequences import Consequence, ConsequenceKind
from tenure.domain.errors import Conflict
from tenure.domain.plans import Plan

_TERMS = frozenset({ConsequenceKind.TERM_STARTS, ConsequenceKind.TERM_SHORTENED})


def unnamed(plan: Plan, *, names_unrestricted: bool) -> tuple[Consequence, ...]:
    """
    Return what would happen under *plan* that needs confirming and that its call did not name.

    A call names a permission by ticking or unticking it, and so that permission's own term. One
    that *names_unrestricted* says that any address may use the key: it names the terms which that
    starts or shortens, but no loss of a permission, which is always a surprise (R9, R12).
    """
    becomes_unrestricted = (
        plan.before is not None and plan.before.is_restricted and not plan.after.is_restricted
    )
    names_terms = names_unrestricted and becomes_unrestricted
    return tuple(
        consequence
        for consequence in plan.consequences
        if consequence.needs_confirmation
        and not consequence.is_asked
        and not (names_terms and consequence.kind in _TERMS)
    )


def require_confirmed(
    plan: Plan, stamp: str | None, now_ms: int, *, names_unrestricted: bool = False
) -> None:
    """
    Return if the signed call behind *plan* may be committed at *now_ms*.

    A plan that changes nothing has nothing to confirm, whatever *stamp* came: so a call that is
    repeated because its answer was lost finds its work done. Raises Conflict as
    `Plan.require_confirmed`: `confirmation_required`, or `stale` for a stamp of another plan.
    """
    if not plan.changes_anything:
        return
    if stamp is not None:
        plan.require_confirmed(stamp, now_ms)
    elif unnamed(plan, names_unrestricted=names_unrestricted):
        raise Conflict(
            "confirmation_required", "this call has consequences that it does not name", plan=plan
        )
