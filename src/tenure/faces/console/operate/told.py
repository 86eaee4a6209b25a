"""
What operators are told, in words: what was found of the house, what an act would do, what is wrong.

Facts come as numbers and names; here they get the reader's digits, dates and permissions' names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tenure.domain.approvals import Effect
from tenure.domain.errors import Invalid, TenureError
from tenure.domain.health import Finding, Level
from tenure.domain.people import OPERATOR_PREFIX
from tenure.domain.rights import OPERATOR
from tenure.services import naming
from tenure.services.languages import Language

_MOMENTS: Final = ("_at_ms", "_before_ms", "_from_ms", "_until_ms")
"""How the name of an instant ends; any other that ends in `_ms` is a length of time."""
_SECOND_MS: Final = 1_000
_FIELDS: Final = {"issued_before_ms": "issued_before"}
"""The fields of forms that are called otherwise below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One part of the house: how well it is, what was found, and what to do about it."""

    topic: str
    title: str
    level: Level
    text: str
    mend: str


def tile(finding: Finding, language: Language) -> Tile:
    """Put a *finding* into words."""
    name = f"operate.health.{finding.topic}"
    facts = dict(finding.facts)
    if facts.get("channel"):
        facts["channel"] = language.say(f"operate.channel.{facts['channel']}")
    parts = said(facts, language)
    is_well = finding.level is Level.WELL
    return Tile(
        topic=str(finding.topic),
        title=language.say(name),
        level=finding.level,
        text=language.say(f"{name}.{finding.cause}", **parts),
        mend="" if is_well else language.say(f"{name}.{finding.cause}.mend", **parts),
    )


def effect(found: Effect, language: Language) -> str:
    """Put what will follow into words."""
    facts = dict(found.facts)
    if "by_kind" in facts:
        facts["kinds"] = kinds(facts.pop("by_kind"), language)
    if "role" in facts:
        facts["role"] = language.say(f"operate.role.{facts['role']}")
    if "role_before" in facts:
        facts["role_before"] = language.say(f"operate.role.{facts['role_before']}")
    if "rule_id" in facts:
        facts["title"] = naming.rule(facts["rule_id"], facts["title"], language)
    name = f"operate.effect.{found.kind}"
    if found.kind == "keys_revoked" and facts.get("label") is None:
        name = f"{name}.all"
    return language.say(name, **said(facts, language))


def effects(found: Sequence[Effect], language: Language) -> list[str]:
    """Put all that will follow into words."""
    return [effect(item, language) for item in found]


def kinds(by_kind: Mapping[str, int], language: Language) -> str:
    """Return how many keys are of which kind of account: `Account: 12, Sub-account: 3`."""
    return ", ".join(
        f"{language.say(f'account.{kind}')}: {language.number(keys)}"
        for kind, keys in by_kind.items()
    )


def actor(name: str, language: Language) -> str:
    """Return who *name* is, as the journal has it."""
    if name.startswith(OPERATOR_PREFIX):
        return name.removeprefix(OPERATOR_PREFIX)
    return language.say("operate.actor.token") if name == OPERATOR else name


def problem(error: TenureError, language: Language) -> str:
    """Return what is wrong, in the reader's language where there are words for it."""
    known = language.texts.get(f"operate.problem.{error.code}")
    if known is not None:
        return known
    return str(error) if isinstance(error, Invalid) else error.message


def beside(error: Invalid, language: Language) -> dict[str, str]:
    """Return what is wrong by the field it stands beside."""
    return {
        _FIELDS.get(item.field, item.field): language.texts.get(f"operate.wrong.{item.field}")
        or item.message
        for item in reversed(error.problems)
    }


def wrong(error: TenureError, language: Language) -> dict[str, str]:
    """Return what is wrong by field; what is no field's stands above the form."""
    if isinstance(error, Invalid):
        return beside(error, language)
    return {"form": problem(error, language)}


def said(facts: Mapping[str, Any], language: Language) -> dict[str, str]:
    """Return *facts* as text: instants, lengths of time and numbers as the reader writes them."""
    return {name: _said(name, value, language) for name, value in facts.items()}


def _said(name: str, value: object, language: Language) -> str:
    if not isinstance(value, int):
        return "" if value is None else str(value)
    if name.endswith(_MOMENTS):
        return language.moment(value) if value else "-"
    if name.endswith("_ms"):
        return language.length(value) if 0 <= value < _SECOND_MS else language.left(value)
    return language.number(value)
