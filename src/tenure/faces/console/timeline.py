"""
The picture of what ends when: a bar for each running term, over all keys, drawn by the server.

Words stand beside the bars as text, so the picture is for the eye alone; colours are the
stylesheet's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tenure.faces.console.shown import DAY_MS, Box, Card
from tenure.services.languages import Language

_SPAN_MS_MIN: Final = 30 * DAY_MS
_WIDTH: Final = 1000
"""The bar's width in its own units; it is stretched to the width there is."""
ROWS_MAX: Final = 12
_TICKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A running term: whose it is, in words, and how far it reaches."""

    card: Card
    box: Box
    reach: int
    is_soon: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The bars, the first to end first; *axis* is the days below them; *more* were left out."""

    bars: Sequence[Bar]
    axis: Sequence[str]
    more: int
    width: int = _WIDTH


def draw(cards: Sequence[Card], language: Language, now_ms: int) -> Timeline | None:
    """Return the picture of the terms of *cards*, None where nothing ends."""
    found = sorted(
        ((box.ends_at_ms or 0, card, box) for card in cards for box in card.dated),
        key=lambda item: item[0],
    )
    if not found:
        return None
    shown = found[:ROWS_MAX]
    span_ms = max(_SPAN_MS_MIN, shown[-1][0] - now_ms)
    return Timeline(
        bars=[
            Bar(
                card=card,
                box=box,
                reach=max(6, (ends_at_ms - now_ms) * _WIDTH // span_ms),
                is_soon=box.is_soon,
            )
            for ends_at_ms, card, box in shown
        ],
        axis=[language.day(now_ms + span_ms * step // _TICKS) for step in range(_TICKS + 1)],
        more=len(found) - len(shown),
    )
