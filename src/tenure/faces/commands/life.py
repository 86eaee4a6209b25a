"""
The worked life of one key (RULES, "One key's life, worked"): thirteen rows, as values.

Each row is an act, and what trading is afterwards. Living them against a server is in `living`.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from typing_extensions import override

from tenure.domain import documents, wording

TRADING: Final = "spot_margin_trading"
TRUSTED: Final = "203.0.113.7"
"""The address that the life's key comes to be restricted to (RFC 5737: nobody's)."""

Act: TypeAlias = Literal["issue", "edit", "revoke", "wait"]


@dataclass(frozen=True, slots=True)
class Trading:
    """Whether a bot may trade, until when (ms, UTC; None: no end shown), and why it may not."""

    is_on: bool
    ends_at_ms: int | None = None
    reason: str | None = None

    def later(self, now_ms: int) -> "Trading":
        """Return what becomes of it by *now_ms* when nobody does anything."""
        if self.is_on and self.ends_at_ms is not None and now_ms >= self.ends_at_ms:
            return EXPIRED
        return self

    @override
    def __str__(self) -> str:
        if not self.is_on:
            return f"off, {self.reason}"
        if self.ends_at_ms is None:
            return "on, no end"
        return f"on until {wording.instant(self.ends_at_ms).removesuffix(':00 UTC')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One row: *at* that instant (UTC) somebody does *act*; *trading* is what it leads to.

    *sent* is the body of the edit. *asks* tells whether a pop-up must come first. *is_restricted*
    is the key afterwards.
    """

    number: int
    at: str
    says: str
    act: Act
    trading: Trading
    sent: Mapping[str, object] = field(default_factory=dict)
    asks: bool = False
    is_restricted: bool = False

    @property
    def at_ms(self) -> int:
        """The instant, in ms, UTC."""
        return ms(self.at)

    @property
    def is_lapse(self) -> bool:
        """Whether trading ends here although nobody does anything."""
        return self.act == "wait" and self.trading == EXPIRED


def ms(text: str) -> int:
    """Return the instant `2021-12-31 10:05:00.000` (UTC; seconds may be left out) in ms."""
    moment = datetime.datetime.fromisoformat(text)
    return documents.instant_ms(moment.replace(tzinfo=datetime.UTC))


def _on(until: str | None = None) -> Trading:
    return Trading(is_on=True, ends_at_ms=ms(until) if until else None)


EXPIRED: Final = Trading(is_on=False, reason="permission_expired")
REVOKED: Final = Trading(is_on=False, reason="key_revoked")


def _row(  # noqa: PLR0913 - a row has as many columns
    number: int,
    at: str,
    says: str,
    trading: Trading,
    *,
    act: Act = "edit",
    asks: bool = False,
    is_restricted: bool = False,
    **sent: object,
) -> Row:
    return Row(
        number=number,
        at=at,
        says=says,
        act=act,
        trading=trading,
        sent=sent,
        asks=asks,
        is_restricted=is_restricted,
    )


STARTS: Final = "2021-07-01T12:00:00Z"
"""Where the sandbox's clock has to start for this life."""

ROWS: Final = (
    _row(1, "2021-07-01 12:00", "key issued, no IPs, trading ticked", _on(), act="issue"),
    _row(2, "2021-07-09 00:00", "rule takes effect", _on(), act="wait"),
    _row(3, "2021-12-01 10:00", "label changed", _on(), label="renamed"),
    _row(
        4,
        "2021-12-01 10:05",
        "futures ticked, confirmed",
        _on("2021-12-31 10:05"),
        asks=True,
        permissions={"futures": True},
    ),
    _row(
        5,
        "2021-12-10 09:00",
        "futures unticked",
        _on("2021-12-31 10:05"),
        permissions={"futures": False},
    ),
    _row(6, "2021-12-31 10:04:59.999", "order", _on("2021-12-31 10:05"), act="wait"),
    _row(7, "2021-12-31 10:05:00.000", "order", EXPIRED, act="wait"),
    _row(
        8,
        "2022-01-02 08:00",
        f"IP {TRUSTED} added, trading not ticked",
        EXPIRED,
        is_restricted=True,
        ip_allowlist=[TRUSTED],
    ),
    _row(
        9,
        "2022-01-02 08:01",
        "trading ticked",
        _on(),
        is_restricted=True,
        permissions={TRADING: True},
    ),
    _row(
        10,
        "2022-02-01 08:00",
        "last IP removed, confirmed",
        _on("2022-03-03 08:00"),
        asks=True,
        ip_allowlist=[],
    ),
    _row(
        11,
        "2022-02-20 08:00",
        "renewed, confirmed",
        _on("2022-03-22 08:00"),
        asks=True,
        permissions={TRADING: "renew"},
    ),
    _row(12, "2022-03-01 08:00", "IP added", _on(), is_restricted=True, ip_allowlist=[TRUSTED]),
    _row(13, "2022-03-02 08:00", "revoked", REVOKED, act="revoke", is_restricted=True),
)
