"""
The rulebook in force: rows in the store, first filled from a rulebook file.

A rule is never altered (RULES R13): a file that says something else about a known rule is refused.
"""

from tenure.clock import Clock
from tenure.domain.errors import Conflict
from tenure.domain.events import Change, Tag
from tenure.domain.rules import Rule, Rulebook, rule_state
from tenure.store import journal, rules
from tenure.store.db import Store, Transaction

ACTOR = "tenure:rulebook"


class Rules:
    """The rulebook, and adding to it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """*clock* dates the events."""
        self._store, self._clock = store, clock

    def rulebook(self) -> Rulebook:
        """Return every rule, whenever it takes effect."""
        return self._store.read(rules.rulebook)

    def adopt(self, rulebook: Rulebook) -> list[Rule]:
        """
        Add the rules of *rulebook* that the store does not have, and return them.

        Raises Conflict `rule_altered` where a rule the store has says something else, and
        `rule_contested` where a new one would take effect at the instant of another.
        """

        def adopt(tx: Transaction) -> list[Rule]:
            known = rules.rulebook(tx)
            added = []
            for rule in rulebook.rules:
                held = known.rule(rule.rule_id)
                if held is None:
                    _require_later(rule, known)
                    rules.add(tx, rule)
                    self._record(tx, rule)
                    added.append(rule)
                    known = Rulebook((*known.rules, rule))
                elif rule_state(held) != rule_state(rule):
                    raise Conflict(
                        "rule_altered",
                        f"rule {rule.rule_id} is in the store and says something else; "
                        "a rule is never altered: give the new one its own id and date",
                    )
            return added

        return self._store.write(adopt)

    def _record(self, tx: Transaction, rule: Rule) -> None:
        now_ms = self._clock.now_ms()
        change = Change(
            tag=Tag.RULE_ADDED,
            actor=ACTOR,
            happened_at_ms=now_ms,
            body={"rule": rule_state(rule)},
        )
        journal.append(tx, change, now_ms)


def _require_later(rule: Rule, known: Rulebook) -> None:
    for other in known.rules:
        if (
            other.effective_from_ms == rule.effective_from_ms
            and set(other.permissions) & set(rule.permissions)
            and other.key_types & rule.key_types
            and other.account_kinds & rule.account_kinds
        ):
            raise Conflict(
                "rule_contested",
                f"rules {other.rule_id} and {rule.rule_id} take effect at the same instant",
            )
