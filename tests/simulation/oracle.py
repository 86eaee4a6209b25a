"""
RULES told a second time, from RULES.md alone; nothing of Tenure is imported.

`tests/domain/oracle.py` lives one key forward and forgets what was. Here a box that ran out stays
known, because a refusal has to say why. Instants are ms; addresses and networks are text.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

_address, _network = cache(ip_address), cache(ip_network)


class Rule(NamedTuple):
    """One row of the rulebook; *lasts* is (unrestricted, restricted), ms or a word."""

    name: str
    since: int
    permissions: Sequence[str]
    lasts: tuple[int | str, int | str]
    key_types: Sequence[str] = ("hmac", "rsa", "ed25519")
    kinds: Sequence[str] = ("normal", "master", "sub")


class Box(NamedTuple):
    """A permission ticked, until *end* by *rule*, or for good."""

    since: int
    end: int | None = None
    rule: str | None = None


class Key(NamedTuple):
    """A key as its owner's acts have left it."""

    account: str
    kind: str
    key_type: str
    nets: frozenset[str] = frozenset()
    boxes: Mapping[str, Box] = {}
    revoked: int | None = None


def on(boxes: Mapping[str, Box], now: int) -> set[str]:
    """Return what is ticked: at the end it is off, one millisecond earlier on (R10)."""
    return {name for name, box in boxes.items() if box.end is None or now < box.end}


def in_force(key: Key, p: str, rules: Sequence[Rule], now: int) -> Rule:
    """Return the rule that judges *p* on *key* (R1, R13); one that changes nothing if none does."""
    known = [rule for rule in rules if rule.since <= now and p in rule.permissions]
    known = [rule for rule in known if key.key_type in rule.key_types and key.kind in rule.kinds]
    return max(known, key=lambda rule: rule.since, default=Rule("", 0, [], ("ever", "ever")))


def settle(
    key: Key, wishes: Mapping[str, object], nets: frozenset[str], rules: Sequence[Rule], now: int
) -> Mapping[str, Box] | None:
    """Return the boxes once *wishes* and *nets* are saved, or None where that is not allowed."""
    was, boxes = on(key.boxes, now), dict[str, Box]()
    if nets == key.nets and all(wish is (p in was) for p, wish in wishes.items()):
        return key.boxes  # No edit of permissions: nobody is judged (R5).
    for p in sorted({*key.boxes, *wishes}):
        old, wish, rule = key.boxes.get(p), wishes.get(p), in_force(key, p, rules, now)
        lasts = rule.lasts[bool(nets)]
        fresh = Box(now, now + lasts, rule.name) if isinstance(lasts, int) else Box(now)
        if wish == "renew" or (wish is True and p not in was):  # R3, R7
            if lasts == "not_allowed":
                return None  # R12
            boxes[p] = fresh
        elif old and wish is not False and p not in was:
            boxes[p] = old  # R10
        elif old and wish is not False and lasts != "not_allowed":  # R12
            end = None if nets and not key.nets else old.end  # R8
            opens = key.nets and not nets and fresh.end and end and fresh.end < end
            boxes[p] = fresh if end is None or opens else old  # R6, R9
            boxes[p] = boxes[p]._replace(since=old.since)
    left, reading = on(boxes, now), wishes.get("reading")
    bare = {p for p in left if p not in was or wishes.get(p) == "renew"}
    bare |= left if "reading" in was and reading is False else set()
    return None if bare and "reading" not in left else boxes  # Ticking requires it (catalog).


def verdict(key: Key, frozen: int | None, p: str, caller: str, now: int) -> tuple[str, int | None]:
    """Return `allowed` and until when, or why not and since when."""
    address, box = _address(caller), key.boxes.get(p)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if key.revoked is not None:  # R14
        return "key_revoked", key.revoked
    if frozen is not None:
        return "account_frozen", frozen
    if key.nets and not any(address in _network(net) for net in key.nets):
        return "ip_not_allowed", None
    if box is None:
        return "permission_missing", None
    return "allowed" if p in on({p: box}, now) else "permission_expired", box.end
