"""Rulebooks as venues write them: the shipped one, and every slip named with its line."""

import pytest

from tenure.domain import rulebooks
from tenure.domain.errors import Invalid
from tenure.domain.model import AccountKind, KeyType
from tenure.domain.rules import Rule, Rulebook
from tests.builders import (
    DAY_MS,
    FUTURES,
    MONTH_MS,
    TRADING,
    WITHDRAWALS,
    ms,
    the_catalog,
    the_rulebook,
)

SOLD = frozenset(the_catalog().offers)
COLUMNS = {
    "id": '"a-rule"',
    "title": '"A rule"',
    "source": '"a test"',
    "effective_from": "2021-07-09T00:00:00Z",
    "permissions": '["spot_margin_trading"]',
    "unrestricted": '"30d"',
}


def a_row(**columns: str | None) -> str:
    """Return a good row with *columns* put in or, where None, left out."""
    written = COLUMNS | columns
    lines = [f"{name} = {value}" for name, value in written.items() if value is not None]
    return "\n".join(["[[rule]]", *lines, ""])


def read(*rows: str) -> Rulebook:
    """Return the rulebook of *rows*."""
    return rulebooks.read("\n".join(rows), SOLD)


def complaints(*rows: str) -> list[str]:
    """Return what `read` complains of, each with its line."""
    with pytest.raises(Invalid) as refused:
        read(*rows)
    return [f"{problem.field}: {problem.message}" for problem in refused.value.problems]


def test_the_shipped_rulebook_says_what_was_announced() -> None:
    trading, withdrawals = the_rulebook().rules

    assert trading.rule_id == "2021-07-09"
    assert trading.effective_from_ms == withdrawals.effective_from_ms == 1_625_788_800_000
    assert (trading.permissions, withdrawals.permissions) == ((TRADING,), (WITHDRAWALS,))
    assert (trading.unrestricted, trading.restricted) == (MONTH_MS, "unlimited")
    assert (withdrawals.unrestricted, withdrawals.restricted) == ("not_allowed", "unlimited")
    assert trading.notify_before_ms == (7 * DAY_MS, 3 * DAY_MS, DAY_MS, 3_600_000)
    assert withdrawals.notify_before_ms == ()
    for rule in (trading, withdrawals):
        assert rule.key_types == set(KeyType)
        assert rule.account_kinds == set(AccountKind)


def test_a_row_is_read_whole() -> None:
    (rule,) = read(
        a_row(
            permissions='["futures", "withdrawals"]',
            unrestricted='"12h"',
            restricted='"90d"',
            key_types='["hmac"]',
            account_kinds='["sub", "normal"]',
            notify_before='["30m", "1d"]',
        )
    ).rules

    assert rule == Rule(
        rule_id=rule.rule_id,
        title="A rule",
        source="a test",
        effective_from_ms=ms("2021-07-09 00:00"),
        permissions=(FUTURES, WITHDRAWALS),
        unrestricted=43_200_000,
        restricted=90 * DAY_MS,
        key_types=frozenset({KeyType.HMAC}),
        account_kinds=frozenset({AccountKind.SUB, AccountKind.NORMAL}),
        notify_before_ms=(DAY_MS, 1_800_000),
    )
    assert rule.rule_id == "a-rule"


def test_what_is_left_out_has_its_default() -> None:
    (rule,) = read(a_row()).rules

    assert rule.restricted == "unlimited"
    assert rule.key_types == set(KeyType)
    assert rule.account_kinds == set(AccountKind)


def test_no_rows_are_a_rulebook() -> None:
    assert read("# Nothing yet.").rules == ()


def test_rules_stand_in_the_order_in_which_they_take_effect() -> None:
    rulebook = read(
        a_row(id='"b"', effective_from="2022-01-01T00:00:00Z"),
        a_row(id='"a"', effective_from="2021-07-09T00:00:00Z"),
    )

    assert [rule.rule_id for rule in rulebook.rules] == ["a", "b"]


@pytest.mark.parametrize(
    ("lifetimes", "lead_times_ms"),
    [
        ({"unrestricted": '"30d"'}, [7 * DAY_MS, 3 * DAY_MS, DAY_MS, 3_600_000]),
        ({"unrestricted": '"7d"'}, [3 * DAY_MS, DAY_MS, 3_600_000]),
        ({"unrestricted": '"1h"'}, []),
        ({"unrestricted": '"61m"'}, [3_600_000]),
        ({"unrestricted": '"unlimited"'}, []),
        ({"unrestricted": '"1h"', "restricted": '"2d"'}, [DAY_MS, 3_600_000]),
        ({"notify_before": "[]"}, []),
        ({"notify_before": '["12h", "2d"]'}, [2 * DAY_MS, 43_200_000]),
        ({"notify_before": '["24h", "1d"]'}, [DAY_MS]),
    ],
)
def test_lead_times_are_shorter_than_the_lifetime_and_the_longest_comes_first(
    lifetimes: dict[str, str], lead_times_ms: list[int]
) -> None:
    (rule,) = read(a_row(**lifetimes)).rules

    assert list(rule.notify_before_ms) == lead_times_ms


@pytest.mark.parametrize("text", ["unlimited", "not_allowed"])
def test_a_lifetime_may_be_a_word(text: str) -> None:
    (rule,) = read(a_row(unrestricted=f'"{text}"', restricted=f'"{text}"')).rules

    assert (rule.unrestricted, rule.restricted) == (text, text)


LENGTH = 'must be a length such as "30d", or "unlimited", or "not_allowed"'


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"title": None}, "line 1: rule: `title` must be a text that is not empty"),
        ({"source": '""'}, "line 4: rule: `source` must be a text that is not empty"),
        ({"permissions": "[]"}, "line 6: rule: `permissions` must name at least one"),
        ({"permissions": '["staking"]'}, "line 6: rule: `staking` is not in the catalog"),
        ({"unrestricted": '"30 days"'}, f"line 7: rule: `unrestricted` {LENGTH}"),
        ({"restricted": '"0d"'}, f"line 8: rule: `restricted` {LENGTH}"),
        ({"restricted": '"Unlimited"'}, f"line 8: rule: `restricted` {LENGTH}"),
        ({"key_types": '["dsa"]'}, "line 8: rule: `dsa` is not one of hmac, rsa, ed25519"),
        ({"key_types": "[]"}, "line 8: rule: `key_types` must name at least one"),
        ({"account_kinds": '["vip"]'}, "line 8: rule: `vip` is not one of normal, master, sub"),
        ({"notify_before": '["soon"]'}, "line 8: rule: 'soon' is no length such as 7d, 12h, 30m"),
        ({"notify_before": '["30d"]'}, "line 8: rule: '30d' is not shorter than the lifetime"),
        ({"notify_before": '"7d"'}, "line 8: rule: `notify_before` must be a list of texts"),
        ({"expires": '"30d"'}, "line 8: rule: `expires` is not known here"),
    ],
)
def test_a_slip_is_named_with_its_line(columns: dict[str, str | None], problem: str) -> None:
    assert complaints(a_row(**columns)) == [problem]


def test_a_date_without_a_zone_is_refused() -> None:
    (problem,) = complaints(a_row(effective_from="2021-07-09"))

    assert problem.startswith("line 5: rule: `effective_from` must be an instant with its zone")


def test_one_id_is_one_rule() -> None:
    rows = a_row(), a_row(effective_from="2022-01-01T00:00:00Z")

    assert complaints(*rows) == ["line 10: rule: `a-rule` is already taken"]


def test_every_slip_is_named_at_once() -> None:
    found = complaints(a_row(id="1", title="1", restricted='"x"'), a_row(colour="1"))

    lines = [problem.partition(":")[0] for problem in found]
    # The last two: the second row's unknown column, and that it takes effect with the first.
    assert lines == ["line 2", "line 3", "line 8", "line 14", "line 17"]


def test_two_rules_for_the_same_key_may_not_take_effect_at_once() -> None:
    second = a_row(id='"b"', permissions='["futures", "spot_margin_trading"]')
    (problem,) = complaints(a_row(), second)

    assert problem == (
        "line 13: rule: `b` and `a-rule` take effect at the same instant for spot_margin_trading;"
        " a successor needs a later date"
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"effective_from": "2021-07-09T00:00:00.001Z"},
        {"permissions": '["futures"]'},
        {"key_types": '["rsa"]'},
        {"account_kinds": '["sub"]'},
    ],
)
def test_two_rules_that_never_meet_may_take_effect_at_once(columns: dict[str, str]) -> None:
    first = a_row(key_types='["hmac"]', account_kinds='["normal"]')
    second = a_row(
        **{"id": '"b"', "key_types": '["hmac"]', "account_kinds": '["normal"]'} | columns
    )

    assert len(read(first, second).rules) == 2


def test_another_table_is_refused() -> None:
    assert complaints("[[rules]]\n") == ["line 1: table `rules` is not known here"]
