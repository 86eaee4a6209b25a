"""Who is calling: peers, trusted proxies, X-Forwarded-For, and headers in two spellings."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenure.faces.http import callers
from tenure.faces.http.callers import Caller, Suspect

Pairs = Sequence[tuple[str, str]]

GATEWAY, STRANGER = "10.0.0.7", "198.51.100.9"
TRUSTED = ("10.0.0.0/8", "2001:db8:9::/48")
TARGET = ("x-original-method", "x-original-uri")


def read(
    *headers: tuple[str, str], peer: str = GATEWAY, trusted: tuple[str, ...] = TRUSTED
) -> Caller | Suspect:
    """Ask who sent *headers* from *peer*, with a server's lower-case names."""
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return callers.reader(trusted, forwarded=TARGET)({"client": (peer, 1), "headers": pairs})


def address_of(*headers: tuple[str, str], peer: str = GATEWAY) -> str:
    caller = read(*headers, peer=peer)
    assert isinstance(caller, Caller), caller
    return caller.address.text


def forwarded(value: str, peer: str = GATEWAY) -> str:
    return address_of(("X-Forwarded-For", value), peer=peer)


def test_nobody_is_believed_by_default() -> None:
    caller = read(("X-Forwarded-For", "203.0.113.9"), peer=GATEWAY, trusted=())

    assert isinstance(caller, Caller)
    assert (caller.address.text, caller.is_trusted) == (GATEWAY, False)
    assert caller.headers == {}


def test_the_headers_that_count_are_handed_over_by_lower_case_name() -> None:
    caller = read(
        ("X-MBX-APIKEY", "tnr1"), ("X-Original-URI", "/a\xff"), ("Accept", "*/*"), ("Cookie", "c")
    )

    assert isinstance(caller, Caller)
    assert caller.headers == {"x-mbx-apikey": "tnr1", "x-original-uri": "/a\xff"}
    assert caller.is_trusted


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("evil, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1,203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.8, 10.0.0.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9 ,\t10.0.0.9", "203.0.113.9"),
        ("[::1]:9, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, ::ffff:10.0.0.9", "203.0.113.9"),
        ("2001:DB8:1::1, 2001:db8:9::1", "2001:db8:1::1"),
        (", ".join(["203.0.113.1"] * callers.HOPS_MAX), "203.0.113.1"),
    ],
)
def test_the_rightmost_untrusted_hop_is_the_caller(value: str, address: str) -> None:
    """BI-28; where all are trusted, the leftmost is."""
    assert forwarded(value) == address


def test_a_gateway_that_forwards_for_nobody_calls_for_itself() -> None:
    assert address_of() == GATEWAY


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ",",
        "203.0.113.9,",
        "203.0.113.9, ",
        "203.0.113.9:443",
        "[2001:db8::1]",
        "[2001:db8::1]:443",
        "unknown",
        "_hidden",
        '"203.0.113.9"',
        "for=203.0.113.9",
        "203.0.113.9 198.51.100.1",
        "203.0.113.09",
        "203.0.113.0/24",
        "fe80::1%eth0",
        "203.0.113.9\x00",
        "203.0.113.9\xa0",
        "\uff11.2.3.4".encode().decode("latin-1"),
        "203.0.113.9, unknown, 10.0.0.8",
        ", ".join(["203.0.113.1"] * (callers.HOPS_MAX + 1)),
        ", ".join(["203.0.113.1"] * 1_000),
    ],
)
def test_what_is_no_plain_address_refuses_from_a_gateway_and_is_ignored_from_others(
    value: str,
) -> None:
    """BI-29."""
    assert read(("X-Forwarded-For", value)) == callers.NO_ADDRESS
    assert forwarded(value, peer=STRANGER) == STRANGER


@pytest.mark.parametrize(
    "alias",
    [
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X.Forwarded.For",
        "X-Forwarded_For",
        "X_Forwarded.For",
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_one_forwarded_header_in_two_spellings_refuses(alias: str, is_first: bool) -> None:  # noqa: FBT001 - a row of the table
    """The shapes of the advisories behind D14, and BI-30; equal values make it no better."""
    pair = [("X-Forwarded-For", "203.0.113.9"), (alias, "203.0.113.9")]

    assert read(*(pair if is_first else reversed(pair))) == callers.REPEATED
    assert address_of(*pair, peer=STRANGER) == STRANGER


@pytest.mark.parametrize(
    "alias", ["X_Forwarded_For", "x.original.uri", "X-Original_Method", "X_MBX_APIKEY"]
)
def test_an_alias_refuses_even_without_the_real_header(alias: str) -> None:
    assert read((alias, "203.0.113.9")) == callers.REPEATED


@pytest.mark.parametrize(
    "names",
    [
        ("X-MBX-APIKEY", "X-MBX-APIKEY"),
        ("X-MBX-APIKEY", "x_mbx_apikey"),
        ("X.MBX.APIKEY",),
        ("X-MBX-TIME-UNIT", "X-MBX-TIME_UNIT"),
    ],
)
def test_a_callers_own_header_in_two_spellings_refuses_whoever_sends_it(
    names: tuple[str, ...],
) -> None:
    """BI-1."""
    pairs = [(name, "same") for name in names]
    assert read(*pairs) == callers.REPEATED
    assert read(*pairs, peer=STRANGER) == callers.REPEATED


def test_what_a_face_reads_of_callers_themselves_is_read_whoever_the_peer_is() -> None:
    own = callers.reader(TRUSTED, own=("signature-input",))
    right, alias = (b"signature-input", b"sig1"), (b"signature_input", b"sig1")
    for peer in (GATEWAY, "203.0.113.9"):
        caller = own({"client": (peer, 1), "headers": [right, (b"x-original-uri", b"/")]})
        assert isinstance(caller, Caller)
        assert caller.headers == {"signature-input": "sig1"}
        for headers in ([right, right], [right, alias], [alias]):
            assert own({"client": (peer, 1), "headers": headers}) is callers.REPEATED


def test_headers_that_nobody_reads_may_come_twice() -> None:
    pairs = [("Via", "a"), ("Via", "b"), ("Forwarded", "for=1.2.3.4"), ("X-Real-IP", "1.2.3.4")]
    assert address_of(*pairs) == GATEWAY


def test_an_ipv4_mapped_peer_is_the_ipv4_address_it_carries() -> None:
    """BI-27, T10; as a proxy too."""
    assert address_of(peer=f"::ffff:{STRANGER}") == STRANGER
    assert forwarded("203.0.113.9", peer=f"::ffff:{GATEWAY}") == "203.0.113.9"


def test_a_peer_without_a_plain_address_is_suspect() -> None:
    """A socket file has no address; a scope id means another thing on every machine (T11)."""
    read_scope = callers.reader(TRUSTED)

    assert read_scope({"client": None, "headers": []}) == callers.NO_PEER
    assert read_scope({"headers": []}) == callers.NO_PEER
    assert read(peer="fe80::1%eth0") == callers.NO_PEER


def test_too_many_bytes_of_headers_are_suspect_in_one_piece_or_in_many() -> None:
    """BI-32."""
    assert read(("X-Long", "a" * 65_536)) == callers.TOO_LARGE
    assert read(*[(f"X-{number}", "a" * 60) for number in range(1_000)]) == callers.TOO_LARGE
    assert address_of(("X-Long", "a" * (callers.HEADER_BYTES_MAX - 6))) == GATEWAY


@pytest.mark.parametrize(
    "networks",
    [
        ("0.0.0.0/0",),
        ("::/0",),
        ("127.0.0.1", "0.0.0.0/1", "128.0.0.0/1"),
        ("8000::/1", "::/1"),
        ("::ffff:0:0/96",),
        ("10.0.0.7/8",),
        ("gateway",),
    ],
)
def test_trusting_everybody_or_nobody_knows_whom_stops_the_start(networks: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"trust|IPv4|host bits|does not appear"):
        callers.reader(networks)


_SPELLINGS = ["x-forwarded-for", "x_forwarded_for", "x.forwarded-for", *TARGET, "x_original_uri"]
_VALUES = st.one_of(
    st.sampled_from(["10.0.0.1", "203.0.113.9", "unknown", "", "10.0.0.1, 203.0.113.9", "/a?b"]),
    st.text(st.characters(max_codepoint=255), max_size=60),
)
_FORWARDED = st.lists(st.tuples(st.sampled_from(_SPELLINGS), _VALUES), max_size=6)
_PEERS = st.sampled_from([STRANGER, "2001:db8::1", "127.0.0.1", "11.0.0.1", "::ffff:11.0.0.1"])


@given(_FORWARDED, _PEERS)
@example([("x-forwarded-for", "10.0.0.1"), ("x_forwarded_for", "10.0.0.1")], STRANGER)
def test_no_forwarded_header_from_an_untrusted_peer_changes_any_answer(
    headers: list[tuple[str, str]], peer: str
) -> None:
    """T7, I11."""
    own = ("X-MBX-APIKEY", "tnr1")
    assert read(own, *headers, peer=peer) == read(own, peer=peer)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
@example("")
@example("10.0.0.1")
def test_what_stands_left_of_the_caller_changes_nothing(invented: str) -> None:
    """A caller can write anything there before the first gateway appends whom it sees."""
    invented = invented.replace(",", " ")
    assert forwarded(f"{invented},203.0.113.9, 10.0.0.8") == "203.0.113.9"


_ADDRESSES = st.sampled_from(["10.0.0.1", "10.9.9.9", "203.0.113.9", "198.51.100.1", "2001:db8::1"])


@given(st.lists(_ADDRESSES, min_size=1, max_size=callers.HOPS_MAX))
def test_a_caller_is_never_a_trusted_address_while_there_is_another(hops: list[str]) -> None:
    untrusted = [hop for hop in hops if not hop.startswith("10.")]
    assert forwarded(", ".join(hops)) == (untrusted[-1] if untrusted else hops[0])


@given(st.lists(st.tuples(st.sampled_from([*_SPELLINGS, "x-mbx-apikey"]), _VALUES), max_size=8))
def test_whatever_is_sent_there_is_an_answer(headers: list[tuple[str, str]]) -> None:
    assert isinstance(read(*headers), Caller | Suspect)
