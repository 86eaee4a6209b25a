"""Which addresses are public, by a table, and which URLs may be saved for webhooks."""

import contextlib
import ipaddress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain.errors import Invalid
from tenure.services.outbound import addresses
from tenure.services.outbound.addresses import Target

PUBLIC: Final = (
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
    *("126.255.255.255", "128.0.0.1", "169.253.0.1", "172.15.255.255", "172.32.0.0", "191.0.0.1"),
    *("192.0.1.1", "192.0.3.0", "192.167.1.1", "192.169.0.0", "198.17.0.1", "198.20.0.0"),
    *("198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"),
    *("2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00::1", "3ffe::1"),
    "64:ff9b::808:808",
)
NOT_PUBLIC: Final = {
    "this network": ("0.0.0.1", "0.1.2.3", "::"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"),
    "carriers": ("100.64.0.1", "100.127.255.255"),
    "loopback": ("127.0.0.1", "127.255.255.255", "::1"),
    "link-local": ("169.254.169.254", "fe80::1", "fe80::1%eth0", "febf::1"),
    "site-local": ("fec0::1",),
    "assignments": ("192.0.0.1", "192.0.0.9", "192.0.0.170", "2001::1", "2001:1::1", "2001:20::1"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.9", "2001:db8::1", "3fff::1"),
    "anycast services": ("192.31.196.1", "192.52.193.1", "192.175.48.1", "2620:4f:8000::1"),
    "6to4": ("192.88.99.1", "2002:7f00:1::1", "2002:808:808::1"),
    "benchmarks": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1"),
    "reserved": ("240.0.0.1", "255.255.255.255", "100::1", "5f00::1", "4000::1", "::2", "1::1"),
    "IPv4-mapped": ("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:808:808"),
    "IPv4-compatible": ("::127.0.0.1", "::8.8.8.8"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::a00:1", "64:ff9b:1::808:808"),
    "Teredo": ("2001:0:7f00:1::1",),
}


@pytest.mark.parametrize("text", PUBLIC)
def test_what_anybody_may_host_at_is_public(text: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", [text for row in NOT_PUBLIC.values() for text in row])
def test_what_the_registries_keep_for_something_is_not(text: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(text))


def test_the_library_would_let_four_of_them_through() -> None:
    """Why there is a table of our own (T31): if this fails, look at it again."""
    taken = [text for row in NOT_PUBLIC.values() for text in row]
    wrong = {text for text in taken if ipaddress.ip_address(text).is_global}

    assert {"64:ff9b::7f00:1", "::127.0.0.1"} <= wrong


@given(st.ip_addresses())
def test_whatever_the_library_calls_private_is_not_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_multicast or address.is_reserved:
        assert not addresses.is_public(address) or address in ipaddress.ip_network("64:ff9b::/96")


@given(st.ip_addresses(v=4))
def test_an_address_behind_nat64_is_as_public_as_the_one_it_carries(
    address: ipaddress.IPv4Address,
) -> None:
    carrying = ipaddress.IPv6Address(0x64FF9B << 96 | int(address))

    assert addresses.is_public(carrying) is addresses.is_public(address)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example.com", Target("https", "hooks.example.com", 443, "/")),
        ("HTTPS://Hooks.Example.COM/A/b", Target("https", "hooks.example.com", 443, "/A/b")),
        ("https://h.example:8443/x?y=/@:", Target("https", "h.example", 8443, "/x?y=/@:")),
        ("https://h.example?q", Target("https", "h.example", 443, "/?q")),
        ("https://8.8.8.8/", Target("https", "8.8.8.8", 443, "/")),
        ("https://[2606:4700::1111]:1/", Target("https", "2606:4700::1111", 1, "/")),
        ("https://xn--bcher-kva.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_a_url_is_taken_apart(url: str, expected: Target) -> None:
    assert addresses.read(url, allows_loopback=False) == expected


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://h.example/", "h.example"),
        ("https://h.example:443/", "h.example"),
        ("https://h.example:444/", "h.example:444"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]"),
        ("https://[2606:4700::1111]:444/", "[2606:4700::1111]:444"),
    ],
)
def test_the_host_header_names_an_unusual_port(url: str, authority: str) -> None:
    assert addresses.read(url, allows_loopback=False).authority == authority


REFUSED: Final = {
    "must begin with https://": ("http://h.example/", "http://8.8.8.8/"),
    "must look like https://example.com/path": (
        *("", "https:", "https://", "https:///x", "//h.example/", "h.example", "ftp://h.example/"),
        *("https://h.example:/", "https://h.example:x/", "https://[fe80::1%25eth0]/", "https://?"),
        *(
            "file:///etc/passwd",
            "https://[::1",
            "https://h_h.example/",
            "https://h.example:123456/",
        ),
    ),
    "has a user name in it; webhooks are signed instead": (
        *("https://user@h.example/", "https://user:password@h.example/", "https://@h.example/"),
        *("https://h.example@127.0.0.1/", "https://127.0.0.1%2f@h.example/", "http://a@b?c"),
    ),
    "has a fragment (#…), which no server is ever sent": (
        *("https://h.example/#top", "https://h.example#@127.0.0.1/", "https://h.example/?a#"),
    ),
    "has blanks or characters outside ASCII; write names in their xn-- form": (
        *(" https://h.example/", "https://h.example/ ", "https://h.exam\tple/", "https://h.ex\n/"),
        *("https://h.example/\r\nx: y", "https://b\u00fccher.example/", "https://h.example\\@x/"),
        *("https://\u2460\u2461\u2466.0.0.1/", "https://h.example/\x00"),
    ),
    "has an address that is not in its plain form": (
        *("https://127.1/", "https://2130706433/", "https://0x7f.1/", "https://0x7f000001/"),
        *("https://0177.0.0.1/", "https://127.0.0.0x1/", "https://1.2.3.4.5/", "https://8.8.8/"),
        *("https://08.8.8.8/", "https://[127.0.0.1]/", "https://[:]/", "https://256.1.1.1/"),
    ),
    "does not lead to a public address": (
        *("https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "http://10.0.0.1/"),
        *("https://[64:ff9b::7f00:1]/", "https://[fec0::1]/", "https://[::127.0.0.1]/"),
        *("https://[2002:7f00:1::1]/", "https://[::ffff:8.8.8.8]/", "https://[::]/"),
    ),
    "has a host name that cannot be one": (
        *(
            "https://-h.example/",
            "https://h-.example/",
            "https://h..example/",
            "https://h.example./",
        ),
        *(f"https://{'a' * 64}.example/", f"https://{'a.' * 127}com/", "https://./"),
        *("https://127.0.0.1./",),
    ),
    "needs a full host name, such as hooks.example.com": ("https://localhost/", "https://db:5432/"),
    "has a port that does not exist": ("https://h.example:0/", "https://h.example:65536/"),
    "is too long: at most 2048 characters": (f"https://h.example/{'x' * 2_048}",),
}


@pytest.mark.parametrize(
    ("url", "message"), [(url, said) for said, urls in REFUSED.items() for url in urls]
)
def test_a_url_that_will_not_do_is_refused_for_what_is_wrong_with_it(
    url: str, message: str
) -> None:
    with pytest.raises(Invalid) as raised:
        addresses.read(url, allows_loopback=False)

    assert (raised.value.field, raised.value.message) == ("url", message)


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:8080/x", "http://[::1]/", "http://localhost:1/", "https://localhost/"),
        *("https://127.8.9.1/", "https://hooks.example.com/"),
    ],
)
def test_this_machine_may_be_named_where_the_settings_say_so(url: str) -> None:
    assert addresses.read(url, allows_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example.com/", "http://10.0.0.1/", "https://10.0.0.1/", "http://8.8.8.8/"),
        *("https://169.254.169.254/", "http://localhost.example/", "http://[::ffff:127.0.0.1]/"),
    ],
)
def test_and_nothing_else_by_that(url: str) -> None:
    with pytest.raises(Invalid):
        addresses.read(url, allows_loopback=True)


@given(st.text(max_size=80) | st.text(st.sampled_from("htps:/.@#?[]%0127x"), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert addresses.read(text, allows_loopback=False).scheme == "https"


def test_all_addresses_of_a_name_have_to_be_public() -> None:
    public, private = ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.0.0.1")
    here = ipaddress.ip_address("127.0.0.1")

    assert addresses.judge([public, public], allows_loopback=False)
    assert not addresses.judge([public, private], allows_loopback=True)
    assert not addresses.judge([], allows_loopback=True)
    assert addresses.judge([here], allows_loopback=True)
    assert not addresses.judge([here], allows_loopback=False)


def test_the_machine_s_resolver_is_asked() -> None:
    assert "127.0.0.1" in addresses.look_up("localhost", 443)
