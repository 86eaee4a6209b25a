"""The parameters of ring (b): every spelling that real clients send, and every bad one refused."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tenure.domain.model import ApiKey, KeyType
from tenure.domain.signing import SignedRequest
from tenure.faces.http.binance_parameters import Parameters
from tests import signers
from tests.faces.http.masters import (
    EMAIL,
    NOT_FOUND,
    A,
    B,
    C,
    D,
    Desk,
    E,
    F,
    G,
    H,
    Route,
    missing,
    not_valid,
    told,
)
from tests.house import Reply, ask

HOME = "203.0.113.7"
DUPLICATE = (400, -1101, "Duplicate values for a parameter detected.")
ED25519 = signers.public_key(KeyType.ED25519) or ""
RSA = signers.public_key(KeyType.RSA) or ""
BARE = "".join(ED25519.split("\n")[1:-2])
"""The base64 between the PEM's lines."""
ISSUE = {"email": EMAIL, "apiName": "b", "status": "1"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for the whole table: each row asks about a key of its own, or about none."""
    desk = Desk.open(tmp_path_factory.mktemp("desk"), keys_per_account=1_000)
    yield desk
    desk.house.close()


# --- Where parameters stand, and how they are spelt


@pytest.mark.parametrize("email", ["sub%2Bone@example.com", "sub%2Bone%40example.com", EMAIL])
@pytest.mark.parametrize("route", [A, B])
def test_a_plus_in_an_email_is_a_plus_however_it_comes(
    desk: Desk, route: Route, email: str
) -> None:
    key = desk.sub_key(ips=(HOME,))
    sent = f"email={email}&subAccountApiKey={key.api_key}&status=2"

    assert desk.send(route, query=sent).json()["apiKey"] == key.api_key
    if route == B:
        assert desk.send(route, body=sent).json()["apiKey"] == key.api_key


@pytest.mark.parametrize(
    "spelling",
    [
        "192.0.2.1,192.0.2.2",
        "192.0.2.1%2C192.0.2.2",
        "192.0.2.1%2C%20192.0.2.2",
        "192.0.2.1,+192.0.2.2",
        "192.0.2.2%20192.0.2.1",
        ",,192.0.2.1,192.0.2.2,192.0.2.1,",
        "192.0.2.1,192.0.2.2/32",
        "192.0.2.1%0A192.0.2.2",
    ],
)
def test_addresses_come_apart_at_commas_and_blanks(desk: Desk, spelling: str) -> None:
    key = desk.sub_key()
    named = f"email={EMAIL}&subAccountApiKey={key.api_key}&status=2"
    for sent in (
        {"query": f"{named}&ipAddress={spelling}"},
        {"body": f"{named}&ipAddress={spelling}"},
    ):
        assert desk.send(B, **sent).json()["ipList"] == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("split", range(4))
def test_parameters_may_stand_in_query_and_body_in_any_order(desk: Desk, split: int) -> None:
    key = desk.sub_key()
    pairs = ["ipAddress=192.0.2.1", f"email={quote(EMAIL)}", "status=2"]
    pairs.insert(1, f"subAccountApiKey={key.api_key}")

    reply = desk.send(B, query="&".join(pairs[:split]), body="&".join(pairs[split:]))

    assert reply.json()["ipList"] == ["192.0.2.1"]


def test_in_both_places_the_querys_value_wins(desk: Desk) -> None:
    key = desk.sub_key()
    named = f"email={EMAIL}&subAccountApiKey={key.api_key}"

    reply = desk.send(B, query=f"{named}&ipAddress=192.0.2.1", body="status=2&ipAddress=192.0.2.2")

    assert reply.json()["ipList"] == ["192.0.2.1"]


def test_a_get_reads_its_query_alone(desk: Desk) -> None:
    key = desk.sub_key()
    reply = desk.send(A, query=f"email={EMAIL}", body=f"subAccountApiKey={key.api_key}")
    assert told(reply) == missing("subAccountApiKey")


def test_parameters_nobody_knows_are_signed_and_passed_over(desk: Desk) -> None:
    key = desk.sub_key()
    assert desk.of(A, key, tralala="1", canTrade="perhaps").status == 200
    assert desk.call(D, **ISSUE, canFixApiTrading="true").status == 200
    assert desk.of(G, key, canFixApiTrading="nonsense", canWithdraw="true").status == 200


@pytest.mark.parametrize(
    ("spelling", "is_on"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
    ],
)
def test_flags_come_in_pythons_spelling_too(desk: Desk, spelling: str, *, is_on: bool) -> None:
    key = desk.sub_key("futures")
    assert desk.of(G, key, canFuturesTrade=spelling).json()["canFuturesTrade"] is is_on
    issued = desk.call(D, **ISSUE, canFuturesTrade=spelling).json()
    assert issued["canFuturesTrade"] is is_on


@pytest.mark.parametrize("flag", ["tRUE", "1", "yes", "", "true ", "null", "t%FF"])
def test_what_is_no_flag_is_refused_by_name(desk: Desk, flag: str) -> None:
    key = desk.sub_key()
    named = f"email={EMAIL}&subAccountApiKey={key.api_key}"
    reply = desk.send(G, query=f"{named}&canTrade={flag.replace(' ', '%20')}")
    assert told(reply) == not_valid("canTrade")
    sent = urlencode(ISSUE) + f"&canTrade={flag.replace(' ', '%20')}"
    assert told(desk.send(D, query=sent)) == not_valid("canTrade")


# --- What must come


@pytest.mark.parametrize(
    ("route", "given"),
    [
        (A, ("email", "subAccountApiKey")),
        (B, ("email", "subAccountApiKey", "status")),
        (C, ("email", "subAccountApiKey", "ipAddress")),
        (D, ("email", "apiName", "status")),
        (E, ("email", "apiName", "status")),
        (F, ("email",)),
        (G, ("email", "subAccountApiKey")),
        (H, ("email", "subAccountApiKey")),
    ],
)
def test_each_mandatory_parameter_is_missed_by_name(
    desk: Desk, route: Route, given: tuple[str, ...]
) -> None:
    key = desk.sub_key(ips=(HOME,))
    all_of_it = {
        "email": EMAIL,
        "subAccountApiKey": key.api_key,
        "status": "2",
        "ipAddress": "192.0.2.1",
        "apiName": "b",
    }
    for name in given:
        without = {other: text for other, text in all_of_it.items() if other != name}
        assert told(desk.call(route, **without)) == missing(name)
        assert told(desk.call(route, **without, **{name: ""})) == missing(name)


def test_restricting_a_key_to_no_address_is_missing_one(desk: Desk) -> None:
    key = desk.sub_key()
    for nothing in ({}, {"ipAddress": ""}, {"ipAddress": " , ,"}):
        assert told(desk.of(B, key, status="2", **nothing)) == missing("ipAddress")
        assert told(desk.call(D, **{**ISSUE, "status": "2"}, **nothing)) == missing("ipAddress")
        assert told(desk.of(C, key, **nothing)) == missing("ipAddress")


# --- What makes no sense


@pytest.mark.parametrize("status", ["0", "3", "02", "2.0", "two", "1,2", "\u0662"])
def test_a_status_is_one_or_two(desk: Desk, status: str) -> None:
    key = desk.sub_key()
    assert told(desk.of(B, key, status=status, ipAddress=HOME)) == not_valid("status")
    assert told(desk.call(D, **{**ISSUE, "status": status})) == not_valid("status")


def test_address_lists_that_others_keep_are_not_sold(desk: Desk) -> None:
    key = desk.sub_key()
    for status in ("2", "3"):
        reply = desk.of(B, key, status=status, thirdPartyName="somebody")
        assert told(reply) == not_valid("thirdPartyName")


def test_addresses_for_a_key_that_any_may_use_are_a_contradiction(desk: Desk) -> None:
    key = desk.sub_key(ips=(HOME,))
    assert told(desk.of(B, key, status="1", ipAddress=HOME)) == not_valid("ipAddress")
    assert told(desk.call(D, **ISSUE, ipAddress=HOME)) == not_valid("ipAddress")
    assert desk.now(key).allowlist == (HOME,)


@pytest.mark.parametrize(
    "entry",
    [
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/8",
        "203.0.113.007",
        "203.0.113.7:443",
        "[2001:db8::1]",
        "fe80::1%eth0",
        "localhost",
        "203.0.113.0/255.255.255.0",
        "\u0662.0.0.1",
    ],
)
def test_what_may_not_be_in_an_allowlist_is_refused_with_the_reason_beside(
    desk: Desk, entry: str
) -> None:
    key = desk.sub_key(ips=(HOME,))
    replies = [
        desk.of(B, key, status="2", ipAddress=f"192.0.2.1,{entry}"),
        desk.of(C, key, ipAddress=f"{HOME},{entry}"),
        desk.call(D, **{**ISSUE, "status": "2"}, ipAddress=f"{HOME},{entry}"),
    ]
    for reply in replies:
        assert told(reply) == not_valid("ipAddress")
        assert reply.headers["tenure-problem"].isascii()
        assert reply.headers["tenure-problem"].startswith("'")
    assert desk.now(key).allowlist == (HOME,)


def test_addresses_that_add_up_to_everything_with_those_there_are_are_refused(desk: Desk) -> None:
    key = desk.sub_key(ips=("10.0.0.0/16",))
    reply = desk.of(B, key, status="2", ipAddress="10.1.0.0/16")
    assert told(reply) == not_valid("ipAddress")
    assert "adds up to 10.0.0.0/15" in reply.headers["tenure-problem"]
    assert desk.of(C, key, ipAddress="10.0.0.0/16 10.1.0.0/16").json()["ipList"] == []


@pytest.mark.parametrize("name", ["page", "size"])
@pytest.mark.parametrize("number", ["0", "-1", "1.0", "", "x", "+1", " 1", "1" * 10, "\u0661"])
def test_pages_are_numbers_from_one(desk: Desk, name: str, number: str) -> None:
    assert told(desk.call(F, email=EMAIL, **{name: number})) == not_valid(name)


def test_a_page_has_a_hundred_rows_at_most(desk: Desk) -> None:
    assert told(desk.call(F, email=EMAIL, size="101")) == not_valid("size")
    assert desk.call(F, email=EMAIL, size="100").status == 200


def test_an_empty_key_to_look_for_is_not_all_of_them(desk: Desk) -> None:
    assert told(desk.call(F, email=EMAIL, subAccountApiKey="")) == not_valid("subAccountApiKey")


@pytest.mark.parametrize("label", ["x" * 65, " ", "a\x00b", "a\u202eb", "x" * 10_000])
def test_a_name_is_one_to_64_characters_that_can_be_printed(desk: Desk, label: str) -> None:
    assert told(desk.call(D, **{**ISSUE, "apiName": label})) == not_valid("apiName")


def test_a_name_is_normalised_and_a_plus_in_it_is_a_blank(desk: Desk) -> None:
    sent = f"email={EMAIL}&status=1&apiName=+caf%65%CC%81+bot"
    assert desk.send(D, query=sent).json()["apiName"] == "caf\u00e9 bot"


@pytest.mark.parametrize("route", [A, F, H])
@pytest.mark.parametrize("name", ["email", "subAccountApiKey"])
def test_text_that_is_no_utf_8_is_refused_by_name(desk: Desk, route: Route, name: str) -> None:
    sent = {"email": "a@example.com", "subAccountApiKey": "x"} | {name: "%FF"}
    reply = desk.send(route, query="&".join(f"{key}={text}" for key, text in sent.items()))
    assert told(reply) == not_valid(name)


@pytest.mark.parametrize("place", ["query", "body"])
def test_a_parameter_twice_in_one_place_is_refused_before_proof(desk: Desk, place: str) -> None:
    sent = {place: f"email={EMAIL}&email={EMAIL}&subAccountApiKey=x"}
    reply = desk.send(H, **sent)
    assert told(reply) == DUPLICATE
    assert not [name for name in reply.headers if name.startswith("tenure-")]


def test_a_name_in_two_spellings_is_refused_before_proof(desk: Desk) -> None:
    reply = desk.send(H, query=f"email={EMAIL}&%65mail={EMAIL}")
    assert told(reply)[1] == -1100


def test_a_body_that_is_no_utf_8_is_refused_before_proof(desk: Desk) -> None:
    query = desk.house.signed_query(desk.key)
    headers = {"X-MBX-APIKEY": desk.key.api_key}
    reply = ask(desk.app, "DELETE", f"{H[1]}?{query}", headers=headers, body=b"email=\xff")
    assert told(reply)[1] == -1100


# --- Public keys


@pytest.mark.parametrize(
    "spelling",
    [
        quote(ED25519, safe=""),
        urlencode({"": ED25519})[1:],
        ED25519.replace("\n", "%0A").replace("+", "%2B").replace(" ", "+").replace("=", "%3D"),
        quote(BARE, safe=""),
        quote(BARE, safe="+"),
    ],
)
@pytest.mark.parametrize("place", ["query", "body"])
def test_a_public_key_comes_as_pem_or_as_bare_base64(desk: Desk, spelling: str, place: str) -> None:
    sent = {place: f"{urlencode(ISSUE)}&publicKey={spelling}"}
    assert issued(desk, desk.send(D, **sent)).public_key == ED25519


def test_a_raw_plus_in_a_bare_public_key_is_a_plus(desk: Desk) -> None:
    rsa = "".join(RSA.split("\n")[1:-2])
    assert "+" in rsa
    sent = f"{urlencode(ISSUE)}&publicKey={rsa}"
    assert issued(desk, desk.send(E, body=sent)).public_key == RSA


def issued(desk: Desk, reply: Reply) -> ApiKey:
    """Return the key that was just issued."""
    api_key = reply.json()["apiKey"]
    (found,) = [
        key for key in desk.house.worker.keys.of_account(desk.sub_id) if key.api_key == api_key
    ]
    return found


def test_the_first_version_takes_no_rsa_key(desk: Desk) -> None:
    reply = desk.call(D, **ISSUE, publicKey=RSA)
    assert told(reply) == not_valid("publicKey")
    assert reply.headers["tenure-problem"] == "is RSA; /sapi/v2 takes it"


def test_the_second_version_takes_its_public_key_in_the_body_alone(desk: Desk) -> None:
    body = urlencode({**ISSUE, "publicKey": ED25519})
    assert desk.send(E, body=body).status == 200
    query = urlencode({"publicKey": ED25519})
    for in_body in (urlencode(ISSUE), body):
        assert told(desk.send(E, query=query, body=in_body)) == not_valid("publicKey")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        "MCowBQYDK2VwAyEA",
        signers.private_key(),
        ED25519 + ED25519,
        ED25519.replace("PUBLIC", "PUBLIK"),
        "\u2014" * 5,
        "A" * 9_000,
    ],
)
def test_what_is_no_public_key_is_refused_and_never_quoted(desk: Desk, text: str) -> None:
    body = urlencode({**ISSUE, "publicKey": text})
    before = desk.events()
    for route in (D, E):
        reply = desk.send(route, body=body)
        assert told(reply) == not_valid("publicKey")
        assert reply.headers["tenure-problem"]
        if len(text) > 16:
            assert text[:16] not in reply.headers["tenure-problem"]
    assert desk.events() == before


@pytest.mark.parametrize("flag", ["canFixApiTrading", "canFixApiReading"])
@pytest.mark.parametrize("public_key", ["", RSA])
def test_fix_is_for_ed25519_keys_alone(desk: Desk, flag: str, public_key: str) -> None:
    given = {**ISSUE, flag: "true"} | ({"publicKey": public_key} if public_key else {})
    assert told(desk.send(E, body=urlencode(given))) == (400, -9000, "Unsupported operation")
    assert desk.send(E, body=urlencode({**given, flag: "false"})).status == 200


# --- In which order


def test_parameters_are_judged_before_what_they_name_is_looked_for(desk: Desk) -> None:
    nobody = {"email": "nobody@example.com", "subAccountApiKey": "x"}
    assert told(desk.call(B, **nobody)) == missing("status")
    assert told(desk.call(B, **nobody, status="9")) == not_valid("status")
    assert told(desk.call(B, **nobody, status="2", ipAddress="x")) == not_valid("ipAddress")
    assert told(desk.call(G, **nobody, canTrade="x")) == not_valid("canTrade")
    assert told(desk.call(B, **nobody, status="2", ipAddress=HOME)) == NOT_FOUND
    assert told(desk.call(B, **nobody, status="2")) == NOT_FOUND


def test_pairs_that_were_never_split_are_a_bug_and_not_an_empty_call() -> None:
    request = SignedRequest("", b"a=1&a=2", b"", "", 0, 0, None)  # type: ignore[arg-type]  # not looked at
    with pytest.raises(AssertionError, match="duplicate"):
        Parameters(request, reads_body=False)


def test_an_account_has_so_many_keys_and_a_key_so_many_addresses(tmp_path: Path) -> None:
    desk = Desk.open(tmp_path, keys_per_account=2, addresses_per_key=3)
    key = desk.sub_key(ips=("192.0.2.1", "192.0.2.2"))
    words = "a key may name 3 addresses at most; remove some, or name a network."
    too_many = (400, -9904, f"Limit reached: {words}")

    assert told(desk.of(B, key, status="2", ipAddress="192.0.2.3,192.0.2.4")) == too_many
    assert told(desk.of(B, key, status="2", ipAddress=",".join(["::1"] * 13))) == too_many
    assert told(desk.of(C, key, ipAddress=",".join(["::1"] * 13))) == too_many
    four = ",".join(f"192.0.2.{number}" for number in range(4))
    assert told(desk.call(D, **{**ISSUE, "status": "2"}, ipAddress=four)) == too_many
    assert desk.of(B, key, status="2", ipAddress="192.0.2.2,192.0.2.3").status == 200

    assert desk.call(D, **ISSUE).status == 200
    words = "this account has 2 keys, the most it may; revoke one first."
    assert told(desk.call(D, **ISSUE)) == (400, -9904, f"Limit reached: {words}")
    desk.house.close()
