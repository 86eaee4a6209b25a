"""What the journal must hold when a life is over: replayed, counted, its chain recomputed."""

import hashlib
import json
from collections.abc import Sequence

from tenure.domain import events
from tenure.domain.events import Event, Tag
from tenure.services import comparing
from tenure.services.comparing import Verdict
from tenure.store import keys
from tenure.store.db import Store
from tests.simulation.ledger import Ledger

_MOST = 1_000_000


def verify_chain(journal: Sequence[Event]) -> None:
    """Work out every hash from what the event says; nothing is missing, nothing runs back."""
    previous, recorded_at_ms = "0" * 64, 0
    for seq, event in enumerate(journal, start=1):
        change = event.change
        said = [
            *(previous, seq, event.recorded_at_ms, str(change.tag), change.actor),
            *(change.happened_at_ms, change.account_id, change.key_id, change.body),
        ]
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        assert event.seq == seq
        assert event.previous_hash == previous
        assert event.hash == hashlib.sha256(text.encode()).hexdigest()
        assert event.recorded_at_ms >= max(recorded_at_ms, change.happened_at_ms)
        previous, recorded_at_ms = event.hash, event.recorded_at_ms


def verify_events(journal: Sequence[Event], ledger: Ledger) -> None:
    """Find one event for each change, in order, and one for each lapse; nothing else."""
    changes = [event.change for event in journal if event.change.tag is not Tag.GRANT_SWEPT]
    lapses = [event.change for event in journal if event.change.tag is Tag.GRANT_SWEPT]
    assert [(str(c.tag), _subject(c), c.happened_at_ms) for c in changes] == ledger.changes
    assert sorted((c.key_id or "", c.body["permission"], c.happened_at_ms) for c in lapses) == (
        sorted(ledger.lapses)
    )


def verify_replay(store: Store) -> None:
    """Replay the journal as an audit does: it gives the rows, all of them and nothing else."""
    found = Verdict()
    comparing.compare(store.read, found, lambda _: None)
    assert found.differences == []


def verify_rows(store: Store, ledger: Ledger) -> None:
    """Find every key as its owner's acts must have left it."""
    stored = store.read(lambda tx: [item.key for item in keys.every(tx, "", _MOST)])
    assert {key.key_id for key in stored} == ledger.keys.keys()
    for key in stored:
        expected = ledger.keys[key.key_id]
        held = {
            name: (
                grant.granted_at_ms,
                grant.term.ends_at_ms if grant.term else None,
                grant.term.rule_id if grant.term else None,
            )
            for name, grant in key.grants.items()
        }
        assert held == expected.boxes
        assert (key.revoked_at_ms, frozenset(key.allowlist)) == (expected.revoked, expected.nets)


def _subject(change: events.Change) -> str:
    rule = change.body.get("rule")
    if isinstance(rule, dict):
        return str(rule["id"])
    return change.key_id or change.account_id or ""
