"""What is well, what is worth a look, and what is wrong."""

from dataclasses import replace

import pytest

from tenure.domain import health
from tenure.domain.health import Finding, Keyring, Level, Read, Signed

KEYRING = Keyring(age_ms=40, bound_ms=5_000, seq=9, head_seq=9, is_held=False)
SIGNED = Signed(
    head_seq=9,
    size=9,
    signed_at_ms=1_000,
    pushed_size=9,
    pushed_at_ms=2_000,
    has_place=True,
    unsigned_ms=0,
    unpushed_ms=0,
)
READ = Read(head_seq=9, seq=9, whole_seq=9, whole_at_ms=1_000, flaw_seq=0, flaw="")


def judged(found: Finding) -> tuple[str, str]:
    return str(found.level), found.cause


@pytest.mark.parametrize(
    ("age_ms", "expected"),
    [
        (40, ("well", "fresh")),
        (2_500, ("well", "fresh")),
        (2_501, ("watch", "slow")),
        (5_000, ("watch", "slow")),
        (5_001, ("wrong", "stale")),
        (-1, ("wrong", "stale")),
        (None, ("wrong", "unknown")),
    ],
)
def test_a_keyring_decides_while_it_is_not_too_old(
    age_ms: int | None, expected: tuple[str, str]
) -> None:
    found = health.deciding(replace(KEYRING, age_ms=age_ms), is_clock_behind=False)

    assert judged(found) == expected
    assert found.facts["bound_ms"] == 5_000


def test_a_store_that_is_held_and_a_clock_that_is_behind_decide_nothing() -> None:
    held = replace(KEYRING, is_held=True)

    assert judged(health.deciding(held, is_clock_behind=True)) == ("wrong", "held")
    assert judged(health.deciding(KEYRING, is_clock_behind=True)) == ("wrong", "clock")


def test_a_sealing_key_that_does_not_fit_is_wrong() -> None:
    assert judged(health.secrets(is_sealed=True)) == ("wrong", "sealed")
    assert judged(health.secrets(is_sealed=False)) == ("well", "open")


@pytest.mark.parametrize(
    ("lag_ms", "expected"),
    [(0, ("well", "level")), (60_000, ("well", "level")), (60_001, ("wrong", "behind"))],
)
def test_ends_are_recorded_within_a_minute(lag_ms: int, expected: tuple[str, str]) -> None:
    found = health.sweeping(lag_ms, 3)
    assert judged(found) == expected
    assert found.facts == {"lag_ms": lag_ms, "waiting": 3}


@pytest.mark.parametrize(
    ("waiting", "overdue_ms", "relay", "trouble", "expected"),
    [
        (0, 0, True, "", ("well", "none")),
        (5, 600_000, True, "", ("well", "under_way")),
        (5, 600_001, True, "down", ("watch", "overdue")),
        (5, 600_001, False, "", ("watch", "overdue")),
        (5, 0, True, "down", ("watch", "trouble")),
        (0, 0, False, "", ("watch", "no_relay")),
    ],
)
def test_messages_that_do_not_go_out_are_worth_a_look(
    waiting: int, overdue_ms: int, trouble: str, expected: tuple[str, str], *, relay: bool
) -> None:
    found = health.sending(
        health.Outbox(
            waiting=waiting,
            overdue_ms=overdue_ms,
            channel="webhook",
            has_relay=relay,
            trouble=trouble,
        )
    )
    assert judged(found) == expected
    assert found.facts == {
        "waiting": waiting,
        "overdue_ms": overdue_ms,
        "channel": "webhook",
        "trouble": trouble,
    }


@pytest.mark.parametrize(
    ("waiting", "oldest_ms", "expected"),
    [
        (0, 0, ("well", "none")),
        (5, 60_000, ("well", "under_way")),
        (5, 60_001, ("wrong", "behind")),
    ],
)
def test_reported_keys_are_acted_on_within_a_minute(
    waiting: int, oldest_ms: int, expected: tuple[str, str]
) -> None:
    assert judged(health.leaks(waiting, oldest_ms)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("well", "signed")),
        ({"head_seq": 0, "size": 0}, ("well", "empty")),
        ({"size": 0, "unsigned_ms": 600_000}, ("well", "first")),
        ({"size": 8, "unsigned_ms": 600_000}, ("well", "signed")),
        ({"size": 8, "unsigned_ms": 600_001}, ("wrong", "behind")),
    ],
)
def test_checkpoints_are_signed_in_time(change: dict[str, int], expected: tuple[str, str]) -> None:
    assert judged(health.signing(replace(SIGNED, **change))) == expected  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ("well", "pushed")),
        ({"has_place": False}, ("watch", "nowhere")),
        ({"pushed_size": 0, "unpushed_ms": 600_000}, ("well", "first")),
        ({"pushed_size": 8, "unpushed_ms": 600_000}, ("well", "pushed")),
        ({"pushed_size": 8, "unpushed_ms": 600_001}, ("wrong", "behind")),
    ],
)
def test_somebody_else_is_to_hold_the_journals_head(
    change: dict[str, int], expected: tuple[str, str]
) -> None:
    assert judged(health.pushing(replace(SIGNED, **change))) == expected  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("found", "now_ms", "expected"),
    [
        (None, 0, ("well", "first")),
        (replace(READ, whole_at_ms=0), 9**9, ("well", "first")),
        (READ, 1_000 + 2 * health.DAY_MS, ("well", "whole")),
        (READ, 1_001 + 2 * health.DAY_MS, ("watch", "behind")),
        (replace(READ, flaw_seq=4, flaw="was edited"), 1_000, ("wrong", "flawed")),
    ],
)
def test_a_journal_is_read_again_every_day(
    found: Read | None, now_ms: int, expected: tuple[str, str]
) -> None:
    assert judged(health.reading(found, now_ms)) == expected


def test_levels_are_in_order_of_how_bad_it_is() -> None:
    assert list(Level) == [Level.WELL, Level.WATCH, Level.WRONG]
