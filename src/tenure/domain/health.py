"""
How well the house is: what was measured, and whether that is fine, worth a look, or wrong.

Pure comparisons; what is measured, and how, is in `services.health`. A finding names its cause by
an id, so that each face has its own words for it and for what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000

SWEEP_LAG_MS: Final = MINUTE_MS
"""A million terms that end together are recorded within a minute (DESIGN, Numbers)."""
OVERDUE_MS: Final = 10 * MINUTE_MS
"""Messages nobody has tried to send for so long: whoever sends stands still."""
UNSIGNED_MS: Final = 10 * MINUTE_MS
"""A checkpoint is due every minute (SECURITY D16); ten missed ones are no coincidence."""
UNREAD_MS: Final = 2 * DAY_MS
"""The journal is read again every day; two missed rounds are no coincidence."""


class Level(StrEnum):
    """How bad it is."""

    WELL = "well"
    WATCH = "watch"
    WRONG = "wrong"


class Topic(StrEnum):
    """What was looked at, in the order it is told."""

    DECIDING = "deciding"
    SECRETS = "secrets"
    SWEEPING = "sweeping"
    SENDING = "sending"
    LEAKS = "leaks"
    SIGNING = "signing"
    PUSHING = "pushing"
    READING = "reading"


Fact: TypeAlias = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one *topic*; *cause* names which, and *facts* the numbers in it."""

    topic: Topic
    level: Level
    cause: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """
    The copy of the keys on this machine: *age_ms* None where nothing is known since it started.

    *seq* is the last event it has, *head_seq* the journal's; *bound_ms* is the age past which
    everything is refused. *is_held*: the store was restored, and waits to be released.
    """

    age_ms: int | None
    bound_ms: int
    seq: int
    head_seq: int
    is_held: bool


def deciding(found: Keyring, *, is_clock_behind: bool) -> Finding:
    """Judge whether requests are decided, and from what."""
    facts: dict[str, Fact] = {
        "seq": found.seq,
        "head": found.head_seq,
        "age_ms": found.age_ms if found.age_ms is not None else -1,
        "bound_ms": found.bound_ms,
    }
    level, cause = Level.WELL, "fresh"
    if found.is_held:
        level, cause = Level.WRONG, "held"
    elif is_clock_behind:
        level, cause = Level.WRONG, "clock"
    elif found.age_ms is None:
        level, cause = Level.WRONG, "unknown"
    elif not 0 <= found.age_ms <= found.bound_ms:
        level, cause = Level.WRONG, "stale"
    elif found.age_ms > found.bound_ms // 2:
        level, cause = Level.WATCH, "slow"
    return Finding(topic=Topic.DECIDING, level=level, cause=cause, facts=facts)


def secrets(*, is_sealed: bool) -> Finding:
    """Judge whether the sealing key opens what is sealed."""
    level, cause = (Level.WRONG, "sealed") if is_sealed else (Level.WELL, "open")
    return Finding(topic=Topic.SECRETS, level=level, cause=cause)


def sweeping(lag_ms: int, waiting: int) -> Finding:
    """Judge how far writing down is behind: *lag_ms* since the oldest end nobody has recorded."""
    level, cause = Level.WELL, "level"
    if lag_ms > SWEEP_LAG_MS:
        level, cause = Level.WRONG, "behind"
    facts: dict[str, Fact] = {"lag_ms": lag_ms, "waiting": waiting}
    return Finding(topic=Topic.SWEEPING, level=level, cause=cause, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """
    The messages to be sent yet: how many are *waiting*; on *channel* one is *overdue_ms* late.

    *has_relay*: whether the settings name a relay that takes e-mails. *trouble* is what was wrong
    with the relay when it was last handed one that waits still, "" where nothing was.
    """

    waiting: int
    overdue_ms: int
    channel: str
    has_relay: bool
    trouble: str


def sending(found: Outbox) -> Finding:
    """Judge whether notices go out: at once where it is known why not, else by what is late."""
    level, cause = Level.WELL, "none" if not found.waiting else "under_way"
    if found.overdue_ms > OVERDUE_MS:
        level, cause = Level.WATCH, "overdue"
    elif not found.has_relay:
        level, cause = Level.WATCH, "no_relay"
    elif found.trouble:
        level, cause = Level.WATCH, "trouble"
    facts: dict[str, Fact] = {
        "waiting": found.waiting,
        "overdue_ms": found.overdue_ms,
        "channel": found.channel,
        "trouble": found.trouble,
    }
    return Finding(topic=Topic.SENDING, level=level, cause=cause, facts=facts)


def leaks(waiting: int, oldest_ms: int) -> Finding:
    """Judge whether reported keys are acted on: *oldest_ms* since the first that nobody was."""
    level, cause = Level.WELL, "none" if not waiting else "under_way"
    if oldest_ms > MINUTE_MS:
        level, cause = Level.WRONG, "behind"
    facts: dict[str, Fact] = {"waiting": waiting, "oldest_ms": oldest_ms}
    return Finding(topic=Topic.LEAKS, level=level, cause=cause, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """
    The last checkpoint: of how many events, and since when; all 0 before the first.

    *pushed_size* is of the last one that is held elsewhere; *has_place*: whether there is such a
    place at all. *unsigned_ms* is how old the first event is that no checkpoint is over yet, and
    *unpushed_ms* how old the first checkpoint that is not held elsewhere.
    """

    head_seq: int
    size: int
    signed_at_ms: int
    pushed_size: int
    pushed_at_ms: int
    has_place: bool
    unsigned_ms: int
    unpushed_ms: int


def signing(found: Signed) -> Finding:
    """Judge whether checkpoints of the journal are signed."""
    level, cause = Level.WELL, "signed"
    if not found.head_seq:
        cause = "empty"
    elif found.unsigned_ms > UNSIGNED_MS:
        level, cause = Level.WRONG, "behind"
    elif not found.size:
        cause = "first"
    facts: dict[str, Fact] = {
        "size": found.size,
        "head": found.head_seq,
        "signed_at_ms": found.signed_at_ms,
        "unsigned_ms": found.unsigned_ms,
    }
    return Finding(topic=Topic.SIGNING, level=level, cause=cause, facts=facts)


def pushing(found: Signed) -> Finding:
    """Judge whether somebody else holds them: a log whose head nobody holds proves nothing."""
    level, cause = Level.WELL, "pushed"
    if not found.has_place:
        level, cause = Level.WATCH, "nowhere"
    elif found.unpushed_ms > UNSIGNED_MS:
        level, cause = Level.WRONG, "behind"
    elif not found.pushed_size:
        cause = "first"
    facts: dict[str, Fact] = {
        "size": found.pushed_size,
        "pushed_at_ms": found.pushed_at_ms,
        "unpushed_ms": found.unpushed_ms,
    }
    return Finding(topic=Topic.PUSHING, level=level, cause=cause, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """How far the journal was read again, as `services.rereading` says."""

    head_seq: int
    seq: int
    whole_seq: int
    whole_at_ms: int
    flaw_seq: int
    flaw: str


def reading(found: Read | None, now_ms: int) -> Finding:
    """Judge whether the journal was read again of late, and is as it was recorded."""
    if found is None:
        return Finding(topic=Topic.READING, level=Level.WELL, cause="first", facts={"seq": 0})
    level, cause = Level.WELL, "whole"
    if found.flaw_seq:
        level, cause = Level.WRONG, "flawed"
    elif not found.whole_at_ms:
        cause = "first"
    elif now_ms - found.whole_at_ms > UNREAD_MS:
        level, cause = Level.WATCH, "behind"
    facts: dict[str, Fact] = {
        "seq": found.seq,
        "head": found.head_seq,
        "whole_seq": found.whole_seq,
        "whole_at_ms": found.whole_at_ms,
        "flaw_seq": found.flaw_seq,
        "flaw": found.flaw,
    }
    return Finding(topic=Topic.READING, level=level, cause=cause, facts=facts)
