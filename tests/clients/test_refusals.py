"""What unmodified bots raise, and what can be read off it, for every way to be refused."""

import dataclasses
from typing import Unpack

import pytest

from tenure.domain import apikeys
from tenure.domain.model import KeyType
from tests.clients import venue
from tests.clients.bots import RAISES, Bot, Client, How, Outcome
from tests.clients.venue import Venue

pytestmark = pytest.mark.clients

NO_PROOF = "Signature for this request is not valid."
NOBODYS_API_KEY = apikeys.compose(b"well-formed, and nobody has been issued it")
ELSEWHERE = "127.0.0.7"
"""Another of this machine's own addresses: all of 127.0.0.0/8 is."""
AHEAD = "Timestamp for this request was 1000ms ahead of the server's time."
OUTSIDE = "Timestamp for this request is outside of the recvWindow."


def refused(client: Client, status: int, code: int, message: str, **headers: str) -> Outcome:
    return Outcome(
        raised=RAISES[client.name],
        status=status,
        code=code,
        message=message,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


def calls(bot: Bot, **how: Unpack[How]) -> tuple[Outcome, Outcome]:
    """Trade at the exchange (/api), and ask Tenure behind it (/sapi)."""
    return bot.order(**how), bot.restrictions(**how)


def test_a_restricted_key_acts_from_its_address_and_from_no_other(
    here: Venue, client: Client, key_type: KeyType
) -> None:
    bot = here.bot(client, here.issue(here.account(), key_type, ip_allowlist=[ELSEWHERE]))

    message = "Invalid API-key, IP, or permissions for action, request ip: 127.0.0.1"
    told = {"tenure_refusal": "ip_not_allowed", "tenure_address": "127.0.0.1"}
    assert calls(bot) == (
        refused(client, 401, -2015, message, **told),
        refused(client, 400, -2015, message, **told),
    )
    order, restrictions = calls(bot, source_address=ELSEWHERE)
    assert order == Outcome(result={})
    assert restrictions.result["ipRestrict"] is True


def test_a_permission_that_was_never_ticked_is_named(
    here: Venue, client: Client, key_type: KeyType
) -> None:
    bot = here.bot(client, here.issue(here.account(), key_type, permissions=[]))

    message = "Invalid API-key, IP, or permissions for action."
    told = {"tenure_refusal": "permission_missing", "tenure_permission": venue.TRADING}
    assert bot.order() == refused(client, 401, -2015, message, **told)
    assert bot.restrictions().result["enableReading"] is True


def test_a_wrong_secret_and_an_unknown_key_get_the_same_answer(
    here: Venue, client: Client, key_type: KeyType
) -> None:
    bot = here.bot(client, here.issue(here.account(), key_type))
    other_pair = venue.another_private_key(key_type)
    wrong = dataclasses.replace(
        bot, secret_key=bot.secret_key and bot.secret_key[::-1], private_key=other_pair
    )
    unknown = dataclasses.replace(bot, api_key=NOBODYS_API_KEY)

    no_proof = refused(client, 400, -1022, NO_PROOF)
    assert calls(wrong) == (no_proof, no_proof)
    assert calls(unknown) == (no_proof, no_proof)


def test_a_mistyped_key_is_said_to_be_one(here: Venue, client: Client) -> None:
    bot = here.bot(client, here.issue(here.account(), KeyType.HMAC))
    mistyped = dataclasses.replace(bot, api_key=bot.api_key[:-1])

    message = "API-key format invalid."
    assert calls(mistyped) == (
        refused(client, 401, -2014, message),
        refused(client, 400, -2014, message),
    )


def test_a_revoked_key_learns_that_it_is_none_any_more(
    here: Venue, client: Client, key_type: KeyType
) -> None:
    key = here.issue(here.account(), key_type)
    bot = here.bot(client, key)
    assert bot.order().result == {}

    here.revoke(key)

    revoked = refused(client, 400, -2008, "Invalid Api-Key ID.", tenure_refusal="key_revoked")
    assert calls(bot) == (revoked, revoked)


def test_a_frozen_account_is_refused(here: Venue, client: Client, key_type: KeyType) -> None:
    account_id = here.account()
    bot = here.bot(client, here.issue(account_id, key_type))
    assert bot.order().result == {}

    here.freeze(account_id)

    message = "You are not authorized to execute this request."
    told = {"tenure_refusal": "account_frozen"}
    assert calls(bot) == (
        refused(client, 401, -1002, message, **told),
        refused(client, 400, -1002, message, **told),
    )


@pytest.mark.parametrize(("behind_s", "message"), [(60, OUTSIDE), (-30, AHEAD)])
def test_a_bot_whose_clock_is_wrong_is_told_which_way(
    strict: Venue, client: Client, key_type: KeyType, behind_s: int, message: str
) -> None:
    bot = strict.bot(client, strict.issue(strict.account(), key_type))
    # A sandbox goes by its own clock to say which way; here that is to be the machine's.
    strict.move_to_today()

    wrong_clock = refused(client, 400, -1021, message)
    assert calls(bot, behind_s=behind_s) == (wrong_clock, wrong_clock)


def test_an_order_without_a_mandatory_parameter_is_refused_by_the_exchange(
    here: Venue, client: Client
) -> None:
    bot = here.bot(client, here.issue(here.account(), KeyType.HMAC))

    unknown = bot.order({"symbol": "XYZABC"})
    assert (unknown.raised, unknown.status, unknown.code) == (RAISES[client.name], 400, -1121)
