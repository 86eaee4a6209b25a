"""
Requests that were refused to a key, as far as they were noted: why, from where, how often, when.

Nothing is decided by it. They are noted off the hot path and may be lost, so a count is a lower
bound. Anybody who has read an API key somewhere can have its requests refused, for the key is no
secret; what was refused *before* possession was proved is therefore kept apart, in a few rows of
its own, and can push out nothing its owner needs to see. Where refusals are noted and kept is the
business of `services.refusals`; why a request is refused, of `decide`.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from tenure.domain.decide import REFUSALS, Reason
from tenure.domain.model import KeyId, RuleId

PROVED_KEPT = 50
"""Rows kept for each key of what its holder was refused: those refused last."""
UNPROVED_KEPT = 10
"""Rows kept beside them of what was refused before proof, from addresses the holder never had."""
KEPT_MS = 90 * 86_400_000
"""How long a row outlives its last refusal: a quarter, in which its owner looked or never will."""
ELSEWHERE = ""
"""Stands for the address in the row that sums up what the others of its reason had no room for."""

Place: TypeAlias = tuple[Reason, str, str]
"""What tells one row of a key from another: reason, permission, address."""


class Refusal(NamedTuple):
    """
    That requests of a key were refused so many *times*, for one *reason*, from one *address*.

    *permission* is what was asked for, empty where it was not known or nothing was proved. The last
    one tells *since_ms* (when the key was revoked or quarantined, the account frozen, or the
    permission ended; ms, UTC) and the rule that ended it.
    """

    key_id: KeyId
    reason: Reason
    permission: str
    address: str
    times: int
    first_at_ms: int
    last_at_ms: int
    since_ms: int | None = None
    rule_id: RuleId | None = None

    @property
    def is_proved(self) -> bool:
        """Whether it was the holder of the key who was refused."""
        return REFUSALS[self.reason].is_told

    @property
    def place(self) -> Place:
        """Which row of its key it belongs to."""
        return self.reason, self.permission, self.address


def fold(
    known: Iterable[Refusal], noted: Iterable[Refusal], addresses: Collection[str]
) -> tuple[Refusal, ...]:
    """
    Add what was *noted* of one key to what is *known* of it, the last refused first.

    *addresses* are those the key was used from: what was refused there before proof is a mistake of
    its holder's, a wrong secret or clock, rather than a stranger's try, and is kept among what was
    proved. What there is no room for is summed up in one row of its reason.
    """
    rows: dict[Place, Refusal] = {}
    for refusal in (*known, *noted):
        rows[refusal.place] = _sum(rows.get(refusal.place), refusal)
    newest_ms = max((row.last_at_ms for row in rows.values()), default=0)
    recent = [row for row in rows.values() if row.last_at_ms > newest_ms - KEPT_MS]
    holders = {*addresses, *(row.address for row in recent if row.is_proved)} - {ELSEWHERE}
    summed = {row.reason: row for row in recent if row.address == ELSEWHERE}
    kept: list[Refusal] = []
    for is_holders, most in ((True, PROVED_KEPT), (False, UNPROVED_KEPT)):
        chosen = _latest(
            row
            for row in recent
            if row.address != ELSEWHERE and (row.is_proved or row.address in holders) is is_holders
        )
        kept += chosen[:most]
        for row in chosen[most:]:
            over = row._replace(permission="", address=ELSEWHERE, since_ms=None, rule_id=None)
            summed[row.reason] = _sum(summed.get(row.reason), over)
    return tuple(_latest([*kept, *summed.values()]))


def _sum(one: Refusal | None, other: Refusal) -> Refusal:
    """Return both in one row, which is *other*'s where it is the later; the order is nothing."""
    if one is None:
        return other
    later = max(one, other, key=lambda row: (row.last_at_ms, row.since_ms or 0, row.rule_id or ""))
    return later._replace(
        times=one.times + other.times,
        first_at_ms=min(one.first_at_ms, other.first_at_ms),
    )


def _latest(rows: Iterable[Refusal]) -> Sequence[Refusal]:
    return sorted(rows, key=lambda row: (-row.last_at_ms, row.place))
