"""Marks, and what they would revoke or did, as the JSON shapes callers see."""

from tenure.domain.marks import Mark, MarkPlan
from tenure.domain.model import AccountKind
from tenure.faces.http.views import View
from tenure.services.revocations import Shown


class MarkView(View):
    """Keys revoked together: all that meet what is not null, issued before `issued_before_ms`."""

    mark_id: str
    label: str | None
    account_id: str | None
    issued_before_ms: int
    made_at_ms: int


class MarksView(View):
    """Every mark, the oldest first."""

    revocations: list[MarkView]


class ExampleView(View):
    """One of the keys concerned, to recognise them by."""

    key_id: str
    account_id: str
    label: str
    issued_at_ms: int


class RevocationPlanView(View):
    """
    What a mark would revoke; committing it with `stamp` confirms this, or less.

    `keys` is how many, `by_kind` of which kinds of account; those revoked before are not counted.
    """

    keys: int
    by_kind: dict[AccountKind, int]
    examples: list[ExampleView]
    confirmation_required: bool
    stamp: str


class RevocationView(View):
    """What was revoked, and by which mark; null where there was no key to revoke."""

    revocation: MarkView | None
    keys: int
    by_kind: dict[AccountKind, int]
    examples: list[ExampleView]


def mark(value: Mark) -> MarkView:
    """Show a mark."""
    return MarkView(
        mark_id=value.mark_id,
        label=value.label,
        account_id=value.account_id,
        issued_before_ms=value.issued_before_ms,
        made_at_ms=value.made_at_ms,
    )


def plan(value: Shown) -> RevocationPlanView:
    """Show what a mark would revoke."""
    return RevocationPlanView(
        keys=value.plan.matched,
        by_kind=dict(value.plan.by_kind),
        examples=_examples(value.plan),
        confirmation_required=value.plan.matched > 0,
        stamp=value.stamp,
    )


def done(value: Shown) -> RevocationView:
    """Show what a mark revoked."""
    return RevocationView(
        revocation=mark(value.mark) if value.mark else None,
        keys=value.plan.matched,
        by_kind=dict(value.plan.by_kind),
        examples=_examples(value.plan),
    )


def _examples(value: MarkPlan) -> list[ExampleView]:
    return [ExampleView(**item._asdict()) for item in value.examples]
