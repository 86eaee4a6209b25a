"""
What concerns the whole house: each kind planned, and carried out, in somebody's transaction.

Planned the same way whether one person does it, proposes it, or approves what another proposed:
the plan's stamp tells whether it is still what was shown. Who has to agree is in `approvals`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from tenure.domain import events, rulebooks, stamps
from tenure.domain.approvals import Act, Asked, Effect
from tenure.domain.catalog import Catalog
from tenure.domain.errors import Conflict, Gathered, Invalid
from tenure.domain.marks import Selection
from tenure.domain.people import Person, Role
from tenure.domain.rules import Rule, rule_state
from tenure.services.people.facade import People
from tenure.services.people.invitations import require_email
from tenure.services.revocations import Revocations
from tenure.services.rules import Rules
from tenure.store.db import Transaction


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the last event's *seq*, 0 where there was nothing to do, and the *answer*."""

    seq: int
    answer: Any = None


class Confirming(Protocol):
    """What a stamp is made from, and compared with: `MarkPlan`, `RulePlan`, `Inputs`."""

    def stamp(self, previewed_at_ms: int) -> str:
        """Return what somebody who saw it at *previewed_at_ms* confirms it with."""

    def require_confirmed(self, stamp: str | None, now_ms: int) -> None:
        """Raise Conflict unless *stamp* confirms it: `confirmation_required` or `stale`."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan was worked out from, by its digest."""

    digest: str

    @classmethod
    def of(cls, *named: object) -> "Inputs":
        """Name the inputs, which JSON can hold."""
        return cls(hashlib.sha256(events.canonical(list(named)).encode()).hexdigest())

    def stamp(self, previewed_at_ms: int) -> str:
        """Return what confirms it."""
        return stamps.stamp_of(self.digest, previewed_at_ms)

    def require_confirmed(self, stamp: str | None, now_ms: int) -> None:
        """Raise Conflict unless *stamp* confirms it."""
        if stamp is None:
            raise Conflict("confirmation_required", "look at what it would do, and send the stamp")
        stamps.require_current(stamp, self.digest, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class HousePlan:
    """
    What would be done, as of one instant.

    *asked* is put so that it asks for the same a day later. Where there is nothing to do there are
    no *effects*. *shown* is what a page may show of it, and *carry_out* does it, for an actor.
    """

    asked: Asked
    effects: tuple[Effect, ...]
    confirming: Confirming
    carry_out: Callable[[Transaction, str, int], Done]
    shown: Any = None


Planner: TypeAlias = Callable[[Transaction, Asked, int], HousePlan]
"""Plans what is asked for, as of an instant; raises Invalid, NotFound and Conflict."""


def planners(
    revocations: Revocations, rules: Rules, people: People, catalog: Catalog
) -> Mapping[Act, Planner]:
    """Return how each kind of act is planned."""
    return {
        Act.REVOKE_KEYS: partial(_revoke_keys, revocations),
        Act.SCHEDULE_RULES: partial(_schedule_rules, rules, frozenset(catalog.offers)),
        Act.WITHDRAW_RULE: partial(_withdraw_rule, rules),
        Act.INVITE_OPERATOR: partial(_invite_operator, people),
        Act.CHANGE_ROLE: partial(_change_role, people),
        Act.REMOVE_OPERATOR: partial(_remove_operator, people),
    }


def selection_asked(selection: Selection) -> Asked:
    """Return what is asked for by a *selection* of keys."""
    return {"label": selection.label, "issued_before_ms": selection.issued_before_ms}


def _revoke_keys(revocations: Revocations, tx: Transaction, asked: Asked, now_ms: int) -> HousePlan:
    selection = Selection.of(asked["label"], None, asked["issued_before_ms"])
    plan = revocations.plan_in(tx, selection)
    if (asked["issued_before_ms"] or 0) > max(now_ms, plan.newest_issued_at_ms) + 1:
        raise Invalid("issued_before_ms", "lies in the future; no key was issued there yet")
    # Keys issued while it waits are not meant, or in a busy house it would always be stale.
    until_ms = plan.before_ms(now_ms)
    facts = {
        "label": selection.label,
        "issued_before_ms": until_ms,
        "keys": plan.matched,
        "by_kind": {str(kind): keys for kind, keys in plan.by_kind.items()},
    }

    def carry_out(tx: Transaction, actor: str, now_ms: int) -> Done:
        mark, event = revocations.mark_in(tx, plan, actor, now_ms)
        return Done(event.seq, mark)

    return HousePlan(
        asked={"label": selection.label, "issued_before_ms": until_ms},
        effects=(Effect("keys_revoked", facts),) if plan.matched else (),
        confirming=plan,
        carry_out=carry_out,
        shown=plan,
    )


def _schedule_rules(
    rules: Rules, permissions: frozenset[Any], tx: Transaction, asked: Asked, now_ms: int
) -> HousePlan:
    plan = rules.plan_in(tx, rulebooks.read(asked["rulebook"], permissions), now_ms)

    def carry_out(tx: Transaction, actor: str, _now_ms: int) -> Done:
        return Done(rules.add_in(tx, plan.added, actor), plan.added)

    return HousePlan(
        asked=dict(asked),
        effects=tuple(Effect("rule_scheduled", _of_rule(rule)) for rule in plan.added),
        confirming=plan,
        carry_out=carry_out,
        shown=plan,
    )


def _withdraw_rule(rules: Rules, tx: Transaction, asked: Asked, now_ms: int) -> HousePlan:
    rule = rules.withdrawable_in(tx, asked["rule_id"], now_ms)
    is_withdrawn = rule.withdrawn_at_ms is not None

    def carry_out(tx: Transaction, actor: str, now_ms: int) -> Done:
        withdrawn, seq = rules.withdraw_in(tx, rule, actor, now_ms)
        return Done(seq, withdrawn)

    return HousePlan(
        asked={"rule_id": rule.rule_id},
        effects=() if is_withdrawn else (Effect("rule_withdrawn", _of_rule(rule)),),
        confirming=Inputs.of(Act.WITHDRAW_RULE, rule_state(rule), rule.withdrawn_at_ms),
        carry_out=carry_out,
        shown=rule,
    )


def _invite_operator(people: People, tx: Transaction, asked: Asked, _now_ms: int) -> HousePlan:
    gathered = Gathered()
    email = gathered.look(lambda: require_email(asked["email"]), "")
    role = gathered.look(lambda: _role(asked), Role.VIEWER)
    gathered.settle()
    people.invitations.require_operator(tx, email, role)

    def carry_out(tx: Transaction, actor: str, _now_ms: int) -> Done:
        invited, event = people.invitations.operator_in(tx, email, role, actor)
        return Done(event.seq, invited)

    return HousePlan(
        asked={"email": email, "role": str(role)},
        effects=(Effect("operator_invited", {"email": email, "role": str(role)}),),
        confirming=Inputs.of(Act.INVITE_OPERATOR, email, role),
        carry_out=carry_out,
    )


def _change_role(people: People, tx: Transaction, asked: Asked, _now_ms: int) -> HousePlan:
    person, role = people.operator_in(tx, asked["person_id"]), _role(asked)
    facts = {"email": person.email, "role": str(role), "role_before": str(person.role)}

    def carry_out(tx: Transaction, actor: str, _now_ms: int) -> Done:
        changed, event = people.role_in(tx, person.person_id, role, actor)
        return Done(event.seq if event else 0, changed)

    return HousePlan(
        asked={"person_id": person.person_id, "role": str(role)},
        effects=() if person.role is role else (Effect("role_changed", facts),),
        confirming=Inputs.of(Act.CHANGE_ROLE, _of_person(person), role),
        carry_out=carry_out,
        shown=person,
    )


def _remove_operator(people: People, tx: Transaction, asked: Asked, _now_ms: int) -> HousePlan:
    person = people.operator_in(tx, asked["person_id"])

    def carry_out(tx: Transaction, actor: str, _now_ms: int) -> Done:
        removed, event = people.remove_in(tx, person.person_id, actor)
        return Done(event.seq, removed)

    return HousePlan(
        asked={"person_id": person.person_id},
        effects=(Effect("operator_removed", {"email": person.email, "role": str(person.role)}),),
        confirming=Inputs.of(Act.REMOVE_OPERATOR, _of_person(person)),
        carry_out=carry_out,
        shown=person,
    )


def _role(asked: Asked) -> Role:
    try:
        role = Role(asked["role"])
    except ValueError as error:
        raise Invalid("role", "choose one of the roles") from error
    if not role.is_operators:
        raise Invalid("role", "an owner is no operator, and no operator an owner")
    return role


def _of_person(person: Person) -> list[object]:
    return [person.person_id, person.email, person.role]


def _of_rule(rule: Rule) -> dict[str, Any]:
    return {
        "rule_id": rule.rule_id,
        "title": rule.title,
        "effective_from_ms": rule.effective_from_ms,
    }
