"""
What the console says of permissions, consequences and types, in the reader's language.

Texts come from the catalogues, permissions' names from the venue's catalog: a shipped name has a
translation, a venue's own name stands as the venue wrote it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tenure.domain.catalog import Catalog
from tenure.domain.consequences import Consequence
from tenure.domain.errors import Problem
from tenure.domain.rules import Rulebook
from tenure.services import naming
from tenure.services.languages import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One consequence in words; *is_new* where the plan that was shown before did not have it."""

    kind: str
    permission: str
    text: str
    because: str
    needs_confirmation: bool
    is_new: bool = False


class Words:
    """Puts things into words."""

    def __init__(self, catalog: Catalog) -> None:
        """*catalog* names the permissions."""
        self.catalog = catalog

    def permission(self, permission: str, language: Language) -> str:
        """Return how a permission is called."""
        return naming.permission(self.catalog, permission, language)

    def warning(self, permission: str, language: Language) -> str:
        """Return the warning that stands beside a permission's box (RULES S11), or nothing."""
        return naming.warning(self.catalog, permission, language)

    def sentences(
        self, found: Sequence[Consequence], rulebook: Rulebook, language: Language
    ) -> list[Sentence]:
        """Return what will happen, in the order of *found*: worst first."""
        return [self._sentence(item, rulebook, language) for item in found]

    def _sentence(self, item: Consequence, rulebook: Rulebook, language: Language) -> Sentence:
        rule = rulebook.rule(item.rule_id) if item.rule_id and item.needs_confirmation else None
        text = language.say(
            f"popup.{item.kind}",
            permission=self.permission(item.permission, language),
            end="" if item.ends_at_ms is None else language.moment(item.ends_at_ms),
            old_end="" if item.ended_at_ms is None else language.moment(item.ended_at_ms),
        )
        return Sentence(
            kind=item.kind,
            permission=item.permission,
            text=text,
            because=language.say(
                "popup.because", rule=naming.rule(rule.rule_id, rule.title, language)
            )
            if rule
            else "",
            needs_confirmation=item.needs_confirmation,
        )

    def wrong(self, problem: Problem, language: Language, entry: str = "") -> str:
        """
        Return what is wrong with a field; an address is named as the *entry* it was typed as.

        A problem without a name was put into words by whoever found it.
        """
        text_id = f"wrong.{problem.why.name}"
        if text_id not in language.texts:
            return problem.message
        parts = problem.why.parts
        said = {name: self._part(name, part, language) for name, part in parts.items()}
        if "rule" in parts:
            said["rule"] = naming.rule(str(parts["rule"]), str(parts["title"]), language)
        return language.say(text_id, **{"entry": entry, **said})

    def _part(self, name: str, part: object, language: Language) -> str:
        if name == "permission":
            return self.permission(str(part), language)
        if isinstance(part, tuple):
            return ", ".join("Ed25519" if each == "ed25519" else str(each).upper() for each in part)
        return language.number(part) if isinstance(part, int) else str(part)
