"""Events as an operator's tables show them: who did what to whom, and everything the event says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tenure.domain import apikeys
from tenure.faces.console.operate import told
from tenure.services.browsing import Entry
from tenure.services.languages import Language

BODY_CHARACTERS_MAX: Final = 20_000
_API_KEY: Final = "api_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event; *tag* is empty where nobody can read it. *body* is what it says, as JSON."""

    seq: int
    tag: str
    at: str
    recorded_at: str
    actor: str
    account_id: str | None
    key_id: str | None
    body: str
    is_as_recorded: bool


def of_entries(entries: Sequence[Entry], language: Language) -> list[Row]:
    """Show *entries*."""
    return [_row(entry, language) for entry in entries]


def _row(entry: Entry, language: Language) -> Row:
    record = entry.record
    if record is None:
        return Row(
            seq=entry.seq,
            tag="",
            at="",
            recorded_at="",
            actor="",
            account_id=None,
            key_id=None,
            body="",
            is_as_recorded=False,
        )
    return Row(
        seq=entry.seq,
        tag=record.tag,
        at=_moment(record.happened_at_ms, language),
        recorded_at=_moment(record.recorded_at_ms, language),
        actor=told.actor(record.actor, language),
        account_id=record.account_id,
        key_id=record.key_id,
        body=_body(record.content),
        is_as_recorded=entry.is_as_recorded,
    )


def _moment(at_ms: int, language: Language) -> str:
    try:
        return language.moment(at_ms)
    except (ValueError, OverflowError, OSError):
        return str(at_ms)  # Whatever somebody wrote into the row by hand.


def _body(content: Any) -> str:  # noqa: ANN401 - JSON
    text = json.dumps(_masked(content), indent=2, ensure_ascii=False)
    return text if len(text) <= BODY_CHARACTERS_MAX else f"{text[:BODY_CHARACTERS_MAX]}…"


def _masked(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return *value* with API keys as listings show them."""
    if isinstance(value, dict):
        return {
            name: apikeys.mask(item) if name == _API_KEY else _masked(item)
            for name, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value
