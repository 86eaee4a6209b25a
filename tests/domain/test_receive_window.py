"""The receive window of WIRE section 4, to the microsecond."""

import pytest

from tenure.domain import signing
from tenure.domain.signing import SignedRequest
from tests.builders import an_address, ms

NOW_MS = ms("2021-12-01 10:05")


def sent(timestamp: int, window: str | None = "60000") -> SignedRequest:
    """Return a request that says *timestamp* and *window*."""
    raw = f"timestamp={timestamp}&signature=ab"
    if window is not None:
        raw += f"&recvWindow={window}"
    request = signing.parse("key", raw.encode(), b"", an_address())
    assert isinstance(request, SignedRequest), request
    return request


@pytest.mark.parametrize(
    ("sent_off_us", "window", "within"),
    [
        *((0, "5000", True), (999_000, "5000", True), (999_999, "5000", True)),
        *((1_000_000, "5000", False), (1_000_001, "60000", False), (10_000_000, "60000", False)),
        *((-5_000_000, "5000", True), (-5_000_001, "5000", False), (-5_001_000, "5000", False)),
        *((-60_000_000, "60000", True), (-60_000_001, "60000", False)),
        *((-1, "0.001", True), (-2, "0.001", False), (999_999, "0.001", True)),
        *((-5_000_000, None, True), (-5_000_001, None, False)),
    ],
)
def test_the_window_is_judged_to_the_microsecond(
    sent_off_us: int, window: str | None, *, within: bool
) -> None:
    """BI-6, BI-7: strictly less than a second ahead, at most the window behind."""
    request = sent(NOW_MS * 1000 + sent_off_us, window)

    assert signing.is_within_window(request, NOW_MS) is within
    assert signing.is_ahead(request, NOW_MS) is (sent_off_us >= 1_000_000)
    assert signing.is_too_old(request, NOW_MS) is (not within and sent_off_us < 0)


@pytest.mark.parametrize("timestamp", [NOW_MS // 1_000, NOW_MS * 1_000_000, 1, 10**18])
def test_other_units_fall_outside_the_window(timestamp: int) -> None:
    """BI-8: seconds are long ago, nanoseconds far ahead."""
    assert not signing.is_within_window(sent(timestamp), NOW_MS)


def test_before_2017_no_timestamp_is_taken_whatever_the_clock_says() -> None:
    start_ms = ms("2017-01-01 00:00")

    assert not signing.is_within_window(sent(start_ms - 1), start_ms)
    assert signing.is_within_window(sent(start_ms), start_ms)
