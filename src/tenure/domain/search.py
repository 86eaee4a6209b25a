"""
What an operator's search may mean: one box, and every spelling that names a key or an account.

Read only here, looked up elsewhere (`services.search`). What names one thing exactly is taken for
nothing else; any other text is tried as everything it could be. A secret that somebody pasted by
mistake is refused, so that it gets into no answer.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tenure.domain import allowlist, apikeys
from tenure.domain.allowlist import Address
from tenure.domain.errors import Invalid

FIELD: Final = "q"
SECRET: Final = "secret"  # noqa: S105 - the name of a field, no secret
"""The field named where what was typed looks like a secret: it must not be shown again."""
CODE_POINTS_MAX: Final = 254
"""As many as the longest e-mail address has."""

_KEY_ID = re.compile(r"key_[0-9a-z]{24}")
_ACCOUNT_ID = re.compile(r"acct_[0-9a-z]{24}")
_MASKED = re.compile(rf"({apikeys.PREFIX}[0-9A-Za-z]{{4}})(?:…|\.{{3}})([0-9A-Za-z]{{4}})")
_BEGUN = re.compile(rf"{apikeys.PREFIX}[0-9A-Za-z]{{4,59}}")
_SECRET = re.compile(r"[0-9A-Za-z]{64}")
_BLANK = re.compile(r"\s")


class By(StrEnum):
    """What something was found by."""

    API_KEY = "api_key"
    KEY_ID = "key_id"
    ACCOUNT_ID = "account_id"
    EMAIL = "email"
    LABEL = "label"
    ALLOWLIST = "allowlist"
    USED_FROM = "used_from"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    All that one text may mean; None for what it cannot.

    An API key is *api_key* where it is whole; of a shorter or masked one *api_key_start* and
    *api_key_end* are known. *is_mistyped*: it has the length of an API key, and not its checksum.
    """

    key_id: str | None = None
    account_id: str | None = None
    api_key: str | None = None
    api_key_start: str | None = None
    api_key_end: str = ""
    email_start: str | None = None
    label: str | None = None
    address: Address | None = None
    is_mistyped: bool = False


def read(text: str) -> Asked:
    """
    Return what the *text* somebody typed may mean.

    Raises Invalid for nothing, for too much, for what cannot be printed, and for what looks like a
    secret key: 64 letters and digits that are no API key.
    """
    if len(text) > 4 * CODE_POINTS_MAX:
        raise Invalid(FIELD, f"is too long: at most {CODE_POINTS_MAX} characters")
    typed = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(typed) <= CODE_POINTS_MAX:
        raise Invalid(FIELD, f"must have 1 to {CODE_POINTS_MAX} characters")
    if not typed.isprintable():
        raise Invalid(FIELD, "has characters that cannot be printed")
    return _exact(typed) or _loose(typed)


def _exact(typed: str) -> Asked | None:
    """Return what *typed* names exactly, None where it names nothing so."""
    if _KEY_ID.fullmatch(typed):
        return Asked(key_id=typed)
    if _ACCOUNT_ID.fullmatch(typed):
        return Asked(account_id=typed)
    if apikeys.is_well_formed(typed):
        return Asked(api_key=typed)
    if masked := _MASKED.fullmatch(typed):
        return Asked(api_key_start=masked.group(1), api_key_end=masked.group(2))
    if not _SECRET.fullmatch(typed):
        return None
    if typed.startswith(apikeys.PREFIX):
        return Asked(api_key_start=typed[: apikeys.MASK_HEAD], is_mistyped=True)
    raise Invalid(
        SECRET,
        "looks like a secret key: search by the API key, and if it is a real secret, rotate it",
    )


def _loose(typed: str) -> Asked:
    return Asked(
        api_key_start=typed if _BEGUN.fullmatch(typed) else None,
        email_start=None if _BLANK.search(typed) else typed,
        label=typed,
        address=allowlist.parse_address(typed),
    )


def spellings(label: str) -> tuple[str, ...]:
    """
    Return *label* in the cases it may be written in, each once.

    A database folds ASCII letters by itself, and others not everywhere.
    """
    cased = (label, label.lower(), label.upper(), label.title())
    return tuple(dict.fromkeys(cased))


def allowlist_start(address: Address) -> str:
    """
    Return how each allowlist entry that admits *address* begins, as far as that is certain.

    An entry is a network no wider than /16 (IPv4) or /32 (IPv6), so it shares that much with every
    address in it (RULES R2); it makes a scan cheap, and whoever scans asks the allowlist itself.
    """
    if address.version == 4:  # noqa: PLR2004 - the versions of IP
        first, second, _, _ = address.text.split(".")
        return f"{first}.{second}."
    first, _, _ = address.text.partition(":")
    # Where zeros come first, an address and a network around it are not shortened alike.
    return f"{first}:" if first.strip("0") else ""
