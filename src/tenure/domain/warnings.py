"""
Which warnings a running term yields, and when: by lead times its owner chose, or its rule names.

A warning is a notice without an event, for nothing happened yet. Its id follows from key,
permission, end and lead time, so whoever finds it due writes the same one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tenure.domain.errors import Invalid
from tenure.domain.model import Permission, RuleId
from tenure.domain.notices import Kind, Notice, notice_id
from tenure.domain.rules import Rulebook

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
CHOICES_MS = (
    *(days * DAY_MS for days in (30, 14, 10, 7, 5, 3, 2, 1)),
    *(hours * HOUR_MS for hours in (12, 6, 3, 1)),
    *(minutes * 60_000 for minutes in (30, 15)),
)
"""
Lead times an account may choose besides those of the rules, the longest first.

A few, for each that anybody chose is one more look at every term.
"""
CLIMBS_AFTER_MS_MAX = DAY_MS
"""An unread warning of a sub-account reaches its master after a day, or sooner: `climbs_after`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A grant whose term runs, as the warnings see it; instants in ms UTC."""

    account_id: str
    key_id: str
    label: str
    key_type: str
    is_restricted: bool
    permission: Permission
    starts_at_ms: int
    ends_at_ms: int
    rule_id: RuleId
    chosen_ms: tuple[int, ...] | None = None
    """Lead times its account chose, None where it left that to the rules."""


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """For each rule that sets a term: how long (ms) before its end to warn."""

    of_rule: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of_rulebook(cls, rulebook: Rulebook) -> "LeadTimes":
        """Return the lead times that *rulebook* names."""
        return cls(
            {
                rule.rule_id: rule.notify_before_ms
                for rule in rulebook.rules
                if rule.notify_before_ms
            }
        )

    def every(self, chosen_ms: Collection[int] = ()) -> tuple[int, ...]:
        """Return each lead time there is (ms), those that accounts chose too, the longest first."""
        found = {lead_ms for leads_ms in self.of_rule.values() for lead_ms in leads_ms}
        return tuple(sorted(found | set(chosen_ms), reverse=True))

    def of(self, running: Running) -> tuple[int, ...]:
        """Return the lead times (ms) of one term: its owner's choice, else those of its rule."""
        if running.chosen_ms is not None:
            return running.chosen_ms
        return self.of_rule.get(running.rule_id, ())

    def chosen(self, leads_ms: Collection[int]) -> tuple[int, ...]:
        """
        Return *leads_ms* as an account may choose them, the longest first.

        Raises Invalid `lead_times` for none at all, since nothing lapses in silence, and for any
        that is offered neither here nor by a rule.
        """
        offered = self.every(CHOICES_MS)
        if not leads_ms:
            raise Invalid("lead_times", "choose at least one, or leave it to the rules")
        if not set(leads_ms) <= set(offered):
            raise Invalid("lead_times", f"must be among {', '.join(map(str, offered))} (ms)")
        return tuple(sorted(set(leads_ms), reverse=True))


def warning(running: Running, lead_ms: int, leads: LeadTimes, now_ms: int) -> Notice | None:
    """
    Return the warning *lead_ms* before the end of a term, None where there is none to give now.

    None before it is due; once the next shorter lead time is due too, since that warning says it
    better; once the term has ended; and where the term was shorter than the lead time from its
    start, since its end was news then.
    """
    of_term = leads.of(running)
    due_at_ms = running.ends_at_ms - lead_ms
    superseded_ms = max((other for other in of_term if other < lead_ms), default=0)
    is_due = due_at_ms <= now_ms < running.ends_at_ms - superseded_ms
    if lead_ms not in of_term or not is_due or due_at_ms <= running.starts_at_ms:
        return None
    return Notice(
        notice_id=notice_id(
            "warning", running.key_id, running.permission, running.ends_at_ms, lead_ms
        ),
        kind=Kind.TERM_ENDS_SOON,
        account_id=running.account_id,
        happened_at_ms=due_at_ms,
        facts={
            "label": running.label,
            "key_type": running.key_type,
            "is_restricted": running.is_restricted,
            "permission": running.permission,
            "starts_at_ms": running.starts_at_ms,
            "ends_at_ms": running.ends_at_ms,
            "rule_id": running.rule_id,
        },
        key_id=running.key_id,
        permission=running.permission,
        ends_at_ms=running.ends_at_ms,
        lead_ms=lead_ms,
    )


def climbs_after(lead_ms: int) -> int:
    """Return how long (ms) a warning may lie unread: a quarter of its lead time, a day at most."""
    return min(lead_ms // 4, CLIMBS_AFTER_MS_MAX)


def climbed(unread: Notice, master_id: str) -> Notice:
    """Return the *unread* warning of a sub-account as its master is told of it."""
    return Notice(
        notice_id=notice_id("climbed", unread.notice_id, master_id),
        kind=unread.kind,
        account_id=master_id,
        happened_at_ms=unread.happened_at_ms,
        facts={**unread.facts, "sub_account_id": unread.account_id},
        key_id=unread.key_id,
        permission=unread.permission,
        ends_at_ms=unread.ends_at_ms,
        lead_ms=unread.lead_ms,
    )
