"""The rulebook as rows: one a rule, never updated (RULES R13)."""

import json

from sqlalchemy import insert, select

from tenure.domain.rules import Rule, Rulebook, rule_from, rule_state
from tenure.store import schema
from tenure.store.db import Transaction


def add(tx: Transaction, rule: Rule) -> None:
    """Store a new *rule*; its id must not be taken."""
    tx.execute(
        insert(schema.rules).values(
            rule_id=rule.rule_id,
            effective_from_ms=rule.effective_from_ms,
            body=json.dumps(rule_state(rule)),
        )
    )


def rulebook(tx: Transaction) -> Rulebook:
    """Return every rule, whenever it takes effect, the earliest first."""
    chosen = select(schema.rules.c.body).order_by(
        schema.rules.c.effective_from_ms, schema.rules.c.rule_id
    )
    return Rulebook(tuple(rule_from(json.loads(row.body)) for row in tx.execute(chosen)))
