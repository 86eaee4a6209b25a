"""
What a simulation draws, and how the same thing is put to Tenure and to the ledger.

The numbers are biased, on purpose: uniform chance finds no boundary.
"""

import random
from collections.abc import Mapping, Sequence

from tenure.domain.model import AccountKind, KeyType, Permission
from tenure.domain.plans import ConsequenceKind, Plan
from tenure.domain.rules import Lifetime, Rulebook
from tenure.services.keys import Draft, Wanted
from tests.builders import DAY_MS, MONTH_MS, a_rule, ms
from tests.simulation.ledger import STAMP_GOOD_FOR_MS, Said, Wish
from tests.simulation.oracle import Rule

__all__ = ["DAY_MS"]

PERMISSIONS = (
    *("reading", "spot_margin_trading", "margin_loan_repay_transfer", "futures"),
    *("european_options", "portfolio_margin", "universal_transfer", "internal_transfer"),
    *("withdrawals", "fix_trading", "fix_reading"),
)
_OFTEN = {"spot_margin_trading": 8, "futures": 6, "withdrawals": 2, "reading": 1, "fix_trading": 1}

SHIPPED = (
    Rule("2021-07-09", ms("2021-07-09 00:00"), ["spot_margin_trading"], (MONTH_MS, "unlimited")),
    Rule(
        "2021-07-09-withdrawals",
        ms("2021-07-09 00:00"),
        ["withdrawals"],
        ("not_allowed", "unlimited"),
    ),
)
"""The rulebook that comes with Tenure, retold."""

CALLERS = (
    *("203.0.113.7", "203.0.113.7", "::ffff:203.0.113.7"),
    *("203.0.113.9", "2001:db8::5", "198.51.100.4"),
)
_NETS: tuple[list[str], ...] = (
    *([], [], [], [], [], []),
    *(["203.0.113.7", "203.0.113.8/29"], ["203.0.113.4/30"]),
    *(["203.0.113.7"], ["203.0.113.0/24"], ["198.51.100.4", "2001:db8::/48"], ["203.0.112.0/20"]),
    *(["10.0.0.0/15"], ["2000::/31"]),
)
_LABELS = ("bot", "another bot", "ein Bot", "市场")


def delay(dice: random.Random, to_come: Sequence[int]) -> int:
    """Draw how long nothing happens (ms); *to_come* is how far off the ends and rules are."""
    ahead = sorted(off for off in to_come if off > 0)
    if ahead and dice.random() < 0.6:
        off = ahead[0] if dice.random() < 0.7 else dice.choice(ahead)
        return max(0, off + dice.choice([-1, 0, 1]))
    moment = dice.choice([0, 1, 2, 250, 1_000, 5_000, 60_000, 3_600_000, DAY_MS, MONTH_MS])
    return dice.choice(
        [moment, STAMP_GOOD_FOR_MS, STAMP_GOOD_FOR_MS + 1, dice.randrange(40 * DAY_MS)]
    )


def wall_step(dice: random.Random) -> int:
    """Draw how wrong somebody sets the machine's clock (ms)."""
    back = dice.choice([1, 250, 999, 1_000, 1_001, 5_000, dice.randrange(3 * DAY_MS)])
    return dice.choice([-back, -back, back, dice.randrange(2 * DAY_MS)])


def wish(dice: random.Random, kinds: Mapping[bool | str, int] | None = None) -> Wish:
    """Draw what an owner asks for, mostly of the permissions that rules are about."""
    kinds = kinds or {True: 6, False: 2, "renew": 3}
    boxes: dict[str, bool | str] = {}
    for _ in range(dice.choice([0, 1, 1, 1, 2, 2, 3])):
        names = [*_OFTEN, dice.choice(PERMISSIONS)]
        (name,) = dice.choices(names, [*_OFTEN.values(), 3])
        (boxes[name],) = dice.choices(list(kinds), list(kinds.values()))
    nets = frozenset(dice.choice(_NETS)) if dice.random() < 0.35 else None
    return Wish(boxes, nets, dice.choice(_LABELS) if dice.random() < 0.3 else None)


def wanted(wish: Wish) -> Wanted:
    """Return *wish* as it is put to Tenure."""
    ip_allowlist = None if wish.nets is None else tuple(sorted(wish.nets, reverse=True))
    return Wanted(label=wish.label, ip_allowlist=ip_allowlist, permissions=wish.boxes)  # type: ignore[arg-type]  # `renew` is the only text drawn


def draft(wish: Wish, key_type: KeyType, public_key: str | None) -> Draft:
    """Return what Tenure is asked to issue."""
    return Draft(
        label=wish.label or "new",
        key_type=key_type,
        public_key=public_key,
        permissions=tuple(wish.boxes),
        ip_allowlist=tuple(sorted(wish.nets or ())),
    )


def rule(dice: random.Random, number: int, now: int, known: Sequence[Rule]) -> Rule:
    """Draw a rule to come: 30 days, 90, not at all any more, or the other way."""
    lasts: list[int | str] = [*[MONTH_MS, 3 * MONTH_MS] * 3, "unlimited", "not_allowed", 60_000]
    since = now + dice.choice([1, 300_000, DAY_MS, 20 * DAY_MS, dice.randrange(1, 90 * DAY_MS)])
    if dice.random() < 0.1:
        since = dice.choice(known).since  # Of a rule that is there: contested, if about the same.
    names = dice.sample(list(_OFTEN), dice.choice([1, 1, 2]))
    if "reading" in names:  # It may run out, but a key that may not read cannot be issued.
        names, lasts = ["reading"], [MONTH_MS, 3 * MONTH_MS, "unlimited"]
    return Rule(
        f"rule-{number}",
        since,
        sorted(names),
        (dice.choice(lasts), dice.choice([*lasts, *["unlimited"] * 8])),
        sorted(dice.choice([[*KeyType], [*KeyType], [KeyType.HMAC, KeyType.ED25519]])),
        sorted(dice.choice([[*AccountKind], [*AccountKind], [AccountKind.SUB]])),
    )


def rulebook(rule: Rule) -> Rulebook:
    """Return *rule* as Tenure reads it."""
    unrestricted, restricted = (_lifetime(lasts) for lasts in rule.lasts)
    return Rulebook(
        (
            a_rule(
                rule.name,
                *(Permission(name) for name in rule.permissions),
                since=rule.since,
                unrestricted=unrestricted,
                restricted=restricted,
                key_types=[KeyType(name) for name in rule.key_types],
                account_kinds=[AccountKind(name) for name in rule.kinds],
            ),
        )
    )


def told(plan: Plan) -> Said:
    """Return the consequences Tenure shows as the ledger says them."""
    words = {
        ConsequenceKind.TERM_STARTS: "starts",
        ConsequenceKind.TERM_SHORTENED: "shortened",
        ConsequenceKind.TERM_LIFTED: "lifted",
    }
    return sorted(
        (item.permission, words.get(item.kind, str(item.kind)), item.rule_id or "")
        for item in plan.consequences
        if item.kind is not ConsequenceKind.STAYS_OFF  # Nothing happens to what had ended.
    )


def _lifetime(lasts: int | str) -> Lifetime:
    match lasts:
        case int() | "unlimited" | "not_allowed":
            return lasts
        case _:
            raise AssertionError(lasts)
