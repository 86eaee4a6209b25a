"""
Charts of ends per day, drawn by the server: bars in an SVG, and the same numbers as a table.

Geometry only; colours are the stylesheet's, words the template's. Where there are too many days for
a bar each, several days stand together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tenure.domain.rule_plans import Ends
from tenure.services.ends import Coming
from tenure.services.languages import Language

DAY_MS: Final = 86_400_000
WIDTH: Final = 1_000
HEIGHT: Final = 200
"""The picture's own units; it is stretched to the width there is."""
BARS_MAX: Final = 60
_GAP: Final = 0.2
"""How much of a bar's place is left free beside it."""
_LABELS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What ends on one day, or on a few: from *first_ms* on, *days* of them."""

    first_ms: int
    days: int
    before: int
    after: int
    x: float
    width: float
    before_height: float
    after_height: float

    @property
    def half(self) -> float:
        """The width of each of two bars that stand side by side."""
        return self.width / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """
    Bars, the first day first.

    *has_after*: two for each day, before and after. *most* is the highest of them, *axis* the days
    that stand below. *total_before* and *total_after* add them up.
    """

    bars: Sequence[Bar]
    axis: Sequence[str]
    most: int
    has_after: bool
    total_before: int
    total_after: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def days(self) -> int:
        """How many days each bar is of."""
        return self.bars[0].days if self.bars else 1


def of_coming(coming: Coming, language: Language) -> Chart | None:
    """Draw the ends to come; None where nothing ends."""
    counts = {day.begins_at_ms // DAY_MS: (day.ends, 0) for day in coming.days}
    if not coming.ends:
        return None
    return _chart(counts, min(counts), max(counts), language.day, has_after=False)


def of_ends(ends: Mapping[int, Ends], now_ms: int, language: Language) -> Chart | None:
    """Draw the ends before and after a change of rules; None where nothing ends in either."""
    counts = {day: (item.before, item.after) for day, item in ends.items()}
    if not any(before + after for before, after in counts.values()):
        return None
    first = min(now_ms // DAY_MS, *counts)
    return _chart(counts, first, max(counts), language.day, has_after=True)


def _chart(
    counts: Mapping[int, tuple[int, int]],
    first: int,
    last: int,
    day_of: Callable[[int], str],
    *,
    has_after: bool,
) -> Chart:
    days = -(-(last - first + 1) // BARS_MAX)
    places = -(-(last - first + 1) // days)
    sums = [[0, 0] for _ in range(places)]
    for day, (before, after) in counts.items():
        sums[(day - first) // days][0] += before
        sums[(day - first) // days][1] += after
    most = max(max(pair) for pair in sums)
    place = WIDTH / places
    bars = [
        Bar(
            first_ms=(first + number * days) * DAY_MS,
            days=days,
            before=before,
            after=after,
            x=round(number * place, 2),
            width=round(place * (1 - _GAP), 2),
            before_height=_height(before, most),
            after_height=_height(after, most),
        )
        for number, (before, after) in enumerate(sums)
    ]
    return Chart(
        bars=bars,
        axis=[day_of(bars[at].first_ms) for at in _marks(places)],
        most=most,
        has_after=has_after,
        total_before=sum(before for before, _ in sums),
        total_after=sum(after for _, after in sums),
    )


def _height(value: int, most: int) -> float:
    # However few they are beside the most, something is to be seen of them.
    return round(max(value / most * HEIGHT, 3), 2) if value else 0


def _marks(places: int) -> list[int]:
    """Return which bars have their day below: the first, the last, and some between."""
    if places <= _LABELS:
        return list(range(places))
    return [round(step * (places - 1) / (_LABELS - 1)) for step in range(_LABELS)]
