"""IP allowlists: which may be saved (R2, BI-33), how a caller is read (BI-27), who is admitted."""

import dataclasses
import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenure.domain import allowlist, errors

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST = "abcd:abcd:abcd:abcd:abcd:abcd:100.100.100.100"


def caller(text: str) -> allowlist.Address:
    address = allowlist.parse_address(text)
    assert address is not None
    return address


def complaints(entries: list[str], *, entries_max: int = allowlist.ENTRIES_MAX) -> dict[str, str]:
    """Return what `normalise` objects to, by field; nothing where it takes the entries."""
    try:
        allowlist.normalise(entries, entries_max=entries_max)
    except errors.Invalid as invalid:
        return {problem.field: problem.message for problem in invalid.problems}
    return {}


def is_unmapped(address: IpAddress) -> bool:
    return isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is None


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Draw entries from two small corners of IPv4 and IPv6, so that they often overlap."""
    base, bits, longest = draw(st.sampled_from([(0x0A010000, 32, 16), (0x20010DB8 << 96, 128, 32)]))
    prefix = draw(st.integers(min_value=longest, max_value=bits))
    number = base + draw(st.integers(min_value=0, max_value=1023)) * 2 ** draw(st.integers(0, 6))
    first = number >> (bits - prefix) << (bits - prefix)
    return f"{ipaddress.ip_address(first) if bits == 32 else ipaddress.IPv6Address(first)}/{prefix}"


# A caller is read


@pytest.mark.parametrize(
    ("text", "version", "canonical"),
    [
        ("203.0.113.7", 4, "203.0.113.7"),
        ("1.0.0.0", 4, "1.0.0.0"),
        ("255.255.255.255", 4, "255.255.255.255"),
        ("2001:db8::7", 6, "2001:db8::7"),
        ("2001:0DB8:0:0:0:0:0:0007", 6, "2001:db8::7"),
        ("::", 6, "::"),
        (LONGEST, 6, "abcd:abcd:abcd:abcd:abcd:abcd:6464:6464"),
        # IPv4 carried in IPv6 is IPv4, however it is spelt (T10).
        ("::ffff:203.0.113.7", 4, "203.0.113.7"),
        ("::FFFF:cb00:7107", 4, "203.0.113.7"),
        ("0:0::ffff:203.0.113.7", 4, "203.0.113.7"),
        ("0000:0000:0000:0000:0000:FFFF:CB00:7107", 4, "203.0.113.7"),
        ("0000:0000:0000:0000:0000:ffff:255.255.255.255", 4, "255.255.255.255"),
        # Nothing else is unwrapped (T11): IPv4-compatible, NAT64, translated, 6to4, Teredo.
        ("::203.0.113.7", 6, "::cb00:7107"),
        ("64:ff9b::203.0.113.7", 6, "64:ff9b::cb00:7107"),
        ("::ffff:0:203.0.113.7", 6, "::ffff:0:cb00:7107"),
        ("2002:cb00:7107::1", 6, "2002:cb00:7107::1"),
        ("2001:0:cb00:7107::1", 6, "2001:0:cb00:7107::1"),
    ],
)
def test_a_caller_has_one_canonical_address(text: str, version: int, canonical: str) -> None:
    number = int(ipaddress.ip_address(canonical))

    assert caller(text) == allowlist.Address(version=version, number=number, text=canonical)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "unknown", "localhost", "-", "_hidden"),
        *(" 203.0.113.7", "203.0.113.7 ", "203.0.113.7\n", "203.0. 113.7", "203.0.113.7\0"),
        *("203.0.113.7:443", "[2001:db8::7]", "[2001:db8::7]:443", '"203.0.113.7"'),
        *("203.0.113.07", "0203.0.113.7", "203.00.113.7", "::ffff:203.0.113.07"),
        *("203.0.113", "203.0.113.7.1", "203.0.113.", ".203.0.113.7", "203..113.7"),
        *("203.0.113.256", "203.0.113.1000", "3405803783", "0xcb.0.113.7", "0xcb007107"),
        *("+203.0.113.7", "203.0.113.-7", "203.0.113.7/32", "2001:db8::7/128", "203,0,113,7"),
        *("fe80::1%eth0", "fe80::1%1", "::ffff:203.0.113.7%1", "2001:db8::7%"),
        *("2001:db8:::7", "2001::db8::7", "2001:db8", ":2001:db8::7", "12345::", "::g", ":", "..."),
        *("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::00001", "203.0.113.7::", "::1.2.3"),
        "２０３.0.113.7",  # noqa: RUF001 - full-width digits are the case at hand
        "\N{ARABIC-INDIC DIGIT TWO}.0.113.7",
        "2001:db8::\N{FULLWIDTH DIGIT SEVEN}",
        "203\N{IDEOGRAPHIC FULL STOP}0.113.7",
        LONGEST + "0",
        "1" * 10_000,
    ],
)
def test_what_is_not_exactly_one_address_is_none(text: str) -> None:
    assert allowlist.parse_address(text) is None


@given(st.ip_addresses().filter(is_unmapped))
def test_every_address_is_read_as_the_standard_library_writes_it(address: IpAddress) -> None:
    for spelling in (str(address), str(address).upper(), address.exploded):
        assert caller(spelling) == allowlist.Address(
            version=address.version, number=int(address), text=str(address)
        )


@given(st.ip_addresses(v=4))
def test_a_mapped_caller_is_the_caller_it_carries(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(0xFFFF << 32 | int(address))

    for spelling in (f"::ffff:{address}", mapped.exploded, f"::FFFF:{int(address) >> 16:x}:0"):
        assert caller(spelling).version == 4
    assert caller(f"::ffff:{address}") == caller(mapped.exploded) == caller(str(address))


@given(st.text() | st.text("0123456789abcdefF:.%/[] ", max_size=50))
@example("1" * 46)
def test_any_text_at_all_may_come_as_an_address(text: str) -> None:
    address = allowlist.parse_address(text)

    assert address is None or caller(address.text) == address


def test_long_texts_never_enter_the_memory_of_addresses() -> None:
    """The memory is bounded in addresses, so it is bounded in bytes only if texts are short."""
    before = allowlist._parse_short.cache_info()  # noqa: SLF001 - the bound shows nowhere else
    assert allowlist.parse_address("9" * 46) is None
    after = allowlist._parse_short.cache_info()  # noqa: SLF001 - as above

    assert after.maxsize == allowlist.ADDRESSES_CACHED_MAX
    assert (after.hits, after.misses) == (before.hits, before.misses)


def test_an_address_cannot_be_altered() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        caller("203.0.113.7").text = "203.0.113.8"  # type: ignore[misc] # the point of the test


# An owner's text is taken apart


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" ,\n ", []),
        ("203.0.113.7", ["203.0.113.7"]),
        ("203.0.113.7,2001:db8::/48", ["203.0.113.7", "2001:db8::/48"]),
        (" 203.0.113.7 ,\t203.0.113.8,\r\n203.0.113.9,, ", [f"203.0.113.{n}" for n in (7, 8, 9)]),
        ("203.0.113.7;203.0.113.8", ["203.0.113.7;203.0.113.8"]),
    ],
)
def test_a_list_may_be_typed_with_commas_blanks_and_lines(text: str, parts: list[str]) -> None:
    assert allowlist.split(text) == parts


# Entries are saved


@pytest.mark.parametrize(
    ("entry", "stored"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("10.7.0.0/16", "10.7.0.0/16"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("2001:db8::7/128", "2001:db8::7"),
        ("2001:0db8::/32", "2001:db8::/32"),
        (LONGEST + "/128", "abcd:abcd:abcd:abcd:abcd:abcd:6464:6464"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:203.0.113.7/128", "203.0.113.7"),
        ("::ffff:cb00:7100/120", "203.0.113.0/24"),
        ("::ffff:10.7.0.0/112", "10.7.0.0/16"),
        ("64:ff9b::203.0.113.0/120", "64:ff9b::cb00:7100/120"),
    ],
)
def test_an_entry_is_stored_in_its_canonical_spelling(entry: str, stored: str) -> None:
    assert allowlist.normalise([entry]) == (stored,)


@pytest.mark.parametrize(
    ("entry", "advice"),
    [
        ("", "is empty"),
        ("010.0.0.1", "leading zeros"),
        ("10.0.0.1/8", "widest network is /16"),
        ("10.0.0.1/24", "write 10.0.0.0/24 for the network, 10.0.0.1 for the address"),
        ("2001:db8::1/64", "write 2001:db8::/64 for the network, 2001:db8::1 for the address"),
        ("::ffff:10.0.0.1/120", "write 10.0.0.0/24 for the network, 10.0.0.1 for the address"),
        ("1.2.3.0/0.0.0.255", "a number from 0 to 32 after the slash"),
        ("1.2.3.0/255.255.255.0", "a number from 0 to 32 after the slash"),
        ("1.2.3.4/032", "a number from 0 to 32 after the slash"),
        ("1.2.3.4/33", "a number from 0 to 32 after the slash"),
        ("1.2.3.4/", "a number from 0 to 32 after the slash"),
        ("1.2.3.4/-1", "a number from 0 to 32 after the slash"),
        ("1.2.3.4/+32", "a number from 0 to 32 after the slash"),
        ("1.2.3.4/3\N{FULLWIDTH DIGIT TWO}", "a number from 0 to 32 after the slash"),
        ("1.2.3.4/32/32", "a number from 0 to 32 after the slash"),
        ("2001:db8::/129", "a number from 0 to 128 after the slash"),
        ("2001:db8::/ffff::", "a number from 0 to 128 after the slash"),
        ("2001:db8::/1" + "0" * 5_000, "a number from 0 to 128 after the slash"),
        ("fe80::1%eth0", "leave out the %"),
        ("fe80::%eth0/64", "leave out the %"),
        ("::/0", "widest network is /16 for IPv4, /32 for IPv6"),
        ("0.0.0.0/0", "widest network is /16 for IPv4, /32 for IPv6"),
        ("10.6.0.0/15", "widest network is /16 for IPv4, /32 for IPv6"),
        ("2001:db8::/31", "widest network is /16 for IPv4, /32 for IPv6"),
        ("::ffff:10.6.0.0/111", "widest network is /16 for IPv4, /32 for IPv6"),
        ("::ffff:0:0/96", "widest network is /16 for IPv4, /32 for IPv6"),
        ("::ffff:0:0/95", "takes in IPv4-mapped addresses"),
        ("::ffff:203.0.113.0/80", "takes in IPv4-mapped addresses"),
        ("::/64", "takes in IPv4-mapped addresses"),
        ("203.0.113.7 ", "without blanks"),
        ("203.0.113.7:443", "without blanks, port"),
        ("[2001:db8::7]", "without blanks, port, brackets"),
        ("203.0.113.*", "is no address or network"),
        ("203.0.113.1-203.0.113.9", "is no address or network"),
        ("203.0.113", "is no address or network"),
        ("203.0.113.256", "is no address or network"),
        ("example.com", "is no address or network"),
        ("2001:db8:::7", "is no address or network"),
        ("/24", "is no address or network"),
        ("/", "is no address or network"),
        (LONGEST + "0", "is no address or network"),
    ],
)
def test_a_bad_entry_is_refused_with_advice(entry: str, advice: str) -> None:
    [(field, message)] = complaints([entry]).items()

    assert field == "ip_allowlist.0"
    assert message.startswith("'" + entry[:20].replace("\N{FULLWIDTH DIGIT TWO}", "\\uff12"))
    assert advice in message


@pytest.mark.parametrize(
    ("entry", "quoted"),
    [
        ("x" * 50, f"'{'x' * 50}' is no"),
        ("x" * 51, f"'{'x' * 50}'... is no"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}7\r\n\udc80", r"'\u202e7\r\n\udc80' is no"),
        ("\N{FULLWIDTH DIGIT ONE}.2.3.4", r"'\uff11.2.3.4' is no"),
        ("\N{GRINNING FACE}" * 10**5, "'" + r"\U0001f600" * 50 + "'... is no"),
    ],
)
def test_a_bad_entry_is_quoted_short_and_in_ascii(entry: str, quoted: str) -> None:
    assert complaints([entry])["ip_allowlist.0"].startswith(quoted)


def test_every_bad_entry_is_named_by_its_place() -> None:
    entries = ["nonsense", "203.0.113.7", "10.0.0.0/8", "203.0.113.7/32", ""]

    assert list(complaints(entries)) == ["ip_allowlist.0", "ip_allowlist.2", "ip_allowlist.4"]


def test_no_entries_are_an_unrestricted_key() -> None:
    assert allowlist.normalise([]) == ()


def test_a_bare_string_is_not_a_list_of_entries() -> None:
    """An empty one would read as no entries, which lifts every restriction."""
    with pytest.raises(TypeError, match="split"):
        allowlist.normalise("")


def test_spellings_of_one_address_fold_into_one() -> None:
    spellings = ["203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7/32", "::ffff:cb00:7107/128"]

    assert allowlist.normalise(spellings) == ("203.0.113.7",)


def test_ipv4_comes_first_then_numbers_then_the_wider_network() -> None:
    typed = [
        "2001:db8::10",
        "10.0.0.9",
        "::1",
        "2001:db8::9",
        "10.0.0.0/24",
        "9.0.0.10",
        "10.0.0.0",
    ]

    assert allowlist.normalise(typed) == (
        *("9.0.0.10", "10.0.0.0/24", "10.0.0.0", "10.0.0.9"),
        *("::1", "2001:db8::9", "2001:db8::10"),
    )


@given(
    st.lists(networks(), max_size=12).flatmap(
        lambda some: st.tuples(st.just(some), st.permutations(some))
    )
)
def test_order_repetition_and_spelling_make_no_other_allowlist(
    orders: tuple[list[str], list[str]],
) -> None:
    entries, shuffled = orders
    stored = allowlist.normalise(entries)

    assert allowlist.normalise([entry.upper() for entry in (*shuffled, *stored)]) == stored
    assert allowlist.normalise(stored) == stored


def test_a_full_list_is_kept_and_one_more_is_named() -> None:
    entries = [f"203.0.113.{number}" for number in range(0, 62, 2)]

    assert len(allowlist.normalise(entries[:30])) == 30
    [(field, message)] = complaints(entries).items()
    assert field == "ip_allowlist.30"
    assert message.startswith("'203.0.113.60' is one too many: 30 entries at most")


def test_entries_are_counted_after_folding() -> None:
    twice = [*(f"203.0.113.{number}" for number in range(3)), "::ffff:203.0.113.1", "bad"]

    assert list(complaints(twice, entries_max=3)) == ["ip_allowlist.4"]
    assert list(complaints(twice, entries_max=2)) == ["ip_allowlist.2", "ip_allowlist.4"]


def test_far_too_many_entries_are_not_even_read() -> None:
    """Folding is a courtesy with a bound: four spellings for each entry allowed."""
    entries = ["203.0.113.7"] * 8

    assert allowlist.normalise(entries, entries_max=2) == ("203.0.113.7",)
    assert complaints([*entries, "bad", "bad"], entries_max=2) == {
        "ip_allowlist.8": "'bad' is past 8 entries: send 2 at most"
    }


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        (["10.6.0.0/16", "10.7.0.0/16"], [0, 1]),
        (["10.6.0.0/16", "203.0.113.7", "10.7.0.0/17", "10.7.128.0/17"], [0, 2, 3]),
        (["::ffff:10.6.0.0/112", "10.7.0.0/16", "10.6.0.0/16"], [0, 1]),
        (["2001:db8::/32", "2001:db9::/32"], [0, 1]),
        (["2001:db8::/32", "10.6.0.0/16", "2001:db9::/33", "2001:db9:8000::/33"], [0, 2, 3]),
        # Neighbours that are no halves of one network fill none that would be refused.
        (["10.7.0.0/16", "10.8.0.0/16"], []),
        (["10.6.0.0/16", "10.7.0.0/17", "10.7.128.0/18"], []),
        (["2001:db9::/32", "2001:dba::/32"], []),
        (["10.6.0.0/16", "2001:db8::/32"], []),
        (["10.6.0.0/17", "10.6.128.0/17"], []),
    ],
)
def test_entries_that_add_up_to_a_refused_network_are_refused(
    entries: list[str], named: list[int]
) -> None:
    found = complaints(entries)

    assert list(found) == [f"ip_allowlist.{index}" for index in named]
    assert all("adds up to" in message for message in found.values())


def test_what_entries_add_up_to_is_said() -> None:
    assert "adds up to 10.6.0.0/15" in complaints(["10.6.0.0/16", "10.7.0.0/16"])["ip_allowlist.1"]


QUARTERS = [ipaddress.IPv4Network((0x0A040000 + (n << 14), 18)) for n in range(16)]
REFUSED = [ipaddress.IPv4Network(text) for text in ("10.4.0.0/15", "10.6.0.0/15")]


@given(
    st.lists(
        st.sampled_from(QUARTERS).flatmap(
            lambda quarter: st.integers(16, 18).map(lambda prefix: (quarter, prefix))
        ),
        max_size=16,
    )
)
def test_adding_up_means_that_every_address_of_a_refused_network_is_admitted(
    choices: list[tuple[ipaddress.IPv4Network, int]],
) -> None:
    """An oracle ticks off a /14 in quarters of a /16; it knows nothing of collapsing."""
    entries = [quarter.supernet(new_prefix=prefix) for quarter, prefix in choices]
    ticked = {each for each in QUARTERS for entry in entries if each.subnet_of(entry)}
    filled = [wide for wide in REFUSED if {q for q in QUARTERS if q.subnet_of(wide)} <= ticked]

    assert bool(complaints([str(entry) for entry in entries])) is bool(filled)


# Callers are matched


@pytest.mark.parametrize("text", ["203.0.113.7", "2001:db8::7"])
def test_an_unrestricted_key_admits_everybody(text: str) -> None:
    assert allowlist.compile_allowlist(())(caller(text)) is True


@pytest.mark.parametrize("entry", ["203.0.113.7", "203.0.113.0/24", "::ffff:203.0.113.0/120"])
@pytest.mark.parametrize(
    "peer", ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:CB00:7107", "0:0:0:0:0:ffff:203.0.113.7"]
)
def test_a_mapped_peer_is_admitted_by_the_address_it_carries(entry: str, peer: str) -> None:
    admits = allowlist.compile_allowlist(allowlist.normalise([entry]))

    assert admits(caller(peer)) is True


@pytest.mark.parametrize(
    ("entries", "text", "is_admitted"),
    [
        (["203.0.113.7"], "203.0.113.8", False),
        (["203.0.113.7"], "::203.0.113.7", False),
        (["203.0.113.7"], "64:ff9b::203.0.113.7", False),
        (["203.0.113.0/24"], "::203.0.113.7", False),
        (["203.0.113.0/24"], "203.0.112.255", False),
        (["203.0.113.0/24"], "203.0.113.0", True),
        (["203.0.113.0/24"], "203.0.113.255", True),
        (["203.0.113.0/24"], "203.0.114.0", False),
        (["203.0.113.0/24", "198.51.100.9"], "198.51.100.9", True),
        (["203.0.113.0/24", "198.51.100.9"], "198.51.100.8", False),
        (["2001:db8:7::/48"], "2001:db8:7:ffff:ffff:ffff:ffff:ffff", True),
        (["2001:db8:7::/48"], "2001:db8:8::", False),
        (["2001:db8:7::/48"], "203.0.113.7", False),
        # The same number in the other family is another address.
        (["0.0.0.7", "1.2.3.0/24"], "::7", False),
        (["::7:0:0/112", "2001:db8::7"], "0.7.0.0", False),
        (["0.7.0.0/16"], "::0.7.0.1", False),
    ],
)
def test_only_listed_addresses_are_admitted(
    entries: list[str], text: str, *, is_admitted: bool
) -> None:
    admits = allowlist.compile_allowlist(allowlist.normalise(entries))

    assert admits(caller(text)) is is_admitted


@given(st.lists(networks(), min_size=1, max_size=8), st.data())
def test_the_compiled_allowlist_agrees_with_the_naive_loop(
    entries: list[str], data: st.DataObject
) -> None:
    named = [ipaddress.ip_network(entry) for entry in entries]
    singles_only = data.draw(st.booleans())
    if singles_only:
        named = [ipaddress.ip_network(network.network_address) for network in named]
    near = data.draw(st.sampled_from(named))
    edge = int(data.draw(st.sampled_from([near.network_address, near.broadcast_address])))
    number = max(0, min(edge + data.draw(st.integers(-2, 2)), 2**near.max_prefixlen - 1))
    address = type(near.network_address)(number)

    admits = allowlist.compile_allowlist(allowlist.normalise([str(network) for network in named]))

    assert admits(caller(str(address))) is any(address in network for network in named)


@given(st.lists(networks(), min_size=1, max_size=8), st.ip_addresses())
def test_strangers_are_admitted_only_where_the_naive_loop_admits_them(
    entries: list[str], address: IpAddress
) -> None:
    unwrapped = ipaddress.ip_address(caller(str(address)).text)
    admits = allowlist.compile_allowlist(allowlist.normalise(entries))

    naive = any(unwrapped in ipaddress.ip_network(entry) for entry in entries)
    assert admits(caller(str(address))) is naive


def test_what_was_never_normalised_admits_nobody() -> None:
    """A damaged row refuses; it must not open the key to everybody (I15)."""
    admits = allowlist.compile_allowlist(("nonsense", ""))

    assert not admits(caller("203.0.113.7"))
    with pytest.raises(ValueError, match="nonsense"):
        allowlist.compile_allowlist(("nonsense/24",))
