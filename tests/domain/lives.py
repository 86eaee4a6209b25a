"""
Lives of keys, drawn at random: rulebooks, what owners do and when, biased to the boundaries.

A `Life` is drawn whole and relative to its start; `live` plays it through the real planner. When
an act takes place may depend on the key as it then is ("one millisecond before the next end"),
which is where mistakes are.
"""

from dataclasses import dataclass
from itertools import combinations, product

from hypothesis import strategies as st

from tenure.domain import plans
from tenure.domain.errors import Invalid
from tenure.domain.model import READING, ApiKey, KeyType, Permission
from tenure.domain.plans import Edit, Plan, Wish
from tenure.domain.rules import Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    HOME,
    MONTH_MS,
    TRADING,
    WITHDRAWALS,
    a_draft,
    a_rule,
    ms,
    the_catalog,
)
from tests.domain.oracle import Lifetime, Row

START_MS = ms("2021-07-01 12:00")
TRADED = (READING, TRADING, FUTURES, WITHDRAWALS)

_LENGTHS: tuple[Lifetime, ...] = (1, 300_000, DAY_MS, MONTH_MS, 3 * MONTH_MS)
_DATES_MS = (-DAY_MS, 0, 1, 10 * DAY_MS, MONTH_MS, MONTH_MS + 1, 70 * DAY_MS)
_DELAYS_MS = (0, 1, 60_000, DAY_MS, MONTH_MS - 1, MONTH_MS, MONTH_MS + 1)


@dataclass(frozen=True, slots=True)
class After:
    """So many ms after the act before."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class Near:
    """At, or *offset_ms* off, one of the ends and rules to come; *which* wraps around."""

    which: int
    offset_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an owner asks for, and when."""

    when: After | Near
    wishes: dict[Permission, Wish]
    addresses: tuple[str, ...] | None
    label: str | None

    @property
    def edit(self) -> Edit:
        """The same for the planner."""
        return Edit(label=self.label, allowlist=self.addresses, permissions=self.wishes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A rulebook, a key issued under it, and everything its owner then does."""

    rows: tuple[Row, ...]
    wanted: frozenset[Permission]
    addresses: tuple[str, ...]
    acts: tuple[Act, ...]

    def rows_from(self, start_ms: int) -> tuple[Row, ...]:
        """Return the rows as they stand in a life that starts at *start_ms*."""
        return tuple(
            Row(
                since_ms=start_ms + row.since_ms,
                permissions=row.permissions,
                unrestricted=row.unrestricted,
                restricted=row.restricted,
            )
            for row in self.rows
        )

    def rulebook(self, start_ms: int) -> Rulebook:
        """Return the rows as the planner reads them."""
        return Rulebook(
            tuple(
                a_rule(
                    f"rule-{number}",
                    *(Permission(name) for name in sorted(row.permissions)),
                    since=row.since_ms,
                    unrestricted=row.unrestricted,
                    restricted=row.restricted,
                )
                for number, row in enumerate(self.rows_from(start_ms))
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act as it went: the key *before*, and the plan, None where the act was refused."""

    at_ms: int
    act: Act
    before: ApiKey
    plan: Plan | None

    @property
    def after(self) -> ApiKey:
        """The key after the act."""
        return self.before if self.plan is None else self.plan.after


# Drawing costs more than living, so whole values are drawn where the choice is small.
_ALLOWED = st.sampled_from((*_LENGTHS, "unlimited"))
_LIFETIMES = st.sampled_from((*_LENGTHS, "unlimited", "not_allowed"))
_EACH: tuple[Wish, ...] = (True, False, "renew")
_WISHES: list[dict[Permission, Wish]] = [
    dict(zip(names, wished, strict=True))
    for size in (0, 1, 2)
    for names in combinations(TRADED, size)
    for wished in product(_EACH, repeat=size)
]
_SUBJECTS = [frozenset(some) for size in (1, 2, 3) for some in combinations(TRADED[1:], size)]
_ROWS = st.one_of(
    st.builds(
        Row,
        since_ms=st.sampled_from(_DATES_MS),
        permissions=st.sampled_from(_SUBJECTS),
        unrestricted=_LIFETIMES,
        restricted=_LIFETIMES,
    ),
    # `reading` may run out but is always allowed: a key that may not read cannot be issued.
    st.builds(
        Row,
        since_ms=st.sampled_from(_DATES_MS),
        permissions=st.just(frozenset({READING, TRADING})),
        unrestricted=_ALLOWED,
        restricted=_ALLOWED,
    ),
)
_ACTS = st.builds(
    Act,
    when=st.sampled_from(
        [
            *(After(delay_ms) for delay_ms in _DELAYS_MS),
            *(Near(which, offset_ms) for which in range(5) for offset_ms in (-1, 0, 1)),
        ]
    ),
    wishes=st.sampled_from(_WISHES),
    addresses=st.sampled_from([None, None, None, (), (HOME,), (HOME, "2001:db8::7")]),
    label=st.sampled_from([None, None, None, "renamed", "renamed again"]),
)


def rows() -> st.SearchStrategy[tuple[Row, ...]]:
    """Draw one to three rules of different dates, about when the life starts or later."""
    return st.lists(_ROWS, min_size=1, max_size=3, unique_by=lambda row: row.since_ms).map(tuple)


def lives() -> st.SearchStrategy[Life]:
    """Draw a life of up to eight acts after the issue."""
    return st.builds(
        Life,
        rows=rows(),
        wanted=st.sampled_from([frozenset[Permission](), *_SUBJECTS]),
        addresses=st.sampled_from([(), (), (HOME,)]),
        acts=st.lists(_ACTS, min_size=1, max_size=8).map(tuple),
    )


def issue(life: Life, *, start_ms: int = START_MS) -> ApiKey:
    """Issue the key of *life*, with what of its wishes is allowed."""
    draft = a_draft(issued=start_ms, allowlist=life.addresses, key_type=KeyType.ED25519)
    rulebook = life.rulebook(start_ms)
    try:
        return plans.plan_issue(draft, tuple(sorted(life.wanted)), the_catalog(), rulebook).after
    except Invalid:
        return plans.plan_issue(draft, (), the_catalog(), rulebook).after


def live(life: Life, *, start_ms: int = START_MS) -> list[Step]:
    """Play *life*, confirming whatever is asked."""
    rulebook = life.rulebook(start_ms)
    key, now_ms = issue(life, start_ms=start_ms), start_ms
    steps = []
    for act in life.acts:
        now_ms = _when(act, key, rulebook, now_ms)
        try:
            plan = plans.plan_edit(key, act.edit, the_catalog(), rulebook, now_ms)
        except Invalid:
            plan = None
        step = Step(at_ms=now_ms, act=act, before=key, plan=plan)
        steps.append(step)
        key = step.after
    return steps


def ends(key: ApiKey) -> list[int]:
    """Return every end that is stored with *key*, past or to come."""
    return [grant.term.ends_at_ms for grant in key.grants.values() if grant.term]


def _when(act: Act, key: ApiKey, rulebook: Rulebook, now_ms: int) -> int:
    match act.when:
        case After(delay_ms):
            return now_ms + delay_ms
        case Near(which, offset_ms):
            boundaries = [*ends(key), *(rule.effective_from_ms for rule in rulebook.rules)]
            near = sorted({at + offset_ms for at in boundaries if at + offset_ms >= now_ms})
            return near[which % len(near)] if near else now_ms + 1
