"""
Two people for what concerns the whole house: proposed by one, approved by another.

A proposal names the act, what is asked for, and the stamp of the plan that was shown; whoever
approves approves exactly that, or it is stale and must be proposed again. That it has expired is
arithmetic, as with any term. What an act does, and how it is planned, is in `services.house_acts`.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, NewType, TypeAlias

from tenure.domain.errors import Conflict, Forbidden

ApprovalId = NewType("ApprovalId", str)
"""`appr_` and 24 characters."""

GOOD_FOR_MS: Final = 86_400_000
"""How long a proposal waits: a day, so that somebody of the next shift can look at it."""
WAITING_MAX: Final = 50
"""Proposals that wait at a time: more than anybody looks through."""

Asked: TypeAlias = Mapping[str, Any]
"""What an act is to be done with, as JSON values."""


class Act(StrEnum):
    """What concerns the whole house."""

    REVOKE_KEYS = "revoke_keys"
    SCHEDULE_RULES = "schedule_rules"
    WITHDRAW_RULE = "withdraw_rule"
    INVITE_OPERATOR = "invite_operator"
    CHANGE_ROLE = "change_role"
    REMOVE_OPERATOR = "remove_operator"


class SecondApproval(StrEnum):
    """When a second person has to approve (the setting `second_approval`)."""

    AUTO = "auto"
    """As soon as there are two who could."""
    ALWAYS = "always"
    NEVER = "never"


class Standing(StrEnum):
    """How a proposal stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who proposes or approves: the person, and whom the journal names."""

    person_id: str
    actor: str


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that will follow: its *kind*, which each face has words for, and the *facts*."""

    kind: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How it ended: *is_approved*, or withdrawn; by whom and when (ms, UTC)."""

    is_approved: bool
    by: Signatory
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    An act that waits for a second person: *asked* is what for, *effects* what was shown.

    *stamp* is of the plan as it was at *proposed_at_ms*; instants are ms, UTC.
    """

    approval_id: ApprovalId
    act: Act
    asked: Asked
    stamp: str
    effects: tuple[Effect, ...]
    by: Signatory
    proposed_at_ms: int
    expires_at_ms: int
    settled: Settled | None = None

    def standing(self, now_ms: int) -> Standing:
        """Return how it stands at *now_ms*."""
        if self.settled is not None:
            return Standing.APPROVED if self.settled.is_approved else Standing.WITHDRAWN
        return Standing.WAITING if now_ms < self.expires_at_ms else Standing.EXPIRED

    def is_same(self, act: Act, asked: Asked) -> bool:
        """Whether it asks for the same thing."""
        return self.act is act and _text(self.asked) == _text(asked)


def is_needed(chosen: SecondApproval, able: Collection[str], by: Signatory) -> bool:
    """
    Whether what *by* does needs a second person, where *able* (ids) are those who could give it.

    By *auto* it does as soon as there is anybody else; alone one can still run the house.
    """
    if chosen is SecondApproval.AUTO:
        return any(person_id != by.person_id for person_id in able)
    return chosen is SecondApproval.ALWAYS


def require_able(able: Collection[str], by: Signatory) -> None:
    """Return if *by* may act on the house; raises Forbidden."""
    if by.person_id not in able:
        raise Forbidden("Only an administrator may do this.", code="administrator")


def propose(  # noqa: PLR0913 - all that is put on record
    approval_id: ApprovalId,
    act: Act,
    *,
    asked: Asked,
    stamp: str,
    effects: tuple[Effect, ...],
    by: Signatory,
    now_ms: int,
    waiting: Collection[Proposal],
) -> Proposal:
    """
    Propose *act*, beside those that are *waiting*; good for a day.

    Raises Conflict `proposed` where somebody has proposed the same, `limit` where too many wait.
    """
    if any(other.is_same(act, asked) for other in waiting):
        raise Conflict("proposed", "this is proposed already, and waits for somebody else")
    if len(waiting) >= WAITING_MAX:
        raise Conflict("limit", f"{WAITING_MAX} proposals wait already: settle some of them first")
    return Proposal(
        approval_id=approval_id,
        act=act,
        asked=asked,
        stamp=stamp,
        effects=effects,
        by=by,
        proposed_at_ms=now_ms,
        expires_at_ms=now_ms + GOOD_FOR_MS,
    )


def approve(proposal: Proposal, by: Signatory, able: Collection[str], now_ms: int) -> Proposal:
    """
    Return *proposal* approved by *by*: never whoever proposed it, under no other role either.

    Raises Forbidden; Conflict `settled`, `expired`, and `stale` where whoever proposed it could
    not any more.
    """
    require_able(able, by)
    _require_waiting(proposal, now_ms)
    if by.person_id == proposal.by.person_id or by.actor == proposal.by.actor:
        raise Forbidden("Somebody else has to approve this: you proposed it.", code="same_person")
    if proposal.by.person_id not in able:
        raise Conflict("stale", "whoever proposed this is no administrator any more")
    return replace(proposal, settled=Settled(is_approved=True, by=by, at_ms=now_ms))


def withdraw(proposal: Proposal, by: Signatory, able: Collection[str], now_ms: int) -> Proposal:
    """Return *proposal* taken back, by whoever made it or turned down by another; as `approve`."""
    require_able(able, by)
    _require_waiting(proposal, now_ms)
    return replace(proposal, settled=Settled(is_approved=False, by=by, at_ms=now_ms))


def approval_state(proposal: Proposal) -> dict[str, object]:
    """Return *proposal* as JSON values, the shape of its events' bodies."""
    settled = proposal.settled
    return {
        "approval_id": proposal.approval_id,
        "act": str(proposal.act),
        "asked": dict(proposal.asked),
        "stamp": proposal.stamp,
        "effects": [{"kind": item.kind, "facts": dict(item.facts)} for item in proposal.effects],
        "proposed_by": _by_state(proposal.by),
        "proposed_at_ms": proposal.proposed_at_ms,
        "expires_at_ms": proposal.expires_at_ms,
        "settled": None
        if settled is None
        else {
            "is_approved": settled.is_approved,
            "by": _by_state(settled.by),
            "at_ms": settled.at_ms,
        },
    }


def approval_from(state: Mapping[str, Any]) -> Proposal:
    """Return the proposal that `approval_state` gave *state* for."""
    settled = state["settled"]
    return Proposal(
        approval_id=ApprovalId(state["approval_id"]),
        act=Act(state["act"]),
        asked=state["asked"],
        stamp=state["stamp"],
        effects=tuple(Effect(item["kind"], item["facts"]) for item in state["effects"]),
        by=Signatory(**state["proposed_by"]),
        proposed_at_ms=state["proposed_at_ms"],
        expires_at_ms=state["expires_at_ms"],
        settled=None
        if settled is None
        else Settled(
            is_approved=settled["is_approved"],
            by=Signatory(**settled["by"]),
            at_ms=settled["at_ms"],
        ),
    )


def _by_state(by: Signatory) -> dict[str, str]:
    return {"person_id": by.person_id, "actor": by.actor}


def _require_waiting(proposal: Proposal, now_ms: int) -> None:
    standing = proposal.standing(now_ms)
    if standing is Standing.EXPIRED:
        raise Conflict("expired", "this waited for more than a day: propose it again")
    if standing is not Standing.WAITING:
        raise Conflict("settled", f"this is {standing} already")


def _text(asked: Asked) -> str:
    return json.dumps(asked, sort_keys=True)
