"""The rulebook as rows: what a rule says is never updated (RULES R13), only its withdrawal is."""

import json
from dataclasses import replace

from sqlalchemy import func, insert, select, update

from tenure.domain.events import Tag
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
            withdrawn_at_ms=rule.withdrawn_at_ms,
        )
    )


def withdraw(tx: Transaction, rule_id: str, now_ms: int) -> None:
    """Note that the rule called *rule_id* was withdrawn at *now_ms*; what it says stays."""
    tx.execute(
        update(schema.rules).where(schema.rules.c.rule_id == rule_id).values(withdrawn_at_ms=now_ms)
    )


def added_at_ms(tx: Transaction) -> dict[str, int]:
    """Return when each rule was added (ms, UTC), as the journal says."""
    event = schema.events.c
    chosen = (
        select(event.body, event.happened_at_ms)
        .where(event.account_id.is_(None), event.tag == Tag.RULE_ADDED)
        .order_by(event.seq)
    )
    return {
        str(json.loads(row.body)["rule"]["id"]): row.happened_at_ms for row in tx.execute(chosen)
    }


def count_keys(tx: Transaction) -> int:
    """Return how many keys there are for rules to judge, revoked ones too."""
    return tx.execute(select(func.count()).select_from(schema.keys)).scalar_one()


def rulebook(tx: Transaction) -> Rulebook:
    """Return every rule, whenever it takes effect, withdrawn ones too, the earliest first."""
    chosen = select(schema.rules.c.body, schema.rules.c.withdrawn_at_ms).order_by(
        schema.rules.c.effective_from_ms, schema.rules.c.rule_id
    )
    return Rulebook(
        tuple(
            replace(rule_from(json.loads(row.body)), withdrawn_at_ms=row.withdrawn_at_ms)
            for row in tx.execute(chosen)
        )
    )
