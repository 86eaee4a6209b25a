"""
Marks: how very many keys are revoked at once, by one row and one event (SECURITY D17, RULES R14).

A mark says "all keys issued before T", of the whole house, of an account and its sub-accounts, of a
label, or of a label within one account tree. Whether a key is covered is decided by comparing when
it was issued, its label and its account with the mark: nobody ever walks through the keys. A mark
is never withdrawn, so that a copy of the keys need only have heard of it.

What a mark would revoke is counted in the store; here is what it says, and how it is confirmed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NewType

from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import AccountId, AccountKind, KeyId
from tenure.domain.plans import STAMP_GOOD_FOR_MS, label_of

MarkId = NewType("MarkId", str)

_DIGEST_BYTES = 16
_STAMP_PARTS = 4
_HEX_DIGITS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """
    Which keys somebody asks to revoke: those that meet all that is given, at least one thing.

    *label* is met exactly; *account_id* by its own keys and, of a master, its sub-accounts';
    *issued_before_ms* (ms, UTC) by keys issued earlier than that, None by all there are.
    """

    label: str | None = None
    account_id: AccountId | None = None
    issued_before_ms: int | None = None

    @classmethod
    def of(
        cls, label: str | None, account_id: str | None, issued_before_ms: int | None
    ) -> "Selection":
        """Return the selection somebody typed; raises Invalid where it names nothing."""
        if label is None and account_id is None and issued_before_ms is None:
            raise Invalid("label", "name a label, an account, or an instant: nothing is selected")
        return cls(
            label=None if label is None else label_of(label),
            account_id=None if account_id is None else AccountId(account_id),
            issued_before_ms=issued_before_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """
    All keys of *label* and of the tree of *account_id* (None: any) issued earlier than then.

    They are revoked since *made_at_ms*; both instants are ms, UTC.
    """

    mark_id: MarkId
    label: str | None
    account_id: AccountId | None
    issued_before_ms: int
    made_at_ms: int


class Reach(NamedTuple):
    """A mark as deciding needs it: whose keys, issued before when, revoked since when."""

    label_digest: bytes | None
    account_id: str | None
    issued_before_ms: int
    made_at_ms: int


class Marks:
    """All marks, so arranged that asking about a key costs the same however many there are."""

    def __init__(self, found: Iterable[Reach] = ()) -> None:
        """Take the *found*, in any order."""
        self._by: dict[tuple[bytes | None, str | None], list[tuple[int, int]]] = {}
        for reach in sorted(found, key=lambda reach: reach.made_at_ms):
            known = self._by.setdefault((reach.label_digest, reach.account_id), [])
            # A later mark that reaches no further covers nothing that is not covered already.
            if not known or reach.issued_before_ms > known[-1][0]:
                known.append((reach.issued_before_ms, reach.made_at_ms))

    def revoked_at_ms(
        self, issued_at_ms: int, label_digest: bytes, account_id: str, master_id: str | None
    ) -> int | None:
        """Return since when (ms, UTC) a key is revoked by a mark, None where none covers it."""
        if not self._by:
            return None
        since_ms: int | None = None
        for digest in (None, label_digest):
            for tree in {None, account_id, master_id}:
                for before_ms, made_at_ms in self._by.get((digest, tree), ()):
                    if issued_at_ms < before_ms and (since_ms is None or made_at_ms < since_ms):
                        since_ms = made_at_ms
        return since_ms


def digest_of(label: str) -> bytes:
    """Return what stands for a *label* where only equality matters: 16 bytes of its SHA-256."""
    return hashlib.sha256(label.encode()).digest()[:_DIGEST_BYTES]


def reach_of(mark: Mark) -> Reach:
    """Return *mark* as deciding needs it."""
    digest = None if mark.label is None else digest_of(mark.label)
    return Reach(digest, mark.account_id, mark.issued_before_ms, mark.made_at_ms)


class Example(NamedTuple):
    """One of the keys a mark would revoke, to recognise them by."""

    key_id: KeyId
    account_id: AccountId
    label: str
    issued_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkPlan:
    """
    What a mark would revoke: how many keys, of which kinds of account, and some of them.

    Keys that are revoked already are not counted. *newest_issued_at_ms* is when the last of them
    was issued (ms, UTC), 0 where there is none.
    """

    selection: Selection
    by_kind: Mapping[AccountKind, int]
    newest_issued_at_ms: int
    examples: tuple[Example, ...] = ()

    @property
    def matched(self) -> int:
        """How many keys it would revoke."""
        return sum(self.by_kind.values())

    def before_ms(self, now_ms: int) -> int:
        """
        Return the instant every key concerned was issued before, if the mark is made at *now_ms*.

        Without one asked for it is just past all there are: a clock may stand still, in a sandbox
        for ever, and a key issued in this very millisecond is one of them.
        """
        asked_ms = self.selection.issued_before_ms
        return max(now_ms, self.newest_issued_at_ms) + 1 if asked_ms is None else asked_ms

    def stamp(self, previewed_at_ms: int) -> str:
        """Return what somebody who saw this plan at *previewed_at_ms* confirms it with."""
        return _stamp(self.selection, previewed_at_ms, self.matched, self.newest_issued_at_ms)

    def require_confirmed(self, stamp: str | None, now_ms: int) -> None:
        """
        Raise Conflict unless *stamp* confirms this plan: `confirmation_required` or `stale`.

        A stamp holds while the mark would revoke no more keys than were shown, and none issued
        after them. Fewer is no surprise, and in a busy house keys are revoked all the time: who
        has to stop a leak must not be told "something changed" for ever.
        """
        if stamp is None:
            raise Conflict(
                "confirmation_required",
                "this revokes keys for good: look at what it would revoke, and send the stamp",
                plan=self,
            )
        shown = _shown(stamp)
        if shown is None or stamp != _stamp(self.selection, *shown):
            raise Conflict("stale", "this stamp is not of what is asked for", plan=self)
        previewed_at_ms, matched, newest_ms = shown
        if self.matched > matched or self.newest_issued_at_ms > newest_ms:
            raise Conflict("stale", "it would revoke more keys than were shown", plan=self)
        if not 0 <= now_ms - previewed_at_ms <= STAMP_GOOD_FOR_MS:
            raise Conflict("stale", "this was shown over 10 minutes ago", plan=self)


def mark_state(mark: Mark) -> dict[str, object]:
    """Return *mark* as JSON values, the shape of its event's body."""
    return {
        "mark_id": mark.mark_id,
        "label": mark.label,
        "account_id": mark.account_id,
        "issued_before_ms": mark.issued_before_ms,
        "made_at_ms": mark.made_at_ms,
    }


def mark_from(state: Mapping[str, Any]) -> Mark:
    """Return the mark that `mark_state` gave *state* for."""
    account_id = state["account_id"]
    return Mark(
        mark_id=MarkId(state["mark_id"]),
        label=state["label"],
        account_id=None if account_id is None else AccountId(account_id),
        issued_before_ms=state["issued_before_ms"],
        made_at_ms=state["made_at_ms"],
    )


def _stamp(selection: Selection, previewed_at_ms: int, matched: int, newest_ms: int) -> str:
    # What was shown stands in the stamp itself, because the commit has to compare with it.
    shown = f"{previewed_at_ms:x}-{matched:x}-{newest_ms:x}"
    asked = [selection.label, selection.account_id, selection.issued_before_ms]
    digest = hashlib.sha256(json.dumps([shown, asked]).encode()).hexdigest()
    return f"{shown}-{digest[:32]}"


def _shown(stamp: str) -> tuple[int, int, int] | None:
    parts = stamp.split("-")
    if len(parts) != _STAMP_PARTS:
        return None
    for part in parts[:3]:
        if not 1 <= len(part) <= _HEX_DIGITS_MAX or not set(part) <= set("0123456789abcdef"):
            return None
    return int(parts[0], 16), int(parts[1], 16), int(parts[2], 16)
