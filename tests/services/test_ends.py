"""The ends to come, as an operator's chart is drawn from them."""

import pytest

from tenure.domain.model import READING
from tenure.services import ends
from tenure.services.ends import Ends
from tests.builders import DAY_MS, TRADING, ms
from tests.services.parts import Parts


def test_every_day_is_there_and_the_first_is_what_is_left_of_today(parts: Parts) -> None:
    parts.issue(TRADING)
    parts.clock.now = ms("2021-12-30 18:00")
    parts.issue(TRADING)

    coming = Ends(parts.store, parts.clock).coming(2)

    assert [day.begins_at_ms for day in coming.days] == [
        ms("2021-12-30 00:00"), ms("2021-12-31 00:00"), ms("2022-01-01 00:00")
    ]  # fmt: skip
    assert [day.ends for day in coming.days] == [0, 1, 0]
    assert coming.days[1].by_permission == {TRADING: 1}
    assert READING not in coming.days[1].by_permission
    assert (coming.ends, coming.has_revoked) == (1, False)


def test_an_end_that_has_passed_is_not_to_come(parts: Parts) -> None:
    parts.issue(TRADING)
    parts.clock.now += 30 * DAY_MS
    assert Ends(parts.store, parts.clock).coming().ends == 0
    parts.clock.now -= 1
    assert Ends(parts.store, parts.clock).coming().ends == 1


def test_a_term_that_starts_now_is_within_its_thirty_days(parts: Parts) -> None:
    parts.issue(TRADING)

    days = Ends(parts.store, parts.clock).coming(30).days

    assert (len(days), days[-1].ends) == (31, 1)


def test_revoked_keys_are_left_out_while_there_are_not_too_many(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.issue(TRADING)
    parts.keys.revoke(parts.issue(TRADING).key_id, "operator")
    counting = Ends(parts.store, parts.clock)
    assert (counting.coming(30).ends, counting.coming(30).has_revoked) == (1, False)

    monkeypatch.setattr(ends, "LOOKED_AT_MAX", 1)

    assert (counting.coming(30).ends, counting.coming(30).has_revoked) == (2, True)


def test_a_large_count_is_kept_for_a_minute(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "LOOKED_AT_MAX", 0)
    counting = Ends(parts.store, parts.clock)
    parts.issue(TRADING)
    first = counting.coming(30)
    parts.issue(TRADING)

    parts.clock.now += 59_999
    assert counting.coming(30) is first
    assert counting.coming(29) is not first
    parts.clock.now += 1
    assert counting.coming(30).ends == 2


def test_no_more_days_are_counted_than_a_chart_can_show(parts: Parts) -> None:
    assert len(Ends(parts.store, parts.clock).coming(1_000).days) == 91
