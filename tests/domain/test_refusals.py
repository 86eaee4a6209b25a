"""What becomes of refusals that were noted: rows that are few, and counts that are whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import refusals
from tenure.domain.decide import REFUSALS, Reason
from tenure.domain.model import KeyId, RuleId
from tenure.domain.refusals import ELSEWHERE, KEPT_MS, PROVED_KEPT, UNPROVED_KEPT, Refusal
from tests.builders import FUTURES, HOME, TRADING, ms

NOW = ms("2021-12-01 10:00")
STRANGER = "198.51.100.20"


def refused(
    reason: Reason = Reason.PERMISSION_MISSING,
    address: str = HOME,
    *,
    times: int = 1,
    at: int = NOW,
    permission: str = TRADING,
) -> Refusal:
    """Return what was noted of one refusal, or of several at one instant."""
    asked = permission if REFUSALS[reason].is_told else ""
    return Refusal(KeyId("key_1"), reason, asked, address, times, at, at)


def guesses(count: int) -> list[Refusal]:
    """Return wrong signatures from so many addresses, one after the other."""
    return [
        refused(Reason.SIGNATURE_INVALID, f"198.51.{number // 256}.{number % 256}", at=NOW + number)
        for number in range(count)
    ]


def test_what_is_refused_again_is_one_row_that_counts_on() -> None:
    known = refusals.fold([], [refused(times=2)], ())

    (row,) = refusals.fold(known, [refused(times=3, at=NOW + 9)], ())

    assert (row.times, row.first_at_ms, row.last_at_ms) == (5, NOW, NOW + 9)


@pytest.mark.parametrize(
    "other",
    [
        refused(Reason.IP_NOT_ALLOWED, at=NOW + 1),
        refused(address=STRANGER, at=NOW + 1),
        refused(permission=FUTURES, at=NOW + 1),
    ],
)
def test_another_reason_address_or_permission_is_a_row_of_its_own(other: Refusal) -> None:
    assert refusals.fold([refused()], [other], ()) == (other, refused())


def test_the_last_refusal_says_since_when_and_by_which_rule_in_whatever_order() -> None:
    early = refused(Reason.PERMISSION_EXPIRED)._replace(since_ms=5, rule_id=RuleId("first"))
    late = early._replace(last_at_ms=NOW + 1, since_ms=9, rule_id=RuleId("second"))

    for pair in ((early, late), (late, early)):
        (row,) = refusals.fold(pair[:1], pair[1:], ())
        assert (row.since_ms, row.rule_id) == (9, "second")


def test_a_stranger_with_many_addresses_pushes_out_nothing_that_was_proved() -> None:
    """An API key is no secret: whoever read it somewhere can have its requests refused."""
    known = refusals.fold([], [refused()], ())

    rows = refusals.fold(known, guesses(1_000), ())

    assert refused() in rows
    assert len(rows) == 1 + UNPROVED_KEPT + 1
    assert sum(row.times for row in rows) == 1_001
    kept = {row.last_at_ms for row in rows if row.address not in {ELSEWHERE, HOME}}
    assert kept == set(range(NOW + 1_000 - UNPROVED_KEPT, NOW + 1_000)), "those refused last"


@pytest.mark.parametrize("known_by", ["use", "proof"])
def test_a_wrong_secret_at_an_address_of_the_holders_is_not_pushed_out_either(
    known_by: str,
) -> None:
    own = refused(Reason.SIGNATURE_INVALID, at=NOW - 9)
    proved = [refused()] if known_by == "proof" else []
    used = [HOME] if known_by == "use" else []

    rows = refusals.fold([own], [*proved, *guesses(100)], used)

    assert own in rows
    assert own not in refusals.fold([own], guesses(100), ())


def test_the_rows_of_the_holder_are_bounded_too_and_none_is_lost_count_of() -> None:
    found = [
        refused(Reason.IP_NOT_ALLOWED, f"192.0.2.{number}", at=NOW + number)
        for number in range(PROVED_KEPT + 7)
    ]

    rows = refusals.fold([], found, ())

    assert len(rows) == PROVED_KEPT + 1
    (summed,) = (row for row in rows if row.address == ELSEWHERE)
    assert (summed.reason, summed.permission, summed.times) == (Reason.IP_NOT_ALLOWED, "", 7)
    assert (summed.first_at_ms, summed.last_at_ms) == (NOW, NOW + 6)
    assert refusals.fold(rows, [], ()) == rows, "and folding nothing changes nothing"


def test_a_row_is_forgotten_a_quarter_after_its_last_refusal() -> None:
    old = refused(address=STRANGER)

    assert old in refusals.fold([old], [refused(at=NOW + KEPT_MS - 1)], ())
    assert old not in refusals.fold([old], [refused(at=NOW + KEPT_MS)], ())
    assert refusals.fold([], [], ()) == ()


_NOTED = st.lists(
    st.builds(
        refused,
        st.sampled_from([Reason.SIGNATURE_INVALID, Reason.IP_NOT_ALLOWED, Reason.KEY_REVOKED]),
        st.integers(0, 200).map(lambda number: f"192.0.2.{number}"),
        times=st.integers(1, 9),
        at=st.integers(NOW, NOW + KEPT_MS - 1),
    ),
    max_size=150,
)


@given(st.lists(_NOTED, max_size=4))
def test_rows_stay_few_and_counts_whole_whatever_comes(flushes: list[list[Refusal]]) -> None:
    known: tuple[Refusal, ...] = ()
    for noted in flushes:
        known = refusals.fold(known, noted, ())

    assert len(known) <= PROVED_KEPT + UNPROVED_KEPT + len(Reason)
    assert len({row.place for row in known}) == len(known)
    noted_times = sum(row.times for noted in flushes for row in noted)
    assert sum(row.times for row in known) == noted_times
    assert all(row.first_at_ms <= row.last_at_ms for row in known)
