"""Which text a client's signature covers, where encoding makes a difference (WIRE, section 6)."""

import pytest

from tenure.domain.model import KeyType
from tests.clients.bots import RAISES, Client, Outcome
from tests.clients.venue import Venue

pytestmark = pytest.mark.clients

SIGNS_DECODED = {"python-binance"}
"""Clients that sign the plain text of a body and encode what they send."""
VALUES = ["a@b,c", "sub+one@example.com", "2001:db8::7, 203.0.113.0/24"]


@pytest.mark.parametrize("value", VALUES)
def test_values_that_have_to_be_encoded_are_accepted(
    here: Venue, client: Client, key_type: KeyType, value: str
) -> None:
    bot = here.bot(client, here.issue(here.account(), key_type))

    assert bot.order({"newClientOrderId": value}).result == {}


@pytest.mark.parametrize("value", VALUES)
def test_without_the_decoded_retry_only_the_bytes_that_came_count(
    strict: Venue, client: Client, key_type: KeyType, value: str
) -> None:
    bot = strict.bot(client, strict.issue(strict.account(), key_type))
    assert bot.order({"newClientOrderId": "plain"}).result == {}

    outcome = bot.order({"newClientOrderId": value})

    if client.name in SIGNS_DECODED:
        assert outcome == Outcome(
            raised=RAISES[client.name],
            status=400,
            code=-1022,
            message="Signature for this request is not valid.",
        )
    else:
        assert outcome.result == {}
