"""
A rulebook as a venue writes it: TOML in, a validated `rules.Rulebook` out.

RULES, "What a rulebook is", lists the columns. What the rules then mean is in `rules`.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

from tenure.domain import documents
from tenure.domain.model import AccountKind, KeyType, Permission, RuleId
from tenure.domain.rules import Lifetime, Rule, Rulebook

_Choice = TypeVar("_Choice")

RULE_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""How a rule may be called: its id stands in URLs and headers, where anything else means more."""
DAY_MS = 86_400_000
NOTIFY_BEFORE_MS = (7 * DAY_MS, 3 * DAY_MS, DAY_MS, 3_600_000)
"""Lead times of notices where a rule names none; those shorter than the lifetime are kept."""


def read(text: str, permissions: frozenset[Permission]) -> Rulebook:
    """
    Read a rulebook from its TOML *text*; its rules may speak of the catalog's *permissions*.

    Raises Invalid with every problem, each under `line N`; nothing takes effect before all hold.
    """
    document = documents.read(text)
    rules: dict[RuleId, tuple[Rule, documents.Section]] = {}
    for section in document.take("rule"):
        rule = _rule(section, permissions)
        if rule.rule_id in rules:
            section.complain("id", f"rule: `{rule.rule_id}` is already taken")
        for other, _ in rules.values():
            if shared := _contest(rule, other):
                section.complain(
                    "effective_from",
                    f"rule: `{rule.rule_id}` and `{other.rule_id}` take effect at the same instant "
                    f"for {shared}; a successor needs a later date",
                )
        rules[rule.rule_id] = (rule, section)
    document.finish("rule")
    ordered = sorted((rule for rule, _ in rules.values()), key=lambda rule: rule.effective_from_ms)
    return Rulebook(tuple(ordered))


def _contest(rule: Rule, other: Rule) -> str:
    shared = sorted(set(rule.permissions) & set(other.permissions))
    if (
        rule.effective_from_ms == other.effective_from_ms
        and rule.key_types & other.key_types
        and rule.account_kinds & other.account_kinds
    ):
        return ", ".join(shared)
    return ""


def _rule(section: documents.Section, known: frozenset[Permission]) -> Rule:
    permissions = section.take_texts("permissions")
    for permission in permissions:
        if permission not in known:
            section.complain("permissions", f"rule: `{permission}` is not in the catalog")
    unrestricted = _lifetime(section, "unrestricted", section.take_text("unrestricted"))
    restricted = _lifetime(
        section, "restricted", section.take_text("restricted", default="unlimited")
    )
    rule_id = section.take_text("id")
    if rule_id != "?" and not re.fullmatch(RULE_ID, rule_id):
        section.complain(
            "id", "rule: `id` must be 1 to 64 letters, digits, `.`, `_` or `-`, such as 2021-07-09"
        )
    return Rule(
        rule_id=RuleId(rule_id),
        title=section.take_text("title"),
        source=section.take_text("source"),
        effective_from_ms=section.take_instant_ms("effective_from"),
        permissions=tuple(Permission(name) for name in permissions),
        unrestricted=unrestricted,
        restricted=restricted,
        key_types=_choices(section, "key_types", {str(kind): kind for kind in KeyType}),
        account_kinds=_choices(section, "account_kinds", {str(kind): kind for kind in AccountKind}),
        notify_before_ms=_lead_times(section, unrestricted, restricted),
    )


def _lifetime(section: documents.Section, key: str, text: str) -> Lifetime:
    if text == "unlimited":
        return "unlimited"
    if text == "not_allowed":
        return "not_allowed"
    length_ms = documents.lifetime_ms(text)
    if length_ms is None:
        section.complain(
            key, f'rule: `{key}` must be a length such as "30d", or "unlimited", or "not_allowed"'
        )
        return "not_allowed"
    return length_ms


def _choices(
    section: documents.Section, key: str, choices: Mapping[str, _Choice]
) -> frozenset[_Choice]:
    names = section.take_texts(key, default=tuple(choices))
    for name in names:
        if name not in choices:
            section.complain(key, f"rule: `{name}` is not one of {', '.join(choices)}")
    return frozenset(choices[name] for name in names if name in choices)


def _lead_times(section: documents.Section, *lifetimes: Lifetime) -> tuple[int, ...]:
    longest_ms = max((length for length in lifetimes if isinstance(length, int)), default=0)
    named = section.take_texts("notify_before", default=())
    lead_times_ms = [documents.lifetime_ms(text) for text in named]
    for text, lead_ms in zip(named, lead_times_ms, strict=True):
        if lead_ms is None:
            section.complain("notify_before", f"rule: {text!r} is no length such as 7d, 12h, 30m")
        elif lead_ms >= longest_ms:
            section.complain("notify_before", f"rule: {text!r} is not shorter than the lifetime")
    if "notify_before" in section.values:  # Also where it says `[]`: no notices.
        return tuple(sorted({ms for ms in lead_times_ms if ms is not None}, reverse=True))
    return tuple(lead_ms for lead_ms in NOTIFY_BEFORE_MS if lead_ms < longest_ms)
