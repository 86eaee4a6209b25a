"""
What there should be: every key, account and rule, and what the journal should say of them.

Keys are settled and judged by `oracle`; here is what lies around one key: time (R15), stamps and
confirmation (R11), accounts (R14, R16), and one event a change. Nothing of Tenure is imported.
"""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import NamedTuple, TypeAlias

from tests.simulation.oracle import Box, Key, Rule, in_force, on, settle, verdict

STAMP_GOOD_FOR_MS = 600_000
BACKWARDS_MS_MAX = 1_000

Said: TypeAlias = list[tuple[str, str, str]]
"""What is said of a permission first: its id, what happens to it, and by which rule."""


class Wish(NamedTuple):
    """What an owner asks of a key; None leaves alone."""

    boxes: Mapping[str, bool | str]
    nets: frozenset[str] | None = None
    label: str | None = None


class Mark(NamedTuple):
    """Keys of *label* and of *tree* (None: any) issued before then are revoked."""

    label: str | None
    tree: str | None
    before: int


class Stamp(NamedTuple):
    """When a plan was shown, and all it stood on."""

    shown_at: int
    stood_on: object


class Ledger:
    """Acts return `done` or why not."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """*rules* is the rulebook at the start."""
        self.rules = list(rules)
        self.masters: dict[str, str | None] = {}
        self.kinds: dict[str, str] = {}
        self.frozen: dict[str, int] = {}
        self.keys: dict[str, Key] = {}
        self.labels: dict[str, str] = {}
        self.changes: list[tuple[str, str, int]] = []
        """(tag, key or account or rule, when) of each, in order."""
        self.lapses: set[tuple[str, str, int]] = set()
        """(key, permission, end) of each term that ran out while it was held."""
        self.issued: dict[str, int] = {}
        self.marks: list[Mark] = []
        self._versions: dict[str, int] = {}
        self._seen = 0
        self.was_restarted = False
        """Set by whoever starts Tenure again."""

    def now(self, wall_ms: int) -> int | None:
        """Time never runs back: it stands for a second, then nobody decides or acts (R15)."""
        if self.was_restarted:
            # A key issued in the very millisecond of a mark is dated just past it, and a start
            # takes for the past whatever is on record.
            self._seen = max([self._seen, *(at_ms for _, _, at_ms in self.changes)])
            self.was_restarted = False
        self._seen = max(self._seen, wall_ms)
        return self._seen if self._seen - wall_ms <= BACKWARDS_MS_MAX else None

    def create(self, account: str, kind: str, master: str | None, now: int) -> None:
        """Open an account."""
        self.masters[account], self.kinds[account] = master, kind
        self.changes.append(("account:created", account, now))

    def freeze(self, account: str, now: int, *, frozen: bool) -> None:
        """Freeze or unfreeze; twice is once."""
        if frozen is (account in self.frozen):
            return
        if frozen:
            self.frozen[account] = now
        else:
            del self.frozen[account]
        tag = "account:frozen" if frozen else "account:unfrozen"
        self.changes.append((tag, account, now))

    def adopt(self, rule: Rule, now: int) -> str:
        """Add a rule; two for the same grants at one instant leave nobody to say which holds."""
        for other in self.rules:
            if other.since == rule.since and all(
                set(mine) & set(others)
                for mine, others in zip(_reach(rule), _reach(other), strict=True)
            ):
                return "rule_contested"
        self.rules.append(rule)
        self.changes.append(("rule:added", rule.name, now))
        return "done"

    def plan_issue(self, account: str, key_type: str, wish: Wish, now: int) -> Key | None:
        """Return the key that would be issued, or None (R2, R3, R12, R18)."""
        nets = wish.nets or frozenset()
        key = Key(account, self.kinds[account], key_type, nets)
        wishes = {"reading": True, **wish.boxes}
        if is_refused(key_type, wishes, nets):
            return None
        boxes = settle(key, wishes, nets, self.rules, now)
        return None if boxes is None else key._replace(boxes=boxes)

    def issue(self, key_id: str, key: Key, label: str, now: int) -> None:
        """Issue *key* as planned."""
        self.keys[key_id], self.labels[key_id], self._versions[key_id] = key, label, 1
        self.issued[key_id] = now
        self.changes.append(("key:issued", key_id, now))

    def preview(self, key_id: str, wish: Wish, now: int) -> tuple[Said, Stamp] | str:
        """Return what would be said first and the stamp that confirms it, or why not."""
        key = self.keys[key_id]
        boxes = self._settled(key, wish, now)
        if isinstance(boxes, str):
            return boxes
        if wish.label not in {None, self.labels[key_id]} and any(
            self._is_met(mark, key_id, wish.label or "") for mark in self.marks
        ):
            return "invalid"  # It would join keys that were revoked together.
        said = [] if boxes is key.boxes else self._said(key, boxes, wish, now)
        held = frozenset(on(key.boxes, now))
        stood_on = (key_id, self._versions[key_id], len(self.rules), wish, held, said)
        return said, Stamp(now, stood_on)

    def edit(self, key_id: str, wish: Wish, stamp: Stamp | None, now: int) -> str:
        """Save *wish*, if it needs no stamp or the one it comes with still holds (R11)."""
        key = self.keys[key_id]
        shown = self.preview(key_id, wish, now)
        if isinstance(shown, str):
            return shown
        said, fresh = shown
        if stamp is None and needs_confirmation(said):
            return "confirmation_required"
        if stamp and not (
            stamp.stood_on == fresh.stood_on and 0 <= now - stamp.shown_at <= STAMP_GOOD_FOR_MS
        ):
            return "stale"
        boxes = self._settled(key, wish, now)
        assert not isinstance(boxes, str)
        after = key._replace(boxes=boxes, nets=key.nets if wish.nets is None else wish.nets)
        label = self.labels[key_id] if wish.label is None else wish.label
        if after != key or label != self.labels[key_id]:
            self._lapse(key_id, now)
            self.labels[key_id] = label
            self._change("key:edited", key_id, after, now)
        return "done"

    def rotate(self, key_id: str, now: int) -> str:
        """Give a key another proof of possession; its boxes stay."""
        if self.keys[key_id].revoked is not None:
            return "revoked"
        self._change("key:rotated", key_id, self.keys[key_id], now)
        return "done"

    def revoke(self, key_id: str, now: int) -> None:
        """End a key for good; twice is once (R14)."""
        if self.keys[key_id].revoked is None:
            self._lapse(key_id, now)
            self._change("key:revoked", key_id, self.keys[key_id]._replace(revoked=now), now)

    def issuable(self, now: int) -> int:
        """Return when a key asked for at *now* counts as issued: after whatever marks cover."""
        return max([now, *(mark.before for mark in self.marks)])

    def meant(self, label: str | None, tree: str | None, before: int | None) -> list[str]:
        """Look at each key: which are alive and met by all that is given."""
        mark = Mark(label, tree, before or max([0, *self.issued.values()]) + 1)
        return [
            key_id
            for key_id, key in self.keys.items()
            if key.revoked is None and self._is_met(mark, key_id, self.labels[key_id])
        ]

    def strike(self, label: str | None, tree: str | None, before: int | None, now: int) -> None:
        """Revoke all of them, one after the other, as nobody in Tenure does (SECURITY D17)."""
        meant = self.meant(label, tree, before)
        if not meant:
            return
        newest = max(self.issued[key_id] for key_id in meant)
        self.marks.append(Mark(label, tree, before or max(now, newest) + 1))
        for key_id in meant:
            self.keys[key_id] = self.keys[key_id]._replace(revoked=now)
        self.changes.append(("keys:revoked", tree or "", now))

    def _is_met(self, mark: Mark, key_id: str, label: str) -> bool:
        own = self.keys[key_id].account
        return (
            self.issued[key_id] < mark.before
            and mark.label in {None, label}
            and mark.tree in {None, own, self.masters[own]}
        )

    def lapse_all(self, now: int) -> None:
        """Note every term that ran out by *now*."""
        for key_id in self.keys:
            self._lapse(key_id, now)

    def verdict(
        self, key_id: str, permission: str, caller: str, now: int
    ) -> tuple[str, int | None]:
        """Return what a request proved to come from *key_id* is told at *now*."""
        return verdict(self.keys[key_id], self._frozen(key_id), permission, caller, now)

    def is_alive(self, key_id: str) -> bool:
        """Whether *key_id* is neither revoked nor frozen."""
        return self.keys[key_id].revoked is None and self._frozen(key_id) is None

    def instants(self) -> list[int]:
        """Return every instant at which something ends or takes effect."""
        ends = {b.end for key in self.keys.values() for b in key.boxes.values() if b.end}
        return sorted(ends | {rule.since for rule in self.rules})

    def _frozen(self, key_id: str) -> int | None:
        own = self.keys[key_id].account
        return next((self.frozen[a] for a in (own, self.masters[own]) if a in self.frozen), None)

    def _settled(self, key: Key, wish: Wish, now: int) -> Mapping[str, Box] | str:
        nets = key.nets if wish.nets is None else wish.nets
        if is_refused(key.key_type, {}, nets):
            return "invalid"
        if key.revoked is not None:
            return "revoked"
        boxes = settle(key, wish.boxes, nets, self.rules, now)
        if boxes is None or is_refused(key.key_type, wish.boxes, nets):
            return "invalid"
        return boxes

    def _said(self, key: Key, boxes: Mapping[str, Box], wish: Wish, now: int) -> Said:
        was, left, said = on(key.boxes, now), on(boxes, now), Said()
        for p in sorted(was | left):
            old, new = key.boxes.get(p), boxes.get(p)
            rule = in_force(key, p, self.rules, now).name
            if new is None or p not in left:
                said.append((p, "removed" if wish.boxes.get(p) is False else "lost", rule))
            elif p not in was:
                said.append((p, "starts" if new.end else "granted", new.rule or rule))
            elif old and (old.end, old.rule) != (new.end, new.rule):
                kind = "starts" if new.end else "lifted"
                if old.end and new.end and new.end < old.end:
                    kind = "shortened"
                said.append((p, kind, new.rule or rule))
        return said

    def _change(self, tag: str, key_id: str, after: Key, now: int) -> None:
        self.keys[key_id] = after
        self._versions[key_id] += 1
        self.changes.append((tag, key_id, now))

    def _lapse(self, key_id: str, now: int) -> None:
        boxes = self.keys[key_id].boxes
        for p in boxes.keys() - on(boxes, now):
            self.lapses.add((key_id, p, boxes[p].end or 0))


def is_refused(key_type: str, wishes: Mapping[str, object], nets: frozenset[str]) -> bool:
    """Whether a network is nearly open (R2), or FIX is asked of a key that is not Ed25519."""
    wide = any(net.prefixlen < (16 if net.version == 4 else 32) for net in map(ip_network, nets))
    return wide or (key_type != "ed25519" and any(wishes[p] for p in wishes if p[:4] == "fix_"))


def needs_confirmation(said: Said) -> bool:
    """Whether a term starts or is shortened, or something goes as a side effect (R11)."""
    return any(kind in {"starts", "shortened", "lost"} for _, kind, _ in said)


def _reach(rule: Rule) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    return rule.permissions, rule.key_types, rule.kinds
