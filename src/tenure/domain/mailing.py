"""
How e-mail addresses and a mail relay are written; no message is made or sent here.

Narrower than RFC 5322 on purpose: no comments, no quoted local parts, no lists. Whatever passes can
stand in a header and in an SMTP command without meaning anything else there.
"""

import re
import urllib.parse
from typing import Final, NamedTuple

from tenure.domain.model import Secret

_RELAY_PORTS: Final = {"smtp": 587, "smtps": 465}
"""Where mail is handed in (RFC 6409), and the same with TLS from the start (RFC 8314)."""

_ADDRESS_CHARACTERS_MAX: Final = 254
"""What fits in a command, with its angle brackets (RFC 5321 4.5.3.1.3)."""
# RFC 5321 4.5.3.1 limits both halves; letters outside ASCII are RFC 6531's.
_ADDRESS: Final = re.compile(
    r"[^\s\x00-\x1f\x7f<>()\[\]\\\",:;@]{1,64}@(?!-)[^\s\x00-\x2c\x2f:-@\[-`{-\x7f]{1,253}(?<![-.])"
)
_SENDER: Final = re.compile(r"(?P<name>[^<>()\[\]\\\",:;@]*)<(?P<address>[^<>]*)>")


class Sender(NamedTuple):
    """Whom a message comes from: the *name* shown, perhaps none, and the *address*."""

    name: str
    address: str


class Relay(NamedTuple):
    """A mail relay; with *has_tls* from the start, else *starttls* turns it on."""

    host: str
    port: int
    has_tls: bool
    starttls: bool
    user: str
    password: Secret


def is_address(text: str) -> bool:
    """Whether *text* is one plain e-mail address."""
    return text.isprintable() and _ADDRESS.fullmatch(text) is not None


def is_anybodys(text: str) -> bool:
    """
    Whether *text* is an address that mail from anywhere may reach: its domain has a dot.

    `root@localhost` is none: a sender or a relay may be of this machine, a person is not.
    """
    labels = text.rpartition("@")[2].split(".")
    return (
        len(text) <= _ADDRESS_CHARACTERS_MAX
        and is_address(text)
        and len(labels) > 1
        and all(labels)
    )


def read_sender(text: str) -> Sender:
    """Read `keys@example.com` or `Tenure <keys@example.com>`; raises ValueError."""
    found = _SENDER.fullmatch(text)
    sender = Sender(found["name"].strip(), found["address"]) if found else Sender("", text)
    if not text.isprintable() or not is_address(sender.address):
        raise ValueError("no sender, such as keys@example.com or Tenure <keys@example.com>")
    return sender


def read_relay(url: str) -> Relay:
    """
    Read an `smtp_url`: `smtps://` is TLS from the start, `smtp://` demands STARTTLS.

    `smtp://…?tls=no` alone goes without, for a relay on the same machine or network; a password is
    then refused. Raises ValueError, which repeats nothing of the URL: there may be a password.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or _RELAY_PORTS.get(parts.scheme, 0)
    except ValueError:  # Whose words repeat what they could not read.
        raise ValueError("the relay's host or port is none") from None
    if parts.scheme not in _RELAY_PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError("no relay, such as smtp://user:password@host:587 or smtps://host:465")
    if parts.fragment or parts.query not in {"", "tls=no"} or not url.isprintable():
        raise ValueError("after the relay only ?tls=no may stand; write %23 for #, %3F for ?")
    is_bare = parts.query == "tls=no"
    if is_bare and (parts.scheme == "smtps" or parts.password):
        raise ValueError("?tls=no goes with smtp:// and without a password")
    return Relay(
        host=parts.hostname,
        port=port,
        has_tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and not is_bare,
        user=urllib.parse.unquote(parts.username or ""),
        password=Secret(urllib.parse.unquote(parts.password or "")),
    )
