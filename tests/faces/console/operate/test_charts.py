"""Geometry of the charts: every day has its place, and what there is can be seen."""

from hypothesis import given
from hypothesis import strategies as st

from tenure.domain.rule_plans import Ends
from tenure.faces.console.operate import charts
from tenure.services import languages
from tenure.services.ends import Coming, Day
from tests.builders import DAY_MS, TRADING

ENGLISH = languages.language("en-150", "UTC")


def coming(*ends: int) -> Coming:
    days = tuple(
        Day(begins_at_ms=number * DAY_MS, by_permission={TRADING: count} if count else {})
        for number, count in enumerate(ends)
    )
    return Coming(counted_at_ms=0, days=days, has_revoked=False)


def test_where_nothing_ends_there_is_no_picture() -> None:
    assert charts.of_coming(coming(0, 0), ENGLISH) is None
    assert charts.of_ends({}, 0, ENGLISH) is None


def test_a_bar_is_as_high_as_permissions_end_on_its_day() -> None:
    chart = charts.of_coming(coming(0, 10, 5, 1), ENGLISH)

    assert chart is not None
    assert [bar.before_height for bar in chart.bars] == [0, 200, 100, 20]
    assert (chart.most, chart.total_before, chart.has_after, chart.days) == (10, 16, False, 1)
    assert chart.axis == ["1 Jan 1970", "2 Jan 1970", "3 Jan 1970", "4 Jan 1970"]


def test_however_few_they_are_something_is_to_be_seen() -> None:
    chart = charts.of_coming(coming(1, 100_000), ENGLISH)

    assert chart is not None
    assert chart.bars[0].before_height == 3


def test_before_and_after_stand_side_by_side_from_today_on() -> None:
    ends = {12: Ends(before=4), 14: Ends(before=2, after=8)}

    chart = charts.of_ends(ends, 10 * DAY_MS + 5, ENGLISH)

    assert chart is not None
    assert [bar.first_ms // DAY_MS for bar in chart.bars] == [10, 11, 12, 13, 14]
    assert [(bar.before, bar.after) for bar in chart.bars][2:] == [(4, 0), (0, 0), (2, 8)]
    assert (chart.total_before, chart.total_after, chart.most) == (6, 8, 8)
    assert chart.bars[0].half * 2 == chart.bars[0].width


@given(
    st.dictionaries(
        st.integers(0, 4_000),
        st.builds(Ends, before=st.integers(0, 10**6), after=st.integers(0, 10**6)),
        min_size=1,
    )
)
def test_many_days_stand_together_and_none_is_lost(ends: dict[int, Ends]) -> None:
    chart = charts.of_ends(ends, 0, ENGLISH)

    if chart is None:
        assert not any(item.before or item.after for item in ends.values())
        return
    assert len(chart.bars) <= charts.BARS_MAX
    assert chart.total_before == sum(item.before for item in ends.values())
    assert chart.total_after == sum(item.after for item in ends.values())
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= charts.WIDTH + 0.1
        assert max(bar.before_height, bar.after_height) <= charts.HEIGHT
    assert 1 <= len(chart.axis) <= 5
