"""
RULES told a second time, by living through them: what the properties measure the domain by.

Nothing here knows the domain's modules, and nothing here foresees: a box is ticked or not, some
count down, and `advance` unticks those whose time is up, as a system would that acts on time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

Lifetime: TypeAlias = int | Literal["unlimited", "not_allowed"]
Name = TypeVar("Name", bound=str)
Wish: TypeAlias = bool | Literal["renew"]

REQUIRES = {"spot_margin_trading", "futures", "withdrawals"}
"""The permissions whose ticking requires `reading`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule: from *since_ms* on, how long *permissions* last without and with addresses."""

    since_ms: int
    permissions: frozenset[str]
    unrestricted: Lifetime
    restricted: Lifetime


@dataclass(frozen=True, slots=True)
class Box:
    """A ticked box, counting *lasts_ms* down from *since_ms*, or not counting (None)."""

    since_ms: int
    lasts_ms: int | None

    def left_ms(self, now_ms: int) -> int | None:
        """Return what is left on the count."""
        return None if self.lasts_ms is None else self.since_ms + self.lasts_ms - now_ms


class Oracle:
    """One key. Instants handed to it never decrease."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """*rows* is the rulebook, in any order."""
        self._rows = rows
        self._ticked: dict[str, Box] = {}
        self._addresses: tuple[str, ...] = ()

    def advance(self, now_ms: int) -> set[str]:
        """Let time pass until *now_ms*, unticking what ran out; return what is still ticked."""
        for permission, box in list(self._ticked.items()):
            left_ms = box.left_ms(now_ms)
            if left_ms is not None and left_ms <= 0:
                del self._ticked[permission]  # Off, and nobody remembers it was ever on.
        return set(self._ticked)

    def issue(self, wanted: set[str], addresses: tuple[str, ...], now_ms: int) -> bool:
        """Issue the key; return whether that was possible."""
        self._addresses = addresses
        return self.edit(dict.fromkeys({"reading"} | wanted, True), addresses, now_ms)

    def edit(
        self, wishes: Mapping[Name, Wish], addresses: tuple[str, ...] | None, now_ms: int
    ) -> bool:
        """Do what the owner wishes, all of it or, if any of it may not be, nothing."""
        ticked = self.advance(now_ms)
        new_addresses = self._addresses if addresses is None else addresses
        turned_on = {p for p, wish in wishes.items() if wish is True and p not in ticked}
        renewed = {p for p, wish in wishes.items() if wish == "renew"}
        turned_off = {p for p, wish in wishes.items() if wish is False and p in ticked}
        if not turned_on | renewed | turned_off and new_addresses == self._addresses:
            return True

        boxes: dict[str, Box] = {}
        permission: str
        for permission in turned_on | renewed:
            lifetime = self._lifetime(permission, bool(new_addresses), now_ms)
            if lifetime == "not_allowed":
                return False
            boxes[permission] = Box(now_ms, lifetime if isinstance(lifetime, int) else None)
        for permission in ticked - turned_off - renewed:
            box = self._carried(permission, bool(new_addresses), now_ms)
            if box is not None:
                boxes[permission] = box

        if "reading" not in boxes:
            orphans = REQUIRES & boxes.keys()
            if "reading" in turned_off and orphans:
                return False
            if orphans & (turned_on | renewed):
                return False
        self._ticked, self._addresses = boxes, new_addresses
        return True

    def _carried(self, permission: str, restricted: bool, now_ms: int) -> Box | None:  # noqa: FBT001 - the one thing it turns on
        """Return the box of a permission that stays ticked, under the rule of the day."""
        box = self._ticked[permission]
        lifetime = self._lifetime(permission, restricted, now_ms)
        if lifetime == "not_allowed":
            return None
        fresh = Box(now_ms, lifetime) if isinstance(lifetime, int) else None
        if restricted and not self._addresses:
            return fresh or replace(box, lasts_ms=None)
        left_ms = box.left_ms(now_ms)
        if left_ms is None:
            return fresh or box
        if self._addresses and not restricted and fresh and fresh.lasts_ms is not None:
            return fresh if fresh.lasts_ms < left_ms else box
        return box

    def _lifetime(self, permission: str, restricted: bool, now_ms: int) -> Lifetime:  # noqa: FBT001 - as above
        known = [r for r in self._rows if permission in r.permissions and r.since_ms <= now_ms]
        if not known:
            return "unlimited"
        latest = max(known, key=lambda row: row.since_ms)
        return latest.restricted if restricted else latest.unrestricted
