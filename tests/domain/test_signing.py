"""The `binance` profile of WIRE section 4: what was signed, and what cannot be judged at all."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from tenure.domain import signing
from tenure.domain.model import KeyType
from tenure.domain.signing import Malformed, SignedRequest
from tests import signers
from tests.builders import a_key, an_address, ms, signed

NOW_MS = ms("2021-12-01 10:05")
TIME = f"timestamp={NOW_MS}".encode()
HEX = b"c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def parsed(query: bytes, body: bytes = b"") -> SignedRequest | Malformed:
    """Return what is read of *query* and *body*."""
    return signing.parse("key", query, body, an_address())


def good(query: bytes, body: bytes = b"") -> SignedRequest:
    """Return the request that *query* and *body* are."""
    request = parsed(query, body)
    assert isinstance(request, SignedRequest), request
    return request


def fault(query: bytes, body: bytes = b"") -> tuple[str, str]:
    """Return what is wrong with *query* and *body*: the fault and the parameter."""
    found = parsed(query, body)
    assert isinstance(found, Malformed), found
    return str(found.fault), found.parameter


ALL = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
    "&recvWindow=5000&timestamp=1499827319559"
)
SEAM = ALL.index("&quantity")


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (ALL, "", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        ("", ALL, "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        (
            ALL[:SEAM],
            ALL[SEAM + 1 :],
            "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
        ),
        (
            ALL.replace("LTCBTC", quote("\uff11\uff12\uff13\uff14\uff15\uff16")),
            "",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
    ],
)
def test_the_venues_own_examples_verify(query: str, body: str, signature: str) -> None:
    last = f"&signature={signature}"
    sent = (query, body + last) if body else (query + last, "")
    request = good(sent[0].encode(), sent[1].encode())

    assert request.payload == (query + body).encode()
    assert signers.verifier(KeyType.HMAC).verify(request.payload, request.signature)


@pytest.mark.parametrize("key_type", KeyType)
@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("a=1&{time}&{signature}", "c=3&d=4"),
        ("{signature}&a=1&{time}", "c=3&d=4"),
        ("a=1&{signature}&{time}", "c=3&d=4"),
        ("a=1&{time}", "c=3&d=4&{signature}"),
        ("a=1&{time}", "{signature}&c=3&d=4"),
        ("a=1&{time}", "c=3&{signature}&d=4"),
        ("{signature}", "c=3&{time}"),
        ("c=3&{time}", "{signature}"),
        ("", "{time}&{signature}&c=3"),
    ],
)
def test_the_signature_may_stand_anywhere(key_type: KeyType, query: str, body: str) -> None:
    parts = [
        "&".join(pair for pair in part.split("&") if pair != "{signature}")
        for part in (query, body)
    ]
    payload = "".join(parts).format(time=TIME.decode()).encode()
    wire = {
        "time": TIME.decode(),
        "signature": "signature=" + quote(signers.sign(key_type, payload), safe=""),
    }
    request = good(query.format(**wire).encode(), body.format(**wire).encode())

    assert request.payload == payload
    assert signers.verifier(key_type).verify(request.payload, request.signature)


def test_a_request_keeps_the_bytes_as_they_came() -> None:
    """BI-19: brackets, semicolons, empty pairs and odd percents are distinct raw bytes."""
    raw = b"&quantity[]=1;2&&x&=y&=z&p=%zz&q=%&r==&" + TIME
    request = good(raw + b"&signature=ab")

    assert request.payload == raw
    assert request.query == raw
    assert request.body == b""


def test_only_the_signature_pair_is_left_out() -> None:
    assert good(b"xsignature=1&signature=ab&signaturex=2&" + TIME).payload == (
        b"xsignature=1&signaturex=2&" + TIME
    )
    assert good(TIME, b"signature=ab").payload == TIME


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"ab+/==", "ab+/=="),
        (b"ab%2B%2f%3D%3d", "ab+/=="),
        (b"AB" + HEX[2:], "AB" + HEX[2:].decode()),
        (b"A" * 1024, "A" * 1024),
    ],
)
def test_in_a_signature_a_plus_is_a_plus(wire: bytes, text: str) -> None:
    """BI-14: case is kept; what it means is the verifier's business."""
    assert good(TIME + b"&signature=" + wire).signature == text


@pytest.mark.parametrize(
    "wire",
    [
        *(b" ", b"%20", b"a%2520b", b"%", b"a%zz", b"a-_", b"ab\n", b"ab%0A", b"%C3%A9", b"\xff"),
        *(b"a,b", b"A" * 1025, b"%41" * 1025),
    ],
)
def test_what_no_signature_can_be_is_illegal_whatever_the_key(wire: bytes) -> None:
    """WIRE 5.1: the legal range is the union of all types', so it tells nothing of the key."""
    assert fault(TIME + b"&signature=" + wire) == ("illegal", "signature")
    assert fault(TIME, b"signature=" + wire) == ("illegal", "signature")


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        (TIME, b"", ("missing", "signature")),
        (TIME + b"&signature=", b"", ("missing", "signature")),
        (TIME + b"&signature", b"", ("missing", "signature")),
        (b"", b"", ("missing", "signature")),
        (TIME + b"&signature=ab", b"signature=ab", ("duplicate", "signature")),
        (TIME + b"&signature=", b"signature=ab", ("duplicate", "signature")),
        (TIME + b"&signature=ab&signature=ab", b"", ("duplicate", "signature")),
        (TIME, b"signature=ab&signature=cd", ("duplicate", "signature")),
        (b"quantity=1&quantity=2&signature=ab&" + TIME, b"", ("duplicate", "quantity")),
        (b"x&x=1&signature=ab&" + TIME, b"", ("duplicate", "x")),
        (TIME + b"&signature=ab", b"a=1&b=2&a=3", ("duplicate", "a")),
        (b"%71uantity=1&signature=ab&" + TIME, b"", ("illegal", "%71uantity")),
        (TIME + b"&signature=ab", b"a%5B%5D=1", ("illegal", "a%5B%5D")),
        (TIME + b"&s%69gnature=ab", b"", ("illegal", "s%69gnature")),
        (b"\xff%=1&signature=ab&" + TIME, b"", ("illegal", "\ufffd%")),
        (b"signature=ab", b"", ("missing", "timestamp")),
        (b"signature=ab&timestamp=", b"", ("missing", "timestamp")),
        (b"signature=a b&timestamp=x&recvWindow=0", b"", ("illegal", "signature")),
        (b"signature=ab&timestamp=x&recvWindow=0", b"", ("malformed", "timestamp")),
    ],
)
def test_the_first_fault_is_named(query: bytes, body: bytes, expected: tuple[str, str]) -> None:
    """WIRE 5.1 step 2; BI-4, BI-19."""
    assert fault(query, body) == expected


def test_the_querys_value_wins() -> None:
    request = good(
        TIME + b"&recvWindow=7&signature=ab", b"timestamp=1&recvWindow=70000&symbol=LTCBTC"
    )

    assert request.timestamp_us == NOW_MS * 1000
    assert request.recv_window_us == 7_000
    assert good(b"a=1", TIME + b"&signature=ab").timestamp_us == NOW_MS * 1000


@pytest.mark.parametrize(
    "raw",
    [
        *(b"NaN", b"1e13", b"0x17d", b"-1", b"+1638353100000", b"1_638353100000", b"1638353100.0"),
        *(b" 1638353100000", b"01638353100000", b"1638353100000\n", b"0", b"%31638353100000"),
        *("\uff11638353100000".encode(), b"9" * 20, b"9" * 10_000),
    ],
)
def test_a_timestamp_is_plain_digits(raw: bytes) -> None:
    """BI-5."""
    assert fault(b"timestamp=" + raw + b"&signature=ab") == ("malformed", "timestamp")


@pytest.mark.parametrize(
    ("raw", "timestamp_us"),
    [
        (b"1638353100000", 1_638_353_100_000_000),
        (b"1638353100000001", 1_638_353_100_000_001),
        (b"1483228800000000", 1_483_228_800_000_000),
        (b"1483228799999999", 1_483_228_799_999_999_000),
        (b"1", 1_000),
        (b"9" * 19, 9_999_999_999_999_999_999),
    ],
)
def test_a_timestamp_is_milliseconds_or_from_2017_on_microseconds(
    raw: bytes, timestamp_us: int
) -> None:
    assert good(b"timestamp=" + raw + b"&signature=ab").timestamp_us == timestamp_us


@pytest.mark.parametrize(
    ("raw", "window_us"),
    [
        *((b"5000", 5_000_000), (b"1", 1_000), (b"60000", 60_000_000), (b"60000.000", 60_000_000)),
        *((b"0.001", 1), (b"0.1", 100), (b"4999.999", 4_999_999), (b"10.50", 10_500)),
    ],
)
def test_a_receive_window_has_up_to_three_decimals(raw: bytes, window_us: int) -> None:
    assert good(TIME + b"&signature=ab&recvWindow=" + raw).recv_window_us == window_us
    assert good(TIME + b"&signature=ab").recv_window_us == 5_000_000


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        *((raw, "malformed") for raw in (b"", b"0", b"0.0", b"0.000", b"-1", b"+1", b"1e9")),
        *((raw, "malformed") for raw in (b"5000.0001", b"5000.", b".5", b"05", b"1.5.5", b"1,5")),
        *((raw, "malformed") for raw in (b" 5", b"5 ", b"5\n", b"NaN", b"0x5", b"5_0", b"\xff")),
        *((raw, "malformed") for raw in (b"9" * 11, b"9" * 10_000, b"9" * 10 + b".1234")),
        *((raw, "window_too_long") for raw in (b"60001", b"60000.001", b"9" * 10, b"70000.5")),
    ],
)
def test_no_other_receive_window_is_taken(raw: bytes, kind: str) -> None:
    """BI-9."""
    assert fault(TIME + b"&signature=ab&recvWindow=" + raw) == (kind, "recvWindow")


def test_long_receive_windows_are_not_remembered() -> None:
    """Strangers send them: a cache that kept them could be filled with megabytes."""
    cache = signing._short_recv_window_us  # noqa: SLF001 - a cache has no other face
    before = cache.cache_info().currsize

    assert fault(TIME + b"&signature=ab&recvWindow=5." + b"7" * 5_000)[0] == "malformed"
    assert cache.cache_info().currsize == before


@pytest.mark.parametrize(
    ("query", "body", "decoded"),
    [
        # What python-binance signs and what it sends (WIRE section 6).
        ("a=1", "email=sub%2Bone%40example.com&x=a+b", "a=1email=sub+one@example.com&x=a b"),
        ("", "ipAddress=203.0.113.7%2C2001%3Adb8%3A%3A7", "ipAddress=203.0.113.7,2001:db8::7"),
        ("name=my%20bot", "", "name=my bot"),
        ("email=a+b%40c.d", "", "email=a+b@c.d"),
        ("a=%e4%bd%a0", "", "a=\u4f60"),
        # An encoded `=`, `%`, or a percent that encodes nothing stays within its value.
        ("a=%3D%3D1", "", "a===1"),
        ("a=%2526", "", "a=%26"),
        ("a=%zz%40", "", "a=%zz@"),
        ("&&a=%40&=%40", "", "&&a=@&=@"),
    ],
)
def test_what_was_signed_before_it_was_encoded_is_found_again(
    query: str, body: str, decoded: str
) -> None:
    request = good(TIME + f"&signature=ab&{query}".encode(), body.encode())

    assert request.payload == TIME + f"&{query}{body}".encode()
    assert request.decoded_payload() == TIME + f"&{decoded}".encode()


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (b"a=1", b""),
        (b"a=1+2", b""),
        (b"a=1", b"b=2"),
        (b"a=%zz", b""),
        # Decoded, these would split into other pairs.
        (b"a=1%26b=2", b""),
        (b"a=%40&b=1%26", b""),
        (b"a=%40", b"b=1%26c=2"),
        (b"a=%26&b", b""),
        (b"", b"my+name=%40"),
        # No UTF-8.
        (b"a=%ff", b""),
        (b"a=%40", b"b=%c3"),
        (b"a=\xff%40", b""),
    ],
)
def test_where_decoding_would_say_something_else_there_is_no_second_text(
    query: bytes, body: bytes
) -> None:
    """T14: an encoded `&` must never become a separator."""
    request = good(query + b"&" * bool(query) + TIME + b"&signature=ab", body)

    assert request.decoded_payload() is None


def test_a_clock_less_than_a_second_fast_passes() -> None:
    """BI-6, as clients send it; test_receive_window has the rest."""
    assert signing.is_within_window(signed(a_key(), at=NOW_MS + 999), NOW_MS)
    assert not signing.is_within_window(signed(a_key(), at=NOW_MS + 1_000), NOW_MS)


@pytest.mark.parametrize("key_type", KeyType)
def test_a_request_is_told_by_the_bytes_of_its_signature(key_type: KeyType) -> None:
    """BI-14, BI-20: in either case of hex, and wherever its bytes stand, it is one request."""
    key = a_key(key_type=key_type)
    request = signed(key, at=NOW_MS, query="a=1", body="b=2")
    again = replace(request, query=request.query + request.body, body=b"")
    loud = replace(request, signature=request.signature.upper())
    other = signed(key, at=NOW_MS, query="a=2", body="b=2")

    assert again.fingerprint() == request.fingerprint() != other.fingerprint()
    assert (loud.fingerprint() == request.fingerprint()) is (key_type is KeyType.HMAC)
