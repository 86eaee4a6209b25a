"""
What a consequence says to the key's owner, in one plain sentence.

Only words live here; what happens is worked out in `plans`. Instants are shown in UTC and to the
second; the exact milliseconds stand beside the sentence wherever it is sent.
"""

import datetime
from collections.abc import Mapping

from tenure.domain.catalog import Catalog
from tenure.domain.consequences import Consequence, ConsequenceKind
from tenure.domain.rules import Rulebook

_SENTENCES: Mapping[ConsequenceKind, str] = {
    ConsequenceKind.LOST: "{label} will be switched off: it is not allowed on this key.{because}",
    ConsequenceKind.TERM_STARTS: "{label} will be on until {end}, then unticked.{because}",
    ConsequenceKind.TERM_SHORTENED: (
        "{label} will end earlier: {end} instead of {old_end}.{because}"
    ),
    ConsequenceKind.TERM_LIFTED: "{label} will no longer end.",
    ConsequenceKind.GRANTED: "{label} will be on, without an end.",
    ConsequenceKind.REMOVED: "{label} will be off.",
    ConsequenceKind.STAYS_OFF: "{label} has ended and stays off until it is ticked again.",
}


def instant(at_ms: int) -> str:
    """Return *at_ms* as `2021-12-31 10:05:00 UTC`."""
    moment = datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def rfc3339(at_ms: int) -> str:
    """Return *at_ms* as `2021-12-31T10:05:00.000Z`, for programs."""
    moment = datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


def sentence(consequence: Consequence, catalog: Catalog, rulebook: Rulebook) -> str:
    """Say what *consequence* means: the permission by its label, the rule by its title."""
    offer = catalog.offers.get(consequence.permission)
    rule = rulebook.rule(consequence.rule_id) if consequence.rule_id else None
    return _SENTENCES[consequence.kind].format(
        label=f'"{offer.label}"' if offer else consequence.permission,
        end=_instant_or_nothing(consequence.ends_at_ms),
        old_end=_instant_or_nothing(consequence.ended_at_ms),
        because=f" ({rule.title}.)" if rule else "",
    )


def _instant_or_nothing(at_ms: int | None) -> str:
    return "" if at_ms is None else instant(at_ms)
