"""
IP allowlists: read an owner's entries, store them in one spelling, match a caller against them.

`split` takes an owner's text apart, `normalise` says which entries may be saved (RULES R2), and
`parse_address` reads the address of a caller. The last two have a grammar of their own in front of
the standard library, which takes `1.2.3.4/032`, `1.2.3.0/0.0.0.255` and `fe80::1%eth0`; and both
unwrap IPv4-mapped IPv6 (`::ffff:a.b.c.d`) and nothing else, so that they meet in one spelling
(SECURITY T10 to T12).

Where the caller's address comes from, and which proxies are believed, is the faces' business;
whether a refused address refuses the request is `decide`'s.
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from tenure.domain import errors

ENTRIES_MAX: Final = 30
"""Entries a key may have (WIRE 1.3)."""

RAW_PER_ENTRY_MAX: Final = 4
"""Spellings accepted per entry allowed, so that folding duplicates is never unbounded work."""

IPV4_PREFIX_MIN: Final = 16
"""The widest IPv4 network an entry may name, or entries may add up to: 65,536 addresses (R2)."""

IPV6_PREFIX_MIN: Final = 32
"""The same for IPv6: what a provider is given, of which a customer gets a small part (R2)."""

ADDRESSES_CACHED_MAX: Final = 8192
"""Callers' addresses each process remembers having read: 3 MB at most, and most callers repeat."""

FIELD: Final = "ip_allowlist"
"""The field named in problems, followed by a dot and the entry's index from 0."""

_ADDRESS_LENGTH_MAX = 45  # ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255
_QUOTED_LENGTH_MAX = 50  # One more than an address of 45 with a prefix length of /128.
_PREFIX_MIN = {4: IPV4_PREFIX_MIN, 6: IPV6_PREFIX_MIN}
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # RFC 4291, 2.5.5.2

_IPV4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")  # The characters; their order is left to `ipaddress`.
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_SEPARATORS = re.compile(r"[,\s]+")

_IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """
    A caller's address: *version* 4 or 6, its *number*, and its one canonical *text*.

    Made by `parse_address` only, which is what makes the text canonical.
    """

    version: int
    number: int
    text: str


def parse_address(text: str) -> Address | None:
    """
    Read the address a caller came from, or return None where *text* is not exactly one address.

    IPv4 in four decimal parts, IPv6 in any spelling; an IPv4-mapped IPv6 address is the IPv4
    address it carries, and NAT64, 6to4 and the like stay what they are (T10, T11). Blanks, ports,
    brackets, scope ids, leading zeros and digits of other scripts give None.
    """
    if len(text) > _ADDRESS_LENGTH_MAX:
        return None  # Tested outside the cache, which must not fill with long texts.
    return _parse_short(text)


def split(text: str) -> list[str]:
    """
    Take an owner's *text* apart at commas, spaces and line ends, however many stand together.

    The parts are not judged. Nothing but separators gives an empty list, which as an allowlist
    would lift every restriction: whoever reads a mandatory parameter refuses that first.
    """
    return [part for part in _SEPARATORS.split(text) if part]


def normalise(entries: Sequence[str], *, entries_max: int = ENTRIES_MAX) -> tuple[str, ...]:
    """
    Return *entries* in the one form in which they are stored, or refuse them, naming every bad one.

    Canonical text, each address or network once, a network of one address shown as the address.
    IPv4 comes before IPv6, each by number, a network before what lies in it: the order typed does
    not matter, so naming the same addresses and networks again is no edit (R5). An entry that lies
    within another stays, since its owner may remove the other later.

    Refused are (R2, BI-33): what `_read` cannot read without guessing; networks wider than /16
    (IPv4) or /32 (IPv6); entries that *add up to* such a network, which is to say that together
    they admit every address in it; and entries past *entries_max*, counted after folding.

    Raises Invalid with a problem per bad entry, its field `ip_allowlist.<index>`, and TypeError for
    a bare string, whose characters nobody meant as entries.
    """
    if isinstance(entries, str):
        raise TypeError("a sequence of entries is needed; take a text apart with split()")
    raw_max = entries_max * RAW_PER_ENTRY_MAX
    if len(entries) > raw_max:
        past = _UnfitError(
            "too_many", f"is past {raw_max} entries: send {entries_max} at most", most=entries_max
        )
        raise errors.Invalid.of([_problem(raw_max, entries[raw_max], past)])

    unfit: dict[int, _UnfitError] = {}
    first_seen: dict[_IpNetwork, int] = {}
    for index, entry in enumerate(entries):
        try:
            network = _read(entry)
        except _UnfitError as problem:
            unfit[index] = problem
        else:
            first_seen.setdefault(network, index)

    for network, whole in _adding_up(first_seen):
        unfit[first_seen[network]] = _UnfitError(
            "adding_up",
            f"adds up to {whole} with other entries, which admits too many; leave some of them out",
            whole=whole,
        )
    for index in list(first_seen.values())[entries_max:]:
        message = f"is one too many: {entries_max} entries at most; remove some, or name a network"
        unfit.setdefault(index, _UnfitError("too_many", message, most=entries_max))
    if unfit:
        raise errors.Invalid.of(
            [_problem(index, entries[index], why) for index, why in sorted(unfit.items())]
        )
    return tuple(_show(network) for network in sorted(first_seen, key=_rank))


def compile_allowlist(entries: tuple[str, ...]) -> Callable[[Address], bool]:
    """
    Turn normalised *entries* into the cheapest function that says whether an address is admitted.

    No entries admit every address (R2: the key is unrestricted). *entries* come from `normalise`
    and are not judged again, so a tighter limit in a later release refuses edits, not callers.
    Raises ValueError for an entry with a slash that is no network; other nonsense admits nobody.
    """
    if not entries:
        return _admit_everyone

    # Both sides are canonical, so equal addresses are equal texts: single ones are never parsed.
    singles = frozenset(entry for entry in entries if "/" not in entry)
    if len(singles) == len(entries):
        return lambda address: address.text in singles

    networks = [ipaddress.ip_network(entry) for entry in entries if "/" in entry]
    masks = {
        version: tuple(
            (int(network.netmask), int(network.network_address))
            for network in networks
            if network.version == version
        )
        for version in (4, 6)
    }

    def admits(address: Address) -> bool:
        if address.text in singles:
            return True
        number = address.number
        # A plain loop: `any` over a generator takes twice as long on the few entries there are.
        for mask, first in masks[address.version]:  # noqa: SIM110 - reason above
            if number & mask == first:
                return True
        return False

    return admits


class _UnfitError(ValueError):
    """An entry that may not be saved; the message goes on from the quoted entry."""

    def __init__(self, name: str, message: str, **parts: object) -> None:
        super().__init__(message)
        self.why = errors.Why(f"address_{name}", parts)


def _problem(index: int, entry: str, unfit: _UnfitError) -> errors.Problem:
    return errors.Problem(f"{FIELD}.{index}", f"{_quote(entry)} {unfit}", unfit.why)


def _admit_everyone(_address: Address) -> bool:
    return True


@functools.lru_cache(maxsize=ADDRESSES_CACHED_MAX)
def _parse_short(text: str) -> Address | None:
    address = _strict_address(text)
    if address is None:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return Address(version=address.version, number=int(address), text=str(address))


def _strict_address(text: str) -> _IpAddress | None:
    """Read *text* as one address, nothing unwrapped; the grammar is ours, the arithmetic theirs."""
    try:
        if _IPV4.fullmatch(text):
            return ipaddress.IPv4Address(text)
        if _IPV6.fullmatch(text):
            return ipaddress.IPv6Address(text)
    except ipaddress.AddressValueError:
        return None
    return None


def _read(entry: str) -> _IpNetwork:
    """
    Read *entry* as a network, an address being the smallest; raise _UnfitError saying why not.

    The message tells the owner what to write instead.
    """
    address, prefix = _take_apart(entry)
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped
        if carried is not None and prefix >= _MAPPED.prefixlen:
            address, prefix = carried, prefix - _MAPPED.prefixlen
    network = ipaddress.ip_network((address, prefix), strict=False)
    if _is_wide(network):
        raise _UnfitError(
            "wide",
            f"admits too many addresses: the widest network is /{IPV4_PREFIX_MIN} for IPv4,"
            f" /{IPV6_PREFIX_MIN} for IPv6",
            ipv4=IPV4_PREFIX_MIN,
            ipv6=IPV6_PREFIX_MIN,
        )
    if _MAPPED.network_address in network:
        # Callers arrive unwrapped, so such a network would not admit what it seems to.
        raise _UnfitError("mapped", "takes in IPv4-mapped addresses: name IPv4 addresses as such")
    if network.network_address != address:
        raise _UnfitError(
            "both",
            f"is an address and a network at once: write {_show(network)} for the network,"
            f" {address} for the address",
            network=_show(network),
            address=address,
        )
    return network


def _take_apart(entry: str) -> tuple[_IpAddress, int]:
    """Return the address *entry* begins with and the prefix length after it, if none all bits."""
    if not entry:
        raise _UnfitError("empty", "is empty: name an address or leave the entry out")
    if "%" in entry:
        raise _UnfitError("scope", "has a scope id: leave out the % and what follows")
    address_text, slash, prefix_text = entry.partition("/")
    address = _strict_address(address_text)
    if address is None:
        raise _UnfitError(
            "unreadable",
            "is no address or network: write it like 203.0.113.7, 203.0.113.0/24 or 2001:db8::7,"
            " without blanks, port, brackets or leading zeros",
        )
    bits: int = address.max_prefixlen
    if not slash:
        return address, bits
    if not _PREFIX.fullmatch(prefix_text) or int(prefix_text) > bits:
        raise _UnfitError(
            "prefix",
            f"needs a number from 0 to {bits} after the slash, without leading zeros: masks like"
            " 255.255.255.0 are not read",
            bits=bits,
        )
    return address, int(prefix_text)


def _is_wide(network: _IpNetwork) -> bool:
    return network.prefixlen < _PREFIX_MIN[network.version]


def _adding_up(networks: Collection[_IpNetwork]) -> list[tuple[_IpNetwork, _IpNetwork]]:
    """Return each of *networks* that helps to fill one too wide, together with that one."""
    ipv4: list[ipaddress.IPv4Network] = []
    ipv6: list[ipaddress.IPv6Network] = []
    for network in networks:
        if isinstance(network, ipaddress.IPv4Network):
            ipv4.append(network)
        else:
            ipv6.append(network)
    wholes: tuple[_IpNetwork, ...] = (
        *ipaddress.collapse_addresses(ipv4),
        *ipaddress.collapse_addresses(ipv6),
    )
    return [
        (network, whole)
        for whole in wholes
        if _is_wide(whole)
        for network in networks
        if network.network_address in whole
    ]


def _rank(network: _IpNetwork) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


def _show(network: _IpNetwork) -> str:
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)


def _quote(entry: str) -> str:
    """Quote *entry* in ASCII, shortened, so that neither a long nor an odd one upsets a log."""
    more = "..." if len(entry) > _QUOTED_LENGTH_MAX else ""
    return ascii(entry[:_QUOTED_LENGTH_MAX]) + more
