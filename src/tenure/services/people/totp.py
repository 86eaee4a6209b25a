"""
Codes of authenticator apps (RFC 6238): seeds, the picture an app is set up with, and which step.

A code is spent by its step, never by its text: the same step can be written in several ways, and a
spent one is refused in all of them (SECURITY T21).
"""

import base64
import hmac
import io
import re
from typing import Final

import segno
from pyotp.hotp import HOTP
from pyotp.totp import TOTP

from tenure.clock import Clock

SEED_BYTES: Final = 20
"""As long as the digest of HMAC-SHA-1, which is what apps understand (RFC 4226, 4)."""
STEP_MS: Final = 30_000
ISSUER: Final = "Tenure"

_CODE: Final = re.compile(r"[0-9]{6}")
_AROUND: Final = (1, 0, -1)
"""A step ahead and one behind: clocks differ, and codes are typed (RFC 6238, 5.2)."""


def make_seed(clock: Clock) -> bytes:
    """Return a new seed."""
    return clock.random_bytes(SEED_BYTES)


def shown(seed: bytes) -> str:
    """Return *seed* as it is typed into an app."""
    return base64.b32encode(seed).decode()


def uri(seed: bytes, email: str) -> str:
    """Return the address that an app is set up by (`otpauth://…`)."""
    return TOTP(shown(seed)).provisioning_uri(name=email, issuer_name=ISSUER)


def picture(address: str) -> str:
    """Return *address* as a QR code, as SVG to stand in a page; dark on light in any theme."""
    out = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(out, kind="svg", xmldecl=False, svgns=True, light="#fff", scale=4, border=4)
    return out.getvalue().decode()


def step_of(seed: bytes, text: str, now_ms: int, last_step: int) -> int | None:
    """
    Return which step *text* is a code of, None where it is of none that may be used now.

    Blanks between the digits are how apps show them. Steps up to *last_step* are spent.
    """
    text = text.replace(" ", "")
    if not _CODE.fullmatch(text):
        return None
    now = now_ms // STEP_MS
    codes = HOTP(shown(seed))
    for step in (now + around for around in _AROUND):
        if hmac.compare_digest(codes.at(step), text) and step > last_step:
            return step
    return None
