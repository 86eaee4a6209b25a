"""A master's bot manages its sub-account's keys with the client that it has, unmodified."""

import dataclasses
import re
from dataclasses import dataclass

import pytest

from tenure.domain.model import KeyType
from tests.clients import venue
from tests.clients.bots import RAISES, Bot, Client, Outcome
from tests.clients.venue import TERM_MS, TRADING, Key, Venue

pytestmark = pytest.mark.clients

KEYS = "sub-account/subAccountApi"
V1 = f"/sapi/v1/{KEYS}"
V2 = f"/sapi/v2/{KEYS}"
HOME, NETWORK = "203.0.113.7", "198.51.100.0/24"
HERE = "127.0.0.1"
OFF = {
    "canTrade": False,
    "canMarginLoanRepay": False,
    "canFuturesTrade": False,
    "canUniversalTransfer": False,
    "canVanillaOptions": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A master's *bot*, and the sub-account whose keys it manages."""

    bot: Bot
    master_id: str
    sub_id: str
    email: str

    def act(self, call: str, **given: str) -> Outcome:
        """Do *call* about this sub-account."""
        return self.bot.act(call, {"email": self.email, **given})

    def signed(self, route: str, **given: str) -> Outcome:
        """Ask *route*, a method and a path that no method of the client is for."""
        return self.act("signed", route=route, **given)


@pytest.fixture
def family(here: Venue, client: Client) -> Family:
    return found(here, client)


def found(at: Venue, client: Client) -> Family:
    """Return a new family, whose master's key trades without an end."""
    master_id, sub_id, email = at.family()
    key = at.issue(master_id, KeyType.HMAC, ip_allowlist=[HERE])
    return Family(bot=at.bot(client, key), master_id=master_id, sub_id=sub_id, email=email)


def refused(client: Client, code: int, message: str, **headers: str) -> Outcome:
    return Outcome(
        raised=RAISES[client.name],
        status=400,
        code=code,
        message=message,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


def test_addresses_are_shown_added_and_taken_off(here: Venue, family: Family) -> None:
    key = here.issue(family.sub_id, KeyType.HMAC, permissions=[])
    named = {"subAccountApiKey": key.key["api_key"]}
    at_ms = here.now_ms()

    shown = family.act("show_addresses", **named)
    assert shown.result == {
        "ipRestrict": "false",
        "ipList": [],
        "updateTime": at_ms,
        "apiKey": key.key["api_key"],
    }
    added = family.act("add_addresses", **named, status="2", ipAddress=f"{HOME},{NETWORK}")
    assert added.result == {
        "status": "2",
        "ipList": [NETWORK, HOME],
        "updateTime": at_ms,
        "apiKey": key.key["api_key"],
    }
    left = family.act("remove_addresses", **named, ipAddress=f"192.0.2.1,{NETWORK}")
    assert left.result["ipList"] == [HOME]
    assert family.act("show_addresses", **named).result == left.result
    opened = family.act("add_addresses", **named, status="1")
    assert opened.result == {
        "status": "1",
        "updateTime": at_ms,
        "apiKey": key.key["api_key"],
    }


def test_what_a_call_does_not_name_is_confirmed_with_the_stamp_in_its_refusal(
    here: Venue, client: Client, family: Family
) -> None:
    key = here.issue(family.sub_id, KeyType.HMAC, ip_allowlist=[HOME])
    named = {"subAccountApiKey": key.key["api_key"], "ipAddress": HOME}

    asked = family.act("remove_addresses", **named)

    assert (asked.raised, asked.status, asked.code) == (RAISES[client.name], 400, -9902)
    assert asked.message is not None
    words = '"Enable Spot & Margin Trading" will be on until '
    assert asked.message.startswith(f"Confirmation required: {words}")
    stamp = re.search(r" stamp=([A-Za-z0-9_-]+)\Z", asked.message)
    assert stamp
    done = family.act("remove_addresses", **named, stamp=stamp[1])
    assert done.result["ipRestrict"] == "false"
    assert done.headers == {"tenure-terms": f"{TRADING}={here.now_ms() + TERM_MS}"}


def test_a_key_is_issued_listed_edited_and_deleted(
    here: Venue, client: Client, family: Family
) -> None:
    at_ms = here.now_ms()

    issued = family.signed(
        f"POST {V1}", apiName="its bot, the 1st", status="2", ipAddress=HERE, canTrade="true"
    ).result
    assert issued == {
        "apiName": "its bot, the 1st",
        "apiKey": issued["apiKey"],
        "secretKey": issued["secretKey"],
        **OFF,
        "canTrade": True,
        "status": 2,
        "ipList": [HERE],
    }
    its = dataclasses.replace(family.bot, api_key=issued["apiKey"], secret_key=issued["secretKey"])
    assert its.order().result == {}

    row = {"apiName": "its bot, the 1st", "apikey": issued["apiKey"], "timestamp": at_ms}
    listed = family.signed(f"GET {V1}").result
    assert listed == {"total": 1, "rows": [{"email": family.email, **row, **OFF, "canTrade": True}]}

    named = {"subAccountApiKey": issued["apiKey"]}
    edited = family.signed(f"POST {V1}Permission", **named, canTrade="False").result
    assert edited == {**row, **OFF}
    assert its.order().code == -2015

    for _ in range(2):
        assert family.signed(f"DELETE {V1}", **named).result == {}
    gone = refused(client, -2008, "Invalid Api-Key ID.", tenure_refusal="key_revoked")
    assert its.restrictions() == gone
    assert family.signed(f"GET {V1}").result == {"total": 0, "rows": []}


def test_a_public_key_is_taken_by_the_first_version(here: Venue, family: Family) -> None:
    given = {"apiName": "signs", "status": "1"}
    public_key = venue.public_key(KeyType.ED25519)
    assert public_key
    issued = family.signed(f"POST {V1}", **given, publicKey=public_key).result
    assert issued["secretKey"] == ""
    its = dataclasses.replace(
        family.bot,
        api_key=issued["apiKey"],
        secret_key=None,
        private_key=venue.private_key(KeyType.ED25519),
    )
    assert its.restrictions().result["enableReading"] is True
    assert here.now_ms() == its.restrictions().result["createTime"]


def test_a_public_key_is_taken_by_the_second_version_in_a_body_alone(
    client: Client, family: Family
) -> None:
    """python-binance sends bodies, and binance-connector sends everything in the query."""
    public_key = venue.public_key(KeyType.RSA)
    assert public_key
    made = family.signed(f"POST {V2}", apiName="signs", status="1", publicKey=public_key)
    if client.name == "binance-connector":
        message = "Data sent for parameter 'publicKey' is not valid."
        why = "belongs in the body, not in the query"
        assert made == refused(client, -1130, message, tenure_problem=why)
    else:
        fix = {"canFixApiTrading": False, "canFixApiReading": False}
        assert made.result["secretKey"] == ""
        assert {name: made.result[name] for name in fix} == fix


def test_a_sub_accounts_key_is_refused_what_its_master_may(
    here: Venue, client: Client, family: Family
) -> None:
    key = here.issue(family.sub_id, KeyType.HMAC, ip_allowlist=[HERE])
    its = dataclasses.replace(family, bot=here.bot(client, key))

    no = refused(client, -9901, "Sub-account or API key not found.")
    assert every_call(its, key) == [no] * 8
    assert here.bot(client, key).order().result == {}


def test_a_masters_key_that_may_not_trade_looks_and_changes_nothing(
    here: Venue, client: Client, family: Family
) -> None:
    reader = here.issue(family.master_id, KeyType.HMAC, permissions=[])
    its = dataclasses.replace(family, bot=here.bot(client, reader))
    key = here.issue(family.sub_id, KeyType.HMAC)

    told = {"tenure_refusal": "permission_missing", "tenure_permission": TRADING}
    no = refused(client, -2015, "Invalid API-key, IP, or permissions for action.", **told)
    shown, *changed, listed, permitted, deleted = every_call(its, key)
    assert shown.result["ipRestrict"] == "false"
    assert listed.result["total"] == 1
    assert [*changed, permitted, deleted] == [no] * 6


def every_call(family: Family, key: Key) -> list[Outcome]:
    """Do A, B, C, D, E, F, G and H about *key*."""
    named = {"subAccountApiKey": key.key["api_key"]}
    fresh = {"apiName": "b", "status": "1"}
    return [
        family.act("show_addresses", **named),
        family.act("add_addresses", **named, status="2", ipAddress=HERE),
        family.act("remove_addresses", **named, ipAddress=HERE),
        family.signed(f"POST {V1}", **fresh),
        family.signed(f"POST {V2}", **fresh),
        family.signed(f"GET {V1}"),
        family.signed(f"POST {V1}Permission", **named, canTrade="false"),
        family.signed(f"DELETE {V1}", **named),
    ]


def test_where_bytes_alone_count_plain_texts_signed_before_encoding_do_not(
    strict: Venue, client: Client
) -> None:
    family = found(strict, client)
    key = strict.issue(family.sub_id, KeyType.HMAC, permissions=[])
    given = {"subAccountApiKey": key.key["api_key"], "status": "2", "ipAddress": HOME}

    added = family.act("add_addresses", **given)

    if client.name == "python-binance":
        assert added == refused(client, -1022, "Signature for this request is not valid.")
    else:
        assert added.result["ipList"] == [HOME]
