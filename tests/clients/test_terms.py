"""Unmodified bots live through a term: shown where they look, ended to the millisecond, renewed."""

import pytest

from tenure.domain.model import KeyType
from tests.clients.bots import RAISES, Client, Outcome
from tests.clients.venue import DAY_MS, TERM_MS, TRADING, Venue

pytestmark = pytest.mark.clients

END = "tradingAuthorityExpirationTime"
SWITCH = "enableSpotAndMarginTrading"
RULE = "2021-07-09"
NOT_ALLOWED = "Invalid API-key, IP, or permissions for action."


def lapsed(client: Client, ended_at_ms: int) -> Outcome:
    """Return what a bot meets whose trading permission has ended."""
    return Outcome(
        raised=RAISES[client.name],
        status=401,
        code=-2015,
        message=NOT_ALLOWED,
        headers={
            "tenure-refusal": "permission_expired",
            "tenure-permission": TRADING,
            "tenure-expires-at": str(ended_at_ms),
            "tenure-rule": RULE,
        },
    )


@pytest.mark.parametrize("kind", ["normal", "sub"])
def test_trading_ends_at_the_very_millisecond_that_the_bot_was_shown(
    here: Venue, client: Client, key_type: KeyType, kind: str
) -> None:
    key = here.issue(here.account(kind), key_type)
    bot = here.bot(client, key)
    end_ms = here.now_ms() + TERM_MS
    assert key.ends_at_ms == end_ms

    seen = bot.restrictions()
    assert seen.result[END] == end_ms
    assert seen.headers["tenure-terms"] == f"{TRADING}={end_ms}"
    assert bot.account().result["canTrade"] is True

    here.move(end_ms - 1)
    running = {"tenure-expires-at": str(end_ms), "tenure-rule": RULE}
    assert bot.order() == Outcome(result={}, headers=running)

    here.move(end_ms)
    assert bot.order() == lapsed(client, end_ms)
    seen = bot.restrictions()
    assert (seen.result[SWITCH], END in seen.result) == (False, False)
    assert seen.headers["tenure-terms"] == f"{TRADING}={end_ms}"
    # The account may trade; it is this key that may not.
    assert bot.account().result["canTrade"] is True


@pytest.mark.parametrize("kind", ["normal", "sub"])
def test_an_ended_permission_comes_back_when_its_owner_ticks_it_again(
    here: Venue, client: Client, key_type: KeyType, kind: str
) -> None:
    key = here.issue(here.account(kind), key_type)
    bot = here.bot(client, key)
    again_ms = here.now_ms() + TERM_MS + DAY_MS
    here.move(again_ms)
    assert bot.order().code == -2015

    here.edit(key, permissions={TRADING: True})

    assert bot.order().result == {}
    assert bot.restrictions().result[END] == again_ms + TERM_MS
    here.move(again_ms + TERM_MS)
    assert bot.order() == lapsed(client, again_ms + TERM_MS)


def test_a_named_address_lifts_the_end_for_good(
    here: Venue, client: Client, key_type: KeyType
) -> None:
    keys = [here.issue(here.account(kind), key_type) for kind in ("normal", "sub")]
    for key in keys:
        here.edit(key, ip_allowlist=["127.0.0.1"])

    for bot in (here.bot(client, key) for key in keys):
        seen = bot.restrictions()
        assert (seen.result["ipRestrict"], seen.result[SWITCH]) == (True, True)
        assert END not in seen.result
        assert "tenure-terms" not in seen.headers
        assert bot.order() == Outcome(result={})

    here.move(here.now_ms() + 10 * 365 * DAY_MS)
    for bot in (here.bot(client, key) for key in keys):
        assert bot.order() == Outcome(result={})
        assert bot.restrictions().result[SWITCH] is True


def test_a_key_older_than_the_rule_trades_on_until_an_edit_is_confirmed(
    here: Venue, client: Client, key_type: KeyType
) -> None:
    key = here.older(client, key_type)
    bot = here.bot(client, key)
    assert bot.order() == Outcome(result={})
    assert END not in bot.restrictions().result

    unconfirmed = here.try_edit(key, permissions={"futures": True})
    assert (unconfirmed.status_code, unconfirmed.json()["code"]) == (409, "confirmation_required")
    assert END not in bot.restrictions().result

    end_ms = here.now_ms() + TERM_MS
    plan = here.preview(key, permissions={"futures": True})
    assert plan["confirmation_required"] is True
    here.edit(key, permissions={"futures": True})

    seen = bot.restrictions().result
    assert (seen[END], seen["enableFutures"]) == (end_ms, True)
    here.move(end_ms - 1)
    assert bot.order().result == {}
    here.move(end_ms)
    assert bot.order() == lapsed(client, end_ms)
