"""
The use of a key, as far as it was noted: when last, from where, and which addresses to name.

Nothing is decided by it. Uses are noted off the hot path and may be lost, so what stands here is a
lower bound: a key was used *at least* then, and from *at least* these addresses. Where uses are
noted and kept is the business of `services.usage`.
"""

import ipaddress
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from tenure.domain import allowlist
from tenure.domain.model import AccountId, KeyId, Permission

ADDRESSES_KEPT = 20
"""Addresses kept for each key, those used last: a key that has more comes from everywhere."""
TOLD_PER_DAY_MAX = 5
"""Events about new addresses for each key and day (UTC); further ones are kept, and not told."""
DAY_MS = 86_400_000
_IPV4_FOLDED, _IPV6_FOLDED = 24, 64
"""What neighbours are folded to: a small network of an office, and the one network of a host."""


class Use(NamedTuple):
    """That a key was used from *address* (canonical text) at *used_at_ms*, under *permission*."""

    key_id: KeyId
    address: str
    permission: Permission
    used_at_ms: int
    by_old_secret: bool = False
    """Proved with what the key had before its rotation (`model.Overlap`)."""


class Seen(NamedTuple):
    """An address, and the first and last noted use from it (ms, UTC)."""

    address: str
    first_used_at_ms: int
    last_used_at_ms: int


class LastUsed(NamedTuple):
    """The last noted use of a key: when (ms, UTC), from where, under which permission."""

    at_ms: int
    address: str
    permission: Permission


class Unused(NamedTuple):
    """A key that was not used of late; *last_used* is None where no use was ever noted."""

    key_id: KeyId
    account_id: AccountId
    label: str
    issued_at_ms: int
    last_used: LastUsed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUsage:
    """
    What is known of one key's use; *addresses* are those used last, the latest first.

    *told_count* events told of new addresses on *told_on_day*, counted from 1970; on
    *old_secret_told_on_day* one told that the secret from before a rotation was used, None: never.
    """

    key_id: KeyId
    first_used_at_ms: int
    last_used_at_ms: int
    last_address: str
    last_permission: Permission
    addresses: tuple[Seen, ...]
    told_on_day: int = 0
    told_count: int = 0
    old_secret_told_on_day: int | None = None


class Folded(NamedTuple):
    """What is known afterwards, and which uses to tell of."""

    usage: KeyUsage
    told: tuple[Use, ...]
    """Those from an address not seen before."""
    old_secret: Use | None = None
    """The first of a day by the secret from before a rotation."""


def fold(known: KeyUsage | None, uses: Sequence[Use]) -> Folded:
    """
    Add *uses*, one or more of one key, to what is *known* of it; the order they come in is nothing.

    Instants only ever spread: an older use never overwrites a later one. A new address is told
    where the key had been used before, a few times a day at most. The addresses of one IPv6 host
    change all the time, so the same /64 is no news.
    """
    ordered = sorted(uses, key=lambda use: (use.used_at_ms, use.address))
    seen = {item.address: item for item in known.addresses} if known else {}
    places = {_place(address) for address in seen}
    day, count = (known.told_on_day, known.told_count) if known else (0, 0)
    told: list[Use] = []
    for use in ordered:
        held = seen.get(use.address, Seen(use.address, use.used_at_ms, use.used_at_ms))
        seen[use.address] = Seen(
            use.address,
            min(held.first_used_at_ms, use.used_at_ms),
            max(held.last_used_at_ms, use.used_at_ms),
        )
        place = _place(use.address)
        if known is not None and place not in places:
            if use.used_at_ms // DAY_MS > day:
                day, count = use.used_at_ms // DAY_MS, 0
            if count < TOLD_PER_DAY_MAX:
                count += 1
                told.append(use)
        places.add(place)
    latest = sorted(seen.values(), key=lambda item: (-item.last_used_at_ms, item.address))
    first, last = ordered[0], ordered[-1]
    if known is None:
        known = KeyUsage(
            key_id=last.key_id,
            first_used_at_ms=first.used_at_ms,
            last_used_at_ms=last.used_at_ms,
            last_address=last.address,
            last_permission=last.permission,
            addresses=(),
        )
    elif last.used_at_ms >= known.last_used_at_ms:
        known = replace(
            known,
            last_used_at_ms=last.used_at_ms,
            last_address=last.address,
            last_permission=last.permission,
        )
    usage = replace(
        known,
        first_used_at_ms=min(known.first_used_at_ms, first.used_at_ms),
        addresses=tuple(latest[:ADDRESSES_KEPT]),
        told_on_day=day,
        told_count=count,
    )
    old_secret = _first_by_old_secret(usage.old_secret_told_on_day, ordered)
    if old_secret is not None:
        usage = replace(usage, old_secret_told_on_day=old_secret.used_at_ms // DAY_MS)
    return Folded(usage, tuple(told), old_secret)


def _first_by_old_secret(told_on_day: int | None, ordered: Sequence[Use]) -> Use | None:
    """Return the first use by an old secret on a day after *told_on_day*, if there is one."""
    for use in ordered:
        if use.by_old_secret and (told_on_day is None or use.used_at_ms // DAY_MS > told_on_day):
            return use
    return None


class Caution(StrEnum):
    """Why a suggested allowlist may be less than what its owner needs."""

    NOTHING_SEEN = "nothing_seen"
    FEW_DAYS = "few_days"
    NOT_ALL_KEPT = "not_all_kept"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """
    Entries that admit the *addresses* a key was used from; none where nothing was seen.

    No entries are no suggestion: as an allowlist they would admit everybody. *cautions* are in
    words, by their names.
    """

    entries: tuple[str, ...]
    addresses: tuple[Seen, ...]
    cautions: dict[Caution, str]


def suggest(usage: KeyUsage | None, *, days: int, entries_max: int, now_ms: int) -> Suggestion:
    """
    Suggest an allowlist from what a key was used from in the last *days*, as of *now_ms*.

    At most *entries_max* entries, as `allowlist.normalise` would save them (RULES R2): addresses as
    they are, those of one IPv6 host as its /64, and where there are too many, neighbours as a /24.
    """
    since_ms = now_ms - days * DAY_MS
    kept = usage.addresses if usage else ()
    addresses = tuple(item for item in kept if item.last_used_at_ms >= since_ms)
    if usage is None or not addresses:
        words = f"no use in the last {days} days is known: nothing can be suggested"
        return Suggestion(entries=(), addresses=(), cautions={Caution.NOTHING_SEEN: words})
    cautions: dict[Caution, str] = {}
    if usage.first_used_at_ms > since_ms:
        known_for = (now_ms - usage.first_used_at_ms) // DAY_MS
        cautions[Caution.FEW_DAYS] = (
            f"its use is known for {known_for} whole days, fewer than the {days} asked about: "
            "addresses it is rarely used from may be missing"
        )
    if len(kept) >= ADDRESSES_KEPT:
        cautions[Caution.NOT_ALL_KEPT] = (
            f"only the {ADDRESSES_KEPT} addresses used last are kept: there may have been more"
        )
    chosen = _folded([item.address for item in addresses], entries_max)
    if len(chosen) > entries_max:
        cautions[Caution.LEFT_OUT] = (
            f"{len(chosen)} entries would be needed and {entries_max} are allowed: those used "
            "longest ago are left out"
        )
    entries = allowlist.normalise(chosen[:entries_max], entries_max=entries_max)
    return Suggestion(entries=entries, addresses=addresses, cautions=cautions)


def _folded(addresses: Sequence[str], entries_max: int) -> list[str]:
    """Return entries for *addresses*, which come the latest first, in the same order."""
    entries = _merged(addresses, lambda text: _network(text) if ":" in text else text)
    if len(entries) <= entries_max:
        return entries
    return _merged(entries, lambda text: _network(text) if _is_single_ipv4(text) else text)


def _merged(entries: Sequence[str], whole: Callable[[str], str]) -> list[str]:
    """Put those of one *whole* together under its name; one alone keeps its own."""
    crowd = Counter(whole(entry) for entry in entries)
    return list(dict.fromkeys(whole(e) if crowd[whole(e)] > 1 else e for e in entries))


def _is_single_ipv4(entry: str) -> bool:
    return ":" not in entry and "/" not in entry


def _network(address: str) -> str:
    prefix = _IPV6_FOLDED if ":" in address else _IPV4_FOLDED
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def _place(address: str) -> str:
    """Return what an address has to be new in to be news."""
    return _network(address) if ":" in address else address
