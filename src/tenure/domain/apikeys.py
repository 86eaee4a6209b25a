"""
What an API key and a secret key look like as text.

An API key is a public name of 64 letters and digits (WIRE, section 4): a prefix that scanners for
leaked keys can look for, a random body, and a checksum, so that a key that was mistyped, cut or
made up is refused before anything is looked up (SECURITY T1, BI-2). The checksum proves nothing
about who made the key: possession is proved by the signature, in `signing`.

Pure: randomness comes in as bytes, from the clock module. How a secret is kept is `services`'
business.
"""

import hashlib
import string
import zlib
from itertools import product

PREFIX = "tnr1"
"""How every API key begins: Tenure, first form. Another form would get another digit."""

LENGTH = 64
"""Characters of an API key and of a secret key; clients written for WIRE's surface expect it."""

API_KEY_ENTROPY_BYTES_MIN = 32
"""Random bytes behind an API key: 256 bits, so that no two are ever equal and none is guessed."""

SECRET_ENTROPY_BYTES_MIN = 48
"""Random bytes behind a secret key: the 381 bits that 64 characters can hold, rounded up."""

SCAN_PATTERN = PREFIX + r"[0-9A-Za-z]{60}"
r"""
A regular expression that finds API keys in code, logs and pastes.

It has no borders and no look-around on purpose: some scanners know no look-around, and `\b` would
miss `KEY_tnr1...`. A chance hit inside a longer run of letters is rejected by `is_well_formed`.
"""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE = len(_ALPHABET)
_CHECKSUM_LENGTH = 6  # 62^6 is the first power of 62 that holds every CRC-32.
_BODY_LENGTH = LENGTH - len(PREFIX) - _CHECKSUM_LENGTH  # 54 characters hold 321 bits.
_CHECKSUM_START = LENGTH - _CHECKSUM_LENGTH

# Two base-62 digits at a time: three look-ups instead of six divisions, on the hot path.
_PAIRS = tuple(high + low for high, low in product(_ALPHABET, repeat=2))
_PAIRS_COUNT = len(_PAIRS)
_PAIRS_SQUARED = _PAIRS_COUNT**2

MASK_HEAD = 8
"""Characters that a masked API key begins with: the prefix, and four to tell it by."""

_MASK_TAIL = 4
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def compose(entropy: bytes) -> str:
    """
    Return the text of a new API key made from *entropy*, at least 32 random bytes.

    The same bytes give the same key; other bytes give another (as surely as BLAKE2b does not
    collide). Raises ValueError when there are too few bytes, which is a bug of the caller.
    """
    _require(entropy, API_KEY_ENTROPY_BYTES_MIN)
    unchecked = PREFIX + _spell(entropy, use=b"tenure api key", length=_BODY_LENGTH)
    return unchecked + _checksum(unchecked)


def secret_text(entropy: bytes) -> str:
    """
    Return the text of a new HMAC secret key made from *entropy*, at least 48 random bytes.

    64 letters and digits, without prefix or checksum: nothing in a secret may be predictable. The
    caller wraps it (`model.Secret`) at once. Raises ValueError when there are too few bytes, which
    is a bug of the caller.
    """
    _require(entropy, SECRET_ENTROPY_BYTES_MIN)
    return _spell(entropy, use=b"tenure secret", length=LENGTH)


def is_well_formed(text: str) -> bool:
    """
    Whether *text* could be one of our API keys: length, characters, prefix, checksum (BI-2).

    Any text may be asked about. A slip of one character, or of two neighbours changing places, is
    always noticed; of other damage one in 2^32 slips through, and is then simply not found.
    """
    return (
        len(text) == LENGTH  # First, so that ten kilobytes cost no more than one byte.
        and text.startswith(PREFIX)
        and text.isascii()  # `isalnum` alone would take letters and digits of every script.
        and text.isalnum()
        and _checksum(text[:_CHECKSUM_START]) == text[_CHECKSUM_START:]
    )


def mask(api_key: str) -> str:
    """
    Return *api_key* for listings and logs: its first 8 and last 4 characters, with … between.

    What is no API key becomes a mere …: somebody may have pasted a secret, or a newline.
    """
    if not is_well_formed(api_key):
        return _ELLIPSIS
    return api_key[:MASK_HEAD] + _ELLIPSIS + api_key[-_MASK_TAIL:]


def _require(entropy: bytes, bytes_min: int) -> None:
    if len(entropy) < bytes_min:
        raise ValueError(f"{len(entropy)} random bytes given, at least {bytes_min} needed")


def _spell(entropy: bytes, *, use: bytes, length: int) -> str:
    """
    Spell a digest of *entropy* in *length* base-62 digits.

    A digest rather than the bytes themselves, for two reasons: every digit varies whatever the
    number of bytes, and since *use* enters it, a caller who hands the same bytes to `compose` and
    to `secret_text` does not publish the secret with the key. 512 bits shortened to at most 382
    leave no bias worth naming (below 2^-130).
    """
    number = int.from_bytes(hashlib.blake2b(entropy, digest_size=64, person=use).digest(), "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, _BASE)
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def _checksum(unchecked: str) -> str:
    """Return the CRC-32 of *unchecked* (ASCII) as six base-62 digits, the highest first."""
    number = zlib.crc32(unchecked.encode())
    high, middle = number // _PAIRS_SQUARED, number // _PAIRS_COUNT % _PAIRS_COUNT
    return f"{_PAIRS[high]}{_PAIRS[middle]}{_PAIRS[number % _PAIRS_COUNT]}"
