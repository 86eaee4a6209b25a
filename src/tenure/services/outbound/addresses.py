"""
Which servers an owner may name: the form of a webhook's URL, and which addresses are public.

A webhook's URL is chosen by a stranger and fetched from inside our network, so both are judged by
tables of our own (SECURITY T31). The standard library's `is_global` is no such table: it calls
`64:ff9b::7f00:1`, `fec0::1`, `::127.0.0.1` and `2002:7f00:1::1` public. Who connects, and how, is
the business of `egress`.
"""

import ipaddress
import re
import socket
from typing import Final, NamedTuple, TypeAlias

from tenure.domain.errors import Invalid

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

URL_LENGTH_MAX: Final = 2_048
_FIELD: Final = "url"
_PORTS: Final = {"https": 443, "http": 80}
_PORT_MAX: Final = 65_535
_NAME_LENGTH_MAX: Final = 253  # RFC 1035 2.3.4, without the final dot.

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<target>(?:/[^?]*)?(?:\?.*)?)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Blocks of the IANA special-purpose registries (RFC 6890 and its successors), and multicast. Some
# in there are reachable, such as the two anycast addresses of 192.0.0.0/24; none hosts webhooks.
_NOT_PUBLIC_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' shared space
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and with it the clouds' metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")
"""All that IANA has ever given out as global unicast; whatever lies outside is not public."""
_NOT_PUBLIC_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, drones
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to whatever IPv4 address it carries
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""A gateway of our network turns these into the IPv4 address in their last 32 bits (RFC 6052)."""


class Target(NamedTuple):
    """A URL taken apart in the one way it can be read; *target* is its path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def address(self) -> Address | None:
        """The address that stands in the place of a host name, None where there is a name."""
        return _literal(self.host)

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header has them: the port only where it is not the usual."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def is_public(address: Address) -> bool:
    """Whether *address* is one that anybody on the internet may host a server at."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def read(url: str, *, allows_loopback: bool) -> Target:
    """
    Take the *url* of a webhook apart; nothing is looked up.

    *allows_loopback* lets in addresses of this machine, with or without TLS: for tests and
    rehearsals. Raises Invalid naming what is wrong: no https, a user name, a fragment, a host in a
    spelling that hides an address, an address that is not public (SECURITY BI-45).
    """
    if not re.fullmatch(r"[!-~]*", url) or "\\" in url:
        raise Invalid(
            _FIELD, "has blanks or characters outside ASCII; write names in their xn-- form"
        )
    if len(url) > URL_LENGTH_MAX:
        raise Invalid(_FIELD, f"is too long: at most {URL_LENGTH_MAX} characters")
    if "#" in url:
        raise Invalid(_FIELD, "has a fragment (#…), which no server is ever sent")
    if "@" in re.split(r"[/?]", url.partition("://")[2], maxsplit=1)[0]:
        raise Invalid(_FIELD, "has a user name in it; webhooks are signed instead")
    found = _URL.fullmatch(url)
    if found is None:
        raise Invalid(_FIELD, "must look like https://example.com/path")
    scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
    port = int(found["port"] or _PORTS[scheme])
    if not 0 < port <= _PORT_MAX:
        raise Invalid(_FIELD, "has a port that does not exist")
    target = found["target"]
    read = Target(scheme, host, port, target if target.startswith("/") else f"/{target}")
    _require_host(read, is_bracketed=found["host"].startswith("["), allows_loopback=allows_loopback)
    return read


def judge(addresses: list[Address], *, allows_loopback: bool) -> bool:
    """Whether every one of *addresses* may be connected to, and there is one."""
    return bool(addresses) and all(
        is_public(address) or (allows_loopback and address.is_loopback) for address in addresses
    )


def look_up(host: str, port: int) -> list[str]:
    """Ask this machine's resolver for the addresses of *host*, best first; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def parsed(texts: list[str]) -> list[Address]:
    """Return a resolver's *texts* as addresses; raises ValueError where one is none."""
    return [ipaddress.ip_address(text) for text in texts]


def _require_host(target: Target, *, is_bracketed: bool, allows_loopback: bool) -> None:
    labels = target.host.split(".")
    if is_bracketed or _NUMBER.fullmatch(labels[-1]):
        # A name that ends in a number is an address to every resolver, in spellings such as
        # 127.1, 0x7f.1 or 2130706433; only the plain one is taken.
        address = target.address
        if address is None or is_bracketed is not (address.version == 6):  # noqa: PLR2004 - the IP version
            raise Invalid(_FIELD, "has an address that is not in its plain form")
        if not judge([address], allows_loopback=allows_loopback):
            raise Invalid(_FIELD, "does not lead to a public address")
    elif len(target.host) > _NAME_LENGTH_MAX or not all(
        _LABEL.fullmatch(label) for label in labels
    ):
        raise Invalid(_FIELD, "has a host name that cannot be one")
    is_here = allows_loopback and (target.host == "localhost" or _is_loopback(target.address))
    if len(labels) == 1 and not is_bracketed and not is_here:
        raise Invalid(_FIELD, "needs a full host name, such as hooks.example.com")
    if target.scheme != "https" and not is_here:
        raise Invalid(_FIELD, "must begin with https://")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(address: Address | None) -> bool:
    return address is not None and address.is_loopback
