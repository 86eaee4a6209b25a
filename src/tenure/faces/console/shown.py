"""
A key as a page shows it: boxes with their ends, addresses, what is wrong with it, in words.

Values for templates; what is on is the decision now, so an ended term shows unticked whether or not
anybody swept it (RULES R10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tenure.domain import apikeys
from tenure.domain.catalog import Offer
from tenure.domain.model import AccountId, AccountKind, ApiKey, Grant, KeyId, KeyStatus, KeyType
from tenure.domain.rules import Rule, Rulebook
from tenure.domain.usage import LastUsed
from tenure.faces.console.words import Words
from tenure.services.languages import Language

DAY_MS: Final = 86_400_000
_SOON_MS: Final = 7 * DAY_MS
_LAST_MS: Final = 3_600_000
"""Where the rule that set a term names no lead time: the longest and the last of the usual ones."""

_RECENT_MS: Final = 14 * DAY_MS
"""How long a lapse is news: two weeks, in which whoever needs the permission has missed it."""


class State(StrEnum):
    """How a box stands."""

    ON = "on"
    """Ticked, without an end."""
    TERM = "term"
    """Ticked, with an end to come."""
    SOON = "soon"
    """The same, from the first warning on: inside the rule's longest lead time."""
    LAST = "last"
    """The same, inside the last lead time: there will be no further warning."""
    ENDED = "ended"
    """Its term has ended: unticked by the rule."""
    OFF = "off"


DATED: Final = frozenset({State.TERM, State.SOON, State.LAST})
"""The states of a box that is ticked and will end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One permission of one key."""

    permission: str
    label: str
    state: State
    when: str
    """How it stands and, where its term has ended, what to do about it."""
    stands: str
    """How it stands, no more."""
    ends_at_ms: int | None
    rule_id: str | None
    warning: str
    needs: tuple[str, ...]
    length: str
    """How long it lasts on a key that any address may use, in words; empty where it has no end."""
    needs_trusted: bool
    """Whether the rule in force does not allow it on a key that any address may use."""
    only_types: tuple[str, ...]
    """The key types that may hold it, where this key's is none of them."""
    is_older: bool
    """Whether it has no end only for being older than the rule, which ends it once it is edited."""
    is_held_back: bool
    """Whether it is on and the key's quarantine does not let it act, but for cancelling."""

    @property
    def is_dated(self) -> bool:
        """Whether it is on now and will end."""
        return self.state in DATED

    @property
    def is_soon(self) -> bool:
        """Whether its end was warned of already."""
        return self.state in {State.SOON, State.LAST}

    @property
    def is_ticked(self) -> bool:
        """Whether it is on now."""
        return self.state in {State.ON, *DATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One key."""

    key: ApiKey
    masked: str
    boxes: tuple[Box, ...]
    last_used: LastUsed | None
    overlap_until_ms: int | None

    @property
    def is_alive(self) -> bool:
        """Whether anything can still be done with it."""
        return self.key.status is not KeyStatus.REVOKED

    @property
    def dated(self) -> tuple[Box, ...]:
        """The boxes with an end to come, the first to end first."""
        running = [box for box in self.boxes if box.state in DATED]
        return tuple(sorted(running, key=lambda box: box.ends_at_ms or 0))

    @property
    def unticked(self) -> tuple[Box, ...]:
        """The boxes that a rule has unticked."""
        return tuple(box for box in self.boxes if box.state is State.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapses:
    """What rules have unticked, the last to end first: each a card and its box."""

    recent: Sequence[tuple[Card, Box]]
    older: Sequence[tuple[Card, Box]]
    """Those that ended longer ago than _RECENT_MS: old news, and never out of reach."""


def lapses(cards: Sequence[Card], now_ms: int) -> Lapses:
    """Return what has lapsed on *cards*, over all of them."""
    found = sorted(
        ((card, box) for card in cards for box in card.unticked),
        key=lambda item: -(item[1].ends_at_ms or 0),
    )
    recent = [item for item in found if now_ms - (item[1].ends_at_ms or 0) <= _RECENT_MS]
    return Lapses(recent=recent, older=found[len(recent) :])


class Shown:
    """Shows keys as of one instant, in one language."""

    def __init__(self, words: Words, language: Language, rulebook: Rulebook, now_ms: int) -> None:
        """*rulebook* has the titles and lead times of rules."""
        self._words, self._language = words, language
        self._rulebook, self._now_ms = rulebook, now_ms

    def cards(self, keys: Sequence[ApiKey], uses: Mapping[str, LastUsed]) -> list[Card]:
        """Show keys: those that can act first, the newest first."""
        order = sorted(keys, key=lambda key: (key.revoked_at_ms is not None, -key.issued_at_ms))
        return [self.card(key, uses.get(key.key_id)) for key in order]

    def card(self, key: ApiKey, last_used: LastUsed | None = None) -> Card:
        """Show one key."""
        overlap = key.overlap
        is_overlapping = overlap is not None and self._now_ms < overlap.until_ms
        return Card(
            key=key,
            masked=apikeys.mask(key.api_key),
            boxes=tuple(self._box(key, offer) for offer in self._words.catalog.offers.values()),
            last_used=last_used,
            overlap_until_ms=overlap.until_ms if overlap is not None and is_overlapping else None,
        )

    def offers(self, key_type: KeyType, kind: AccountKind) -> tuple[Box, ...]:
        """Show the boxes of a key of that type which is not there yet: none is ticked."""
        empty = ApiKey(
            key_id=KeyId(""),
            api_key="",
            account_id=AccountId(""),
            account_kind=kind,
            label="",
            key_type=key_type,
            issued_at_ms=self._now_ms,
            edited_at_ms=self._now_ms,
        )
        return self.card(empty).boxes

    def _box(self, key: ApiKey, offer: Offer) -> Box:
        grant = key.grants.get(offer.permission)
        state = self._state(grant)
        if key.revoked_at_ms is not None and state is not State.ENDED:
            state = State.OFF
        term = grant.term if grant else None
        ends_at_ms, rule_id = (term.ends_at_ms, term.rule_id) if term else (0, "")
        when = stands = self._when(state, ends_at_ms, rule_id)
        if state is State.ENDED:
            stands = self._language.say("box.has_ended", end=self._language.moment(ends_at_ms))
        return Box(
            permission=offer.permission,
            label=self._words.permission(offer.permission, self._language),
            state=state,
            # A key that was revoked is ticked no more: nothing is to be done about it.
            when=when if key.revoked_at_ms is None else stands,
            stands=stands,
            ends_at_ms=term.ends_at_ms if term else None,
            rule_id=term.rule_id if term else None,
            warning=self._words.warning(offer.permission, self._language),
            needs=tuple(self._words.permission(need, self._language) for need in offer.requires),
            length=self._length(key, offer),
            needs_trusted=self._needs_trusted(key, offer),
            only_types=()
            if key.key_type in offer.key_types
            else tuple(sorted(str(each) for each in offer.key_types)),
            is_older=state is State.ON and self._ends_once_edited(key, offer),
            is_held_back=state in {State.ON, *DATED}
            and key.quarantine is not None
            and not offer.kept_in_quarantine,
        )

    def _ends_once_edited(self, key: ApiKey, offer: Offer) -> bool:
        rule = self._in_force(key, offer)
        return rule is not None and isinstance(rule.lifetime(restricted=bool(key.allowlist)), int)

    def _length(self, key: ApiKey, offer: Offer) -> str:
        rule = self._in_force(key, offer)
        lifetime = rule.unrestricted if rule else None
        return self._language.length(lifetime) if isinstance(lifetime, int) else ""

    def _needs_trusted(self, key: ApiKey, offer: Offer) -> bool:
        rule = self._in_force(key, offer)
        return rule is not None and not rule.allows(restricted=False)

    def _in_force(self, key: ApiKey, offer: Offer) -> Rule | None:
        return self._rulebook.in_force(
            offer.permission, key.key_type, key.account_kind, self._now_ms
        )

    def _state(self, grant: Grant | None) -> State:
        if grant is None:
            return State.OFF
        if grant.has_ended(self._now_ms):
            return State.ENDED
        if grant.term is None:
            return State.ON
        rule = self._rulebook.rule(grant.term.rule_id)
        leads_ms = (rule.notify_before_ms if rule else ()) or (_SOON_MS, _LAST_MS)
        left_ms = grant.term.ends_at_ms - self._now_ms
        if left_ms <= min(leads_ms):
            return State.LAST
        return State.SOON if left_ms <= max(leads_ms) else State.TERM

    def _when(self, state: State, ends_at_ms: int, rule_id: str) -> str:
        language = self._language
        if state in DATED:
            left = language.left(ends_at_ms - self._now_ms)
            return language.say("box.ends", left=left, end=language.moment(ends_at_ms))
        if state is State.ENDED:
            rule = self._rulebook.rule(rule_id) if rule_id else None  # type: ignore[arg-type]  # as stored
            lifetime = rule.unrestricted if rule else None
            if isinstance(lifetime, int) and lifetime % DAY_MS == 0:
                days = language.number(lifetime // DAY_MS)
                return language.say("box.ended", end=language.moment(ends_at_ms), days=days)
            return language.say("box.ended_by_rule", end=language.moment(ends_at_ms))
        return language.say(f"box.{state}")
