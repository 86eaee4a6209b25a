"""RULES' worked life, row by row, and decisions a millisecond to either side of every boundary."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from tenure.domain.decide import Reason
from tenure.domain.model import AccountKind, ApiKey
from tests.builders import (
    FUTURES,
    HOME,
    MONTH_MS,
    TAKES_EFFECT,
    TRADING,
    a_key,
    allow_only,
    an_edit,
    decided,
    end_of,
    ms,
    plan,
    relabel,
    renew,
    revoked,
    tick,
    untick,
)

ELSEWHERE = "198.51.100.20"
ISSUED = "2021-07-01 12:00"
FIRST_END = "2021-12-31 10:05"

EVERY_KIND = pytest.mark.parametrize("kind", AccountKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of RULES' table; *ends* is None where there is no end, *is_on* what an order gets."""

    number: int
    at: str
    act: Callable[[ApiKey, str], ApiKey]
    is_on: bool
    ends: str | None
    refusal: Reason | None = None
    from_elsewhere: Reason | None = None


def wait(key: ApiKey, at: str) -> ApiKey:
    """Let time pass: a rule takes effect, an order is sent, nobody edits anything."""
    assert at
    return key


EXPIRED, IP_NOT_ALLOWED = Reason.PERMISSION_EXPIRED, Reason.IP_NOT_ALLOWED

LIFE = (
    Row(number=1, at=ISSUED, act=wait, is_on=True, ends=None),
    Row(number=2, at=TAKES_EFFECT, act=wait, is_on=True, ends=None),
    Row(
        number=3,
        at="2021-12-01 10:00",
        act=lambda key, at: relabel(key, at=at),
        is_on=True,
        ends=None,
    ),
    Row(
        number=4,
        at="2021-12-01 10:05",
        act=lambda key, at: tick(key, FUTURES, at=at),
        is_on=True,
        ends=FIRST_END,
    ),
    Row(
        number=5,
        at="2021-12-10 09:00",
        act=lambda key, at: untick(key, FUTURES, at=at),
        is_on=True,
        ends=FIRST_END,
    ),
    Row(number=6, at="2021-12-31 10:04:59.999", act=wait, is_on=True, ends=FIRST_END),
    Row(number=7, at=FIRST_END, act=wait, is_on=False, ends=FIRST_END, refusal=EXPIRED),
    Row(
        number=8,
        at="2022-01-02 08:00",
        act=lambda key, at: allow_only(key, HOME, at=at),
        is_on=False,
        ends=FIRST_END,
        refusal=EXPIRED,
        from_elsewhere=IP_NOT_ALLOWED,
    ),
    Row(
        number=9,
        at="2022-01-02 08:01",
        act=lambda key, at: tick(key, TRADING, at=at),
        is_on=True,
        ends=None,
        from_elsewhere=IP_NOT_ALLOWED,
    ),
    Row(
        number=10,
        at="2022-02-01 08:00",
        act=lambda key, at: allow_only(key, at=at),
        is_on=True,
        ends="2022-03-03 08:00",
    ),
    Row(
        number=11,
        at="2022-02-20 08:00",
        act=lambda key, at: renew(key, TRADING, at=at),
        is_on=True,
        ends="2022-03-22 08:00",
    ),
    Row(
        number=12,
        at="2022-03-01 08:00",
        act=lambda key, at: allow_only(key, HOME, at=at),
        is_on=True,
        ends=None,
        from_elsewhere=IP_NOT_ALLOWED,
    ),
    Row(
        number=13,
        at="2022-03-02 08:00",
        act=lambda key, at: revoked(key, at=at),
        is_on=True,  # The box stays as it was; the key under it is gone.
        ends=None,
        refusal=Reason.KEY_REVOKED,
        from_elsewhere=Reason.KEY_REVOKED,
    ),
)


def lived(kind: AccountKind, rows: Iterable[Row]) -> ApiKey:
    """Return the key of the worked life after *rows*."""
    key = a_key(TRADING, issued=ISSUED, account_kind=kind)
    for row in rows:
        key = row.act(key, row.at)
    return key


@EVERY_KIND
@pytest.mark.parametrize("row", LIFE, ids=lambda row: f"row-{row.number}")
def test_one_key_lives_as_the_rules_say(kind: AccountKind, row: Row) -> None:
    key = lived(kind, LIFE[: row.number])

    assert key.holds(TRADING, ms(row.at)) is row.is_on
    assert end_of(TRADING, key) == (None if row.ends is None else ms(row.ends))
    assert decided(key, TRADING, at=row.at) == row.refusal
    assert decided(key, TRADING, at=row.at, address=ELSEWHERE) == (
        row.from_elsewhere or row.refusal
    )


@pytest.mark.parametrize(
    ("row", "shown"),
    [(4, "2021-12-31 10:05:00"), (10, "2022-03-03 08:00:00"), (11, "2022-03-22 08:00:00")],
)
def test_the_rows_with_a_pop_up_ask_and_show_the_end(row: int, shown: str) -> None:
    key = lived(AccountKind.NORMAL, LIFE[: row - 1])
    edits = {
        4: an_edit(tick=[FUTURES]),
        10: an_edit(allowlist=()),
        11: an_edit(renew=[TRADING]),
    }
    shown_plan = plan(key, edits[row], at=LIFE[row - 1].at)

    assert shown_plan.confirmation_required
    assert [c.ends_at_ms for c in shown_plan.consequences if c.permission == TRADING] == [ms(shown)]


@pytest.mark.parametrize("row", [3, 5, 8, 9, 12])
def test_the_rows_without_a_pop_up_ask_nothing(row: int) -> None:
    key = lived(AccountKind.NORMAL, LIFE[: row - 1])
    edits = {
        3: an_edit(label="renamed"),
        5: an_edit(untick=[FUTURES]),
        8: an_edit(allowlist=(HOME,)),
        9: an_edit(tick=[TRADING]),
        12: an_edit(allowlist=(HOME,)),
    }

    assert not plan(key, edits[row], at=LIFE[row - 1].at).confirmation_required


def test_a_revoked_key_refuses_for_good() -> None:
    key = lived(AccountKind.NORMAL, LIFE)

    for at in ("2022-03-02 08:00", "2022-03-02 08:00:00.001", "2031-01-01 00:00"):
        assert decided(key, TRADING, at=at) == Reason.KEY_REVOKED


@EVERY_KIND
@pytest.mark.parametrize(("issued_off_ms", "lasts_ms"), [(-1, None), (0, MONTH_MS), (1, MONTH_MS)])
def test_a_key_issued_as_the_rule_takes_effect_is_under_it(
    kind: AccountKind, issued_off_ms: int, lasts_ms: int | None
) -> None:
    issued_ms = ms(TAKES_EFFECT) + issued_off_ms
    key = a_key(TRADING, issued=issued_ms, account_kind=kind)

    assert end_of(TRADING, key) == (None if lasts_ms is None else issued_ms + lasts_ms)


@EVERY_KIND
@pytest.mark.parametrize("off_ms", [-1, 0, 1])
@pytest.mark.parametrize("how", ["issued", "first-ticked", "edited", "opened", "renewed"])
def test_every_term_ends_exactly_thirty_days_on(kind: AccountKind, how: str, off_ms: int) -> None:
    starts_ms = ms("2024-02-10 23:59:59.999")  # Over a leap day and, somewhere, a change of clocks.
    older = a_key(TRADING, issued=ISSUED, account_kind=kind)
    key = {
        "issued": lambda: a_key(TRADING, issued=starts_ms, account_kind=kind),
        "first-ticked": lambda: tick(a_key(account_kind=kind), TRADING, at=starts_ms),
        "edited": lambda: tick(older, FUTURES, at=starts_ms),
        "opened": lambda: allow_only(
            a_key(TRADING, issued=ISSUED, account_kind=kind, allowlist=(HOME,)), at=starts_ms
        ),
        "renewed": lambda: renew(older, TRADING, at=starts_ms),
    }[how]()
    ends_ms = starts_ms + 2_592_000_000

    assert end_of(TRADING, key) == ends_ms
    assert decided(key, TRADING, at=ends_ms + off_ms) == (None if off_ms < 0 else EXPIRED)


@EVERY_KIND
@pytest.mark.parametrize("off_ms", [-1, 0, 1])
def test_no_rule_taking_effect_touches_a_key(kind: AccountKind, off_ms: int) -> None:
    key = a_key(TRADING, issued=ISSUED, account_kind=kind)

    assert decided(key, TRADING, at=ms(TAKES_EFFECT) + off_ms) is None
    assert decided(key, TRADING, at="2031-07-09 00:00") is None


@EVERY_KIND
def test_a_key_with_an_address_trades_without_an_end(kind: AccountKind) -> None:
    key = a_key(TRADING, issued="2021-08-01 00:00", account_kind=kind, allowlist=(HOME,))

    assert end_of(TRADING, key) is None
    assert decided(key, TRADING, at="2041-08-01 00:00") is None
    assert decided(key, TRADING, at="2041-08-01 00:00", address=ELSEWHERE) == IP_NOT_ALLOWED


def test_unticking_and_ticking_again_is_renewing() -> None:
    """R7."""
    at = "2021-12-01 10:05"
    key = a_key(TRADING, issued="2021-11-20 00:00")
    again = tick(untick(key, TRADING, at=at), TRADING, at=at)

    assert end_of(TRADING, again) == end_of(TRADING, renew(key, TRADING, at=at)) == ms(FIRST_END)


def test_closing_a_key_and_opening_it_again_is_as_good_as_renewing() -> None:
    """R8, R9: thirty days from the opening, no more; and it is confirmed like a renewal."""
    key = a_key(TRADING, issued="2021-11-20 00:00")
    opened = allow_only(allow_only(key, HOME, at="2021-12-01 10:04"), at="2021-12-01 10:05")

    assert end_of(TRADING, opened) == ms(FIRST_END)
