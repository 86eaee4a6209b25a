"""What becomes of noted uses: what is known of a key, what is told, what is suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import allowlist, usage
from tenure.domain.model import KeyId
from tenure.domain.usage import (
    ADDRESSES_KEPT,
    DAY_MS,
    TOLD_PER_DAY_MAX,
    Caution,
    KeyUsage,
    Seen,
    Use,
)
from tests.builders import FUTURES, TRADING, ms

KEY = KeyId("key_1")
NOW = ms("2021-12-01 10:00")
HOST = "2001:db8:1:2::7"
SAME_HOST, OTHER_HOST = "2001:db8:1:2:aaaa::1", "2001:db8:1:3::7"


def a_use(address: str = "203.0.113.7", at: int = NOW) -> Use:
    """Return one use of the key."""
    return Use(KEY, address, TRADING, at)


def known_of(*uses: Use) -> KeyUsage:
    """Return what is known after *uses*, folded one by one."""
    known = None
    for use in uses:
        known = usage.fold(known, [use]).usage
    assert known is not None
    return known


def test_the_first_use_is_all_that_is_known_and_nothing_to_tell() -> None:
    found = usage.fold(None, [a_use(), a_use("198.51.100.1")])

    assert found.told == ()
    assert found.usage.first_used_at_ms == found.usage.last_used_at_ms == NOW
    assert {seen.address for seen in found.usage.addresses} == {"203.0.113.7", "198.51.100.1"}


def test_an_older_use_never_overwrites_a_later_one() -> None:
    """Two workers write at their own pace."""
    late = Use(KEY, "203.0.113.7", FUTURES, NOW)
    known = known_of(late, a_use("198.51.100.1", NOW - 5), a_use(at=NOW - 9))

    assert (known.last_used_at_ms, known.last_address) == (NOW, "203.0.113.7")
    assert known.last_permission == FUTURES
    assert known.first_used_at_ms == NOW - 9
    assert known.addresses == (
        Seen("203.0.113.7", NOW - 9, NOW),
        Seen("198.51.100.1", NOW - 5, NOW - 5),
    )


@given(
    st.lists(
        st.builds(
            a_use,
            st.sampled_from(["203.0.113.7", "203.0.113.8", HOST]),
            st.integers(NOW, NOW + 3 * DAY_MS),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda use: use.used_at_ms,
    )
)
def test_it_is_all_one_in_which_order_uses_are_written(uses: list[Use]) -> None:
    forth, back = known_of(*uses), known_of(*uses[::-1])
    at_once = usage.fold(None, uses).usage

    for known in (back, at_once):
        assert known.addresses == forth.addresses
        assert known.first_used_at_ms == forth.first_used_at_ms
        assert known.last_used_at_ms == forth.last_used_at_ms
        assert known.last_address == forth.last_address


def test_a_new_address_of_a_key_in_use_is_told_once() -> None:
    known = known_of(a_use())
    news = a_use("198.51.100.1", NOW + 1)

    found = usage.fold(known, [news, a_use(at=NOW + 2)])

    assert found.told == (news,)
    assert usage.fold(found.usage, [a_use("198.51.100.1", NOW + 3)]).told == ()


def test_another_address_of_one_ipv6_host_is_no_news() -> None:
    known = known_of(a_use(HOST))

    assert usage.fold(known, [a_use(SAME_HOST, NOW + 1)]).told == ()
    assert len(usage.fold(known, [a_use(OTHER_HOST, NOW + 1)]).told) == 1


def test_a_day_tells_of_a_few_addresses_and_the_next_day_again() -> None:
    known = known_of(a_use())
    many = [a_use(f"198.51.100.{number}", NOW + number) for number in range(1, 10)]

    found = usage.fold(known, many)
    assert found.told == tuple(many[:TOLD_PER_DAY_MAX])
    assert usage.fold(found.usage, [a_use("192.0.2.1", NOW + 99)]).told == ()
    tomorrow = a_use("192.0.2.2", NOW + DAY_MS)
    assert usage.fold(found.usage, [tomorrow]).told == (tomorrow,)


def test_a_use_of_the_old_secret_is_told_once_a_day() -> None:
    def old(at: int) -> Use:
        return a_use(at=at)._replace(by_old_secret=True)

    found = usage.fold(None, [a_use(), old(NOW + 1), old(NOW + 2)])
    assert found.old_secret == old(NOW + 1), "the first use of a key too"
    assert found.told == (), "the address is no news"
    assert usage.fold(found.usage, [old(NOW + 3)]).old_secret is None
    tomorrow = old(NOW + DAY_MS)
    again = usage.fold(found.usage, [a_use(at=NOW + 4), tomorrow])
    assert again.old_secret == tomorrow
    assert usage.fold(again.usage, [old(NOW + 5)]).old_secret is None, "it comes late"


def test_a_use_of_the_new_secret_is_nothing_to_tell() -> None:
    assert usage.fold(None, [a_use()]).old_secret is None


def test_the_addresses_used_last_are_kept() -> None:
    uses = [a_use(f"198.51.100.{number}", NOW + number) for number in range(ADDRESSES_KEPT + 5)]

    known = known_of(*uses, a_use("198.51.100.5", NOW + 999))

    assert len(known.addresses) == ADDRESSES_KEPT
    assert known.addresses[0].address == "198.51.100.5"
    assert "198.51.100.4" not in {seen.address for seen in known.addresses}
    assert known.first_used_at_ms == NOW


# --- suggesting an allowlist


def suggested(
    *addresses: str, days: int = 30, since: int = NOW - 90 * DAY_MS, entries_max: int = 30
) -> usage.Suggestion:
    """Suggest for a key used since then, and just now from *addresses*, the latest first."""
    uses = [a_use(address, NOW - index) for index, address in enumerate(addresses)]
    first = a_use(addresses[0], since)
    return usage.suggest(known_of(first, *uses), days=days, entries_max=entries_max, now_ms=NOW)


def test_addresses_are_suggested_as_they_are() -> None:
    found = suggested("203.0.113.7", "203.0.113.8", "2001:db8::7")

    assert found.entries == ("203.0.113.7", "203.0.113.8", "2001:db8::7")
    assert found.cautions == {}


def test_addresses_of_one_ipv6_host_are_its_network() -> None:
    assert suggested(HOST, SAME_HOST, OTHER_HOST).entries == ("2001:db8:1:2::/64", OTHER_HOST)


def test_only_what_was_used_in_those_days_is_suggested() -> None:
    old = a_use("192.0.2.9", NOW - 8 * DAY_MS)
    known = known_of(old, a_use())

    week = usage.suggest(known, days=7, entries_max=30, now_ms=NOW)
    assert week.entries == ("203.0.113.7",)
    month = usage.suggest(known, days=8, entries_max=30, now_ms=NOW)
    assert month.entries == ("192.0.2.9", "203.0.113.7")


def test_nothing_seen_suggests_nothing_rather_than_everybody() -> None:
    long_ago = known_of(a_use(at=NOW - 31 * DAY_MS))

    for known in (None, long_ago):
        found = usage.suggest(known, days=30, entries_max=30, now_ms=NOW)
        assert (found.entries, found.addresses) == ((), ())
        assert set(found.cautions) == {Caution.NOTHING_SEEN}


@pytest.mark.parametrize(("known_for", "is_told"), [(30 * DAY_MS, False), (30 * DAY_MS - 1, True)])
def test_too_few_days_are_told(known_for: int, *, is_told: bool) -> None:
    found = suggested("203.0.113.7", since=NOW - known_for)

    assert (Caution.FEW_DAYS in found.cautions) is is_told
    if is_told:
        assert "known for 29 whole days, fewer than the 30" in found.cautions[Caution.FEW_DAYS]


def test_where_there_are_too_many_neighbours_are_one_network() -> None:
    three = ("203.0.113.7", "203.0.113.8", "192.0.2.1")

    assert suggested(*three, entries_max=2).entries == ("192.0.2.1", "203.0.113.0/24")
    assert suggested(*three, entries_max=3).entries == ("192.0.2.1", "203.0.113.7", "203.0.113.8")


def test_what_does_not_fit_is_left_out_and_told_the_latest_first() -> None:
    found = suggested("203.0.113.7", "198.51.100.1", "192.0.2.1", entries_max=2)

    assert found.entries == ("198.51.100.1", "203.0.113.7")
    assert "3 entries would be needed and 2 are allowed" in found.cautions[Caution.LEFT_OUT]


def test_that_not_all_addresses_are_kept_is_told() -> None:
    many = [f"198.51.{number}.1" for number in range(ADDRESSES_KEPT)]

    assert Caution.NOT_ALL_KEPT in suggested(*many).cautions
    assert Caution.NOT_ALL_KEPT not in suggested(*many[:-1]).cautions


@given(
    st.lists(
        st.one_of(
            st.ip_addresses(v=4, network="203.0.112.0/22"),
            st.ip_addresses(v=6, network="2001:db8::/60"),
        ).map(str),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 30),
)
def test_a_suggestion_can_be_saved_and_admits_what_it_was_made_from(
    addresses: list[str], entries_max: int
) -> None:
    found = suggested(*addresses, entries_max=entries_max)

    assert found.entries == allowlist.normalise(found.entries, entries_max=entries_max)
    if Caution.LEFT_OUT not in found.cautions:
        admits = allowlist.compile_allowlist(found.entries)
        for seen in found.addresses:
            address = allowlist.parse_address(seen.address)
            assert address is not None
            assert admits(address)
