"""What clients ask at start-up and in passing, answered in the shape that they expect."""

import pytest

from tenure.domain.model import KeyType
from tests.clients.bots import Bot, Client
from tests.clients.venue import Venue

pytestmark = pytest.mark.clients


@pytest.fixture
def bot(here: Venue, client: Client) -> Bot:
    return here.bot(client, here.issue(here.account(), KeyType.HMAC))


def test_status_and_time_are_told(here: Venue, bot: Bot) -> None:
    assert bot.act("time").result == {"serverTime": here.now_ms()}
    assert bot.act("system_status").result == {"status": 0, "msg": "normal"}
    assert bot.act("account_status").result == {"data": "Normal"}
    assert bot.act("trading_status").result["data"]["isLocked"] is False


def test_symbols_are_listed(bot: Bot) -> None:
    symbols = bot.act("exchange_info").result["symbols"]
    assert "BTCUSDT" in [symbol["symbol"] for symbol in symbols]


def test_balances_are_those_of_the_account_whose_key_it_is(
    here: Venue, client: Client, bot: Bot
) -> None:
    other = here.bot(client, here.issue(here.account(), KeyType.HMAC))

    mine, again, others = bot.account().result, bot.account().result, other.account().result
    assert mine == again
    assert mine["uid"] != others["uid"]
    assert {balance["asset"] for balance in mine["balances"]} == {"BTC", "ETH", "USDT"}
