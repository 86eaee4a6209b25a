"""Ring (b) without a pop-up: what a signed call names it confirms, all else needs the stamp."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure.domain.model import ApiKey
from tenure.services.keys import Wanted
from tests.builders import MONTH_MS, ms
from tests.faces.http.masters import TRADING, A, B, C, D, Desk, G, Route, told
from tests.house import Reply

pytestmark = pytest.mark.slow

NOW_MS = ms("2021-12-01 10:00")
HERE = "198.51.100.9"
"""Where the master's calls come from."""
HOME = "203.0.113.7"
TITLE = "Without trusted IPs, Spot & Margin Trading lasts 30 days"
STARTS = (
    '"Enable Spot & Margin Trading" will be on until 2021-12-31 10:00:00 UTC, then unticked. '
    f"({TITLE}.)"
)
FUTURES = '"Enable Futures" will be on, without an end.'
CONFIRM = "To confirm, send the same call with stamp="
STAMP = re.compile(r" stamp=([A-Za-z0-9_-]+)\Z")
NO_HMAC_TRADE = """
[[rule]]
id = "old"
title = "Trading for ever"
source = "a test"
effective_from = 2021-07-09T00:00:00Z
permissions = ["spot_margin_trading"]
unrestricted = "unlimited"
restricted = "unlimited"

[[rule]]
id = "2021-12-hmac"
title = "HMAC keys without addresses may only read"
source = "a test"
effective_from = 2021-12-01T00:00:00Z
permissions = ["spot_margin_trading", "futures"]
key_types = ["hmac"]
unrestricted = "not_allowed"
restricted = "unlimited"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk.open(tmp_path)
    yield desk
    desk.house.close()


@pytest.fixture
def older(tmp_path: Path) -> Iterator[tuple[Desk, ApiKey]]:
    """Return a desk and a sub-account's key from before the rule, five months later."""
    desk = Desk.open(tmp_path, start="2021-07-01T12:00:00Z")
    key = desk.sub_key(TRADING)
    desk.house.move("2021-12-01 10:00")
    yield desk, key
    desk.house.close()


def stamp_of(reply: Reply) -> str:
    status, code, message = told(reply)
    assert (status, code) == (400, -9902)
    assert message.startswith("Confirmation required: ")
    found = STAMP.search(message)
    assert found, message
    return found[1]


def test_what_a_call_does_not_name_is_said_in_words_and_needs_its_stamp(
    older: tuple[Desk, ApiKey],
) -> None:
    """RULES' worked life, row 4, without a pop-up."""
    desk, key = older
    before = desk.events()

    asked = desk.of(G, key, canFuturesTrade="true")

    stamp = stamp_of(asked)
    message = f"Confirmation required: {STARTS} {FUTURES} {CONFIRM}{stamp}"
    assert told(asked) == (400, -9902, message)
    assert "tenure-terms" not in asked.headers
    assert desk.events() == before
    assert desk.now(key) == key

    done = desk.of(G, key, canFuturesTrade="true", stamp=stamp)
    assert (done.status, done.json()["canFuturesTrade"]) == (200, True)
    assert done.headers["tenure-terms"] == f"{TRADING}={NOW_MS + MONTH_MS}"


def test_a_call_that_names_the_permission_confirms_its_term(older: tuple[Desk, ApiKey]) -> None:
    desk, key = older
    reply = desk.of(G, key, canFuturesTrade="true", canTrade="true")
    assert reply.status == 200
    assert reply.headers["tenure-terms"] == f"{TRADING}={NOW_MS + MONTH_MS}"


def test_repeating_what_an_older_key_holds_is_no_edit_and_starts_nothing(
    older: tuple[Desk, ApiKey],
) -> None:
    desk, key = older
    reply = desk.of(G, key, canTrade="true")
    assert reply.status == 200
    assert "tenure-terms" not in reply.headers
    assert desk.now(key) == key


def test_unticking_needs_no_confirmation_but_what_else_it_starts_does(
    older: tuple[Desk, ApiKey],
) -> None:
    desk, key = older
    assert desk.of(G, key, canTrade="false", canVanillaOptions="true").status == 200
    assert desk.now(key).grants.keys() == {"reading", "european_options"}


def test_taking_off_the_last_address_needs_the_stamp_where_a_term_starts(desk: Desk) -> None:
    """RULES' worked life, row 10: C names an address, not that any may come now."""
    key = desk.sub_key(TRADING, ips=(HOME,))

    asked = desk.of(C, key, ipAddress=HOME)

    stamp = stamp_of(asked)
    message = f"Confirmation required: {STARTS} {CONFIRM}{stamp}"
    assert told(asked) == (400, -9902, message)
    assert desk.of(A, key).json()["ipList"] == [HOME]
    done = desk.of(C, key, ipAddress=HOME, stamp=stamp)
    assert done.json()["ipRestrict"] == "false"
    assert done.headers["tenure-terms"] == f"{TRADING}={NOW_MS + MONTH_MS}"


def test_the_term_starts_at_the_commit_and_not_where_the_words_said(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))
    stamp = stamp_of(desk.of(C, key, ipAddress=HOME))

    desk.house.move(NOW_MS + 600_000)

    done = desk.of(C, key, ipAddress=HOME, stamp=stamp)
    assert done.headers["tenure-terms"] == f"{TRADING}={NOW_MS + 600_000 + MONTH_MS}"


@pytest.mark.parametrize("stamp", ["x", "17d7-0123", "0-" + "0" * 32, "\u0661-0", "a b"])
def test_a_stamp_of_no_plan_gets_a_new_one(desk: Desk, stamp: str) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))

    asked = desk.of(C, key, ipAddress=HOME, stamp=stamp)

    words = "something changed since this plan was shown."
    new = stamp_of(asked)
    message = f"Confirmation required: {words} {STARTS} {CONFIRM}{new}"
    assert told(asked) == (400, -9902, message)
    assert desk.of(C, key, ipAddress=HOME, stamp=new).status == 200


def test_an_empty_stamp_is_none(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))
    assert "something changed" not in told(desk.of(C, key, ipAddress=HOME, stamp=""))[2]


def test_a_stamp_is_stale_after_ten_minutes_and_after_any_change(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))
    stamp = stamp_of(desk.of(C, key, ipAddress=HOME))
    desk.house.move(NOW_MS + 600_001)

    late = desk.of(C, key, ipAddress=HOME, stamp=stamp)
    assert "over 10 minutes ago" in told(late)[2]

    stamp = stamp_of(late)
    desk.house.worker.keys.edit(key.key_id, Wanted(label="renamed"), None, "test")
    changed = desk.of(C, key, ipAddress=HOME, stamp=stamp)
    assert "something changed" in told(changed)[2]
    assert desk.of(C, key, ipAddress=HOME, stamp=stamp_of(changed)).status == 200


def test_a_stamp_confirms_its_own_call_and_no_other(desk: Desk) -> None:
    one, other = desk.sub_key(TRADING, ips=(HOME,)), desk.sub_key(TRADING, ips=(HOME,))
    stamp = stamp_of(desk.of(C, one, ipAddress=HOME))

    stamp_of(desk.of(C, other, ipAddress=HOME, stamp=stamp))

    assert desk.of(A, other).json()["ipRestrict"] == "true"


def test_a_call_repeated_with_its_stamp_finds_its_work_done(desk: Desk) -> None:
    key = desk.sub_key(TRADING, ips=(HOME,))
    stamp = stamp_of(desk.of(C, key, ipAddress=HOME))
    done = desk.of(C, key, ipAddress=HOME, stamp=stamp)
    before = desk.events()
    desk.house.move(NOW_MS + 1)

    again = desk.of(C, key, ipAddress=HOME, stamp=stamp)

    assert again.json() == done.json()
    assert desk.events() == before


def test_becoming_unrestricted_is_named_but_a_permission_lost_by_it_is_not(desk: Desk) -> None:
    key = desk.sub_key(TRADING, "withdrawals", ips=(HOME,))

    asked = desk.of(B, key, status="1")

    stamp = stamp_of(asked)
    lost = '"Enable Withdrawals" will be switched off: it is not allowed on this key.'
    assert f"{lost} (Withdrawals need trusted IPs.) {STARTS}" in told(asked)[2]
    assert desk.now(key) == key
    done = desk.of(B, key, status="1", stamp=stamp)
    assert done.json()["status"] == "1"
    assert desk.now(key).grants.keys() == {"reading", TRADING}


def test_addresses_added_name_no_term_that_they_start(tmp_path: Path) -> None:
    rulebook = tmp_path / "rules.toml"
    rulebook.write_text(
        '[[rule]]\nid = "new"\ntitle = "A week for all"\nsource = "a test"\n'
        'effective_from = 2021-12-01T00:00:00Z\npermissions = ["futures"]\n'
        'unrestricted = "7d"\nrestricted = "7d"\n',
        encoding="utf-8",
    )
    desk = Desk.open(tmp_path / "home", start="2021-11-30T00:00:00Z", rulebook=rulebook)
    key = desk.sub_key("futures")
    desk.house.move("2021-12-01 10:00")

    stamp = stamp_of(desk.of(B, key, status="2", ipAddress=HOME))

    assert desk.of(B, key, status="2", ipAddress=HOME, stamp=stamp).json()["ipList"] == [HOME]
    desk.house.close()


def test_what_a_rule_does_not_allow_is_refused_by_its_name(tmp_path: Path) -> None:
    rulebook = tmp_path / "rules.toml"
    rulebook.write_text(NO_HMAC_TRADE, encoding="utf-8")
    desk = Desk.open(tmp_path / "home", start="2021-11-30T00:00:00Z", rulebook=rulebook)
    master = desk.house.issue(desk.master_id, TRADING, ips=(HERE,))
    desk.house.move("2021-12-01 10:00")
    key = desk.sub_key()
    words = "canTrade is not allowed on a key without an IP allowlist"
    refusal = (
        400,
        -9903,
        f"Not allowed by rule 2021-12-hmac: {words}: HMAC keys without addresses may only read.",
    )

    assert told(desk.by(master).of(G, key, canTrade="true")) == refusal
    both = told(desk.by(master).of(G, key, canTrade="true", canFuturesTrade="true"))
    assert both[:2] == refusal[:2]
    assert both[2].startswith("Not allowed by rule 2021-12-hmac: canFuturesTrade is not allowed")
    given = {"email": "sub+one@example.com", "apiName": "b", "canTrade": "true"}
    assert told(desk.by(master).call(D, status="1", **given)) == refusal
    issued = desk.by(master).call(D, status="2", ipAddress=HOME, **given)
    assert issued.json()["canTrade"] is True
    desk.house.close()


@pytest.mark.parametrize("route", [B, G])
def test_a_stamp_where_nothing_is_unnamed_has_to_be_right_too(desk: Desk, route: Route) -> None:
    key = desk.sub_key()
    given = {"status": "2", "ipAddress": HOME, "canFuturesTrade": "true"}
    asked = desk.of(route, key, stamp="x", **given)
    assert desk.of(route, key, stamp=stamp_of(asked), **given).status == 200
