"""
Stamps: by what somebody who was shown a plan confirms exactly that plan (RULES R11).

A stamp names the instant of the preview and a digest of everything the plan was worked out from.
What those inputs are is the business of `plans` and `rule_plans`; nothing is stored in between.
"""

import hashlib

from tenure.domain.errors import Conflict

STAMP_GOOD_FOR_MS = 600_000
"""How long a shown plan may be confirmed: 10 minutes (RULES R11)."""


def stamp_of(inputs: str, previewed_at_ms: int) -> str:
    """Return what confirms a plan worked out from *inputs* and shown at *previewed_at_ms*."""
    digest = hashlib.sha256(f"{previewed_at_ms}|{inputs}".encode()).hexdigest()
    return f"{previewed_at_ms:x}-{digest[:32]}"


def require_current(stamp: str, inputs: str, now_ms: int, *, plan: object = None) -> None:
    """
    Return if *stamp* confirms at *now_ms* a plan worked out from *inputs*.

    Raises Conflict `stale`, with *plan* to be shown anew, if it names other inputs or is over 10
    minutes old.
    """
    previewed_at_ms = _previewed_at_ms(stamp)
    if previewed_at_ms is None or stamp != stamp_of(inputs, previewed_at_ms):
        raise Conflict("stale", "something changed since this plan was shown", plan=plan)
    if not 0 <= now_ms - previewed_at_ms <= STAMP_GOOD_FOR_MS:
        raise Conflict("stale", "this plan was shown over 10 minutes ago", plan=plan)


def _previewed_at_ms(stamp: str) -> int | None:
    instant, dash, digest = stamp.partition("-")
    is_hex = len(instant) <= 16 and all(sign in "0123456789abcdef" for sign in instant)  # noqa: PLR2004 - 64 bits
    return int(instant, 16) if dash and digest and instant and is_hex else None
