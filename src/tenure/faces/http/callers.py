"""
Who is calling: the address a request came from, and the few headers that Tenure reads.

A peer is believed about nobody but itself, unless it lies in `trusted_proxies`: then, and only
then, the forwarded headers count (SECURITY D14, I11). Every face asks here, once per request, and
sees no header that this module did not hand it. Which permission a route needs is not decided
here, nor what a refusal looks like.

What a gateway has to do for this to hold: append the address it sees to X-Forwarded-For, or put
it in its place, and set the headers that name method and target whatever its own caller sent.

One header in two spellings is how requests are smuggled past a reader, since servers, proxies and
CGI merge them differently: a header that is read and comes twice, or comes with `_` or `.` where it
has a `-`, makes the whole request suspect. Header names are lower case, as ASGI demands of servers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, NamedTuple, TypeAlias

from tenure import settings
from tenure.domain import allowlist
from tenure.domain.allowlist import Address

API_KEY: Final = "x-mbx-apikey"
TIME_UNIT: Final = "x-mbx-time-unit"
FORWARDED_FOR: Final = "x-forwarded-for"

HOPS_MAX: Final = 32
"""Items in X-Forwarded-For: more gateways than this stand in a row nowhere."""
HEADER_BYTES_MAX: Final = 32_768
"""Names and values of all headers together: the most that nginx lets through by default."""

_OWN: Final = (API_KEY, TIME_UNIT)
"""What a caller says for itself: read whoever the peer is."""


class Caller(NamedTuple):
    """
    Who is calling: the *address* that counts, and the *headers* read, by lower-case name.

    Values are the header's bytes as Latin-1 text. Forwarded headers are among them only where the
    peer *is_trusted*.
    """

    address: Address
    headers: Mapping[str, str]
    is_trusted: bool


@dataclass(frozen=True, slots=True)
class Suspect:
    """Nobody can say who is calling; *why* is for the log, the caller learns nothing."""

    why: str


Reader: TypeAlias = Callable[[Mapping[str, Any]], Caller | Suspect]
"""Takes an ASGI scope; whatever a caller sends, it answers and does not raise."""

NO_PEER: Final = Suspect("the server names no peer address that can be read")
REPEATED: Final = Suspect("a header that is read came twice, or in another spelling too")
TOO_LARGE: Final = Suspect(f"over {HEADER_BYTES_MAX} bytes of headers")
NO_ADDRESS: Final = Suspect("X-Forwarded-For names no caller: not a list of plain addresses")


def reader(
    trusted_proxies: Sequence[str], *, forwarded: Sequence[str] = (), own: Sequence[str] = ()
) -> Reader:
    """
    Return what reads a caller out of an ASGI scope, believing the networks *trusted_proxies*.

    *forwarded* names headers, in lower case, that are read beside X-Forwarded-For and from trusted
    peers alone; *own* those that callers say for themselves. Raises ValueError for networks that
    cannot be read or would trust everybody.
    """
    trusts = _trusts(trusted_proxies)
    mine = _spellings((*_OWN, *own))
    believed = _spellings((*_OWN, *own, FORWARDED_FOR, *forwarded))

    def read(scope: Mapping[str, Any]) -> Caller | Suspect:
        client = scope.get("client")
        peer = allowlist.parse_address(client[0]) if client else None
        if peer is None:
            return NO_PEER
        is_trusted = trusts(peer)
        spellings = believed if is_trusted else mine
        headers: dict[str, str] = {}
        size = 0
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            header = spellings.get(name)
            if header is not None:
                if not header or header in headers:
                    return REPEATED
                headers[header] = value.decode("latin-1")
        if size > HEADER_BYTES_MAX:
            return TOO_LARGE
        hops = headers.get(FORWARDED_FOR)
        address = peer if hops is None else _first_untrusted(hops, trusts)
        return NO_ADDRESS if address is None else Caller(address, headers, is_trusted)

    return read


def _trusts(trusted_proxies: Sequence[str]) -> Callable[[Address], bool]:
    networks = settings.read_proxies(trusted_proxies)
    if not networks:
        return lambda _address: False  # An empty allowlist would admit everybody.
    return allowlist.compile_allowlist(tuple(str(network) for network in networks))


def _spellings(names: Sequence[str]) -> Mapping[bytes, str]:
    """Return every spelling of *names*: the right one gives the name, an alias the empty text."""
    return {
        spelling.encode(): name if spelling == name else ""
        for name in names
        for spelling in map("".join, product(*("-_." if sign == "-" else sign for sign in name)))
    }


def _first_untrusted(hops: str, trusts: Callable[[Address], bool]) -> Address | None:
    """
    Walk X-Forwarded-For from its right end, the peer's own word, to the first untrusted address.

    Where all are trusted, the leftmost. None where an item met on the way is not exactly an
    address: what stands left of it could be anybody's invention, and so could the item.
    """
    items = hops.split(",")
    if len(items) > HOPS_MAX:
        return None
    address = None
    for item in reversed(items):
        address = allowlist.parse_address(item.strip(" \t"))
        if address is None or not trusts(address):
            break
    return address
