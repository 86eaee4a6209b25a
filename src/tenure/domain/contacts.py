"""
Where an owner is told things: a contact, its channel, its language, and what it does not want.

Values and their shape only. That a time zone is one, and which languages there are texts in, is
the business of `services.languages`; sending, of `services.sending`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from tenure.domain import mailing, notices
from tenure.domain.errors import Invalid
from tenure.domain.model import Account
from tenure.domain.notices import Kind

ADDRESS_CHARACTERS_MAX = 2_048
"""What every webhook receiver's server takes as a URL; an e-mail address has 254 at most."""
OLD_SECRET_GOOD_FOR_MS = 86_400_000
"""How long a webhook's former signing secret signs beside the new one (SECURITY T32)."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-(?:[A-Za-z]{2}|[0-9]{3}))?")
"""The part of BCP 47 that names a language, perhaps a script, perhaps a region."""


class Channel(StrEnum):
    """The way to a contact."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """
    An address an owner is told things at; instants in ms UTC.

    *language* is a BCP 47 tag and *time_zone* an IANA name; None takes the house's default.
    Nothing is sent to it before *confirmed_at_ms*, nor once it was removed.
    """

    contact_id: str
    account_id: str
    channel: Channel
    address: str
    added_at_ms: int
    language: str | None = None
    time_zone: str | None = None
    muted: tuple[Kind, ...] = ()
    confirmed_at_ms: int | None = None
    removed_at_ms: int | None = None

    @property
    def place(self) -> str:
        """The address for everybody's eyes: of a webhook only its host, its path may be secret."""
        if self.channel is Channel.EMAIL:
            return self.address
        return urlsplit(self.address).hostname or ""


def first_contact_id(account_id: str) -> str:
    """Return the id of the contact an account begins with: its own e-mail."""
    return f"ctc_{account_id.partition('_')[2]}"


def first_contact(account: Account) -> Contact:
    """Return the contact that *account* begins with: its own e-mail, so nobody goes without."""
    return Contact(
        contact_id=first_contact_id(account.account_id),
        account_id=account.account_id,
        channel=Channel.EMAIL,
        address=account.email,
        added_at_ms=account.created_at_ms,
        confirmed_at_ms=account.created_at_ms,
    )


def address_of(channel: Channel, text: str) -> str:
    """
    Return *text* as an address of *channel*; raises Invalid `address` where it cannot be one.

    Whether a webhook's host may be reached is looked at when it is sent to (SECURITY T31).
    """
    if len(text) > ADDRESS_CHARACTERS_MAX or not text.isprintable():
        raise Invalid("address", "is too long, or has characters that cannot be printed")
    if channel is Channel.EMAIL:
        if not mailing.is_anybodys(text):
            raise Invalid("address", "must look like name@example.com")
        return text
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise Invalid("address", "is no URL such as https://example.com/hook") from error
    if parts.scheme != "https" or not parts.hostname or not port_is_fine or " " in text:
        raise Invalid("address", "must be an https URL such as https://example.com/hook")
    if parts.username is not None or parts.password is not None or "#" in text:
        raise Invalid("address", "must have no user name, password or fragment")
    return text


def language_of(text: str) -> str:
    """Return *text* as a language tag, `zh-CN`; raises Invalid `language` where it is none."""
    if not _LANGUAGE.fullmatch(text):
        raise Invalid("language", "must be a language tag such as en, es, ja or zh-CN")
    return text


def muted_of(names: Iterable[str]) -> tuple[Kind, ...]:
    """
    Return the kinds of notice called *names*, each once.

    Raises Invalid `muted` for what is no kind, and for one too urgent to be muted.
    """
    found: set[Kind] = set()
    for name in names:
        if name not in set(Kind):
            raise Invalid("muted", f"must name kinds of notice: {', '.join(Kind)}")
        kind = Kind(name)
        if not notices.can_mute(kind):
            raise Invalid("muted", f"`{kind}` cannot be muted")
        found.add(kind)
    return tuple(sorted(found))


def contact_state(contact: Contact) -> Mapping[str, object]:
    """Return *contact* as JSON values, the shape of an event's body; never a secret address."""
    return {
        "contact_id": contact.contact_id,
        "channel": str(contact.channel),
        "address": contact.place,
        "language": contact.language,
        "time_zone": contact.time_zone,
        "muted": [str(kind) for kind in contact.muted],
        "confirmed_at_ms": contact.confirmed_at_ms,
        "removed_at_ms": contact.removed_at_ms,
    }


def contact_from(state: Mapping[str, Any], account_id: str, added_at_ms: int) -> Contact:
    """
    Return the contact that `contact_state` gave *state* for; of a webhook's address the host alone.

    So a webhook that comes from here leads nowhere: it must not be sent to.
    """
    channel, place = Channel(state["channel"]), state["address"]
    host = f"[{place}]" if ":" in place else place
    return Contact(
        contact_id=state["contact_id"],
        account_id=account_id,
        channel=channel,
        address=place if channel is Channel.EMAIL else f"https://{host}/",
        added_at_ms=added_at_ms,
        language=state["language"],
        time_zone=state["time_zone"],
        muted=tuple(Kind(name) for name in state["muted"]),
        confirmed_at_ms=state["confirmed_at_ms"],
        removed_at_ms=state["removed_at_ms"],
    )
